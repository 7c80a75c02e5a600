//! `GET /metrics`: what operators watch, in Prometheus' text form.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::http::server::App;
use crate::library::collections::FIRST;

/// Figures for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "service", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(in crate::http) async fn metrics(State(app): State<Arc<App>>) -> Response {
    // The counters are the whole service's; of a collection there is what it keeps.
    let mut text = if app.collection == FIRST { app.metrics.text() } else { String::new() };
    let counts = app.library.get().and_then(|library| library.shelf().counts().ok());
    let unusable = if app.collection == FIRST { app.collections.unusable().len() } else { 0 };
    let gauges = [
        ("unusable_collections", "Collections that cannot be used", unusable),
        ("ready", "Whether the library is open", usize::from(counts.is_some())),
        ("waiting", "Requests that wait for a worker", app.pool.waiting()),
        ("writing", "Changes that are worked on", app.writers.working() + app.large_writers.working()),
        ("articles", "Articles kept", counts.map_or(0, |counts| counts.articles)),
        ("passages", "Passages kept", counts.map_or(0, |counts| counts.passages)),
    ];
    let end = text.rfind("# EOF").unwrap_or(text.len());
    text.truncate(end);
    for (name, help, value) in gauges {
        let _ = write!(text, "# HELP ibid_{name} {help}.\n# TYPE ibid_{name} gauge\nibid_{name} {value}\n");
    }
    text.push_str("# EOF\n");
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
