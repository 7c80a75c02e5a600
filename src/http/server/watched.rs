//! Jobs that clients watch: each is looked at once, for all who watch it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::library::Library;
use crate::shelf::Job;

/// How often a job that is watched is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The jobs that are watched, as they were when they were looked at last; `None` for one that is gone.
#[derive(Default)]
pub(in crate::http) struct WatchedJobs(Mutex<HashMap<String, watch::Sender<Option<Job>>>>);

impl WatchedJobs {
    fn all(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Option<Job>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of `job`.
    pub(in crate::http) fn watch(self: &Arc<Self>, library: Arc<Library>, job: &Job) -> watch::Receiver<Option<Job>> {
        let mut watched = self.all();
        if let Some(sender) = watched.get(&job.id) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Some(job.clone()));
        watched.insert(job.id.clone(), sender);
        let (jobs, id) = (Arc::clone(self), job.id.clone());
        tokio::spawn(async move {
            while jobs.goes_on(&id) {
                tokio::time::sleep(LOOK).await;
                let (library, asked) = (Arc::clone(&library), id.clone());
                let looked = tokio::task::spawn_blocking(move || library.shelf().job(&asked)).await;
                jobs.show(&id, looked.ok().and_then(Result::ok).flatten());
            }
        });
        receiver
    }

    /// Whether somebody watches the job, and it has not ended; otherwise it is looked at no more.
    fn goes_on(&self, id: &str) -> bool {
        let mut watched = self.all();
        let ended = |job: &Option<Job>| job.as_ref().is_none_or(|job| job.state.has_ended());
        let goes_on = watched.get(id).is_some_and(|sender| sender.receiver_count() > 0 && !ended(&sender.borrow()));
        if !goes_on {
            watched.remove(id);
        }
        goes_on
    }

    fn show(&self, id: &str, now: Option<Job>) {
        if let Some(sender) = self.all().get(id) {
            sender.send_if_modified(|was| {
                let changed = *was != now;
                *was = now;
                changed
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Embedder;
    use crate::read::files::source;
    use crate::settings;
    use crate::shelf::JobState;

    #[tokio::test]
    async fn a_job_is_looked_at_once_for_all_who_watch_it() {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).unwrap();
        settings.library.data = data.path().to_owned();
        let library = Arc::new(Library::open(settings, Embedder::bundled().unwrap()).unwrap());
        let job = library.begin_job(&[source("a.txt".to_owned(), "api:a".to_owned(), b"a".to_vec())]).unwrap();
        let jobs = Arc::new(WatchedJobs::default());
        let mut watchers: Vec<_> = (0..1000).map(|_| jobs.watch(Arc::clone(&library), &job)).collect();
        assert_eq!((jobs.all().len(), Arc::strong_count(&library)), (1, 2));
        library.shelf().cancel_job(&job.id).unwrap();
        for watcher in &mut watchers {
            let now = watcher.wait_for(|now| now.as_ref() != Some(&job)).await.unwrap();
            assert_eq!(now.as_ref().unwrap().state, JobState::Cancelled);
        }
        while Arc::strong_count(&library) > 1 {
            tokio::task::yield_now().await;
        }
        assert!(jobs.all().is_empty());
    }
}
