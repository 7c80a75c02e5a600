//! How long a piece of work may take: set where it begins, asked where it is done.
//!
//! Work that runs on a thread of a pool cannot be stopped from outside. It asks between its steps
//! ([`has_passed`]) and gives up; what it has not committed has not happened.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

thread_local! {
    static CURRENT: RefCell<Option<Deadline>> = const { RefCell::new(None) };
}

/// When work is to end; earlier, once it is cancelled.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    cancelled: Arc<AtomicBool>,
}

impl Deadline {
    /// From now on for `time`.
    pub fn within(time: Duration) -> Self {
        Self { at: Instant::now() + time, cancelled: Arc::default() }
    }

    /// At no time, unless it is cancelled.
    pub fn open() -> Self {
        /// Longer than any process runs.
        const AGES: Duration = Duration::from_hours(24 * 365 * 30);
        Self::within(AGES)
    }

    /// The moment of it.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Nobody waits for the work any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to end.
    pub fn has_passed(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || Instant::now() >= self.at
    }

    /// Does `work` on this thread under this deadline.
    pub fn apply<T>(&self, work: impl FnOnce() -> T) -> T {
        with(Some(self.clone()), work)
    }
}

/// Does `work` whatever the deadline says: what is begun here has to be ended.
pub fn unlimited<T>(work: impl FnOnce() -> T) -> T {
    with(None, work)
}

/// The deadline of this thread, for work that it gives to others.
pub fn current() -> Option<Deadline> {
    CURRENT.with_borrow(Clone::clone)
}

/// Does `work` on this thread under `deadline`: that of the thread that hands it over.
pub fn with<T>(deadline: Option<Deadline>, work: impl FnOnce() -> T) -> T {
    /// Puts back what was, also where the work panics.
    struct Before(Option<Deadline>);
    impl Drop for Before {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _before = Before(CURRENT.replace(deadline));
    work()
}

/// Whether what this thread does is to end; never where nothing was said.
pub fn has_passed() -> bool {
    CURRENT.with_borrow(|deadline| deadline.as_ref().is_some_and(Deadline::has_passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_hears_of_its_own_deadline_and_of_no_other() {
        assert!(!has_passed());
        let (past, long) = (Deadline::within(Duration::ZERO), Deadline::within(Duration::from_hours(1)));
        assert_eq!(
            past.apply(|| (has_passed(), long.apply(has_passed), unlimited(has_passed), has_passed())),
            (true, false, false, true)
        );
        long.apply(|| {
            assert!(!has_passed());
            long.cancel();
            assert!(has_passed());
        });
        let broken = std::panic::catch_unwind(|| past.apply(|| panic!("a fault of ours")));
        assert!(broken.is_err() && !has_passed());
    }
}
