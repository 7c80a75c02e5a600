//! The HTTP service: Axum, and only here.
//!
//! Handlers decode, call the library on a bounded pool, and encode. The service
//! listens before the library is open: `/healthz` is alive from the first moment,
//! all else answers 503 until `/readyz` says ready.
//!
//! | folder | what it is for | knows |
//! | --- | --- | --- |
//! | `dto` | the shapes on the wire, and problems | nobody |
//! | `auth` | keys, rights, rates, the audit log | `dto` |
//! | `server` | the app, its libraries, places for blocking work, connections, figures | `auth`, `dto` |
//! | `compat` | OpenAI's, Dify's and MCP's protocols | `server`, `auth`, `dto` |
//! | `middleware` | what stands before and behind every handler | `compat`, `server`, `auth`, `dto` |
//! | `ui` | the page, the viewer of the API's document | `dto` |
//! | `routes` | our own handlers, and the table of all routes | all above |

mod auth;
mod compat;
mod dto;
mod middleware;
mod routes;
mod server;
mod ui;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::library::Timings;
use crate::settings::Settings;
use compat::mcp;
use middleware::edge;
use routes::dispatch::dispatch;
use server::{connections, takeover};

pub use auth::keys;
pub use server::{App, AppError};

impl App {
    /// An app that is not ready yet, listening on `address`.
    ///
    /// # Errors
    /// When the keys cannot be read, or there are none and others than this machine could ask; when the audit log cannot
    /// be written.
    pub fn new(settings: &Settings, address: SocketAddr) -> Result<Arc<Self>, AppError> {
        Self::with_routes(settings, address, routes::of)
    }
}

/// All that the service answers.
pub fn router(app: Arc<App>) -> Router {
    app.collections.answer_unknown(&app);
    routes::of(&app)
        .route("/collections/{collection}", any(dispatch))
        .route("/collections/{collection}/", any(dispatch))
        .route("/collections/{collection}/{*rest}", any(dispatch))
        .layer(from_fn_with_state(Arc::clone(&app), edge::wrap))
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
    dto::help::help(text)
}

/// An answer as `POST /v1/ask` gives it, for the command line.
pub fn answer_json(answer: &Answer, timings: Timings, question: &str, model: &str) -> String {
    let body = dto::answer(answer, timings, dto::Context { question, model, base: "" });
    serde_json::to_string_pretty(&body).expect("an answer is texts and finite numbers")
}
