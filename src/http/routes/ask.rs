//! `POST /v1/ask` and `POST /v1/search`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio_stream::StreamExt as _;
use utoipa::IntoParams;

use crate::http::auth::rights::Grant;
use crate::http::compat::dialects;
use crate::http::dto::error::{Problem, ProblemBody};
use crate::http::dto::export;
use crate::http::dto::{self, AnswerBody, AskBody, Format, SearchBody, SearchedBody, StageBody, StatementBody};
use crate::http::server::App;
use crate::http::server::library::answered;
use crate::library::{Asking, Heard};

/// How the answer is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Wanted {
    /// Our own JSON, Markdown, or CSL-JSON.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// Citations as another service shapes them, beside ours.
    #[param(inline)]
    citations: Option<dialects::Dialect>,
}

/// Answer a question with cited sentences
///
/// "The articles do not say" is an answer: status 200, `answerable: false`, `reason: not_in_articles`, the nearest
/// passages. A greeting, thanks, a lone word or noise is `reason: not_a_question`, with a line of `help`.
///
/// Where a language model is configured, `mode: written` has it write. Each sentence is shown only once its citations
/// hold it; `writing` says what came of it, also where the extractive answer was given in its place.
#[utoipa::path(post, path = "/v1/ask", tag = "questions", params(Wanted), request_body = AskBody, responses(
    (status = 200, description = "an answer, or that the articles do not say", content(
        (AnswerBody = "application/json"), (String = "text/markdown"), (Object = "text/event-stream"),
        (Vec<Object> = "application/vnd.citationstyles.csl+json"))),
))]
pub(in crate::http) async fn ask(
    State(app): State<Arc<App>>,
    grant: Grant,
    wanted: Result<Query<Wanted>, QueryRejection>,
    body: Result<Json<AskBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let (Query(wanted), Json(body)) = (wanted?, body?);
    let app = app.named(body.collection.as_deref(), &grant)?;
    let stream = body.stream;
    let asking = body.asking(app.max_question_chars)?;
    if stream {
        return streamed(&app, asking).await;
    }
    let shared = Arc::clone(&app);
    // The answer is written in the pool too: a long one is work.
    app.with_library(move |library| {
        let (answer, timings) = answered(&shared, library, &asking, &mut |_| ())?;
        let body = dto::answer(
            &answer,
            timings,
            dto::Context { question: asking.question.as_str(), model: &library.embedder().info().id, base: &shared.public_url },
        );
        Ok(shaped(&body, asking.question.as_str(), &wanted))
    })
    .await
}

fn shaped(answer: &AnswerBody, question: &str, wanted: &Wanted) -> Response {
    match (wanted.format, wanted.citations) {
        (Format::Markdown, _) => {
            ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], export::markdown(answer, question)).into_response()
        }
        (Format::CslJson, _) => {
            ([(CONTENT_TYPE, "application/vnd.citationstyles.csl+json")], export::csl_json(&answer.citations)).into_response()
        }
        (Format::Json, Some(dialect)) => Json(dialects::projected(answer, dialect)).into_response(),
        (Format::Json, None) => Json(answer).into_response(),
    }
}

/// Stages and sources as they come, then the sentences, each behind what it cites, then the whole answer.
async fn streamed(app: &Arc<App>, asking: Asking) -> Result<Response, Problem> {
    let (shared, library) = (Arc::clone(app), app.library()?);
    let events = app.pool.stream(app.question_time, move |sender| {
        // A client that has gone away hears nothing more; what is left takes a few milliseconds.
        let send = |event: Event| drop(sender.send(event));
        send(event("stage", &StageBody { stage: "searching", passages: None }));
        let mut hear = |heard: Heard<'_>| match heard {
            Heard::Found(evidence) => {
                let passages: Vec<_> = evidence.iter().take(asking.limit).map(|(evidence, _)| dto::found(evidence)).collect();
                send(event("stage", &StageBody { stage: "reading", passages: Some(passages.len()) }));
                send(event("sources", &serde_json::json!({ "passages": passages })));
            }
            Heard::Said(said) => {
                // A mark never comes before what it points to.
                let cited = (said.first..).zip(said.citations);
                cited.for_each(|(n, citation)| send(event("citation", &dto::citation(n, citation, &shared.public_url))));
                send(event("statement", &StatementBody::of(said.statement)));
            }
        };
        match answered(&shared, &library, &asking, &mut hear) {
            Ok((answer, timings)) => {
                let body = dto::answer(
                    &answer,
                    timings,
                    dto::Context {
                        question: asking.question.as_str(),
                        model: &library.embedder().info().id,
                        base: &shared.public_url,
                    },
                );
                send(event("answer", &body));
            }
            Err(problem) => send(event("error", &ProblemBody::from(&problem))),
        }
    });
    let events = events.await?.map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

fn event<T: Serialize>(name: &str, data: &T) -> Event {
    Event::default().event(name).json_data(data).expect("wire types are texts and finite numbers")
}

/// Find passages
#[utoipa::path(post, path = "/v1/search", tag = "questions", request_body = SearchedBody, responses(
    (status = 200, description = "passages, the best first", body = SearchBody),
))]
pub(in crate::http) async fn search(
    State(app): State<Arc<App>>,
    grant: Grant,
    body: Result<Json<SearchedBody>, JsonRejection>,
) -> Result<Json<SearchBody>, Problem> {
    let Json(body) = body?;
    let app = app.named(body.collection.as_deref(), &grant)?;
    let (asking, mode) = body.searching(app.max_question_chars)?;
    let found = app.with_library(move |library| {
        let found = library.find(&asking.question, &asking.filter, mode, asking.limit)?;
        let timings_ms = dto::TimingsBody { embed: found.embed_ms, search: found.search_ms, answer: None };
        let passages = found.evidence.iter().map(dto::found).collect();
        Ok(SearchBody { passages, timings_ms, model: library.embedder().info().id.clone() })
    });
    found.await.map(Json)
}
