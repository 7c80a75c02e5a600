//! How long a piece of work may take: set where it begins, asked where it is done.
//!
//! Work that runs on a thread of a pool cannot be stopped from outside. It asks between its steps
//! ([`has_passed`]) and gives up; what it has not committed has not happened.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

thread_local! {
    static HERE: RefCell<Option<Deadline>> = const { RefCell::new(None) };
}

/// When work is to end; earlier, once it is called off.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    called_off: Arc<AtomicBool>,
}

impl Deadline {
    /// From now on for `time`.
    pub fn within(time: Duration) -> Self {
        Self { at: Instant::now() + time, called_off: Arc::default() }
    }

    /// The moment of it.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Nobody waits for the work any more.
    pub fn call_off(&self) {
        self.called_off.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to end.
    pub fn has_passed(&self) -> bool {
        self.called_off.load(Ordering::Relaxed) || Instant::now() >= self.at
    }

    /// Does `work` on this thread under this deadline.
    pub fn keep<T>(&self, work: impl FnOnce() -> T) -> T {
        under(Some(self.clone()), work)
    }
}

/// Does `work` whatever the deadline says: what is begun here has to be ended.
pub fn without<T>(work: impl FnOnce() -> T) -> T {
    under(None, work)
}

/// The deadline of this thread, for work that it gives to others.
pub fn here() -> Option<Deadline> {
    HERE.with_borrow(Clone::clone)
}

/// Does `work` on this thread under the deadline that another had.
pub fn under<T>(deadline: Option<Deadline>, work: impl FnOnce() -> T) -> T {
    /// Puts back what was, also where the work panics.
    struct Before(Option<Deadline>);
    impl Drop for Before {
        fn drop(&mut self) {
            HERE.set(self.0.take());
        }
    }
    let _before = Before(HERE.replace(deadline));
    work()
}

/// Whether what this thread does is to end; never where nothing was said.
pub fn has_passed() -> bool {
    HERE.with_borrow(|here| here.as_ref().is_some_and(Deadline::has_passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_hears_of_its_own_deadline_and_of_no_other() {
        assert!(!has_passed());
        let (past, long) = (Deadline::within(Duration::ZERO), Deadline::within(Duration::from_hours(1)));
        assert_eq!(
            past.keep(|| (has_passed(), long.keep(has_passed), without(has_passed), has_passed())),
            (true, false, false, true)
        );
        long.keep(|| {
            assert!(!has_passed());
            long.call_off();
            assert!(has_passed());
        });
        let broken = std::panic::catch_unwind(|| past.keep(|| panic!("a fault of ours")));
        assert!(broken.is_err() && !has_passed());
    }
}
