//! What every request passes: an id, a check of where it comes from, a count, a log line, safe headers.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::shape::shaped;
use crate::http::auth::audit::AuditedRequest;
use crate::http::dto::error::Problem;
use crate::http::server::App;
use crate::http::server::collections;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An id of the client's own, when it is harmless, or a fresh one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    const LONGEST: usize = 64;
    let harmless = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        !bytes.is_empty()
            && bytes.len() <= LONGEST
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let given = headers.get(&REQUEST_ID).filter(harmless).cloned();
    given.unwrap_or_else(|| HeaderValue::try_from(ulid::Ulid::generate().to_string()).expect("an ULID is letters and digits"))
}

/// Wraps every request.
pub(in crate::http) async fn wrap(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Below `/collections/NAME` a route is as it is without.
    let inner = collections::split(request.uri().path()).1.to_owned();
    let method = known(&method);
    let asked = AuditedRequest::of(&request, method);
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), method, route);
    let answered = match app.admits(request.uri(), request.headers()) {
        Ok(()) => unharmed(next.run(request)).instrument(span.clone()).await,
        Err(problem) => Err(problem),
    };
    let mut response = answered.unwrap_or_else(|problem| shaped(problem, &inner));
    let status = response.status();
    app.metrics.served(method, &route, status.as_u16(), begun.elapsed());
    let duration_ms = begun.elapsed().as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::info!(status = status.as_u16(), duration_ms, "served"));
    app.audit.note(&asked, id.to_str().unwrap_or_default(), &response).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    harden(headers, inner.starts_with("/docs/"));
    response
}

/// The method, from a fixed set: clients must not make labels of ours.
fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).map_or("other", |at| NAMES[at])
}

/// The answer, or a problem where making it panics: the connection, and what else runs, go on.
async fn unharmed(answer: impl Future<Output = Response>) -> Result<Response, Problem> {
    let mut answer = pin!(answer);
    let polled = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Problem::internal(&"a handler panicked"))),
    });
    polled.await
}

/// Article text is never run, framed or guessed at.
fn harden(headers: &mut HeaderMap, viewer: bool) {
    const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        base-uri 'none'; frame-ancestors 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    // The API's viewer shows the API's document only; it writes its own styles.
    const VIEWER: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
        img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
    for (name, value) in [
        ("content-security-policy", if viewer { VIEWER } else { POLICY }),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_of_500() {
        let answer = unharmed(async {
            tokio::task::yield_now().await;
            panic!("a fault of ours")
        });
        let problem = answer.await.unwrap_err();
        assert_eq!(shaped(problem, "/v1/ask").status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
