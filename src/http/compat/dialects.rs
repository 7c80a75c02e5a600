//! Citations as other services shape them: projections of the one citation object.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::dto::{AnswerBody, CitationBody};

/// Whose shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Dialect {
    /// Text blocks with `char_location` citations; places in the article.
    Anthropic,
    /// Citations with `start` and `end` in the answer's text.
    Cohere,
}

/// The answer with its citations in `dialect` added under that name.
pub(in crate::http) fn projected(answer: &AnswerBody, dialect: Dialect) -> Value {
    let mut body = serde_json::to_value(answer).expect("an answer is texts and finite numbers");
    match dialect {
        Dialect::Anthropic => body["anthropic"] = anthropic(answer),
        Dialect::Cohere => body["cohere"] = cohere(answer),
    }
    body
}

fn cited<'a>(answer: &'a AnswerBody, marks: &'a [usize]) -> impl Iterator<Item = &'a CitationBody> {
    answer.citations.iter().filter(|citation| marks.contains(&citation.n))
}

/// `document_index` counts the distinct articles, in the order of their first citation.
fn anthropic(answer: &AnswerBody) -> Value {
    let mut documents: Vec<&str> = Vec::new();
    for citation in &answer.citations {
        if !documents.contains(&citation.article_id.as_str()) {
            documents.push(&citation.article_id);
        }
    }
    let location = |citation: &CitationBody| {
        json!({
            "type": "char_location", "cited_text": citation.quote, "document_title": citation.title, "file_id": null,
            "document_index": documents.iter().position(|id| *id == citation.article_id),
            "start_char_index": citation.start, "end_char_index": citation.end,
        })
    };
    let blocks = answer.answer.iter().map(|statement| {
        let citations: Vec<Value> = cited(answer, &statement.citations).map(location).collect();
        json!({ "type": "text", "text": statement.text, "citations": citations })
    });
    json!({ "role": "assistant", "content": blocks.collect::<Vec<_>>(), "documents": documents, "offset_unit": "code_point" })
}

/// Places are of the sentences in the text, which are joined by line breaks.
fn cohere(answer: &AnswerBody) -> Value {
    let (mut text, mut length, mut citations) = (String::new(), 0, Vec::new());
    for statement in &answer.answer {
        if !text.is_empty() {
            text.push('\n');
            length += 1;
        }
        let start = length;
        text.push_str(&statement.text);
        length += statement.text.chars().count();
        let sources: Vec<Value> = cited(answer, &statement.citations)
            .map(|citation| {
                let id = format!("{}#c={}-{}", citation.article_id, citation.start, citation.end);
                let document = json!({ "id": id, "title": citation.title, "snippet": citation.quote, "url": citation.url });
                json!({ "type": "document", "id": id, "document": document })
            })
            .collect();
        citations.push(json!({
            "start": start, "end": length, "text": statement.text, "type": "TEXT_CONTENT", "content_index": 0, "sources": sources,
        }));
    }
    let content = json!([{ "type": "text", "text": text }]);
    json!({ "message": { "role": "assistant", "content": content, "citations": citations }, "offset_unit": "code_point" })
}
