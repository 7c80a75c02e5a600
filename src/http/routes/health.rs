//! Alive, and ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::generate::Generator;
use crate::http::auth::rights::{Grant, Scope};
use crate::http::dto::error::Problem;
use crate::http::server::App;
use crate::library::collections::FIRST;
use crate::settings::AnswerMode;

/// The service's state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(in crate::http) struct ReadyBody {
    /// `ready`; `degraded` where a collection cannot be used and the others answer.
    status: &'static str,
    /// How many collections cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable_collections: Option<usize>,
    /// Their names; those that the key may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unusable: Vec<String>,
    /// What is kept; for those who may read it.
    #[serde(flatten)]
    kept: Option<KeptBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Kept)]
struct KeptBody {
    sources: usize,
    articles: usize,
    passages: usize,
    model: String,
    /// The language model that writes answers, where one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    generator: Option<GeneratorBody>,
}

/// A language model that writes answers: questions that the articles answer go there, with sentences of these.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Generator)]
struct GeneratorBody {
    model: String,
    /// Host and port.
    host: String,
    /// Who answers where a request does not say: `extractive` or `written`.
    default_mode: &'static str,
}

impl From<&Generator> for GeneratorBody {
    fn from(generator: &Generator) -> Self {
        let default_mode = match generator.settings().default_mode {
            AnswerMode::Extractive => "extractive",
            AnswerMode::Written => "written",
        };
        Self { model: generator.settings().model.clone(), host: generator.host().to_owned(), default_mode }
    }
}

/// The process runs
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = Object)))]
pub(in crate::http) async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// The library is open and answers
#[utoipa::path(get, path = "/readyz", tag = "service", responses((status = 200, body = ReadyBody)))]
pub(in crate::http) async fn ready(State(app): State<Arc<App>>, grant: Grant) -> Result<Json<ReadyBody>, Problem> {
    let library = app.library()?;
    // A collection answers for itself.
    let mut unusable = if app.collection == FIRST { app.collections.unusable() } else { vec![] };
    let unusable_collections = Some(unusable.len()).filter(|count| *count > 0);
    unusable.retain(|name| grant.allows(Scope::Read, name));
    let status = if unusable_collections.is_some() { "degraded" } else { "ready" };
    let mut kept = None;
    if grant.allows(Scope::Read, &app.collection) {
        let counts = library.shelf().counts()?;
        let model = library.embedder().info().id.clone();
        let generator = library.generator().map(GeneratorBody::from);
        kept = Some(KeptBody { sources: counts.sources, articles: counts.articles, passages: counts.passages, model, generator });
    }
    Ok(Json(ReadyBody { status, unusable_collections, unusable, kept }))
}

/// For those who open the base of the API in a browser.
pub(in crate::http) async fn hint() -> Json<Value> {
    Json(json!({ "service": "ibid", "document": "/openapi.json", "viewer": "/docs/", "models": "/v1/models" }))
}
