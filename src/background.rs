//! Threads for work that nobody waits for: what is sent while others ask, and graphs.
//!
//! They have a pool of their own, so that a question never waits there behind a text of a job, and the system lets
//! them run on what those leave over for whom somebody waits.

use std::cell::Cell;

use rayon::{ThreadPool, ThreadPoolBuilder};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// As many threads as there are cores; `None` where none are to be had.
pub fn threads(name: &'static str) -> Option<ThreadPool> {
    let named = ThreadPoolBuilder::new().thread_name(move |_| name.to_owned());
    named.start_handler(|_| step_back()).build().ok()
}

/// Does `work` on threads that are there as long as it lasts; on this one, where none are to be had.
pub fn run<T: Send>(name: &'static str, work: impl FnOnce() -> T + Send) -> T {
    match threads(name) {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// Whether the thread that asks is one of them.
pub fn is_here() -> bool {
    HERE.get()
}

fn step_back() {
    HERE.set(true);
    // On Linux this is of a thread, elsewhere it would be of the process. Where it is refused, all is as before.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
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
}
