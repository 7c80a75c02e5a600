//! `POST /v1/ask` and `POST /v1/search`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde_json::{Value, json};

use super::App;
use super::error::Problem;
use super::wire::{self, AnswerBody, AskBody, ModeBody, TimingsBody};
use crate::retrieve::{Mode, Question};

/// Answers a question.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    body: Result<Json<AskBody>, JsonRejection>,
) -> Result<Json<AnswerBody>, Problem> {
    let Json(body) = body?;
    if body.stream {
        return Err(Problem::invalid("`stream` is not served yet\nhint: leave it out"));
    }
    let question = Question::parse(&body.question, Some(app.max_question_chars))?;
    let (filter, limit, base) = (body.filter()?, body.limit()?, app.public_url.clone());
    let answered = app.with_library(move |library| {
        let (answer, timings) = library.ask(&question, &filter, limit)?;
        tracing::info!(
            answerable = answer.answerable,
            confidence = answer.confidence,
            citations = answer.citations.len(),
            embed_ms = timings.embed,
            search_ms = timings.search,
            answer_ms = timings.answer,
            "asked"
        );
        Ok(wire::answer(&answer, timings, &library.embedder().info().id, &base))
    });
    answered.await.map(Json)
}

/// Finds passages.
pub(super) async fn search(
    State(app): State<Arc<App>>,
    body: Result<Json<AskBody>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(body) = body?;
    let question = Question::parse(&body.question, Some(app.max_question_chars))?;
    let (filter, limit) = (body.filter()?, body.limit()?);
    let mode = match body.mode {
        ModeBody::Hybrid => Mode::Hybrid,
        ModeBody::Dense => Mode::Dense,
        ModeBody::Lexical => Mode::Lexical,
    };
    let found = app.with_library(move |library| {
        let found = library.find(&question, &filter, mode, limit)?;
        let passages: Vec<_> = found.evidence.iter().map(wire::found).collect();
        let timings = TimingsBody { embed: found.embed_ms, search: found.search_ms, answer: None };
        Ok(json!({ "passages": passages, "timings_ms": timings, "model": library.embedder().info().id }))
    });
    found.await.map(Json)
}
