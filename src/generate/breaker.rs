//! A circuit breaker: what fails several times in a row is left alone for a while, then tried once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(super) struct Breaker {
    most: usize,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: usize,
    /// Nothing is sent before.
    rests_until: Option<Instant>,
    /// One try is under way after a rest.
    is_trying: bool,
}

impl Breaker {
    /// Open after `most` failures in a row, for `pause`; never where `most` is 0.
    pub(super) fn new(most: usize, pause: Duration) -> Self {
        Self { most, pause, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole at every moment, also where a thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something may be sent. After a rest one may; the others wait for what comes of it.
    pub(super) fn allows(&self, now: Instant) -> bool {
        let mut state = self.state();
        match state.rests_until {
            None => true,
            Some(until) if now < until || state.is_trying => false,
            Some(_) => {
                state.is_trying = true;
                true
            }
        }
    }

    pub(super) fn succeeded(&self) {
        *self.state() = State::default();
    }

    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.failures += 1;
        state.is_trying = false;
        if self.most > 0 && state.failures >= self.most {
            state.rests_until = Some(now + self.pause);
        }
    }

    /// The endpoint showed neither that it works nor that it does not.
    pub(super) fn heard_nothing(&self) {
        self.state().is_trying = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_in_a_row_rests_and_is_then_tried_once() {
        let (start, pause) = (Instant::now(), Duration::from_secs(30));
        let breaker = Breaker::new(2, pause);
        breaker.failed(start);
        assert!(breaker.allows(start));
        breaker.succeeded();
        breaker.failed(start);
        assert!(breaker.allows(start), "not in a row");
        breaker.failed(start);
        assert!(!breaker.allows(start) && !breaker.allows(start + pause / 2));
        assert!(breaker.allows(start + pause) && !breaker.allows(start + pause), "one try alone");
        breaker.heard_nothing();
        assert!(breaker.allows(start + pause));
        breaker.failed(start + pause);
        assert!(!breaker.allows(start + pause) && breaker.allows(start + pause * 2));
        breaker.succeeded();
        assert!(breaker.allows(start + pause) && breaker.allows(start + pause));
        let never = Breaker::new(0, pause);
        (0..100).for_each(|_| never.failed(start));
        assert!(never.allows(start));
    }
}
