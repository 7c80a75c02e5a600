//! What goes wrong → status, stable code, plain words, and a hint.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::retrieve::QuestionError;
use crate::shelf;

/// An error as clients see it.
#[derive(Debug)]
pub(in crate::http) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    retry_after_s: Option<u64>,
}

/// An error on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(in crate::http) struct ProblemBody {
    error: ErrorBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorBody {
    /// Stable: programs may rely on it.
    code: &'static str,
    /// In plain words.
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl From<&Problem> for ProblemBody {
    fn from(problem: &Problem) -> Self {
        let Problem { code, message, hint, .. } = problem;
        Self { error: ErrorBody { code, message: message.clone(), hint: hint.clone() } }
    }
}

impl Problem {
    pub(in crate::http) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (message, hint) = match message.split_once("\nhint: ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (message, None),
        };
        Self { status, code, message, hint, retry_after_s: None }
    }

    /// With the seconds after which to try again.
    pub(in crate::http) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// The status that it is sent with.
    pub(in crate::http) fn status(&self) -> StatusCode {
        self.status
    }

    /// The code, and message and hint in one, for dialects that have no place for a hint.
    pub(in crate::http) fn code_and_message(&self) -> (&'static str, String) {
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        (self.code, format!("{}{hint}", self.message))
    }

    /// The request is wrong.
    pub(in crate::http) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// The body is of another kind than `wanted`.
    pub(in crate::http) fn unsupported(wanted: &str) -> Self {
        let message = format!("the body is not declared as {wanted}\nhint: send `content-type: application/json`");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// The body is longer than it may be.
    pub(in crate::http) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format!("the body has more than {limit} bytes"))
    }

    /// No such article.
    pub(in crate::http) fn unknown_article(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_article",
            format!("there is no article `{}`\nhint: `GET /v1/articles` lists them", id.escape_debug()),
        )
    }

    /// The article was removed; its versions still resolve.
    pub(in crate::http) fn removed_article(id: &str, version: u32) -> Self {
        let message = format!("article `{}` was removed\nhint: `?version={version}` shows what it said", id.escape_debug());
        Self::new(StatusCode::NOT_FOUND, "removed_article", message)
    }

    /// The text has no such part.
    pub(in crate::http) fn no_part(start: usize, end: usize, length: usize) -> Self {
        let message = format!("`{start}..{end}` is no part of a text of {length} characters");
        Self::new(StatusCode::NOT_FOUND, "no_such_part", message)
    }

    /// The library is still being opened.
    pub(in crate::http) fn not_ready() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_ready",
            "the library is being opened\nhint: wait until `GET /readyz` answers 200",
        )
        .retry_after(1)
    }

    /// A collection could not be opened.
    pub(in crate::http) fn unusable_collection(name: &str) -> Self {
        let message = format!(
            "collection `{}` cannot be used\nhint: the service's log, and `ibid check`, say what is wrong with it",
            name.escape_debug()
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unusable_collection", message).retry_after(60)
    }

    /// It took longer than it may.
    pub(in crate::http) fn late(time: Option<Duration>) -> Self {
        let time = time.map(|time| format!(" {} s", time.as_secs())).unwrap_or_default();
        let message = format!(
            "this took longer than it may{time}; what was not finished was given up\nhint: ask for less at once; articles \
             can be sent with `?wait=false`"
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "deadline", message).retry_after(1)
    }

    /// All workers and all places in the queue are taken.
    pub(in crate::http) fn overloaded() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "too many questions at once").retry_after(1)
    }

    /// A fault of ours: the details go to the log and not to the client.
    pub(in crate::http) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong inside ibid; its log says what")
    }
}

impl From<shelf::Error> for Problem {
    fn from(error: shelf::Error) -> Self {
        if error.is_no_room() {
            tracing::error!(%error, "there is no room left");
            let message = "there is no room left to keep this\nhint: free some room on the disk of the data folder";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage", message).retry_after(30);
        }
        if matches!(error, shelf::Error::Replaced) {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", error.to_string()).retry_after(1);
        }
        if matches!(error, shelf::Error::Late) {
            return Self::late(None);
        }
        if matches!(error, shelf::Error::StillRead) {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "purge_unfinished", error.to_string()).retry_after(1);
        }
        if matches!(error, shelf::Error::TooManyJobs { .. }) {
            return Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_jobs", error.to_string()).retry_after(30);
        }
        if matches!(error, shelf::Error::Occupied { .. }) {
            return Self::new(StatusCode::CONFLICT, "occupied", error.to_string());
        }
        Self::internal(&error)
    }
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_question", error.to_string())
    }
}

/// What is told of a body that was refused for want of room while it came.
pub(in crate::http) fn no_room(rejection: &(dyn std::error::Error + 'static)) -> Option<Problem> {
    let causes = std::iter::successors(Some(rejection), |error| error.source());
    let busy = |error: &io::Error| error.kind() == io::ErrorKind::ResourceBusy;
    let found = causes.filter_map(|error| error.downcast_ref::<io::Error>()).find(|error| busy(error))?;
    Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", found.to_string()).retry_after(5))
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        if let Some(problem) = no_room(&rejection) {
            return problem;
        }
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", rejection.body_text()),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported("JSON"),
            _ => Self::invalid(rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ProblemBody::from(&self))).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
        }
        response
    }
}

/// Any address that is none of ours.
pub(in crate::http) async fn no_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_route", format!("there is nothing at `{}`", uri.path().escape_debug()))
}

/// The right address with the wrong method.
pub(in crate::http) async fn no_method(uri: Uri) -> Problem {
    let message = format!("`{}` does not take this method", uri.path().escape_debug());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
