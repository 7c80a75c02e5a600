//! What a chat's answer carries, whole or in chunks: marks' places, sources, what was used.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{Body, OpenAiProblem, Rendered, detail};
use crate::http::dto::{AnswerBody, CitationBody};

/// Who asks, as far as it changes what is sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Client {
    /// It shows sources that come as events.
    pub(in crate::http) open_webui: bool,
    /// The text ends with a list of sources.
    pub(in crate::http) with_sources: bool,
    /// The stream ends with what was used.
    pub(in crate::http) with_usage: bool,
}

impl Client {
    pub(in crate::http) fn of(headers: &HeaderMap, body: &Body) -> Result<Self, OpenAiProblem> {
        let open_webui = headers.keys().any(|name| name.as_str().starts_with("x-openwebui-"));
        let with_usage = body.option("stream_options", "include_usage")?.unwrap_or(false);
        let with_sources = body.option("ibid", "sources")?.unwrap_or(!open_webui);
        Ok(Self { open_webui, with_sources, with_usage })
    }
}

/// What was used, in the model's own tokens.
pub(in crate::http) fn usage(prompt: usize, completion: usize) -> Value {
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion })
}

/// One annotation a mark; its place is the mark's.
pub(in crate::http) fn annotations(answer: &AnswerBody, rendered: &Rendered) -> Value {
    let annotation = |(start, end, citation): (usize, usize, &CitationBody)| {
        json!({ "type": "url_citation", "url_citation": {
            "start_index": start, "end_index": end, "title": citation.title, "url": citation.url,
        }})
    };
    rendered.cited(answer).map(annotation).collect()
}

/// What other clients look for beside the choices.
pub(in crate::http) fn extend(body: &mut Value, answer: &AnswerBody) {
    let cited: &[CitationBody] = if answer.answerable { &answer.citations } else { &[] };
    body["citations"] = cited.iter().map(|citation| citation.url.as_str()).collect();
    let result = |citation: &CitationBody| json!({ "title": citation.title, "url": citation.url, "date": citation.published, "snippet": citation.quote });
    body["search_results"] = cited.iter().map(result).collect();
    body["ibid"] = detail(answer);
}
