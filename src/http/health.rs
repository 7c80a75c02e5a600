//! Alive, and ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::App;
use super::error::Problem;

/// The process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// The library is open and answers.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let library = app.library()?;
    let counts = library.shelf().counts()?;
    Ok(Json(json!({
        "status": "ready", "sources": counts.sources, "articles": counts.articles, "passages": counts.passages,
        "model": library.embedder().info().id,
    })))
}
