//! `POST /v1/embeddings`: the library's own model.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Body, OpenAiErrorBody, OpenAiProblem, schema};
use crate::deadline;
use crate::embed::{Embedder, UnitVector};
use crate::http::dto::error::Problem;
use crate::http::server::App;

/// Texts in one request.
const MOST: usize = 2048;
/// Texts that are embedded between two looks at the deadline.
const AT_ONCE: usize = 64;

fn texts(body: &Body) -> Result<Vec<String>, OpenAiProblem> {
    let wrong = |message: &str| OpenAiProblem::field("input", message);
    let texts: Vec<String> = match &body.0["input"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if items.iter().any(|item| item.is_number() || item.is_array()) => {
            return Err(wrong(
                "`input` holds another model's token numbers\nhint: send texts; LangChain needs `check_embedding_ctx_length=False`",
            ));
        }
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong("`input` must be a text or a list of texts")))
            .collect::<Result<_, _>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(wrong("`input` must be a text or a list of texts"));
        }
    };
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(wrong("`input` holds an empty text"));
    }
    if texts.len() > MOST {
        return Err(wrong(&format!("`input` holds {} texts, over the limit of {MOST}", texts.len())));
    }
    Ok(texts)
}

/// The first `dimensions` numbers of a vector, of length one again; zeros for a text without a token.
fn shortened(vector: Option<&UnitVector>, dimensions: usize) -> Vec<f32> {
    let Some(vector) = vector else { return vec![0.0; dimensions] };
    let head = &vector.as_slice()[..dimensions];
    let length = head.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    head.iter().map(|value| value / length).collect()
}

/// Embed texts
///
/// `input_type` is `query` or `passage`; `dimensions` cuts the vectors.
#[utoipa::path(post, path = "/v1/embeddings", tag = "OpenAI", request_body = schema::EmbeddingRequest, responses(
    (status = 200, description = "one vector a text", body = Object),
    (status = 400, description = "something in the request is wrong", body = OpenAiErrorBody),
))]
pub(in crate::http) async fn embeddings(State(app): State<Arc<App>>, body: Body) -> Result<Json<Value>, OpenAiProblem> {
    let info = app.library()?.embedder().info().clone();
    // Clients that speak to one model only send its usual name, or another's.
    let model = body.model(&info.id, |name| name == info.id || name.starts_with("text-embedding-"))?;
    let texts = texts(&body)?;
    let dimensions = body.number("dimensions")?.unwrap_or(info.dimension);
    if dimensions > info.dimension {
        let message = format!("`dimensions` is {dimensions}, and `{}` has {}", info.id, info.dimension);
        return Err(OpenAiProblem::field("dimensions", message));
    }
    let in_base64 = match body.text("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(OpenAiProblem::field("encoding_format", "`encoding_format` must be `float` or `base64`")),
    };
    let as_question = match body.text("input_type")?.as_deref() {
        None | Some("passage" | "document" | "search_document") => false,
        Some("query" | "search_query") => true,
        Some(_) => return Err(OpenAiProblem::field("input_type", "`input_type` must be `query` or `passage`")),
    };
    let done = app.with_models(move |library| {
        let embedder = library.embedder();
        let tokens: usize = texts.iter().map(|text| embedder.count(text)).sum();
        let vectors = vectors(embedder, &texts, as_question)?;
        let data = vectors.iter().enumerate().map(|(index, vector)| {
            let vector = shortened(vector.as_ref(), dimensions);
            let embedding = if in_base64 {
                STANDARD.encode(vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).into()
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        });
        Ok(json!({
            "object": "list", "data": data.collect::<Vec<_>>(), "model": model,
            "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
        }))
    });
    Ok(Json(done.await?))
}

fn vectors(embedder: &Embedder, texts: &[String], as_question: bool) -> Result<Vec<Option<UnitVector>>, Problem> {
    let mut made = Vec::with_capacity(texts.len());
    for some in texts.chunks(AT_ONCE) {
        if deadline::has_passed() {
            return Err(Problem::late(None));
        }
        if as_question {
            made.extend(some.iter().map(|text| embedder.question(text)));
        } else {
            made.extend(embedder.passages(some));
        }
    }
    Ok(made)
}
