//! The routes that OpenAI's clients call, with OpenAI's error object.
//!
//! Nothing is understood by these routes that ours do not say: each translates a
//! request, asks the library, and projects our one citation object.

pub(in crate::http) mod chat;
mod chunks;
mod conversation;
pub(in crate::http) mod embeddings;
mod frame;
pub(in crate::http) mod models;
pub(in crate::http) mod rerank;
pub(in crate::http) mod responses;
mod schema;
mod tasks;

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequest;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::auth::rights::{Grant, Scope};
use crate::http::dto::error::Problem;
use crate::http::dto::markdown;
use crate::http::dto::{AnswerBody, CitationBody, OFFSET_UNIT};
use crate::http::server::App;
use crate::settings::AnswerMode;

/// The model that answers; its name is the only thing that every frontend lets its reader choose.
const MODEL: &str = "ibid";

/// What answers a request, and how.
struct Answering {
    app: Arc<App>,
    /// As it was asked for.
    model: String,
    mode: Option<AnswerMode>,
}

fn known_mode(name: &str) -> Option<AnswerMode> {
    match name {
        "extractive" => Some(AnswerMode::Extractive),
        "written" => Some(AnswerMode::Written),
        _ => None,
    }
}

/// A problem in OpenAI's shape.
#[derive(Debug)]
pub(in crate::http) struct OpenAiProblem {
    problem: Problem,
    param: Option<&'static str>,
}

impl OpenAiProblem {
    /// Something is wrong with the field `param`.
    pub(in crate::http) fn field(param: &'static str, message: impl Into<String>) -> Self {
        Self { problem: Problem::invalid(message), param: Some(param) }
    }

    fn unknown_model(name: &str) -> Self {
        let message = format!("the model `{}` does not exist\nhint: `GET /v1/models` lists what there is", name.escape_debug());
        Self { problem: Problem::new(StatusCode::NOT_FOUND, "model_not_found", message), param: Some("model") }
    }

    /// As it stands in a stream that has begun.
    fn body(&self) -> OpenAiErrorBody {
        let kind = match self.problem.status() {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        let (code, message) = self.problem.code_and_message();
        OpenAiErrorBody { error: OpenAiError { message, r#type: kind, param: self.param, code } }
    }
}

impl<P: Into<Problem>> From<P> for OpenAiProblem {
    fn from(problem: P) -> Self {
        Self { problem: problem.into(), param: None }
    }
}

/// OpenAI's error object.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct OpenAiErrorBody {
    error: OpenAiError,
}

#[derive(Debug, Serialize, ToSchema)]
struct OpenAiError {
    message: String,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'static str,
}

impl IntoResponse for OpenAiProblem {
    fn into_response(self) -> Response {
        let body = self.body();
        // Status and `Retry-After` are ours; only the body is OpenAI's.
        let (mut parts, _) = self.problem.into_response().into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        if parts.status == StatusCode::INTERNAL_SERVER_ERROR {
            // Clients would send it again twice, and get the same.
            parts.headers.insert("x-should-retry", header::HeaderValue::from_static("false"));
        }
        (parts.status, parts.headers, Json(body)).into_response()
    }
}

/// A body of JSON whose refusal is OpenAI's.
pub(in crate::http) struct Body(Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = OpenAiProblem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, OpenAiProblem> {
        let read: Result<Json<Value>, JsonRejection> = Json::from_request(request, state).await;
        let Json(value) = read?;
        if value.is_object() { Ok(Self(value)) } else { Err(Problem::invalid("the body is no JSON object").into()) }
    }
}

impl Body {
    /// A field that may be missing or null, of a type that it must have otherwise.
    fn field<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, OpenAiProblem> {
        match self.0.get(name).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(value) => {
                read(value).map(Some).ok_or_else(|| OpenAiProblem::field(name, format!("`{name}` must be {expected}")))
            }
        }
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, OpenAiProblem> {
        self.field(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    fn flag(&self, name: &'static str) -> Result<bool, OpenAiProblem> {
        Ok(self.field(name, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    /// A flag inside an object.
    fn option(&self, name: &'static str, key: &str) -> Result<Option<bool>, OpenAiProblem> {
        let object = self.field(name, "an object", |value| value.as_object().cloned())?.unwrap_or_default();
        let flag = object.get(key).filter(|value| !value.is_null());
        let wrong = || OpenAiProblem::field(name, format!("`{name}.{key}` must be true or false"));
        flag.map(|value| value.as_bool().ok_or_else(wrong)).transpose()
    }

    fn number(&self, name: &'static str) -> Result<Option<usize>, OpenAiProblem> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and more than all is all")]
        self.field(name, "a whole number, 1 or more", |value| {
            value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 1.0).map(|number| number as usize)
        })
    }

    /// The model asked for, what answers for it (`ibid`, or `ibid/NAME` for a collection), and how: behind a colon, or
    /// as `ibid.mode`.
    fn answering(&self, app: &Arc<App>, grant: &Grant) -> Result<Answering, OpenAiProblem> {
        let model = self.text("model")?.unwrap_or_else(|| MODEL.to_owned());
        let (name, mode) = match model.rsplit_once(':').map(|(name, mode)| (name, known_mode(mode))) {
            Some((name, Some(mode))) => (name, Some(mode)),
            _ => (model.as_str(), self.mode()?),
        };
        if name == MODEL {
            return Ok(Answering { app: app.named(None, grant)?, model, mode });
        }
        let collection = name.strip_prefix(MODEL).and_then(|rest| rest.strip_prefix('/'));
        let collection = collection.ok_or_else(|| OpenAiProblem::unknown_model(&model))?;
        // First whether the key may know that there is one of this name.
        grant.require(Scope::Read, collection)?;
        if !app.known(collection) {
            return Err(OpenAiProblem::unknown_model(&model));
        }
        let app = app.named(Some(collection), grant)?;
        Ok(Answering { app, model, mode })
    }

    fn mode(&self) -> Result<Option<AnswerMode>, OpenAiProblem> {
        let object = self.field("ibid", "an object", |value| value.as_object().cloned())?.unwrap_or_default();
        let mode = object.get("mode").filter(|mode| !mode.is_null());
        let wrong = || OpenAiProblem::field("ibid", "`ibid.mode` must be `extractive` or `written`");
        mode.map(|mode| mode.as_str().and_then(known_mode).ok_or_else(wrong)).transpose()
    }

    /// The model asked for, if `known` says that there is one of this name.
    fn model(&self, usual: &str, known: impl Fn(&str) -> bool) -> Result<String, OpenAiProblem> {
        let name = self.text("model")?.unwrap_or_else(|| usual.to_owned());
        if known(&name) { Ok(name) } else { Err(OpenAiProblem::unknown_model(&name)) }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An answer as text for a chat window.
struct Rendered {
    text: String,
    /// Where each mark stands, and its citation.
    marks: Vec<(usize, usize, usize)>,
}

impl Rendered {
    /// With the list of sources, for clients that show no annotations.
    fn of(answer: &AnswerBody, question: &str, with_sources: bool) -> Self {
        let (mut text, marks) = markdown::marked(answer, question);
        if with_sources {
            text.push_str(&markdown::sources(answer, question));
        }
        Self { text, marks }
    }

    /// Each mark with its citation; those of the text are all there.
    fn cited<'a>(&'a self, answer: &'a AnswerBody) -> impl Iterator<Item = (usize, usize, &'a CitationBody)> {
        self.marks
            .iter()
            .filter_map(|(start, end, n)| Some((*start, *end, answer.citations.iter().find(|citation| citation.n == *n)?)))
    }
}

/// Our own detail, under one key in each dialect.
fn detail(answer: &AnswerBody) -> Value {
    json!({
        "id": answer.id, "kind": answer.kind, "answerable": answer.answerable, "reason": answer.reason, "help": answer.help,
        "records": answer.records, "writing": answer.writing,
        "confidence": answer.confidence, "citations": answer.citations, "timings_ms": answer.timings_ms, "offset_unit": OFFSET_UNIT,
    })
}
