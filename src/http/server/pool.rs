//! A bounded place for blocking work: what finds no place is refused at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::deadline::Deadline;
use crate::http::dto::error::Problem;

/// Workers, and a queue of limited length before them.
pub(in crate::http) struct Pool {
    workers: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
    queue: usize,
}

/// Cancels its work once nobody waits for it: its client has gone away, or has been told that it took too long.
struct CancelOnDrop(Deadline);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What work sends while it goes on.
pub(in crate::http) struct Sent<T> {
    receiver: UnboundedReceiverStream<T>,
    _cancel: CancelOnDrop,
}

impl<T> Stream for Sent<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

/// Counts one who waits, also when its client goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(in crate::http) fn new(workers: usize, queue: usize) -> Self {
        Self { workers: Arc::new(Semaphore::new(workers)), all: workers, waiting: AtomicUsize::new(0), queue }
    }

    /// How many are worked on.
    pub(in crate::http) fn working(&self) -> usize {
        self.all.saturating_sub(self.workers.available_permits())
    }

    /// How many wait for a worker.
    pub(in crate::http) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a blocking thread once a worker is free, for `time` at most, waiting included.
    pub(in crate::http) async fn run<T: Send + 'static>(
        &self,
        time: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let deadline = Deadline::within(time);
        let _cancel = CancelOnDrop(deadline.clone());
        let permit = self.admit_until(&deadline, time).await?;
        let at = deadline.at().into();
        // The worker is busy until the work has noticed that nobody waits any more.
        let work = move || {
            let _permit = permit;
            deadline.apply(work)
        };
        let done = timeout_at(at, tokio::task::spawn_blocking(work)).await;
        done.map_err(|_| Problem::late(Some(time)))?.map_err(|error| Problem::internal(&error))
    }

    async fn admit_until(&self, deadline: &Deadline, time: Duration) -> Result<OwnedSemaphorePermit, Problem> {
        timeout_at(deadline.at().into(), self.admit()).await.unwrap_or_else(|_| Err(Problem::late(Some(time))))
    }

    /// Runs `work` as [`Self::run`] does; what it sends comes as it is sent.
    pub(in crate::http) async fn stream<T: Send + 'static>(
        &self,
        time: Duration,
        work: impl FnOnce(&UnboundedSender<T>) + Send + 'static,
    ) -> Result<Sent<T>, Problem> {
        let deadline = Deadline::within(time);
        let cancel = CancelOnDrop(deadline.clone());
        let permit = self.admit_until(&deadline, time).await?;
        let (sender, receiver) = unbounded_channel();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            deadline.apply(|| work(&sender));
        });
        Ok(Sent { receiver: UnboundedReceiverStream::new(receiver), _cancel: cancel })
    }

    async fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = Arc::clone(&self.workers).try_acquire_owned() {
            return Ok(permit);
        }
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if ahead >= self.queue {
            return Err(Problem::overloaded());
        }
        Arc::clone(&self.workers).acquire_owned().await.map_err(|_| Problem::not_ready())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;

    use super::*;
    use crate::deadline;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn late_work_is_given_up_and_its_worker_serves_the_next() {
        let pool = Pool::new(1, 1);
        let endless = || {
            while !deadline::has_passed() {
                std::thread::yield_now();
            }
        };
        // It has not ended when its time is over: its client is told so at once.
        let (release, held) = mpsc::channel::<()>();
        let late = move || {
            endless();
            held.recv()
        };
        let late = pool.run(Duration::from_millis(50), late).await.unwrap_err().into_response();
        drop(release);
        assert_eq!((late.status(), late.headers().contains_key("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, true));
        assert_eq!(pool.run(LONG, || 1).await.unwrap(), 1);
        // A client that goes away takes its work with it.
        let gone = tokio::time::timeout(Duration::from_millis(50), pool.run(LONG, endless)).await;
        assert!(gone.is_err());
        assert_eq!(pool.run(LONG, || 2).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_finds_no_place_is_refused_at_once_and_the_rest_is_done() {
        let pool = Arc::new(Pool::new(1, 1));
        let (release, held) = mpsc::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel();
        let busy = Arc::clone(&pool);
        let first = tokio::spawn(async move {
            let work = move || {
                started.send(()).unwrap();
                held.recv().unwrap();
                1
            };
            busy.run(LONG, work).await
        });
        begun.await.unwrap();
        let waiting = Arc::clone(&pool);
        let second = tokio::spawn(async move { waiting.run(LONG, || 2).await });
        while pool.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = pool.run(LONG, || 3).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "1");
        release.send(()).unwrap();
        assert_eq!((first.await.unwrap().unwrap(), second.await.unwrap().unwrap()), (1, 2));
        assert_eq!(pool.run(LONG, || 4).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_frees_its_worker() {
        let pool = Pool::new(1, 1);
        for _ in 0..3 {
            let failed = pool.run(LONG, || panic!("a fault of ours")).await.map(|()| "done").unwrap_err().into_response();
            assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert_eq!(pool.run(LONG, || 1).await.unwrap(), 1);
    }
}
