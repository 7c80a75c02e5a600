//! How often a key may ask, and how often somebody may be wrong about one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::http::dto::error::Problem;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// Wrong keys a minute that one address may send.
const WRONG: NonZeroU32 = NonZeroU32::new(20).expect("it is not zero");
/// Addresses that are remembered; beyond, those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// Buckets that fill again, for each key and each address. They are kept in memory: a service that starts
/// again has forgotten them.
pub(in crate::http) struct Rates {
    /// What limits each key, with the setting that says how much.
    asked: Vec<(Limiter<String>, &'static str)>,
    wrong: Limiter<IpAddr>,
}

impl Rates {
    /// `a_minute` and `a_day` requests for each key; 0 is no limit.
    pub(in crate::http) fn new(a_minute: u32, a_day: u32) -> Self {
        let limits = [(a_minute, MINUTE, "server.requests_per_minute"), (a_day, DAY, "server.requests_per_day")];
        let limited = limits.into_iter().filter_map(|(rate, period, setting)| {
            let rate = NonZeroU32::new(rate)?;
            let quota = Quota::with_period(period / rate.get())?.allow_burst(rate);
            Some((RateLimiter::hashmap(quota), setting))
        });
        let asked = limited.collect();
        Self { asked, wrong: RateLimiter::hashmap(Quota::per_minute(WRONG)) }
    }

    /// One more request with the key of this name.
    pub(in crate::http) fn ask(&self, name: &str) -> Result<(), Problem> {
        let clock = DefaultClock::default();
        self.asked.iter().try_for_each(|(limit, setting)| {
            limit.check_key(&name.to_owned()).map_err(|early| {
                let message = format!("key `{name}` has asked too often\nhint: `{setting}` says how often it may");
                limited(message, early.wait_time_from(clock.now()))
            })
        })
    }

    /// One more wrong key from `address`: the refusal when there were too many.
    pub(in crate::http) fn wrong(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        if self.wrong.len() > REMEMBERED {
            self.wrong.retain_recent();
        }
        let Some(address) = address else { return Ok(()) };
        let clock = DefaultClock::default();
        let wrong = self.wrong.check_key(&address);
        wrong.map_err(|early| limited("too many wrong keys".to_owned(), early.wait_time_from(clock.now())))
    }
}

fn limited(message: String, wait: Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).retry_after(wait.as_secs() + 1)
}
