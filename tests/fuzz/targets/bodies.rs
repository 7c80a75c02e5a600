//! Bytes to each route that takes a body.
#![no_main]

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use ibid::embed::Embedder;
use ibid::http::{App, router};
use ibid::library::{Corpus, Library};
use ibid::settings;
use libfuzzer_sys::fuzz_target;
use tower::ServiceExt as _;

const ROUTES: [(&str, &str, &str); 13] = [
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

static SERVICE: LazyLock<(Router, tokio::runtime::Runtime)> = LazyLock::new(|| {
    let mut settings = settings::resolve(None, std::iter::empty(), vec![]).expect("the defaults are settings");
    settings.library.data = tempfile::tempdir().expect("a folder").keep();
    let app: Arc<App> = App::new(&settings, ([127, 0, 0, 1], 8080).into()).expect("an app");
    let library = Library::open(settings, Embedder::bundled().expect("the model")).expect("a library");
    library.ingest(&Corpus::Bundled, &|_| ()).expect("the samples");
    app.ready(library);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    (router(app), runtime)
});

fuzz_target!(|data: &[u8]| {
    let Some((route, body)) = data.split_first() else { return };
    let (method, path, kind) = ROUTES[usize::from(*route) % ROUTES.len()];
    let (router, runtime) = &*SERVICE;
    let request = Request::builder().method(method).uri(path).header("host", "localhost").header("content-type", kind);
    let request = request.body(Body::from(body.to_vec())).expect("a request");
    let response = runtime.block_on(router.clone().oneshot(request)).expect("a response");
    assert!(response.status().as_u16() < 500, "{} {path}", response.status());
});
