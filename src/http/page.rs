//! The page at `/`: three files in the binary.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::error::{Problem, no_route};

/// The page; it finds out by its address what to show.
pub(super) async fn index() -> Response {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// Its script and its style.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    match name.as_str() {
        "page.js" => Ok(file("text/javascript; charset=utf-8", include_str!("page/page.js"))),
        "page.css" => Ok(file("text/css; charset=utf-8", include_str!("page/page.css"))),
        _ => Err(no_route("/assets".parse().unwrap_or_default()).await),
    }
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}
