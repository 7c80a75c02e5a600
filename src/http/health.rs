//! Alive, and ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::App;
use super::error::Problem;

/// The service's state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(super) struct ReadyBody {
    /// Always `ready`.
    status: &'static str,
    sources: usize,
    articles: usize,
    passages: usize,
    model: String,
}

/// The process runs
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = Object)))]
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// The library is open and answers
#[utoipa::path(get, path = "/readyz", tag = "service", responses((status = 200, body = ReadyBody)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<ReadyBody>, Problem> {
    let library = app.library()?;
    let counts = library.shelf().counts()?;
    Ok(Json(ReadyBody {
        status: "ready",
        sources: counts.sources,
        articles: counts.articles,
        passages: counts.passages,
        model: library.embedder().info().id.clone(),
    }))
}

/// For those who open the base of the API in a browser.
pub(super) async fn hint() -> Json<Value> {
    Json(json!({ "service": "ibid", "document": "/openapi.json", "viewer": "/docs/", "models": "/v1/models" }))
}
