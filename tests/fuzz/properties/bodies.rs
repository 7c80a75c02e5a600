//! Bytes to each route that takes a body: no panic, no 5xx.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use ibid::embed::Embedder;
use ibid::http::{App, router};
use ibid::library::{Corpus, Library};
use ibid::settings;
use tower::ServiceExt as _;

/// The first byte says where the others go.
pub(crate) const ROUTES: [(&str, &str, &str); 13] = [
    ("POST", "/v1/ask", "application/json"),
    ("POST", "/v1/search", "application/json"),
    ("POST", "/v1/chat/completions", "application/json"),
    ("POST", "/v1/responses", "application/json"),
    ("POST", "/v1/embeddings", "application/json"),
    ("POST", "/v1/rerank", "application/json"),
    ("POST", "/retrieval", "application/json"),
    ("POST", "/v1/verify", "application/json"),
    ("POST", "/v1/articles", "application/json"),
    ("POST", "/v1/articles", "application/x-ndjson"),
    ("POST", "/v1/articles", "multipart/form-data; boundary=x"),
    ("POST", "/v1/articles?wait=false", "application/json"),
    ("POST", "/v1/collections", "application/json"),
];

/// A service of the sample articles.
pub(crate) struct Service {
    router: Router,
    runtime: tokio::runtime::Runtime,
}

impl Service {
    pub(crate) fn open(data: &Path) -> Self {
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).expect("the defaults are settings");
        data.clone_into(&mut settings.library.data);
        let app: Arc<App> = App::new(&settings, ([127, 0, 0, 1], 8080).into()).expect("an app");
        let library = Library::open(settings, Embedder::bundled().expect("the model")).expect("a library");
        library.ingest(&Corpus::Bundled, &|_| ()).expect("the samples");
        app.ready(library);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { router: router(app), runtime }
    }

    pub(crate) fn hold(&self, data: &[u8]) {
        let Some((route, body)) = data.split_first() else { return };
        let (method, path, kind) = ROUTES[usize::from(*route) % ROUTES.len()];
        let request = Request::builder().method(method).uri(path).header("host", "localhost").header("content-type", kind);
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).expect("a response");
        assert!(response.status().as_u16() < 500, "{} {path}", response.status());
    }
}
