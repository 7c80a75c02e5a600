//! A second core's help with what is too short to wake one for.
//!
//! A lone question is two dozen products of some ten or hundred microseconds; waking a thread for each costs
//! as much as it saves. A team's helpers are woken once, and look for the next product without sleeping
//! until the team is let go. Work lies in parts that whoever is free takes: a helper that the
//! system does not let run is not waited for. There is one team; who finds it busy works alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;

use crate::background;

/// More do not help with so little.
const HELPERS: usize = 3;

static TEAM: LazyLock<Standing> = LazyLock::new(Standing::new);

/// Work in parts.
pub(super) trait Work: Send + Sync {
    /// One part's numbers.
    fn make(&self, part: usize) -> Vec<f32>;
}

/// Some work, and how far it is.
struct Task<W: ?Sized> {
    taken: Vec<AtomicBool>,
    /// What was made of each part.
    made: Vec<OnceLock<Vec<f32>>>,
    /// Whether a helper panicked over a part.
    failed: AtomicBool,
    work: W,
}

impl<W: Work + ?Sized> Task<W> {
    /// Makes parts until all are taken: those of the `place`th of so many first, one after another, for what they
    /// need lies one after another too.
    fn take_part(&self, place: usize, of: usize) {
        let begin = self.made.len() * place / of;
        for part in (begin..self.made.len()).chain(0..begin) {
            if !self.taken[part].swap(true, Ordering::Relaxed) {
                // Each part is taken once.
                let _ = self.made[part].set(self.work.make(part));
            }
        }
    }
}

/// What helpers and the one whom they help share.
#[derive(Default)]
struct Board {
    open: AtomicBool,
    /// Counts tasks, so that looking for another one needs no lock.
    tasks: AtomicUsize,
    task: Mutex<Option<Arc<Task<dyn Work>>>>,
}

impl Board {
    fn task(&self) -> MutexGuard<'_, Option<Arc<Task<dyn Work>>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the `place`th of so many does.
    fn help(&self, place: usize, of: usize) {
        let mut seen = 0;
        loop {
            let tasks = self.tasks.load(Ordering::Acquire);
            if tasks != seen {
                seen = tasks;
                let task = self.task().clone();
                if let Some(task) = task
                    && catch_unwind(AssertUnwindSafe(|| task.take_part(place, of))).is_err()
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
struct Standing {
    busy: Mutex<()>,
    board: Arc<Board>,
    helpers: Vec<Thread>,
}

impl Standing {
    fn new() -> Self {
        let board = Arc::new(Board::default());
        let count = rayon::current_num_threads().saturating_sub(1).min(HELPERS);
        let helper = |place| {
            let board = Arc::clone(&board);
            let spawned = std::thread::Builder::new().name("helper".to_owned()).spawn(move || board.help(place, count + 1));
            // Without it the work is done all the same.
            spawned.ok().map(|handle| handle.thread().clone())
        };
        let helpers = (1..=count).filter_map(helper).collect();
        Self { busy: Mutex::default(), board, helpers }
    }
}

/// The team, gathered; dropped, it is let go.
pub(super) struct Team<'a> {
    board: &'a Board,
    _busy: MutexGuard<'a, ()>,
}

impl Team<'_> {
    /// Has the helpers there before they are needed: threads have the priority of the one that begins them.
    pub(super) fn stand_ready() {
        LazyLock::force(&TEAM);
    }

    /// Wakes the helpers, where there are any and nobody else has them. What nobody waits for wakes none.
    pub(super) fn gather() -> Option<Self> {
        if background::is_here() {
            return None;
        }
        let team = &*TEAM;
        let busy = match team.busy.try_lock() {
            Ok(busy) => busy,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if team.helpers.is_empty() {
            return None;
        }
        team.board.open.store(true, Ordering::Release);
        team.helpers.iter().for_each(Thread::unpark);
        Some(Self { board: &team.board, _busy: busy })
    }

    /// Hands what `work` makes of each of so many parts to `each`, in any order: what is made here while it is warm.
    pub(super) fn made(&self, work: impl Work + 'static, parts: usize, mut each: impl FnMut(usize, &[f32])) {
        let (taken, made) = (0..parts).map(|_| (AtomicBool::new(false), OnceLock::new())).unzip();
        let task = Arc::new(Task { taken, made, failed: AtomicBool::new(false), work });
        *self.board.task() = Some(Arc::clone(&task) as Arc<Task<dyn Work>>);
        self.board.tasks.fetch_add(1, Ordering::Release);
        let mut elsewhere = Vec::with_capacity(parts);
        for part in 0..parts {
            if task.taken[part].swap(true, Ordering::Relaxed) {
                elsewhere.push(part);
            } else {
                each(part, &task.work.make(part));
            }
        }
        for part in elsewhere {
            let made = &task.made[part];
            while made.get().is_none() {
                assert!(!task.failed.load(Ordering::Acquire), "a helper panicked");
                std::hint::spin_loop();
            }
            each(part, made.get().map_or(&[], Vec::as_slice));
        }
        *self.board.task() = None;
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        self.board.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Squares;

    impl Work for Squares {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        fn make(&self, part: usize) -> Vec<f32> {
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
    fn parts_are_made_once() {
        if rayon::current_num_threads() < 2 {
            return;
        }
        for round in 0..200 {
            let team = gathered();
            for parts in [0, 1, 2, 7, 100] {
                let mut seen = vec![0; parts];
                team.made(Squares, parts, |part, made| {
                    assert_eq!(made, Squares.make(part).as_slice(), "{round}");
                    seen[part] += 1;
                });
                assert_eq!(seen, vec![1; parts]);
            }
        }
        // A part that panics ends the work that it belongs to, whoever took it, and no other.
        let failed = catch_unwind(AssertUnwindSafe(|| gathered().made(Squares, 2000, |_, _| ())));
        assert!(failed.is_err());
        gathered().made(Squares, 50, |part, made| assert_eq!(made.len(), part % 3));
    }
}
