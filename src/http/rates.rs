//! How often a key may ask, and how often somebody may be wrong about one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::error::Problem;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// Wrong keys a minute that one address may send.
const WRONG: NonZeroU32 = NonZeroU32::new(20).expect("it is not zero");
/// Addresses that are remembered; beyond, those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// Buckets that fill again, one a key and one an address.
pub(super) struct Rates {
    asked: Option<Limiter<String>>,
    wrong: Limiter<IpAddr>,
}

impl Rates {
    /// `a_minute` requests for each key; 0 is no limit.
    pub(super) fn new(a_minute: u32) -> Self {
        let asked = NonZeroU32::new(a_minute).map(|rate| RateLimiter::hashmap(Quota::per_minute(rate)));
        Self { asked, wrong: RateLimiter::hashmap(Quota::per_minute(WRONG)) }
    }

    /// One more request with the key of this name.
    pub(super) fn ask(&self, name: &str) -> Result<(), Problem> {
        let Some(asked) = &self.asked else { return Ok(()) };
        let clock = DefaultClock::default();
        asked.check_key(&name.to_owned()).map_err(|early| {
            let message = format!("key `{name}` has asked too often\nhint: `server.requests_per_minute` says how often it may");
            limited(message, early.wait_time_from(clock.now()))
        })
    }

    /// One more wrong key from `address`: the refusal when there were too many.
    pub(super) fn wrong(&self, address: Option<IpAddr>) -> Result<(), Problem> {
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
