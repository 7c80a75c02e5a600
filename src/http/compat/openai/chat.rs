//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::chunks::{self, Chunks};
use super::frame::{Client, annotations, extend, usage};
use super::{Answering, Body, OpenAiErrorBody, OpenAiProblem, Rendered, conversation, now, schema, tasks};
use crate::http::auth::rights::Grant;
use crate::http::dto::{self, AnswerBody};
use crate::http::server::App;
use crate::http::server::library::answered;
use crate::library::Asking;

/// A chat's request, checked.
struct Chat {
    model: String,
    client: Client,
    stream: bool,
    prompt: String,
    asking: Result<Asking, OpenAiProblem>,
}

impl Chat {
    fn of(model: String, headers: &HeaderMap, body: &Body, app: &App) -> Result<Self, OpenAiProblem> {
        let messages = body.field("messages", "a list of messages", |value| value.as_array().cloned())?.unwrap_or_default();
        if messages.is_empty() {
            return Err(OpenAiProblem::field("messages", "`messages` is empty"));
        }
        if body.number("n")?.unwrap_or(1) != 1 {
            return Err(OpenAiProblem::field("n", "`n` must be 1: there is one answer"));
        }
        Ok(Self {
            model,
            client: Client::of(headers, body)?,
            stream: body.flag("stream")?,
            prompt: conversation::last_text(&messages, "messages")?,
            asking: conversation::asking(&messages, "messages", app.max_question_chars),
        })
    }
}

/// Chat: the last message is the question
///
/// Earlier messages are its context. Unknown fields are ignored. `ibid.sources: false` leaves the
/// list of sources out of the text.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "OpenAI", request_body = schema::ChatRequest, responses(
    (status = 200, description = "a completion, or a stream of chunks", content(
        (Object = "application/json"), (Object = "text/event-stream"))),
    (status = 400, description = "something in the request is wrong", body = OpenAiErrorBody),
))]
pub(in crate::http) async fn completions(
    State(app): State<Arc<App>>,
    grant: Grant,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OpenAiProblem> {
    let Answering { app, model, mode } = body.answering(&app, &grant)?;
    let chat = Chat::of(model, &headers, &body, &app)?;
    let frame = Chunks::new(chat.model, chat.client);
    if let Some(text) = tasks::answer(&chat.prompt) {
        return Ok(if chat.stream {
            chunks::of_text(&frame, &text)
        } else {
            Json(frame.whole(&text, None, [0, 0])).into_response()
        });
    }
    let asking = Asking { mode, ..chat.asking? };
    if chat.stream { chunks::streamed(&app, frame, asking).await } else { whole(&app, frame, asking).await }
}

async fn whole(app: &Arc<App>, frame: Chunks, asking: Asking) -> Result<Response, OpenAiProblem> {
    let shared = Arc::clone(app);
    let body = app.with_library(move |library| {
        let (answer, timings) = answered(&shared, library, &asking, &mut |_| ())?;
        let answer = dto::answer(
            &answer,
            timings,
            dto::Context { question: asking.question.as_str(), model: &library.embedder().info().id, base: &shared.public_url },
        );
        let rendered = Rendered::of(&answer, asking.question.as_str(), frame.client.with_sources);
        let tokens = [asking.question.as_str(), &rendered.text].map(|text| library.embedder().count(text));
        Ok(frame.whole(&rendered.text, Some((&answer, &rendered)), tokens))
    });
    Ok(Json(body.await?).into_response())
}

impl Chunks {
    /// A completion that does not come in chunks.
    fn whole(&self, text: &str, cited: Option<(&AnswerBody, &Rendered)>, [prompt, completion]: [usize; 2]) -> Value {
        let mut body = json!({
            "id": self.id, "object": "chat.completion", "created": now(), "model": self.model,
            "choices": [{
                "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": { "role": "assistant", "content": text, "refusal": null, "annotations": [] },
            }],
            "usage": usage(prompt, completion),
        });
        if let Some((answer, rendered)) = cited {
            body["choices"][0]["message"]["annotations"] = annotations(answer, rendered);
            extend(&mut body, answer);
        }
        body
    }
}
