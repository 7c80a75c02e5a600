//! What every request passes: an id, a check of where it comes from, a count, a log line, safe headers.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::App;
use super::dify::DifyProblem;
use super::error::Problem;
use super::openai::OpenAiProblem;

/// Routes whose errors have OpenAI's shape.
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
pub(super) async fn wrap(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route);
    let allowed = app.admits(request.headers()).and_then(|()| app.keys.check(&request));
    let answered = match allowed {
        Ok(grant) => {
            request.extensions_mut().insert(grant);
            unharmed(next.run(request)).instrument(span.clone()).await
        }
        Err(problem) => Err(problem),
    };
    let mut response = answered.unwrap_or_else(|problem| shaped(problem, &route));
    let status = response.status();
    app.metrics.served(method.as_str(), &route, status.as_u16(), begun.elapsed());
    let duration_ms = begun.elapsed().as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::info!(status = status.as_u16(), duration_ms, "served"));
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    harden(headers, route.starts_with("/docs"));
    response
}

/// A problem as the clients of `route` read it.
fn shaped(problem: Problem, route: &str) -> Response {
    match problem {
        problem if route.contains("retrieval") => DifyProblem::from(problem).into_response(),
        problem if OPENAI.iter().any(|path| route.ends_with(path)) => OpenAiProblem::from(problem).into_response(),
        problem => problem.into_response(),
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
    /// here (`Host`), or it says that it is another (`Origin`).
    fn admits(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let known = |authority: &str| self.hosts.iter().any(|host| host == host_of(authority));
        let refused = |what: &str, value: &str| {
            let message = format!(
                "`{what}: {}` is not this service\nhint: set `server.public_url` to the address that readers use",
                value.escape_debug()
            );
            Problem::new(StatusCode::FORBIDDEN, "foreign_origin", message)
        };
        if self.on_loopback
            && let Some(host) = text(HOST).filter(|host| !known(host))
        {
            return Err(refused("Host", host));
        }
        match text(ORIGIN) {
            Some(origin) => {
                let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
                let same = text(HOST).is_some_and(|host| host == authority);
                if same || known(authority) { Ok(()) } else { Err(refused("Origin", origin)) }
            }
            None => Ok(()),
        }
    }
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
