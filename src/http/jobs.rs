//! `/v1/jobs…`: how far what was taken in with `?wait=false` has come.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt as _};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::error::Problem;
use super::intake::Unused;
use crate::background;
use crate::deadline::Deadline;
use crate::library::Library;
use crate::shelf::{Error, Job, JobState};

/// How long a job waits that could not be kept on.
const RETRY: Duration = Duration::from_secs(10);
/// How often a job that is watched is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Jobs in a list, at most.
const MOST: usize = 1000;

/// A job, as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobBody {
    id: String,
    /// Seconds since 1970.
    created: i64,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    state: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Sources in all.
    sources: usize,
    /// Sources that were read; what they hold is kept, and found by the next question two seconds later.
    done: usize,
    /// Articles that are new.
    added: usize,
    /// Articles that are a new version.
    replaced: usize,
    /// Articles that were known.
    unchanged: usize,
    /// Passages embedded.
    passages: usize,
    /// Sources, or parts of them, that could not be used.
    unusable_in_all: usize,
    /// The first hundred of them.
    unusable: Vec<Unused>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let (state, failure) = match job.state {
            JobState::Waiting => ("waiting", None),
            JobState::Running => ("running", None),
            JobState::Done => ("done", None),
            JobState::Cancelled => ("cancelled", None),
            JobState::Failed(reason) => ("failed", Some(reason)),
        };
        let tally = job.tally;
        let unusable = tally.unusable.into_iter().map(|(path, reason)| Unused { path, reason }).collect();
        Self {
            id: job.id,
            created: job.created,
            state,
            failure,
            sources: job.sources,
            done: job.done,
            added: tally.added,
            replaced: tally.replaced,
            unchanged: tally.unchanged,
            passages: tally.passages,
            unusable_in_all: tally.unusable_in_all,
            unusable,
        }
    }
}

/// Jobs, the last begun first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobList)]
pub(super) struct JobListBody {
    jobs: Vec<JobBody>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Latest {
    /// Jobs at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

fn find(library: &Library, id: &str) -> Result<Job, Problem> {
    library.shelf().job(id)?.ok_or_else(|| {
        let message = format!("there is no job `{}`\nhint: `GET /v1/jobs` lists the latest", id.escape_debug());
        Problem::new(StatusCode::NOT_FOUND, "unknown_job", message)
    })
}

/// List the latest jobs
#[utoipa::path(get, path = "/v1/jobs", tag = "articles", params(Latest), responses((status = 200, body = JobListBody)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    latest: Result<Query<Latest>, QueryRejection>,
) -> Result<Json<JobListBody>, Problem> {
    let Query(Latest { limit }) = latest?;
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}")));
    }
    let listed = app.with_library(move |library| {
        let jobs = library.shelf().jobs(limit)?;
        Ok(JobListBody { jobs: jobs.into_iter().map(JobBody::from).collect() })
    });
    listed.await.map(Json)
}

/// How far a job has come
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "articles", params(("id" = String, Path)), responses((status = 200, body = JobBody)))]
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<JobBody>, Problem> {
    let found = app.with_library(move |library| Ok(find(library, &id)?.into()));
    found.await.map(Json)
}

/// How far a job comes, as it comes: an event `job` at each change, the last when it has ended
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "articles", params(("id" = String, Path)), responses(
    (status = 200, body = Object, content_type = "text/event-stream")))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let library = app.library()?;
    let mut job: Job = app.with_library(move |library| find(library, &id)).await?;
    let mut changes = app.job_bell.watch(library, &job);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let event = Event::default().event("job").json_data(JobBody::from(job.clone()));
            let Ok(event) = event else { break };
            if sender.send(event).await.is_err() || job.state.has_ended() {
                break;
            }
            let changed = tokio::select! {
                // Whoever has gone watches no more.
                () = sender.closed() => break,
                changed = changes.wait_for(|now| now.as_ref() != Some(&job)) => changed.ok().and_then(|now| now.clone()),
            };
            let Some(now) = changed else { break };
            job = now;
        }
    });
    let events = tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// End a job: what was read is kept, the rest is let go
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "articles", params(("id" = String, Path)), responses((status = 200, body = JobBody)))]
pub(super) async fn cancel(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<JobBody>, Problem> {
    let bell = Arc::clone(&app.job_bell);
    let ended = app.with_library(move |library| {
        library.shelf().cancel_job(&id)?;
        // What is being read of it is given up.
        bell.stop(&id);
        Ok(find(library, &id)?.into())
    });
    ended.await.map(Json)
}

/// Works off jobs, the oldest first, in the background until the app is gone.
pub(super) fn work(app: &Arc<App>) {
    let (app, bell) = (Arc::downgrade(app), Arc::clone(&app.job_bell));
    std::thread::spawn(move || {
        while let Some(app) = app.upgrade() {
            let library = app.library();
            drop(app);
            // None is there while its collection gets another name.
            let rest = library.map_or(Some(LOOK), |library| work_off_next(&library, &bell));
            if let Some(rest) = rest {
                bell.wait(rest);
            }
        }
    });
}

/// Works off one job; how long to rest when there is nothing to do.
fn work_off_next(library: &Library, bell: &Bell) -> Option<Duration> {
    let next = library.shelf().next_job();
    let Some(job) = next.unwrap_or_default() else { return Some(Duration::from_mins(1)) };
    let deadline = bell.begin(&job.id);
    let rest = background::run("job", || worked_off(library, &job, |job| deadline.apply(|| library.work_off(job))));
    bell.end();
    rest
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
        Err(Error::Replaced) => Some(LOOK),
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

/// Wakes the thread that works off jobs, and has it give up the one at hand.
#[derive(Default)]
pub(super) struct Bell {
    rung: std::sync::Mutex<bool>,
    heard: std::sync::Condvar,
    /// The job that is being read, and what ends that.
    at_hand: std::sync::Mutex<Option<(String, Deadline)>>,
    /// The jobs that are watched, as they were when they were looked at last; `None` for one that is gone.
    watched: std::sync::Mutex<HashMap<String, watch::Sender<Option<Job>>>>,
}

impl Bell {
    /// The deadline of a job that is read from now on: there is none, unless it is cancelled.
    fn begin(&self, id: &str) -> Deadline {
        let deadline = Deadline::open();
        *self.at_hand.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((id.to_owned(), deadline.clone()));
        deadline
    }

    fn end(&self) {
        *self.at_hand.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Gives up the job of this id, if it is being read.
    fn stop(&self, id: &str) {
        let at_hand = self.at_hand.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, deadline)) = at_hand.as_ref().filter(|(job, _)| job == id) {
            deadline.cancel();
        }
    }

    /// What becomes of `job`. It is looked at once for all who watch it.
    fn watch(self: &Arc<Self>, library: Arc<Library>, job: &Job) -> watch::Receiver<Option<Job>> {
        let mut watched = self.watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sender) = watched.get(&job.id) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Some(job.clone()));
        watched.insert(job.id.clone(), sender);
        let (bell, id) = (Arc::clone(self), job.id.clone());
        tokio::spawn(async move {
            while bell.is_watched(&id) {
                tokio::time::sleep(LOOK).await;
                let (library, asked) = (Arc::clone(&library), id.clone());
                let looked = tokio::task::spawn_blocking(move || library.shelf().job(&asked)).await;
                bell.show(&id, looked.ok().and_then(Result::ok).flatten());
            }
        });
        receiver
    }

    /// Whether somebody watches the job, and it goes on; otherwise it is looked at no more.
    fn is_watched(&self, id: &str) -> bool {
        let mut watched = self.watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ended = |job: &Option<Job>| job.as_ref().is_none_or(|job| job.state.has_ended());
        let goes_on = watched.get(id).is_some_and(|sender| sender.receiver_count() > 0 && !ended(&sender.borrow()));
        if !goes_on {
            watched.remove(id);
        }
        goes_on
    }

    fn show(&self, id: &str, now: Option<Job>) {
        let watched = self.watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sender) = watched.get(id) {
            sender.send_if_modified(|was| {
                let changed = *was != now;
                *was = now;
                changed
            });
        }
    }

    /// There is something to do.
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Waits until it rings, at most for `longest`.
    fn wait(&self, longest: Duration) {
        let rung = self.rung.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, longest, |rung| !*rung);
        *waited.unwrap_or_else(std::sync::PoisonError::into_inner).0 = false;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::embed::Embedder;
    use crate::read::files::source;
    use crate::settings;

    #[tokio::test]
    async fn a_job_is_looked_at_once_for_all_who_watch_it() {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).unwrap();
        settings.library.data = data.path().to_owned();
        let library = Arc::new(Library::open(settings, Embedder::bundled().unwrap()).unwrap());
        let job = library.begin_job(&[source("a.txt".to_owned(), "api:a".to_owned(), b"a".to_vec())]).unwrap();
        let bell = Arc::new(Bell::default());
        let mut watchers: Vec<_> = (0..1000).map(|_| bell.watch(Arc::clone(&library), &job)).collect();
        assert_eq!((bell.watched.lock().unwrap().len(), Arc::strong_count(&library)), (1, 2));
        library.shelf().cancel_job(&job.id).unwrap();
        for watcher in &mut watchers {
            let now = watcher.wait_for(|now| now.as_ref() != Some(&job)).await.unwrap();
            assert_eq!(now.as_ref().unwrap().state, JobState::Cancelled);
        }
        while Arc::strong_count(&library) > 1 {
            tokio::task::yield_now().await;
        }
        assert!(bell.watched.lock().unwrap().is_empty());
    }

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
        assert!(matches!(find(&library, &first.id).unwrap().state, JobState::Failed(_)));
        assert_eq!(work_off_next(&library, &Bell::default()), None);
        assert_eq!(find(&library, &second.id).unwrap().state, JobState::Done);
    }
}
