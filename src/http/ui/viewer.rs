//! `/openapi.json`, and `/docs/`: the API's document, and a page to read it on and try it.
//!
//! All addresses are relative, so that they lead to the document of the collection whose viewer it is.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi as Document;
use utoipa_swagger_ui::{Config, serve};

use crate::http::dto::error::{Problem, no_route};

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("../openapi.json")));

/// A document, made into text once.
#[derive(Clone)]
pub(in crate::http) struct Text(Arc<str>);

/// The document as it is sent.
pub(in crate::http) fn document(document: &Document) -> Text {
    Text(serde_json::to_string(document).expect("texts are JSON").into())
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}

/// Relative addresses need the slash at the end.
pub(in crate::http) async fn redirect() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, "docs/")]).into_response()
}

/// The viewer's page.
pub(in crate::http) async fn index() -> Result<Response, Problem> {
    shown("").await
}

/// A file of the viewer.
pub(in crate::http) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    shown(&name).await
}

async fn shown(name: &str) -> Result<Response, Problem> {
    let file = serve(name, Arc::clone(&CONFIG)).map_err(|error| Problem::internal(&error))?;
    let Some(file) = file else { return Err(no_route("/docs".parse().unwrap_or_default()).await) };
    let kind = [(CONTENT_TYPE, file.content_type)];
    let mut response = (kind, file.bytes.into_owned()).into_response();
    if file.gzpipped {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
