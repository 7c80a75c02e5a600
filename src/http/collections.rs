//! Collections: several libraries in one service, each with its own folder, address and keys.
//!
//! Whatever a library answers under `/`, a collection answers under `/collections/NAME/`: an OpenAI
//! client takes `…/collections/NAME/v1` for its base. A request to the first library may also
//! name another: `"collection": "NAME"`, or the model `ibid/NAME`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;
use utoipa::ToSchema;

use super::App;
use super::error::{Problem, no_route};
use super::keys::{Granted, Scope};
use crate::library::Library;

/// The name of the library that is there without being made.
pub(super) const FIRST: &str = "default";
/// What the address of a collection begins with.
const PREFIX: &str = "/collections/";
/// The folder of collections, below the data folder.
pub const FOLDER: &str = "collections";

/// The collections that are open, by name, and what answers their requests.
#[derive(Default)]
pub(super) struct Collections(RwLock<BTreeMap<String, (Arc<App>, Router)>>);

/// Whether `name` is one that a collection can have: it is a folder and part of addresses.
pub fn is_name(name: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(inside) && !name.starts_with('-') && name != FIRST
}

/// The collection that a path leads to, and the rest of it.
pub(super) fn split(path: &str) -> (&str, &str) {
    let Some(below) = path.strip_prefix(PREFIX) else { return (FIRST, path) };
    let end = below.find('/').unwrap_or(below.len());
    (&below[..end], &below[end..])
}

/// What the key of a request allows; all, where no key is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Grant(pub(super) Option<Vec<Granted>>);

impl Grant {
    /// Whether it allows this in this collection.
    pub(super) fn allows(&self, scope: Scope, collection: &str) -> bool {
        self.0.as_ref().is_none_or(|granted| granted.iter().any(|granted| granted.allows(scope, collection)))
    }
}

impl<S: Sync> FromRequestParts<S> for Grant {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

fn folder_of_collections(first: &Library) -> PathBuf {
    first.settings().library.data.join(FOLDER)
}

fn unknown(name: &str) -> Problem {
    let message = format!("there is no collection `{}`\nhint: `GET /v1/collections` lists them", name.escape_debug());
    Problem::new(StatusCode::NOT_FOUND, "unknown_collection", message)
}

impl Collections {
    fn get(&self, name: &str) -> Option<(Arc<App>, Router)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn add(&self, name: &str, app: Arc<App>) {
        let router = super::routes(&app).with_state(Arc::clone(&app));
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (app, router));
    }

    fn remove(&self, name: &str) -> bool {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }

    /// All but the first.
    pub(super) fn apps(&self) -> Vec<Arc<App>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().map(|(app, _)| Arc::clone(app)).collect()
    }

    /// The names of all but the first.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl App {
    /// The collection that a request names, itself when it names none, if the request may read it.
    pub(super) fn named(self: &Arc<Self>, name: Option<&str>, grant: &Grant) -> Result<Arc<Self>, Problem> {
        let name = name.unwrap_or(&self.collection);
        if !grant.allows(Scope::Read, name) {
            let message = format!("the key does not allow collection `{}`", name.escape_debug());
            return Err(Problem::new(StatusCode::FORBIDDEN, "scope_needed", message));
        }
        if name == self.collection {
            return Ok(Arc::clone(self));
        }
        self.collections.get(name).map(|(app, _)| app).ok_or_else(|| unknown(name))
    }

    /// The collection of this name, when there is one.
    pub(super) fn known(&self, name: &str) -> bool {
        name == self.collection || self.collections.get(name).is_some()
    }

    /// Opens a collection, and answers for it from now on.
    fn open_collection(&self, first: &Library, name: &str) -> Result<(), crate::shelf::Error> {
        let mut settings = first.settings().clone();
        settings.library.data = settings.library.data.join(FOLDER).join(name);
        let library = Library::open(settings, first.shared_embedder())?;
        let app = self.beside(name);
        app.ready(library);
        self.collections.add(name, app);
        Ok(())
    }

    /// Opens the collections that there are; one that cannot be is told in the log, and the others go on.
    pub(super) fn open_collections(&self, first: &Library) {
        let Ok(entries) = std::fs::read_dir(folder_of_collections(first)) else { return };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        for name in names.filter(|name| is_name(name)) {
            if let Err(error) = self.open_collection(first, &name) {
                tracing::error!(collection = name, %error, "a collection cannot be opened");
            }
        }
    }
}

/// A collection, in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collection)]
pub(super) struct CollectionBody {
    name: String,
    articles: usize,
    passages: usize,
    /// Where it answers.
    url: String,
}

/// All collections that the key allows, the first one first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CollectionList)]
pub(super) struct CollectionListBody {
    collections: Vec<CollectionBody>,
}

/// A collection to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewCollection)]
pub(super) struct NewCollectionBody {
    /// Small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9-]*$", example = "news")]
    name: String,
}

/// The first library keeps the list; a collection has none of its own.
fn keeps_the_list(app: &App) -> Result<(), Problem> {
    if app.collection == FIRST {
        return Ok(());
    }
    let message = format!("collection `{}` has no collections\nhint: ask at `/v1/collections`", app.collection);
    Err(Problem::new(StatusCode::NOT_FOUND, "unknown_route", message))
}

fn described(app: &App) -> Result<CollectionBody, Problem> {
    let counts = app.library()?.shelf().counts()?;
    let (name, url) = (app.collection.clone(), app.public_url.clone());
    Ok(CollectionBody { name, articles: counts.articles, passages: counts.passages, url })
}

/// List the collections
#[utoipa::path(get, path = "/v1/collections", tag = "articles", responses((status = 200, body = CollectionListBody)))]
pub(super) async fn list(State(app): State<Arc<App>>, grant: Grant) -> Result<Json<CollectionListBody>, Problem> {
    keeps_the_list(&app)?;
    let names = std::iter::once(app.collection.clone()).chain(app.collections.names());
    let names: Vec<String> = names.filter(|name| grant.allows(Scope::Read, name)).collect();
    let shared = Arc::clone(&app);
    let listed = app.with_library(move |_| {
        // One that was removed meanwhile is in no list.
        let apps = names.iter().filter_map(|name| shared.named(Some(name), &Grant::default()).ok());
        Ok(CollectionListBody { collections: apps.map(|app| described(&app)).collect::<Result<_, _>>()? })
    });
    listed.await.map(Json)
}

/// Make a collection, empty
#[utoipa::path(post, path = "/v1/collections", tag = "articles", request_body = NewCollectionBody,
    responses((status = 201, body = CollectionBody), (status = 409, description = "there is one of this name", body = super::error::ProblemBody)))]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    body: Result<Json<NewCollectionBody>, JsonRejection>,
) -> Result<(StatusCode, Json<CollectionBody>), Problem> {
    keeps_the_list(&app)?;
    let Json(NewCollectionBody { name }) = body?;
    let shared = Arc::clone(&app);
    let made = app.with_writer(move |_| {
        if shared.known(&name) {
            let message = format!("there is a collection `{name}` already");
            return Err(Problem::new(StatusCode::CONFLICT, "known_collection", message));
        }
        if !is_name(&name) {
            let message = format!("`{}` is no name for a collection", name.escape_debug());
            return Err(Problem::invalid(format!("{message}\nhint: small letters, digits and hyphens, 64 at most")));
        }
        shared.open_collection(&*shared.library()?, &name)?;
        described(&*shared.named(Some(&name), &Grant::default())?)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Remove a collection with all that it holds
#[utoipa::path(delete, path = "/v1/collections/{name}", tag = "articles", params(("name" = String, Path)),
    responses((status = 204, description = "it is gone")))]
pub(super) async fn remove(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    keeps_the_list(&app)?;
    let shared = Arc::clone(&app);
    let removed = app.with_writer(move |_| {
        if !is_name(&name) || !shared.collections.remove(&name) {
            return Err(unknown(&name));
        }
        std::fs::remove_dir_all(folder_of_collections(&*shared.library()?).join(&name)).map_err(crate::shelf::Error::from)?;
        Ok(StatusCode::NO_CONTENT)
    });
    removed.await
}

/// Hands a request below `/collections/NAME` to what answers for it.
pub(super) async fn dispatch(State(app): State<Arc<App>>, mut request: Request) -> Response {
    let uri = request.uri();
    let (name, rest) = split(uri.path());
    let Some((_, router)) = app.collections.get(name) else { return unknown(name).into_response() };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let rest = if rest.is_empty() { "/" } else { rest };
    let Ok(inner) = format!("{rest}{query}").parse::<Uri>() else { return no_route(uri.clone()).await.into_response() };
    *request.uri_mut() = inner;
    // A router's error is none.
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_collection_and_a_rest() {
        assert_eq!(split("/v1/ask"), (FIRST, "/v1/ask"));
        assert_eq!(split("/collections/news/v1/ask"), ("news", "/v1/ask"));
        assert_eq!(split("/collections/news"), ("news", ""));
        assert!(is_name("a-1") && !is_name("") && !is_name("../x") && !is_name("A") && !is_name(FIRST) && !is_name("-x"));
    }
}
