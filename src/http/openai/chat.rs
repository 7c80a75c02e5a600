//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::chunks::{self, Chunks};
use super::{Body, MODEL, OpenAiErrorBody, OpenAiProblem, Rendered, conversation, detail, now, schema, tasks};
use crate::http::App;
use crate::http::ask::answered;
use crate::http::wire::{self, AnswerBody, CitationBody};
use crate::library::Asking;

/// Who asks, as far as it changes what is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    /// It shows sources that come as events.
    pub(super) open_webui: bool,
    /// The text ends with a list of sources.
    pub(super) with_sources: bool,
    /// The stream ends with what was used.
    pub(super) with_usage: bool,
}

impl Client {
    fn of(headers: &HeaderMap, body: &Body) -> Result<Self, OpenAiProblem> {
        let open_webui = headers.keys().any(|name| name.as_str().starts_with("x-openwebui-"));
        let with_usage = body.option("stream_options", "include_usage")?.unwrap_or(false);
        let with_sources = body.option("ibid", "sources")?.unwrap_or(!open_webui);
        Ok(Self { open_webui, with_sources, with_usage })
    }
}

/// A chat's request, checked.
struct Chat {
    model: String,
    client: Client,
    stream: bool,
    prompt: String,
    asking: Result<Asking, OpenAiProblem>,
}

impl Chat {
    fn of(headers: &HeaderMap, body: &Body, app: &App) -> Result<Self, OpenAiProblem> {
        let model = body.model(MODEL, |name| name == MODEL)?;
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
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OpenAiProblem> {
    let chat = Chat::of(&headers, &body, &app)?;
    let frame = Chunks::new(chat.model, chat.client);
    if let Some(text) = tasks::answer(&chat.prompt) {
        return Ok(if chat.stream {
            chunks::of_text(&frame, &text)
        } else {
            Json(frame.whole(&text, None, [0, 0])).into_response()
        });
    }
    let asking = chat.asking?;
    if chat.stream { chunks::streamed(&app, frame, asking).await } else { whole(&app, frame, asking).await }
}

async fn whole(app: &Arc<App>, frame: Chunks, asking: Asking) -> Result<Response, OpenAiProblem> {
    let shared = Arc::clone(app);
    let body = app.with_library(move |library| {
        let (answer, timings) = answered(&shared, library, &asking, &mut |_| ())?;
        let answer = wire::answer(&answer, timings, &library.embedder().info().id, &shared.public_url);
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

/// What was used, in the model's own tokens.
pub(super) fn usage(prompt: usize, completion: usize) -> Value {
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}

/// One annotation a mark; its place is the mark's.
pub(super) fn annotations(answer: &AnswerBody, rendered: &Rendered) -> Value {
    let annotation = |(start, end, citation): (usize, usize, &CitationBody)| {
        json!({ "type": "url_citation", "url_citation": {
            "start_index": start, "end_index": end, "title": citation.title, "url": citation.url,
        }})
    };
    rendered.cited(answer).map(annotation).collect()
}

/// What other clients look for beside the choices.
pub(super) fn extend(body: &mut Value, answer: &AnswerBody) {
    let cited: &[CitationBody] = if answer.answerable { &answer.citations } else { &[] };
    body["citations"] = cited.iter().map(|citation| citation.url.as_str()).collect();
    let result = |citation: &CitationBody| json!({ "title": citation.title, "url": citation.url, "date": citation.published, "snippet": citation.quote });
    body["search_results"] = cited.iter().map(result).collect();
    body["ibid"] = detail(answer);
}
