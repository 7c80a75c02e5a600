//! `POST /v1/rerank`, as Cohere and Jina shape it, and as text-embeddings-inference does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{Body, OpenAiErrorBody, OpenAiProblem, schema};
use crate::http::dto::round;
use crate::http::server::App;
use crate::retrieve::{Question, relevance};

/// Texts in one request.
const MOST: usize = 1000;

fn documents(body: &Body, field: &'static str) -> Result<Vec<String>, OpenAiProblem> {
    let wrong = || OpenAiProblem::field(field, format!("`{field}` must be a list of texts, or of objects with `text`"));
    let items = body.0[field].as_array().ok_or_else(wrong)?;
    if items.is_empty() || items.len() > MOST {
        return Err(OpenAiProblem::field(field, format!("`{field}` must hold 1 to {MOST} texts, not {}", items.len())));
    }
    let text = |item: &Value| item.as_str().or_else(|| item["text"].as_str()).map(str::to_owned).ok_or_else(wrong);
    items.iter().map(text).collect()
}

/// Rank texts by how well they bear on a question
///
/// `relevance_score` is 0 to 1. With `texts` instead of `documents`, a bare list of `index` and `score`.
#[utoipa::path(post, path = "/v1/rerank", tag = "OpenAI", request_body = schema::RerankRequest, responses(
    (status = 200, description = "the texts' places and scores, the best first", body = Value),
    (status = 400, description = "something in the request is wrong", body = OpenAiErrorBody),
))]
pub(in crate::http) async fn rerank(State(app): State<Arc<App>>, body: Body) -> Result<Json<Value>, OpenAiProblem> {
    let model = body.text("model")?;
    let bare = body.0.get("texts").is_some();
    let documents = documents(&body, if bare { "texts" } else { "documents" })?;
    let query = body.text("query")?.ok_or_else(|| OpenAiProblem::field("query", "`query` is missing"))?;
    let query = Question::parse(&query, Some(app.max_question_chars))?;
    let count = body.number("top_n")?.unwrap_or(documents.len());
    let with_texts = body.flag("return_documents")? || body.flag("return_text")?;
    let done = app.with_models(move |library| {
        let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
        let scores = relevance(library.embedder(), query.as_str(), &texts)?;
        let tokens: usize = library.embedder().count(query.as_str());
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let results = order.into_iter().take(count).map(|index| {
            let score = round(scores[index]);
            let mut result = if bare {
                json!({ "index": index, "score": score })
            } else {
                json!({ "index": index, "relevance_score": score })
            };
            if with_texts && bare {
                result["text"] = documents[index].as_str().into();
            } else if with_texts {
                result["document"] = json!({ "text": documents[index] });
            }
            result
        });
        let results: Vec<Value> = results.collect();
        if bare {
            return Ok(results.into());
        }
        let model = model.unwrap_or_else(|| library.embedder().info().id.clone());
        let id = format!("rerank-{}", ulid::Ulid::generate());
        let meta = json!({ "api_version": { "version": "2" }, "billed_units": { "search_units": 1 } });
        Ok(json!({ "id": id, "model": model, "results": results, "usage": { "total_tokens": tokens }, "meta": meta }))
    });
    Ok(Json(done.await?))
}
