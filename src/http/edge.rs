//! What every request passes: an id, a check of where it comes from, a count, a log line, safe headers.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::App;
use super::audit::Asked;
use super::collections;
use super::dify::DifyProblem;
use super::error::Problem;
use super::openai::OpenAiProblem;

/// Routes whose errors have OpenAI's shape, and all below them; with or without the version before.
const OPENAI: [&str; 5] = ["/chat/completions", "/responses", "/embeddings", "/rerank", "/models"];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Collapses `//`: people paste bases with a closing `/`, and clients put theirs behind it.
pub(super) fn tidy(mut request: Request) -> Request {
    let uri = request.uri();
    if uri.path().contains("//") {
        let mut path = uri.path().to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

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
pub(super) async fn wrap(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Below `/collections/NAME` a route is as it is without.
    let inner = collections::split(request.uri().path()).1.to_owned();
    let method = known(&method);
    let asked = Asked::of(&request, method);
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

/// A problem as the clients of `route` read it.
pub(super) fn shaped(problem: Problem, route: &str) -> Response {
    let below = |path: &str, of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let unversioned = ["/v1", "/v2"].iter().find_map(|version| route.strip_prefix(version)).unwrap_or(route);
    if below(route, "/retrieval") {
        DifyProblem::from(problem).into_response()
    } else if OPENAI.iter().any(|path| below(unversioned, path)) {
        OpenAiProblem::from(problem).into_response()
    } else {
        problem.into_response()
    }
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

impl App {
    /// Refuses what a page of another site sends through somebody's browser: its name does not lead
    /// here (`Host`), or it says that it is another (`Origin`). What cannot be read, or is there twice, is
    /// refused as well.
    fn admits(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = authority(uri, headers);
        if self.on_loopback && !host.as_ref().is_ok_and(|host| self.hosts.iter().any(|known| known == host_of(host))) {
            return Err(foreign("Host", &host.unwrap_or_else(|UnfitHeader(shown)| shown)));
        }
        let Some(origin) = only(headers, &ORIGIN) else { return Ok(()) };
        let allowed = |origin: &str| {
            let same = origin.split_once("://").is_some_and(|(_, authority)| host.as_ref().is_ok_and(|host| host == authority));
            same || origin == origin_of(&self.public_url)
        };
        match origin {
            Ok(origin) if allowed(&origin) => Ok(()),
            Ok(origin) | Err(UnfitHeader(origin)) => Err(foreign("Origin", &origin)),
        }
    }
}

fn foreign(what: &str, value: &str) -> Problem {
    let message = format!(
        "`{what}: {}` is not this service\nhint: set `server.public_url` to the address that readers use",
        value.escape_debug()
    );
    Problem::new(StatusCode::FORBIDDEN, "foreign_origin", message)
}

/// A header that is missing, is there twice or is not ASCII: its first value, to be shown.
struct UnfitHeader(String);

/// The text of a header in small letters; `None` where it is not there.
fn only(headers: &HeaderMap, name: &HeaderName) -> Option<Result<String, UnfitHeader>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    let shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    Some(text.map(str::to_ascii_lowercase).ok_or(UnfitHeader(shown)))
}

/// The name and port that a request is sent to: of the address where that has one, else of `Host`.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<String, UnfitHeader> {
    let named = only(headers, &HOST);
    match (uri.authority(), named) {
        (_, Some(Err(unfit))) => Err(unfit),
        (Some(authority), _) => Ok(authority.as_str().to_ascii_lowercase()),
        (None, Some(Ok(host))) => Ok(host),
        (None, None) => Err(UnfitHeader(String::new())),
    }
}

/// `scheme://name:port` of an address.
fn origin_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    url[after..].find('/').map_or(url, |at| &url[..after + at])
}

/// The name in `name:port` or `[address]:port`.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
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
