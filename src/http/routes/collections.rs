//! `/v1/collections`: which there are; one is made, renamed, removed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::rights::{Grant, Scope};
use crate::http::dto::error::{Problem, ProblemBody};
use crate::http::server::App;
use crate::http::server::collections::unknown;
use crate::library::collections::{self, is_name};

/// How long a collection that is renamed waits for what runs in it.
const PATIENCE: Duration = Duration::from_secs(5);

/// A collection, in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collection)]
pub(in crate::http) struct CollectionBody {
    name: String,
    /// `ready`, or `unusable`: then it answers nothing until it is mended.
    state: &'static str,
    /// Why it is unusable; for keys that may administer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    articles: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passages: Option<usize>,
    /// Where it answers.
    url: String,
}

/// All collections that the key allows, the first one first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CollectionList)]
pub(in crate::http) struct CollectionListBody {
    collections: Vec<CollectionBody>,
}

/// A collection to be made, or the new name of one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewCollection)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewCollectionBody {
    /// Small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9-]*$", example = "news")]
    name: String,
}

fn described(app: &App, grant: &Grant) -> Result<CollectionBody, Problem> {
    let (name, url) = (app.collection.clone(), app.public_url.clone());
    if let Some(reason) = app.failure.get() {
        let reason = grant.allows(Scope::Admin, &name).then(|| reason.clone());
        return Ok(CollectionBody { name, state: "unusable", reason, articles: None, passages: None, url });
    }
    let counts = app.library()?.shelf().counts()?;
    let (articles, passages) = (Some(counts.articles), Some(counts.passages));
    Ok(CollectionBody { name, state: "ready", reason: None, articles, passages, url })
}

/// List the collections
#[utoipa::path(get, path = "/v1/collections", tag = "articles", responses((status = 200, body = CollectionListBody)))]
pub(in crate::http) async fn list(State(app): State<Arc<App>>, grant: Grant) -> Result<Json<CollectionListBody>, Problem> {
    let names = std::iter::once(app.collection.clone()).chain(app.collections.names());
    let names: Vec<String> = names.filter(|name| grant.allows(Scope::Read, name)).collect();
    let shared = Arc::clone(&app);
    let listed = app.with_library(move |_| {
        // One that was removed meanwhile is in no list.
        let apps = names.iter().filter_map(|name| shared.named(Some(name), &Grant::All).ok());
        Ok(CollectionListBody { collections: apps.map(|app| described(&app, &grant)).collect::<Result<_, _>>()? })
    });
    listed.await.map(Json)
}

/// Refuses a name that is taken or none.
fn refuse_name(app: &App, name: &str) -> Result<(), Problem> {
    if app.known(name) {
        let message = format!("there is a collection `{}` already", name.escape_debug());
        return Err(Problem::new(StatusCode::CONFLICT, "known_collection", message));
    }
    if !is_name(name) {
        let message = format!("`{}` is no name for a collection", name.escape_debug());
        return Err(Problem::invalid(format!("{message}\nhint: small letters, digits and hyphens, 64 at most")));
    }
    if app.collections.is_closing(name) {
        return Err(busy(name));
    }
    Ok(())
}

fn busy(name: &str) -> Problem {
    let message = format!("collection `{}` is still in use\nhint: send it again when its jobs have ended", name.escape_debug());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "collection_busy", message).retry_after(1)
}

/// Make a collection, empty
#[utoipa::path(post, path = "/v1/collections", tag = "articles", request_body = NewCollectionBody,
    responses((status = 201, body = CollectionBody), (status = 409, description = "there is one of this name", body = ProblemBody)))]
pub(in crate::http) async fn make(
    State(app): State<Arc<App>>,
    grant: Grant,
    body: Result<Json<NewCollectionBody>, JsonRejection>,
) -> Result<(StatusCode, Json<CollectionBody>), Problem> {
    let Json(NewCollectionBody { name }) = body?;
    grant.require(Scope::Admin, &name)?;
    let shared = Arc::clone(&app);
    let made = app.with_writer(move |first| {
        let _alone = shared.collections.manage();
        refuse_name(&shared, &name)?;
        let library = collections::make(first.settings(), first.shared_embedder(), &name)?.sharing_generator(first);
        described(&shared.install(&name, Ok(library)), &grant)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Rename a collection
///
/// What runs in it is let end first; whoever asks it meanwhile is told to come back. From then on it answers at its
/// new address alone.
#[utoipa::path(patch, path = "/v1/collections/{name}", tag = "articles", params(("name" = String, Path)), request_body = NewCollectionBody,
    responses((status = 200, body = CollectionBody), (status = 409, description = "there is one of this name", body = ProblemBody)))]
pub(in crate::http) async fn rename(
    State(app): State<Arc<App>>,
    grant: Grant,
    Path(name): Path<String>,
    body: Result<Json<NewCollectionBody>, JsonRejection>,
) -> Result<Json<CollectionBody>, Problem> {
    let Json(NewCollectionBody { name: new }) = body?;
    grant.require(Scope::Admin, &name)?;
    grant.require(Scope::Admin, &new)?;
    let shared = Arc::clone(&app);
    let renamed = app.with_writer(move |first| {
        let _alone = shared.collections.manage();
        let old = shared.collections.get(&name).map(|(app, _)| app).ok_or_else(|| unknown(&name))?;
        refuse_name(&shared, &new)?;
        close(&old)?;
        if let Err(error) = collections::rename(&first.settings().library.data, &name, &new) {
            shared.open_collection(first, &name);
            return Err(error.into());
        }
        shared.collections.remove(&name);
        described(&shared.open_collection(first, &new), &grant)
    });
    renamed.await.map(Json)
}

/// Closes the library of a collection once nobody uses it; one that stays in use answers on.
fn close(app: &App) -> Result<(), Problem> {
    let Some(mut library) = app.library.take() else { return Ok(()) };
    let begun = Instant::now();
    loop {
        match Arc::try_unwrap(library) {
            Ok(closed) => {
                drop(closed);
                return Ok(());
            }
            Err(used) if begun.elapsed() > PATIENCE => {
                app.library.put_back(used);
                return Err(busy(&app.collection));
            }
            Err(used) => {
                library = used;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Remove a collection with all that it holds
#[utoipa::path(delete, path = "/v1/collections/{name}", tag = "articles", params(("name" = String, Path)),
    responses((status = 204, description = "it is gone")))]
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    grant: Grant,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    grant.require(Scope::Admin, &name)?;
    let shared = Arc::clone(&app);
    let removed = app.with_writer(move |first| {
        let _alone = shared.collections.manage();
        if !is_name(&name) || shared.collections.get(&name).is_none() {
            return Err(unknown(&name));
        }
        collections::remove(&first.settings().library.data, &name)?;
        shared.collections.remove(&name);
        Ok(StatusCode::NO_CONTENT)
    });
    removed.await
}
