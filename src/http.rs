//! The HTTP service: Axum, and only here.
//!
//! Handlers decode, call the library on a bounded pool, and encode. The service
//! listens before the library is open: `/healthz` is alive from the first moment,
//! all else answers 503 until `/readyz` says ready.

mod articles;
mod ask;
mod audit;
mod collections;
mod connections;
mod dialects;
mod dify;
mod edge;
mod error;
mod export;
mod health;
mod help;
mod intake;
mod jobs;
pub mod keys;
mod markdown;
mod mcp;
mod metrics;
mod openai;
mod openapi;
mod page;
mod pictures;
mod pool;
mod rates;
mod rights;
mod routes;
mod takeover;
mod verify;
mod viewer;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::routing::any;
use axum::{Router, middleware};
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::library::{Library, Timings};
use crate::{background, deadline, settings, shelf};
use audit::Audit;
use collections::Collections;
use connections::Limits;
use error::Problem;
use keys::Keys;
use metrics::Metrics;
use pool::Pool;
use rates::Rates;

/// The library that answers now: none before it is open, another after another model has made it anew.
#[derive(Default)]
struct Current {
    library: RwLock<Option<Arc<Library>>>,
    /// Shared by those who write; held alone by whoever puts another library in its place.
    replacing: RwLock<()>,
}

impl Current {
    fn get(&self) -> Option<Arc<Library>> {
        self.library.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, library: Library) {
        // Whoever asks the one that was has it until he is done.
        self.put_back(Arc::new(library));
    }

    /// Takes the library away; whoever uses it has it until he is done.
    fn take(&self) -> Option<Arc<Library>> {
        self.library.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, library: Arc<Library>) {
        *self.library.write().unwrap_or_else(PoisonError::into_inner) = Some(library);
    }

    /// Has `work` write into the library of this moment, beside others who write, and returns when questions see it.
    fn write<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<T, Problem> {
        let shared = || self.replacing.read().unwrap_or_else(PoisonError::into_inner);
        let (library, done) = {
            let _shared = shared();
            self.written(work)?
        };
        self.show(&library, done, shared)
    }

    /// As [`Self::write`], with nobody else: `work` puts something in a library's place.
    fn write_alone<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<T, Problem> {
        let (library, done) = {
            let _alone = self.replacing.write().unwrap_or_else(PoisonError::into_inner);
            self.written(work)?
        };
        self.show(&library, done, || self.replacing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What `work` does, and in which library.
    fn written<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<Written<T>, Problem> {
        if deadline::has_passed() {
            // Its client has been told that it was given up.
            return Err(Problem::late(None));
        }
        let library = self.get().ok_or_else(Problem::not_ready)?;
        let done = work(&library);
        Ok((library, done))
    }

    /// What was `done`, once questions see it.
    fn show<'a, T>(
        &'a self,
        library: &Arc<Library>,
        done: Result<T, Problem>,
        shared: impl FnOnce() -> RwLockReadGuard<'a, ()>,
    ) -> Result<T, Problem> {
        // Also where it failed: a part of it may have been committed.
        // Also where time is over: what is kept has to be found.
        let shown = deadline::unlimited(|| library.shelf().refresh());
        if matches!(shown, Err(shelf::Error::Replaced)) {
            // What takes its place knows what was written before, and answers once it is there.
            let _shared = shared();
            if self.get().is_some_and(|now| !Arc::ptr_eq(&now, library)) {
                return done;
            }
        }
        shown?;
        done
    }
}

/// What was done, and in which library.
type Written<T> = (Arc<Library>, Result<T, Problem>);

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
    Keys(Arc<keys::KeyFileError>),
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

/// What all handlers share.
pub struct App {
    library: Arc<Current>,
    /// The name of what it answers from.
    collection: String,
    /// Why that cannot be used, once it is known.
    failure: OnceLock<String>,
    /// The others.
    collections: Arc<Collections>,
    /// Where questions are answered.
    pool: Arc<Pool>,
    /// Where articles are taken in, and where many are: others do not wait behind those.
    writers: Arc<Pool>,
    large_writers: Arc<Pool>,
    /// Where the models do what clients send them, as much as that is: questions do not wait behind it.
    models: Arc<Pool>,
    /// Rung when there is a job to work off.
    job_bell: Arc<jobs::Bell>,
    metrics: Arc<Metrics>,
    keys: Arc<Keys>,
    audit: Audit,
    public_url: String,
    /// Names by which this service is called.
    hosts: Vec<String>,
    on_loopback: bool,
    max_body_bytes: usize,
    max_upload_bytes: usize,
    max_question_chars: usize,
    /// How long a question may take, and a change.
    question_time: Duration,
    change_time: Duration,
    limits: Limits,
    started: i64,
}

impl App {
    /// An app that is not ready yet, listening on `address`.
    ///
    /// # Errors
    /// When the keys cannot be read, or there are none and others than this machine could ask; when the audit log cannot
    /// be written.
    pub fn new(settings: &settings::Settings, address: SocketAddr) -> Result<Arc<Self>, AppError> {
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
        let own = edge::host_of(authority).to_ascii_lowercase();
        let hosts = [String::from("localhost"), String::from("127.0.0.1"), String::from("[::1]"), own].to_vec();
        Ok(Arc::new(Self {
            library: Arc::default(),
            collection: collections::FIRST.to_owned(),
            failure: OnceLock::new(),
            collections: Arc::default(),
            pool: Arc::new(Pool::new(workers + writing, server.queue)),
            // A write takes several times as long as a question.
            writers: Arc::new(Pool::new(WRITERS, server.queue / 4)),
            large_writers: Arc::new(Pool::new(LARGE_WRITERS, server.queue / 4)),
            models: Arc::new(Pool::new(workers, server.queue)),
            job_bell: Arc::default(),
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
            started: openai::models::started(),
        }))
    }

    /// From now on questions are answered from `library`.
    pub fn ready(self: &Arc<Self>, library: Library) {
        // The collections first: who finds the service ready finds them too.
        if self.collection == collections::FIRST {
            self.open_collections(&library);
        }
        self.library.set(library);
        jobs::work(self);
    }

    /// An app for collection `name`, which shares the workers and the keys of this one.
    fn beside(&self, name: &str) -> Arc<Self> {
        Arc::new(Self {
            library: Arc::default(),
            collection: name.to_owned(),
            failure: OnceLock::new(),
            collections: Arc::clone(&self.collections),
            pool: Arc::clone(&self.pool),
            writers: Arc::clone(&self.writers),
            large_writers: Arc::clone(&self.large_writers),
            models: Arc::clone(&self.models),
            job_bell: Arc::default(),
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

    fn library(&self) -> Result<Arc<Library>, Problem> {
        let missing = || match self.failure.get() {
            Some(_) => Problem::unusable_collection(&self.collection),
            None => Problem::not_ready(),
        };
        self.library.get().ok_or_else(missing)
    }

    /// Runs `work` on the library in the pool.
    async fn with_library<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        let library = self.library()?;
        self.pool.run(self.question_time, move || work(&library)).await?
    }

    /// Runs `work` of the models alone, of which clients send as much as they like: questions go first.
    async fn with_models<T, F>(&self, work: F) -> Result<T, Problem>
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
    async fn with_writer<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        self.library()?;
        let current = Arc::clone(&self.library);
        self.writers.run(self.change_time, move || background::yielding(|| current.write(work))).await?
    }

    /// Runs `work`, which takes in `bytes`. Much of it has a place and threads of its own, so that nobody waits behind it.
    async fn with_writer_of<T, F>(&self, bytes: usize, work: F) -> Result<T, Problem>
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
    async fn with_sole_writer<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        self.library()?;
        let current = Arc::clone(&self.library);
        self.writers.run(self.change_time, move || current.write_alone(work)).await?
    }
}

/// All that the service answers.
pub fn router(app: Arc<App>) -> Router {
    app.collections.answer_unknown(&app);
    routes::of(&app)
        .route("/collections/{collection}", any(collections::dispatch))
        .route("/collections/{collection}/", any(collections::dispatch))
        .route("/collections/{collection}/{*rest}", any(collections::dispatch))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), edge::wrap))
        .with_state(app)
}

/// Serves tools for assistants over standard input and output, until the input ends.
pub async fn serve_stdio(app: Arc<App>) -> anyhow::Result<()> {
    mcp::over_stdio(app).await
}

/// Serves until `stop` resolves, then lets running requests end for `drain`.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()> + Send + 'static, drain: Duration) {
    let (told, mut heard) = tokio::sync::oneshot::channel();
    let stopping = async move {
        stop.await;
        // Nobody listens when the server has already ended.
        let _ = told.send(());
    };
    let limits = app.limits;
    let watching = takeover::watch(Arc::clone(&app));
    let serving = connections::serve(listener, router(app), limits, stopping);
    let too_long = async {
        if (&mut heard).await.is_ok() {
            tokio::time::sleep(drain).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = watching => {}
        () = too_long => {}
    }
}

/// Connections of those `wanted` that the system has descriptors for.
pub fn possible_connections(wanted: usize) -> usize {
    connections::possible(wanted)
}

/// What can be asked, in the language of `text`.
pub fn help(text: &str) -> &'static str {
    help::help(text)
}

/// An answer as `POST /v1/ask` gives it, for the command line.
pub fn answer_json(answer: &Answer, timings: Timings, question: &str, model: &str) -> String {
    let body = wire::answer(answer, timings, wire::Context { question, model, base: "" });
    serde_json::to_string_pretty(&body).expect("an answer is texts and finite numbers")
}
