//! The page at `/`: its files, in the binary.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::http::dto::error::{Problem, no_route};
use crate::text::hex;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, kind and text of each file below `/assets`.
const ASSETS: [(&str, &str, &str); 9] = [
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("app.js", SCRIPT, include_str!("page/app.js")),
    ("api.js", SCRIPT, include_str!("page/api.js")),
    ("chat.js", SCRIPT, include_str!("page/chat.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("forms.js", SCRIPT, include_str!("page/forms.js")),
    ("library.js", SCRIPT, include_str!("page/library.js")),
    ("reader.js", SCRIPT, include_str!("page/reader.js")),
    ("words.js", SCRIPT, include_str!("page/words.js")),
];

/// The page; it finds out by its address what to show.
pub(in crate::http) async fn index(headers: HeaderMap) -> Response {
    file(&headers, HTML, include_str!("page/index.html"))
}

/// Its scripts and its style.
pub(in crate::http) async fn asset(headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Problem> {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => Ok(file(&headers, kind, text)),
        None => Err(no_route("/assets".parse().unwrap_or_default()).await),
    }
}

/// A file that the browser keeps and asks after: another version of ibid may have another.
fn file(headers: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let tag = format!("\"{}\"", &hex(&Sha256::digest(text))[..16]);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(CONTENT_TYPE, kind.to_owned()), (CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)], text).into_response()
}
