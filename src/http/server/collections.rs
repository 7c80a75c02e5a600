//! Collections: several libraries in one service, each with its own folder, address and keys.
//!
//! Whatever a library answers under `/`, a collection answers under `/collections/NAME/`: an OpenAI
//! client takes `…/collections/NAME/v1` for its base. A request to the first library may also
//! name another: `"collection": "NAME"`, or the model `ibid/NAME`. One that cannot be opened is there
//! still, and says so: its readers must not take it for one that holds nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use axum::Router;
use axum::http::StatusCode;

use super::App;
use crate::http::auth::rights::{Grant, Scope};
use crate::http::dto::error::Problem;
use crate::library::Library;
use crate::library::collections::{self, FIRST};
use crate::shelf;

/// What the address of a collection begins with.
const PREFIX: &str = "/collections/";

/// The collections that there are, by name, and what answers their requests.
#[derive(Default)]
pub(in crate::http) struct Collections {
    open: RwLock<BTreeMap<String, (Arc<App>, Router)>>,
    /// Held while a collection is made, renamed or removed.
    managing: Mutex<()>,
    /// Libraries of removed collections, which requests that run may still use.
    closing: Mutex<Vec<(String, Weak<Library>)>>,
    /// Answers where there is no collection of a name, for those who may not know that: as one
    /// would that they have no key for.
    unknown: OnceLock<Router>,
}

/// The collection that a path leads to, and the rest of it.
pub(in crate::http) fn split(path: &str) -> (&str, &str) {
    let Some(below) = path.strip_prefix(PREFIX) else { return (FIRST, path) };
    let end = below.find('/').unwrap_or(below.len());
    (&below[..end], &below[end..])
}

pub(in crate::http) fn unknown(name: &str) -> Problem {
    let message = format!("there is no collection `{}`\nhint: `GET /v1/collections` lists them", name.escape_debug());
    Problem::new(StatusCode::NOT_FOUND, "unknown_collection", message)
}

impl Collections {
    pub(in crate::http) fn get(&self, name: &str) -> Option<(Arc<App>, Router)> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What answers for a name: its collection, or the one of unknown names where the key may not know that there is none;
    /// `None` where it may.
    pub(in crate::http) fn router(&self, name: &str, grant: impl FnOnce() -> Grant) -> Option<Router> {
        let open = self.get(name).map(|(_, router)| router);
        open.or_else(|| self.unknown.get().filter(|_| !grant().applies_to(name)).cloned())
    }

    pub(in crate::http) fn add(&self, name: &str, app: Arc<App>) {
        let router = (app.routes)(&app).with_state(Arc::clone(&app));
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (app, router));
    }

    pub(in crate::http) fn remove(&self, name: &str) {
        let removed = self.open.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        let library = removed.and_then(|(app, _)| app.library.get());
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.retain(|(_, library)| library.strong_count() > 0);
        closing.extend(library.map(|library| (name.to_owned(), Arc::downgrade(&library))));
    }

    /// Waits until no other collection is made, renamed or removed.
    pub(in crate::http) fn manage(&self) -> MutexGuard<'_, ()> {
        self.managing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests still use what was removed under this name: they would find another in its place.
    pub(in crate::http) fn is_closing(&self, name: &str) -> bool {
        let closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.iter().any(|(removed, library)| removed == name && library.strong_count() > 0)
    }

    /// Has addresses of collections that are not there answered; `first` is the app that stands beside them.
    pub(in crate::http) fn answer_unknown(&self, first: &App) {
        let app = first.beside("");
        self.unknown.get_or_init(|| (app.routes)(&app).with_state(Arc::clone(&app)));
    }

    /// All but the first.
    pub(in crate::http) fn apps(&self) -> Vec<Arc<App>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().map(|(app, _)| Arc::clone(app)).collect()
    }

    /// The names of all but the first.
    pub(in crate::http) fn names(&self) -> Vec<String> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// The names of those that cannot be used.
    pub(in crate::http) fn unusable(&self) -> Vec<String> {
        let apps = self.apps().into_iter().filter(|app| app.failure.get().is_some());
        apps.map(|app| app.collection.clone()).collect()
    }
}

impl App {
    /// The collection that a request names, itself when it names none, if the request may read it.
    pub(in crate::http) fn named(self: &Arc<Self>, name: Option<&str>, grant: &Grant) -> Result<Arc<Self>, Problem> {
        let name = name.unwrap_or(&self.collection);
        grant.require(Scope::Read, name)?;
        if name == self.collection {
            return Ok(Arc::clone(self));
        }
        self.collections.get(name).map(|(app, _)| app).ok_or_else(|| unknown(name))
    }

    /// Whether there is a collection of this name.
    pub(in crate::http) fn known(&self, name: &str) -> bool {
        name == self.collection || name == FIRST || self.collections.get(name).is_some()
    }

    /// Opens a collection, and answers for it from now on.
    pub(in crate::http) fn open_collection(&self, first: &Library, name: &str) -> Arc<Self> {
        let settings = collections::settings(first.settings(), name);
        let opened = Library::open(settings, first.shared_embedder());
        self.install(name, opened.map(|library| library.sharing_generator(first)))
    }

    /// Answers from what was opened, or says that it could not be.
    pub(in crate::http) fn install(&self, name: &str, opened: Result<Library, shelf::Error>) -> Arc<Self> {
        let app = self.beside(name);
        match opened {
            Ok(library) => app.ready(library),
            Err(error) => {
                tracing::error!(collection = name, %error, "a collection cannot be used");
                // It was made a moment ago, and nothing is known of it.
                let _ = app.failure.set(error.to_string());
            }
        }
        self.collections.add(name, Arc::clone(&app));
        app
    }

    /// Opens the collections that there are.
    pub(in crate::http) fn open_collections(&self, first: &Library) {
        let data = &first.settings().library.data;
        collections::clear(data);
        match collections::names(data) {
            Ok(names) => names.iter().for_each(|name| drop(self.open_collection(first, name))),
            Err(error) => tracing::error!(%error, "the folder of collections cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_collection_and_a_rest() {
        assert_eq!(split("/v1/ask"), (FIRST, "/v1/ask"));
        assert_eq!(split("/collections/news/v1/ask"), ("news", "/v1/ask"));
        assert_eq!(split("/collections/news"), ("news", ""));
    }
}
