//! Works off jobs in the background, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Library;
use crate::background;
use crate::deadline::Deadline;
use crate::shelf::{Error, Job, JobState};

/// How long a job waits that could not be kept on.
const RETRY: Duration = Duration::from_secs(10);
/// How soon it is looked again for a library that is away, or replaced, for a moment.
const SOON: Duration = Duration::from_millis(200);
/// How long a runner rests that nobody wakes.
const LONG: Duration = Duration::from_mins(1);

/// The library whose jobs are worked off, at one moment.
pub enum Home {
    /// It is open.
    Open(Arc<Library>),
    /// It is closed for a moment.
    Away,
    /// It will not come back: the runner ends.
    Gone,
}

/// Wakes the thread that works off jobs, and has it give up the one at hand.
#[derive(Default)]
pub struct JobRunner {
    woken: Mutex<bool>,
    wakes: Condvar,
    /// The job that is being read, and what ends that.
    at_hand: Mutex<Option<(String, Deadline)>>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl JobRunner {
    /// Begins to work off jobs, the oldest first, in a thread of its own, until `home` is gone.
    pub fn start(self: &Arc<Self>, home: impl Fn() -> Home + Send + 'static) {
        let runner = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                let rest = match home() {
                    Home::Open(library) => runner.work_off_next(&library),
                    Home::Away => Some(SOON),
                    Home::Gone => return,
                };
                if let Some(rest) = rest {
                    runner.wait(rest);
                }
            }
        });
    }

    /// There is something to do.
    pub fn wake(&self) {
        *held(&self.woken) = true;
        self.wakes.notify_all();
    }

    /// Gives up the job of this id, if it is being read.
    pub fn give_up(&self, id: &str) {
        if let Some((_, deadline)) = held(&self.at_hand).as_ref().filter(|(job, _)| job == id) {
            deadline.cancel();
        }
    }

    /// Works off one job; how long to rest when there is nothing to do.
    fn work_off_next(&self, library: &Library) -> Option<Duration> {
        let next = library.shelf().next_job();
        let Some(job) = next.unwrap_or_default() else { return Some(LONG) };
        // There is no deadline, unless it is cancelled.
        let deadline = Deadline::open();
        *held(&self.at_hand) = Some((job.id.clone(), deadline.clone()));
        let rest = background::run("job", || worked_off(library, &job, |job| deadline.apply(|| library.work_off(job))));
        *held(&self.at_hand) = None;
        rest
    }

    /// Waits until it is woken, at most for `longest`.
    fn wait(&self, longest: Duration) {
        let woken = held(&self.woken);
        let waited = self.wakes.wait_timeout_while(woken, longest, |woken| !*woken);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// Does the `work` of a job; how long to rest before it is taken up again.
fn worked_off(library: &Library, job: &Job, work: impl FnOnce(Job) -> Result<Job, Error>) -> Option<Duration> {
    // What panics over one source must not end the jobs of all others.
    let Ok(worked) = catch_unwind(AssertUnwindSafe(|| work(job.clone()))) else {
        fail(library, job, &"it panicked");
        return None;
    };
    match worked {
        Ok(job) => {
            tracing::info!(job = job.id, sources = job.done, passages = job.tally.passages, "a job has ended");
            None
        }
        // It goes on in the library that takes this one's place, a moment later.
        Err(Error::Replaced) => Some(SOON),
        Err(Error::Late) => {
            tracing::info!(job = job.id, "a job was cancelled while it was read");
            None
        }
        Err(error) if error.is_no_room() => {
            tracing::error!(job = job.id, %error, "there is no room left for a job; it goes on when there is");
            Some(RETRY)
        }
        Err(error) => {
            tracing::error!(job = job.id, %error, "a job cannot go on");
            fail(library, job, &error);
            None
        }
    }
}

fn fail(library: &Library, job: &Job, error: &dyn std::fmt::Display) {
    let state = JobState::Failed("something went wrong inside ibid; its log says what".to_owned());
    let kept = library.shelf().job(&job.id).ok().flatten().unwrap_or_else(|| job.clone());
    if let Err(second) = library.shelf().note_job(&Job { state, ..kept }, None) {
        tracing::error!(%error, %second, "and that could not be written down");
        std::thread::sleep(RETRY);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::embed::Embedder;
    use crate::read::files::source;
    use crate::settings;

    #[test]
    fn a_job_that_panics_has_failed_and_the_next_one_runs() {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).unwrap();
        settings.library.data = data.path().to_owned();
        let library = Library::open(settings, Embedder::bundled().unwrap()).unwrap();
        let sent = |key: &str| {
            let bytes = json!({ "id": key, "text": "旧码头只停货船。" }).to_string().into_bytes();
            source(format!("{key}.jsonl"), format!("api:{key}"), bytes)
        };
        let first = library.begin_job(&[sent("a")]).unwrap();
        let second = library.begin_job(&[sent("b")]).unwrap();
        assert_eq!(worked_off(&library, &first, |_| panic!("a fault of ours")), None);
        assert!(matches!(library.shelf().job(&first.id).unwrap().unwrap().state, JobState::Failed(_)));
        assert_eq!(JobRunner::default().work_off_next(&library), None);
        assert_eq!(library.shelf().job(&second.id).unwrap().unwrap().state, JobState::Done);
    }
}
