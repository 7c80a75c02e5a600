//! `POST /v1/responses`: plain, and as named events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use super::chunks::pieces;
use super::{Answering, Body, OpenAiErrorBody, OpenAiProblem, Rendered, conversation, detail, now, schema, tasks};
use crate::http::auth::rights::Grant;
use crate::http::dto::{self, AnswerBody, CitationBody};
use crate::http::server::App;
use crate::http::server::library::answered;
use crate::library::Asking;

/// A response's names, the same in all its events.
struct Frame {
    id: String,
    item: String,
    model: String,
    created: i64,
}

/// What is said, with what it rests on.
struct Said {
    text: String,
    annotations: Vec<Value>,
    detail: Option<Value>,
    tokens: [usize; 2],
}

/// The input as messages: a text is one of the user.
fn messages(body: &Body) -> Result<Vec<Value>, OpenAiProblem> {
    match &body.0["input"] {
        Value::String(text) => Ok(vec![json!({ "role": "user", "content": text })]),
        // Items that are no messages (calls of tools, reasoning) say nothing to us.
        Value::Array(items) => Ok(items.iter().filter(|item| item["role"].is_string()).cloned().collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(OpenAiProblem::field("input", "`input` must be a text or a list of messages"))
        }
    }
}

/// Responses: the last message is the question
///
/// Nothing is stored: send the whole conversation each time.
#[utoipa::path(post, path = "/v1/responses", tag = "OpenAI", request_body = schema::ResponseRequest, responses(
    (status = 200, description = "a response, or a stream of events", content(
        (Object = "application/json"), (Object = "text/event-stream"))),
    (status = 400, description = "something in the request is wrong", body = OpenAiErrorBody),
))]
pub(in crate::http) async fn create(State(app): State<Arc<App>>, grant: Grant, body: Body) -> Result<Response, OpenAiProblem> {
    let Answering { app, model, mode } = body.answering(&app, &grant)?;
    if body.text("previous_response_id")?.is_some() {
        let message = "responses are not stored\nhint: send the whole conversation as `input`";
        return Err(OpenAiProblem::field("previous_response_id", message));
    }
    let (stream, messages) = (body.flag("stream")?, messages(&body)?);
    let with_sources = body.option("ibid", "sources")?.unwrap_or(false);
    let frame = Frame {
        id: format!("resp_{}", ulid::Ulid::generate()),
        item: format!("msg_{}", ulid::Ulid::generate()),
        model,
        created: now(),
    };
    let said = if let Some(text) = tasks::answer(&conversation::last_text(&messages, "input")?) {
        Said { text, annotations: vec![], detail: None, tokens: [0, 0] }
    } else {
        let asking = Asking { mode, ..conversation::asking(&messages, "input", app.max_question_chars)? };
        let shared = Arc::clone(&app);
        let work = app.with_library(move |library| {
            let (answer, timings) = answered(&shared, library, &asking, &mut |_| ())?;
            let answer = dto::answer(
                &answer,
                timings,
                dto::Context {
                    question: asking.question.as_str(),
                    model: &library.embedder().info().id,
                    base: &shared.public_url,
                },
            );
            let rendered = Rendered::of(&answer, asking.question.as_str(), with_sources);
            let tokens = [asking.question.as_str(), &rendered.text].map(|text| library.embedder().count(text));
            Ok(Said::of(&answer, rendered, tokens))
        });
        work.await?
    };
    if !stream {
        return Ok(Json(frame.response("completed", Some(&said))).into_response());
    }
    let events = frame.events(&said);
    let numbered = events.into_iter().enumerate().map(|(number, (name, mut data))| {
        data["type"] = name.into();
        data["sequence_number"] = number.into();
        Ok::<_, Infallible>(Event::default().event(name).data(data.to_string()))
    });
    let events: Vec<_> = numbered.collect();
    Ok(Sse::new(tokio_stream::iter(events).map(|event| event)).keep_alive(KeepAlive::default()).into_response())
}

impl Said {
    fn of(answer: &AnswerBody, rendered: Rendered, tokens: [usize; 2]) -> Self {
        let annotation = |(start, end, citation): (usize, usize, &CitationBody)| json!({ "type": "url_citation", "start_index": start, "end_index": end, "title": citation.title, "url": citation.url });
        let annotations = rendered.cited(answer).map(annotation).collect();
        Self { annotations, detail: Some(detail(answer)), tokens, text: rendered.text }
    }

    fn part(&self) -> Value {
        json!({ "type": "output_text", "text": self.text, "annotations": self.annotations, "logprobs": [] })
    }
}

impl Frame {
    fn item(&self, status: &str, content: &[Value]) -> Value {
        json!({ "id": self.item, "type": "message", "role": "assistant", "status": status, "content": content })
    }

    fn response(&self, status: &str, said: Option<&Said>) -> Value {
        let output: Vec<Value> = said.iter().map(|said| self.item("completed", &[said.part()])).collect();
        let mut body = json!({
            "id": self.id, "object": "response", "created_at": self.created, "status": status, "model": self.model,
            "output": output, "error": null, "incomplete_details": null, "instructions": null, "metadata": {}, "tools": [],
            "tool_choice": "auto", "parallel_tool_calls": false, "temperature": null, "top_p": null, "usage": null,
        });
        if let Some(said) = said {
            let [input, output] = said.tokens;
            body["usage"] = json!({
                "input_tokens": input, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": output,
                "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": input + output,
            });
            body["ibid"] = json!(said.detail);
        }
        body
    }

    fn events(&self, said: &Said) -> Vec<(&'static str, Value)> {
        let at = |mut data: Value| {
            data["item_id"] = self.item.as_str().into();
            data["output_index"] = 0.into();
            data["content_index"] = 0.into();
            data
        };
        let empty = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
        let mut events = vec![
            ("response.created", json!({ "response": self.response("in_progress", None) })),
            ("response.in_progress", json!({ "response": self.response("in_progress", None) })),
            ("response.output_item.added", json!({ "output_index": 0, "item": self.item("in_progress", &[]) })),
            ("response.content_part.added", at(json!({ "part": empty }))),
        ];
        events.extend(
            pieces(&said.text).map(|piece| ("response.output_text.delta", at(json!({ "delta": piece, "logprobs": [] })))),
        );
        events.extend(said.annotations.iter().enumerate().map(|(number, annotation)| {
            ("response.output_text.annotation.added", at(json!({ "annotation_index": number, "annotation": annotation })))
        }));
        events.extend([
            ("response.output_text.done", at(json!({ "text": said.text, "logprobs": [] }))),
            ("response.content_part.done", at(json!({ "part": said.part() }))),
            ("response.output_item.done", json!({ "output_index": 0, "item": self.item("completed", &[said.part()]) })),
            ("response.completed", json!({ "response": self.response("completed", Some(said)) })),
        ]);
        events
    }
}
