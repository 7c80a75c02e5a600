//! Threads for work that nobody waits for: what is sent while others ask, and graphs; and for work that lets questions
//! go first.
//!
//! They have a pool of their own, so that a question never waits there behind a text of a job, and the system lets
//! them run on what those leave over for whom somebody waits.

use std::cell::Cell;
use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
    static YIELDS: Cell<bool> = const { Cell::new(false) };
}

/// How far threads step back (`nice`): for work that nobody waits for, and for work that lets questions go first.
const UNWATCHED: i32 = 10;
const YIELDING: i32 = 5;

/// The threads of [`shared`].
static SHARED: LazyLock<Option<ThreadPool>> = LazyLock::new(|| pool("change", YIELDING));

/// As many threads as there are cores; `None` where none are to be had.
pub fn threads(name: &'static str) -> Option<ThreadPool> {
    pool(name, UNWATCHED)
}

fn pool(name: &'static str, nice: i32) -> Option<ThreadPool> {
    let named = ThreadPoolBuilder::new().thread_name(move |_| name.to_owned());
    named.start_handler(move |_| step_back(nice)).build().ok()
}

/// Does `work` on threads that are there as long as it lasts; on this one, where none are to be had.
pub fn run<T: Send>(name: &'static str, work: impl FnOnce() -> T + Send) -> T {
    match threads(name) {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// Does `work` on this thread; what it hands to [`shared`] lets questions go first.
pub fn yielding<T>(work: impl FnOnce() -> T) -> T {
    /// Puts back what was, also where the work panics.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            YIELDS.set(self.0);
        }
    }
    let _before = Before(YIELDS.replace(true));
    work()
}

/// Does `work` on threads of this module that all share, where this thread is to let questions go first; else here.
///
/// It must take no lock that is held over another's work: a thread that waits for a part of its own work does a part
/// of another's meanwhile.
pub fn shared<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match &*SHARED {
        Some(threads) if YIELDS.get() && !is_here() => threads.install(work),
        _ => work(),
    }
}

/// Whether the thread that asks is one of them.
pub fn is_here() -> bool {
    HERE.get()
}

#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "it can be said of a thread on Linux alone"))]
fn step_back(nice: i32) {
    HERE.set(true);
    // On Linux this is of a thread, elsewhere it would be of the process. Where it is refused, all is as before.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, nice);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn background_threads_have_a_lower_priority_and_others_keep_theirs() {
        let mine = || rustix::process::getpriority_process(None).unwrap();
        let before = mine();
        let (there, beyond) = run("test", || (is_here(), mine()));
        assert!(there && !is_here());
        assert_eq!((beyond, mine()), (before.max(10), before));
    }

    #[test]
    fn what_yields_is_done_elsewhere_and_only_that() {
        assert!(!shared(is_here));
        assert!(yielding(|| shared(|| is_here() && shared(is_here))));
        let broken = std::panic::catch_unwind(|| yielding(|| panic!("a fault of ours")));
        assert!(broken.is_err() && !shared(is_here));
    }
}
