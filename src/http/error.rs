//! What goes wrong → status, stable code, plain words, and a hint.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::retrieve::QuestionError;
use crate::shelf;

/// An error as clients see it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    retry_after_s: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (message, hint) = match message.split_once("\nhint: ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (message, None),
        };
        Self { status, code, message, hint, retry_after_s: None }
    }

    /// The request is wrong.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// No such article.
    pub(super) fn unknown_article(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_article",
            format!("there is no article `{}`\nhint: `GET /v1/articles` lists them", id.escape_debug()),
        )
    }

    /// The library is still being opened.
    pub(super) fn not_ready() -> Self {
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_ready",
            "the library is being opened\nhint: wait until `GET /readyz` answers 200",
        );
        Self { retry_after_s: Some(1), ..problem }
    }

    /// All workers and all places in the queue are taken.
    pub(super) fn overloaded() -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "too many questions at once");
        Self { retry_after_s: Some(1), ..problem }
    }

    /// A fault of ours: the details go to the log and not to the client.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong inside ibid; its log says what")
    }
}

impl From<shelf::Error> for Problem {
    fn from(error: shelf::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_question", error.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", rejection.body_text()),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let message = "the body is not declared as JSON\nhint: send `content-type: application/json`";
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
            }
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
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(hint) = self.hint {
            error["hint"] = hint.into();
        }
        let mut response = (self.status, Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
        }
        response
    }
}

/// Any address that is none of ours.
pub(super) async fn no_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_route", format!("there is nothing at `{}`", uri.path().escape_debug()))
}

/// The right address with the wrong method.
pub(super) async fn no_method(uri: Uri) -> Problem {
    let message = format!("`{}` does not take this method", uri.path().escape_debug());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
