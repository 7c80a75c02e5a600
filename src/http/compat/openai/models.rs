//! `GET /v1/models`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MODEL, OpenAiProblem};
use crate::http::auth::rights::{Grant, Scope};
use crate::http::server::App;

/// A model that can be named in requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAiModel)]
pub(in crate::http) struct ModelBody {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
    /// What frontends show.
    name: String,
}

/// All models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAiModelList)]
pub(in crate::http) struct ModelListBody {
    object: &'static str,
    data: Vec<ModelBody>,
}

/// Those that the key may name: `ibid` answers; the embedding model embeds and ranks.
fn all(app: &App, grant: &Grant) -> Result<Vec<ModelBody>, OpenAiProblem> {
    let embedder = app.library()?.embedder().info().id.clone();
    let model = |id: String, name: String| ModelBody { id, object: "model", created: app.started, owned_by: "ibid", name };
    let own = grant.allows(Scope::Read, &app.collection);
    let answers = model(MODEL.to_owned(), "ibid: answers with citations".to_owned());
    let others = app.collections.names().into_iter().filter(|name| grant.allows(Scope::Read, name));
    let others = others.map(|name| model(format!("{MODEL}/{name}"), format!("ibid: answers from `{name}`")));
    let embeddings = model(embedder.clone(), format!("{embedder}: embeddings"));
    let written = app.library()?.generator().map(|generator| {
        let name = format!("ibid: answers that {} writes", generator.settings().model);
        model(format!("{MODEL}:written"), name)
    });
    let [answers, embeddings] = [answers, embeddings].map(|model| own.then_some(model));
    Ok(answers.into_iter().chain(written.filter(|_| own)).chain(others).chain(embeddings).collect())
}

/// List the models
#[utoipa::path(get, path = "/v1/models", tag = "OpenAI", responses((status = 200, body = ModelListBody)))]
pub(in crate::http) async fn list(State(app): State<Arc<App>>, grant: Grant) -> Result<Json<ModelListBody>, OpenAiProblem> {
    Ok(Json(ModelListBody { object: "list", data: all(&app, &grant)? }))
}

/// One model
#[utoipa::path(get, path = "/v1/models/{id}", tag = "OpenAI", params(("id" = String, Path, min_length = 1)), responses((status = 200, body = ModelBody)))]
pub(in crate::http) async fn one(
    State(app): State<Arc<App>>,
    grant: Grant,
    Path(id): Path<String>,
) -> Result<Json<ModelBody>, OpenAiProblem> {
    let found = all(&app, &grant)?.into_iter().find(|model| model.id == id);
    found.map(Json).ok_or_else(|| OpenAiProblem::unknown_model(&id))
}
