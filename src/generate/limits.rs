//! How much is written at once, and on a day.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Places for what is written at once.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: AtomicUsize,
}

/// A place, free again when it is dropped.
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// A place, if one is free.
    pub(super) fn take(&self) -> Option<Place<'_>> {
        let place = Place(&self.taken);
        (self.taken.fetch_add(1, Ordering::Relaxed) < self.most).then_some(place)
    }
}

/// Tokens of a day (UTC). It is counted in memory: a service that starts again begins anew.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    /// Days since 1970, and tokens used or reserved on that day.
    used: Mutex<(u64, usize)>,
}

impl Budget {
    /// `most` tokens a day; 0: as many as they are.
    pub(super) fn new(most: usize) -> Self {
        Self { most, used: Mutex::default() }
    }

    /// Sets tokens aside; `false` where the day has not as many left.
    pub(super) fn reserve(&self, tokens: usize) -> bool {
        self.reserve_on(today(), tokens)
    }

    fn reserve_on(&self, day: u64, tokens: usize) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.0 != day {
            *used = (day, 0);
        }
        let fits = self.most == 0 || used.1.saturating_add(tokens) <= self.most;
        if fits {
            used.1 = used.1.saturating_add(tokens);
        }
        fits
    }

    /// Of the tokens that were set aside, so many were used.
    pub(super) fn settle(&self, reserved: usize, used: usize) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        all.1 = all.1.saturating_sub(reserved).saturating_add(used);
    }
}

fn today() -> u64 {
    const DAY: u64 = 24 * 60 * 60;
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_free_again_when_they_are_left() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none() && places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
        assert!(Places::new(0).take().is_none());
    }

    #[test]
    fn a_day_has_its_tokens_and_the_next_its_own() {
        let budget = Budget::new(100);
        assert!(budget.reserve_on(1, 60) && !budget.reserve_on(1, 60));
        budget.settle(60, 10);
        assert!(budget.reserve_on(1, 90) && !budget.reserve_on(1, 1));
        assert!(budget.reserve_on(2, 100));
        assert!(Budget::new(0).reserve_on(1, usize::MAX));
    }
}
