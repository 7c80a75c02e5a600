//! The app: what all handlers share, of one library or collection.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::collections::Collections;
use super::connections::{self, Limits};
use super::current::Current;
use super::metrics::Metrics;
use super::pool::Pool;
use super::watched::WatchedJobs;
use crate::http::auth::audit::Audit;
use crate::http::auth::keys::{KeyFileError, Keys};
use crate::http::auth::rates::Rates;
use crate::http::dto::error::Problem;
use crate::library::collections::FIRST;
use crate::library::{Home, JobRunner, Library};
use crate::{background, deadline, settings};

/// Requests that write at once: as many as share a refresh.
const WRITERS: usize = 16;
/// Requests at once that write much, and what much is, in bytes: what is embedded of it takes seconds.
const LARGE_WRITERS: usize = 1;
const LARGE: usize = 256 << 10;

/// Why a service cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The keys are unusable.
    #[error(transparent)]
    Keys(Arc<KeyFileError>),
    /// Other machines could ask, and nobody would need a key.
    #[error(
        "`{0}` can be reached from other machines, and no key is needed\nhint: set `server.keys` \
         (IBID__SERVER__KEYS=FILE, a key from `IBID__SERVER__KEYS=FILE ibid key new NAME`), or listen on 127.0.0.1"
    )]
    Unguarded(SocketAddr),
    /// Changes could not be written down.
    #[error("the audit log `{file}` cannot be written: {reason}\nhint: set `server.audit` to a file that can be")]
    Audit {
        /// The file.
        file: String,
        /// The system's words.
        reason: std::io::Error,
    },
}

/// What makes the routes of one library.
pub(in crate::http) type Routes = fn(&Arc<App>) -> axum::Router<Arc<App>>;

/// What all handlers share.
pub struct App {
    pub(in crate::http) library: Arc<Current>,
    /// The name of what it answers from.
    pub(in crate::http) collection: String,
    /// Why that cannot be used, once it is known.
    pub(in crate::http) failure: OnceLock<String>,
    /// The others.
    pub(in crate::http) collections: Arc<Collections>,
    /// Where questions are answered.
    pub(in crate::http) pool: Arc<Pool>,
    /// Where articles are taken in, and where many are: others do not wait behind those.
    pub(in crate::http) writers: Arc<Pool>,
    pub(in crate::http) large_writers: Arc<Pool>,
    /// Where the models do what clients send them, as much as that is: questions do not wait behind it.
    pub(in crate::http) models: Arc<Pool>,
    /// Woken when there is a job to work off.
    pub(in crate::http) jobs: Arc<JobRunner>,
    pub(in crate::http) watched_jobs: Arc<WatchedJobs>,
    pub(in crate::http) metrics: Arc<Metrics>,
    pub(in crate::http) keys: Arc<Keys>,
    pub(in crate::http) audit: Audit,
    pub(in crate::http) public_url: String,
    /// Names by which this service is called.
    pub(in crate::http) hosts: Vec<String>,
    pub(in crate::http) on_loopback: bool,
    pub(in crate::http) max_body_bytes: usize,
    pub(in crate::http) max_upload_bytes: usize,
    pub(in crate::http) max_question_chars: usize,
    /// How long a question may take, and a change.
    pub(in crate::http) question_time: Duration,
    pub(in crate::http) change_time: Duration,
    pub(in crate::http) limits: Limits,
    /// When it was begun, in seconds since 1970.
    pub(in crate::http) started: i64,
    /// The routes of one library.
    pub(in crate::http) routes: Routes,
}

impl App {
    /// An app that is not ready yet, listening on `address`.
    ///
    /// # Errors
    /// When the keys cannot be read, or there are none and others than this machine could ask; when the audit log cannot
    /// be written.
    pub(in crate::http) fn with_routes(
        settings: &settings::Settings,
        address: SocketAddr,
        routes: Routes,
    ) -> Result<Arc<Self>, AppError> {
        let rates = Rates::new(settings.server.requests_per_minute, settings.server.requests_per_day);
        let keys = Keys::open(&settings.server.keys, rates).map_err(AppError::Keys)?;
        if !keys.are_needed() && !address.ip().is_loopback() {
            return Err(AppError::Unguarded(address));
        }
        let audit = Audit::open(&settings.server.audit)
            .map_err(|reason| AppError::Audit { file: settings.server.audit.display().to_string(), reason })?;
        let server = &settings.server;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if server.workers == 0 { cores } else { server.workers };
        // As many more as may wait for the language model at once: they leave their cores to other questions.
        let writing = if settings.generate.endpoint.is_empty() { 0 } else { settings.generate.concurrency };
        let public_url = if server.public_url.is_empty() {
            format!("http://{address}")
        } else {
            server.public_url.trim_end_matches('/').to_owned()
        };
        let authority = public_url.split_once("://").map_or(public_url.as_str(), |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let own = host_of(authority).to_ascii_lowercase();
        let hosts = [String::from("localhost"), String::from("127.0.0.1"), String::from("[::1]"), own].to_vec();
        Ok(Arc::new(Self {
            library: Arc::default(),
            collection: FIRST.to_owned(),
            failure: OnceLock::new(),
            collections: Arc::default(),
            pool: Arc::new(Pool::new(workers + writing, server.queue)),
            // A write takes several times as long as a question.
            writers: Arc::new(Pool::new(WRITERS, server.queue / 4)),
            large_writers: Arc::new(Pool::new(LARGE_WRITERS, server.queue / 4)),
            models: Arc::new(Pool::new(workers, server.queue)),
            jobs: Arc::default(),
            watched_jobs: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            keys: Arc::new(keys),
            audit,
            public_url,
            hosts,
            on_loopback: address.ip().is_loopback(),
            max_body_bytes: server.max_body_bytes,
            max_upload_bytes: usize::try_from(settings.read.max_source_bytes).unwrap_or(usize::MAX),
            max_question_chars: settings.answer.max_question_chars,
            question_time: Duration::from_secs(server.request_seconds),
            change_time: Duration::from_secs(server.change_seconds),
            limits: Limits {
                connections: connections::possible(server.max_connections),
                head: Duration::from_secs(server.head_seconds),
                body: Duration::from_secs(server.body_seconds),
                write: Duration::from_secs(server.write_seconds),
                longest_body: usize::try_from(settings.read.max_source_bytes).unwrap_or(usize::MAX).max(server.max_body_bytes),
            },
            started: jiff::Timestamp::now().as_second(),
            routes,
        }))
    }

    /// From now on questions are answered from `library`.
    pub fn ready(self: &Arc<Self>, library: Library) {
        // The collections first: who finds the service ready finds them too.
        if self.collection == FIRST {
            self.open_collections(&library);
        }
        self.library.set(library);
        let app = Arc::downgrade(self);
        // None is there while its collection gets another name.
        self.jobs.start(move || app.upgrade().map_or(Home::Gone, |app| app.library.get().map_or(Home::Away, Home::Open)));
    }

    /// An app for collection `name`, which shares the workers and the keys of this one.
    pub(in crate::http) fn beside(&self, name: &str) -> Arc<Self> {
        Arc::new(Self {
            library: Arc::default(),
            collection: name.to_owned(),
            failure: OnceLock::new(),
            collections: Arc::clone(&self.collections),
            pool: Arc::clone(&self.pool),
            writers: Arc::clone(&self.writers),
            large_writers: Arc::clone(&self.large_writers),
            models: Arc::clone(&self.models),
            jobs: Arc::default(),
            watched_jobs: Arc::default(),
            metrics: Arc::clone(&self.metrics),
            keys: Arc::clone(&self.keys),
            audit: self.audit.clone(),
            public_url: format!("{}/collections/{name}", self.public_url),
            hosts: self.hosts.clone(),
            ..*self
        })
    }

    /// The library, once it is open.
    pub fn opened(&self) -> Option<Arc<Library>> {
        self.library.get()
    }

    pub(in crate::http) fn library(&self) -> Result<Arc<Library>, Problem> {
        let missing = || match self.failure.get() {
            Some(_) => Problem::unusable_collection(&self.collection),
            None => Problem::not_ready(),
        };
        self.library.get().ok_or_else(missing)
    }

    /// Runs `work` on the library in the pool.
    pub(in crate::http) async fn with_library<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        let library = self.library()?;
        self.pool.run(self.question_time, move || work(&library)).await?
    }

    /// Runs `work` of the models alone, of which clients send as much as they like: questions go first.
    pub(in crate::http) async fn with_models<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        let library = self.library()?;
        let work = move || {
            let deadline = deadline::current();
            background::yielding(|| background::shared(|| deadline::with(deadline, || work(&library))))
        };
        self.models.run(self.question_time, work).await?
    }

    /// Runs `work`, which changes the library, beside others that do. Questions go first.
    pub(in crate::http) async fn with_writer<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        self.library()?;
        let current = Arc::clone(&self.library);
        self.writers.run(self.change_time, move || background::yielding(|| current.write(work))).await?
    }

    /// Runs `work`, which takes in `bytes`. Much of it has a place and threads of its own, so that nobody waits behind it.
    pub(in crate::http) async fn with_writer_of<T, F>(&self, bytes: usize, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        if bytes <= LARGE {
            return self.with_writer(work).await;
        }
        self.library()?;
        let current = Arc::clone(&self.library);
        let work = move || {
            let deadline = deadline::current();
            background::run("large write", || deadline::with(deadline, || current.write(work)))
        };
        self.large_writers.run(self.change_time, work).await?
    }

    /// Runs `work`, which puts something in a library's place, while nobody writes.
    pub(in crate::http) async fn with_sole_writer<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        self.library()?;
        let current = Arc::clone(&self.library);
        self.writers.run(self.change_time, move || current.write_alone(work)).await?
    }
}

/// The name in `name:port` or `[address]:port`.
pub(in crate::http) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}
