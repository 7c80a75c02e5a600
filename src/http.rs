//! The HTTP service: Axum, and only here.
//!
//! Handlers decode, call the library on a bounded pool, and encode. The service
//! listens before the library is open: `/healthz` is alive from the first moment,
//! all else answers 503 until `/readyz` says ready.

mod articles;
mod ask;
mod error;
mod health;
mod page;
mod pool;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::library::{Library, Timings};
use crate::settings;
use error::Problem;
use pool::Pool;

/// What all handlers share.
pub struct App {
    library: OnceLock<Arc<Library>>,
    pool: Pool,
    public_url: String,
    max_body_bytes: usize,
    max_question_chars: usize,
}

impl App {
    /// An app that is not ready yet, listening on `address`.
    pub fn new(server: &settings::Server, answer: &settings::Answer, address: SocketAddr) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if server.workers == 0 { cores } else { server.workers };
        let public_url = if server.public_url.is_empty() {
            format!("http://{address}")
        } else {
            server.public_url.trim_end_matches('/').to_owned()
        };
        Arc::new(Self {
            library: OnceLock::new(),
            pool: Pool::new(workers, server.queue),
            public_url,
            max_body_bytes: server.max_body_bytes,
            max_question_chars: answer.max_question_chars,
        })
    }

    /// From now on questions are answered from `library`.
    pub fn ready(&self, library: Library) {
        // A second call changes nothing: the first library stays.
        let _ = self.library.set(Arc::new(library));
    }

    fn library(&self) -> Result<Arc<Library>, Problem> {
        self.library.get().cloned().ok_or_else(Problem::not_ready)
    }

    /// Runs `work` on the library in the pool.
    async fn with_library<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        let library = self.library()?;
        self.pool.run(move || work(&library)).await?
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let limit = app.max_body_bytes;
    Router::new()
        .route("/", get(page::index))
        .route("/articles/{id}", get(page::index))
        .route("/assets/{name}", get(page::asset))
        .route("/v1/ask", post(ask::ask))
        .route("/v1/search", post(ask::search))
        .route("/v1/articles", get(articles::list))
        .route("/v1/articles/{id}", get(articles::one))
        .route("/v1/articles/{id}/text", get(articles::text))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn(headers))
        .with_state(app)
}

/// Serves until `stop` resolves, then lets running requests end for `drain`.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> std::io::Result<()> {
    let (told, mut heard) = tokio::sync::oneshot::channel();
    let stopping = async move {
        stop.await;
        // Nobody listens when the server has already ended.
        let _ = told.send(());
    };
    let serving = async { axum::serve(listener, router(app)).with_graceful_shutdown(stopping).await };
    let too_long = async {
        if (&mut heard).await.is_ok() {
            tokio::time::sleep(drain).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = serving => ended,
        () = too_long => Ok(()),
    }
}

/// An answer as `POST /v1/ask` gives it, for the command line.
pub fn answer_json(answer: &Answer, timings: Timings, model: &str) -> String {
    let body = wire::answer(answer, timings, model, "");
    serde_json::to_string_pretty(&body).expect("an answer is texts and finite numbers")
}

/// Headers that every response has: article text is never run, framed or guessed at.
async fn headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        base-uri 'none'; frame-ancestors 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
