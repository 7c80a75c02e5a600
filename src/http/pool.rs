//! A bounded place for blocking work: what finds no place is refused at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::error::Problem;

/// Workers, and a queue of limited length before them.
pub(super) struct Pool {
    workers: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
}

/// Counts one who waits, also when its client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(workers: usize, queue: usize) -> Self {
        Self { workers: Semaphore::new(workers), waiting: AtomicUsize::new(0), queue }
    }

    /// Runs `work` on a blocking thread once a worker is free.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _permit = if let Ok(permit) = self.workers.try_acquire() {
            permit
        } else {
            let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
            let _waiting = Waiting(&self.waiting);
            if ahead >= self.queue {
                return Err(Problem::overloaded());
            }
            self.workers.acquire().await.map_err(|_| Problem::not_ready())?
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
    }
}
