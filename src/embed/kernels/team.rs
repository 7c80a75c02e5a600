//! Helper threads for work that is too short to wake a thread for.
//!
//! A lone question is two dozen matrix products of 10 to 100 µs each; waking a thread for each of them costs
//! as much as it saves. The helpers are woken once, spin between products, and park when the team is dropped.
//! A job is cut into parts that whoever is free takes, so that a helper which the system does not schedule is
//! never waited for. There is one team per process; a caller that finds it busy works alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;

use crate::background;

/// More helpers do not speed up such short jobs.
const HELPERS: usize = 3;

static POOL: LazyLock<HelperPool> = LazyLock::new(HelperPool::new);

/// Work that is cut into independent parts.
pub(in crate::embed) trait Job: Send + Sync {
    /// Computes one part.
    fn compute(&self, part: usize) -> Vec<f32>;
}

/// A job and its progress.
struct Task<J: ?Sized> {
    taken: Vec<AtomicBool>,
    /// The result of each part that a helper has computed.
    results: Vec<OnceLock<Vec<f32>>>,
    /// Whether a helper panicked over a part.
    failed: AtomicBool,
    job: J,
}

impl<J: Job + ?Sized> Task<J> {
    /// Computes parts until all are taken. The `place`th of `of` workers begins at its own share and goes on in
    /// order, because consecutive parts read consecutive memory.
    fn take_parts(&self, place: usize, of: usize) {
        let begin = self.results.len() * place / of;
        for part in (begin..self.results.len()).chain(0..begin) {
            if !self.taken[part].swap(true, Ordering::Relaxed) {
                // Each part is taken once.
                let _ = self.results[part].set(self.job.compute(part));
            }
        }
    }
}

/// State that the helpers and their caller share.
#[derive(Default)]
struct SharedState {
    open: AtomicBool,
    /// Counts tasks, so that looking for another one needs no lock.
    tasks: AtomicUsize,
    task: Mutex<Option<Arc<Task<dyn Job>>>>,
}

impl SharedState {
    fn task(&self) -> MutexGuard<'_, Option<Arc<Task<dyn Job>>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop of the `place`th of `of` workers.
    fn help(&self, place: usize, of: usize) {
        let mut seen = 0;
        loop {
            let tasks = self.tasks.load(Ordering::Acquire);
            if tasks != seen {
                seen = tasks;
                let task = self.task().clone();
                if let Some(task) = task
                    && catch_unwind(AssertUnwindSafe(|| task.take_parts(place, of))).is_err()
                {
                    task.failed.store(true, Ordering::Release);
                }
            } else if self.open.load(Ordering::Acquire) {
                std::hint::spin_loop();
            } else {
                std::thread::park();
            }
        }
    }
}

/// The helpers of this process.
struct HelperPool {
    busy: Mutex<()>,
    state: Arc<SharedState>,
    helpers: Vec<Thread>,
}

impl HelperPool {
    fn new() -> Self {
        let state = Arc::new(SharedState::default());
        let count = rayon::current_num_threads().saturating_sub(1).min(HELPERS);
        let helper = |place| {
            let state = Arc::clone(&state);
            let spawned = std::thread::Builder::new().name("helper".to_owned()).spawn(move || state.help(place, count + 1));
            // The caller works alone where no thread can be had.
            spawned.ok().map(|handle| handle.thread().clone())
        };
        let helpers = (1..=count).filter_map(helper).collect();
        Self { busy: Mutex::default(), state, helpers }
    }
}

/// Awake helpers; they park when it is dropped.
pub(in crate::embed) struct Team<'a> {
    state: &'a SharedState,
    _busy: MutexGuard<'a, ()>,
}

impl Team<'_> {
    /// Starts the helper threads before they are needed: a thread inherits the priority of the one that spawns it.
    pub(in crate::embed) fn warm_up() {
        LazyLock::force(&POOL);
    }

    /// Wakes the helpers. `None` when there are none, when another caller has them, or on background threads.
    pub(in crate::embed) fn gather() -> Option<Self> {
        if background::is_here() {
            return None;
        }
        let pool = &*POOL;
        let busy = match pool.busy.try_lock() {
            Ok(busy) => busy,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if pool.helpers.is_empty() {
            return None;
        }
        pool.state.open.store(true, Ordering::Release);
        pool.helpers.iter().for_each(Thread::unpark);
        Some(Self { state: &pool.state, _busy: busy })
    }

    /// Computes `parts` parts of `job` and hands each result to `each`, in any order; those computed on the calling
    /// thread are handed over while they are in its cache.
    pub(in crate::embed) fn run(&self, job: impl Job + 'static, parts: usize, mut each: impl FnMut(usize, &[f32])) {
        let (taken, results) = (0..parts).map(|_| (AtomicBool::new(false), OnceLock::new())).unzip();
        let task = Arc::new(Task { taken, results, failed: AtomicBool::new(false), job });
        *self.state.task() = Some(Arc::clone(&task) as Arc<Task<dyn Job>>);
        self.state.tasks.fetch_add(1, Ordering::Release);
        let mut elsewhere = Vec::with_capacity(parts);
        for part in 0..parts {
            if task.taken[part].swap(true, Ordering::Relaxed) {
                elsewhere.push(part);
            } else {
                each(part, &task.job.compute(part));
            }
        }
        for part in elsewhere {
            let result = &task.results[part];
            while result.get().is_none() {
                assert!(!task.failed.load(Ordering::Acquire), "a helper panicked");
                std::hint::spin_loop();
            }
            each(part, result.get().map_or(&[], Vec::as_slice));
        }
        *self.state.task() = None;
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        self.state.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Squares;

    impl Job for Squares {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        fn compute(&self, part: usize) -> Vec<f32> {
            assert_ne!(part, 1000, "a part that fails");
            vec![(part * part) as f32; part % 3]
        }
    }

    fn gathered() -> Team<'static> {
        loop {
            if let Some(team) = Team::gather() {
                return team;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn each_part_is_computed_once() {
        if rayon::current_num_threads() < 2 {
            return;
        }
        for round in 0..200 {
            let team = gathered();
            for parts in [0, 1, 2, 7, 100] {
                let mut seen = vec![0; parts];
                team.run(Squares, parts, |part, made| {
                    assert_eq!(made, Squares.compute(part).as_slice(), "{round}");
                    seen[part] += 1;
                });
                assert_eq!(seen, vec![1; parts]);
            }
        }
        // A part that panics fails its own job, whoever took it, and no other.
        let failed = catch_unwind(AssertUnwindSafe(|| gathered().run(Squares, 2000, |_, _| ())));
        assert!(failed.is_err());
        gathered().run(Squares, 50, |part, made| assert_eq!(made.len(), part % 3));
    }
}
