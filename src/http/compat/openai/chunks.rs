//! A chat in chunks, in the one order that all known clients can read.

use std::convert::Infallible;
use std::sync::Arc;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use super::frame::{Client, annotations, extend, usage};
use super::{OpenAiProblem, Rendered, now};
use crate::http::dto::markdown;
use crate::http::dto::{self, AnswerBody, CitationBody, StatementBody};
use crate::http::server::App;
use crate::http::server::library::answered;
use crate::library::{Asking, Heard};

/// What all chunks of one completion share.
#[derive(Debug)]
pub(in crate::http) struct Chunks {
    pub(in crate::http) id: String,
    pub(in crate::http) model: String,
    pub(in crate::http) client: Client,
    created: i64,
}

impl Chunks {
    pub(in crate::http) fn new(model: String, client: Client) -> Self {
        Self { id: format!("chatcmpl-{}", ulid::Ulid::generate()), model, client, created: now() }
    }

    fn chunk(&self, choices: &Value) -> Value {
        let Self { id, model, created, .. } = self;
        json!({ "id": id, "object": "chat.completion.chunk", "created": created, "model": model, "choices": choices })
    }

    fn delta(&self, delta: &Value, finish_reason: Option<&str>) -> Value {
        self.chunk(&json!([{ "index": 0, "delta": delta, "finish_reason": finish_reason }]))
    }

    fn first(&self) -> Value {
        self.delta(&json!({ "role": "assistant", "content": "" }), None)
    }

    /// A source as Open WebUI shows it, inside an ordinary chunk: other clients stumble over a bare event.
    fn source(&self, citation: &CitationBody) -> Value {
        // Each passage is a source of its own, so that the numbers of the marks fit.
        let id = format!("{}#{}-{}", citation.article_id, citation.start, citation.end);
        let mut chunk = self.delta(&json!({}), None);
        let lines = format!("{}:{}-{}", citation.source.path, citation.source.line_start, citation.source.line_end);
        let mut metadata =
            json!({ "source": id, "name": citation.title, "url": citation.url, "authors": citation.authors, "lines": lines });
        if let Some(page) = citation.source.page {
            metadata["page"] = page.into();
        }
        chunk["event"] = json!({ "type": "source", "data": {
            "source": { "id": id, "name": citation.title, "url": citation.url },
            "document": [citation.quote],
            "metadata": [metadata],
            "distances": [citation.score],
        }});
        chunk
    }

    /// The chunks of a statement: its sources where they are shown as events, then its words and marks.
    fn stated(&self, statement: &StatementBody, citations: &[CitationBody], piece: &str) -> Vec<Value> {
        let sources = citations.iter().filter(|_| self.client.open_webui && !statement.citations.is_empty());
        let sources = sources.map(|citation| self.source(citation));
        sources.chain([self.delta(&json!({ "content": piece }), None)]).collect()
    }

    /// The chunks after those of its statements, which said the first `sent` bytes of the text.
    fn rest(&self, answer: &AnswerBody, rendered: &Rendered, sent: usize, tokens: [usize; 2]) -> Vec<Value> {
        let mut chunks = Vec::new();
        let left = rendered.text.get(sent..).unwrap_or_default();
        chunks.extend(pieces(left).map(|piece| self.delta(&json!({ "content": piece }), None)));
        // With content beside them some clients pass annotations over; Open WebUI would show each source twice.
        let annotations = if self.client.open_webui { json!([]) } else { annotations(answer, rendered) };
        let mut last = self.delta(&json!({ "annotations": annotations }), Some("stop"));
        extend(&mut last, answer);
        chunks.push(last);
        chunks.extend(self.used(tokens));
        chunks
    }

    fn used(&self, [prompt, completion]: [usize; 2]) -> Option<Value> {
        self.client.with_usage.then(|| {
            let mut chunk = self.chunk(&json!([]));
            chunk["usage"] = usage(prompt, completion);
            chunk
        })
    }
}

/// A text in pieces of a paragraph each; marks are never divided.
pub(in crate::http) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive("\n\n")
}

fn event(chunk: &Value) -> Event {
    Event::default().data(chunk.to_string())
}

/// Answers in chunks.
pub(in crate::http) async fn streamed(app: &Arc<App>, frame: Chunks, asking: Asking) -> Result<Response, OpenAiProblem> {
    let (shared, library) = (Arc::clone(app), app.library()?);
    let events = app.pool.stream(app.question_time, move |sender| {
        let send = |event: Event| drop(sender.send(event));
        send(event(&frame.first()));
        let (question, mut written) = (asking.question.as_str(), 0);
        let mut hear = |heard: Heard<'_>| {
            let Heard::Said(said) = heard else { return };
            let statement = StatementBody::of(said.statement);
            let citations = (said.first..).zip(said.citations);
            let citations: Vec<_> = citations.map(|(n, citation)| dto::citation(n, citation, &shared.public_url)).collect();
            let piece = markdown::piece(&statement, question, written == 0);
            written += piece.len();
            frame.stated(&statement, &citations, &piece).iter().for_each(|chunk| send(event(chunk)));
        };
        match answered(&shared, &library, &asking, &mut hear) {
            Ok((answer, timings)) => {
                let answer = dto::answer(
                    &answer,
                    timings,
                    dto::Context {
                        question: asking.question.as_str(),
                        model: &library.embedder().info().id,
                        base: &shared.public_url,
                    },
                );
                let rendered = Rendered::of(&answer, asking.question.as_str(), frame.client.with_sources);
                let tokens = [asking.question.as_str(), &rendered.text].map(|text| library.embedder().count(text));
                frame.rest(&answer, &rendered, written, tokens).iter().for_each(|chunk| send(event(chunk)));
            }
            Err(problem) => {
                let body = OpenAiProblem::from(problem).body();
                send(Event::default().json_data(body).expect("texts are JSON"));
            }
        }
        send(Event::default().data("[DONE]"));
    });
    let events = events.await?.map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// A text that was at hand, in chunks.
pub(in crate::http) fn of_text(frame: &Chunks, text: &str) -> Response {
    let mut chunks = vec![frame.first(), frame.delta(&json!({ "content": text }), None), frame.delta(&json!({}), Some("stop"))];
    chunks.extend(frame.used([0, 0]));
    let events: Vec<Event> = chunks.iter().map(event).chain([Event::default().data("[DONE]")]).collect();
    Sse::new(tokio_stream::iter(events.into_iter().map(Ok::<_, Infallible>))).into_response()
}
