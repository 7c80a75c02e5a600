//! A question's candidate passages with their features: what `models/recipe/calibrate.py` learns from.
//!
//! One line of JSON a question. Sentences are listed of the best candidates; what a reader says, of those
//! that it read.

use std::collections::HashMap;

use serde::Serialize;

use super::metrics::holds_gold;
use super::record::Record;
use crate::retrieve::{Evidence, Retrieved, Sentence};

#[derive(Serialize)]
struct Line<'a> {
    set: &'a str,
    id: &'a str,
    question: &'a str,
    answerable: bool,
    /// Whether the question is in the passages' language, 0 to 1.
    same_language: f32,
    candidates: Vec<Candidate<'a>>,
}

#[derive(Serialize)]
struct Candidate<'a> {
    document: &'a str,
    relevant: bool,
    /// Cosine of question and passage.
    meaning: f32,
    /// Highest cosine of the question and a sentence.
    sentence: f32,
    /// BM25, as a share of what a passage would have that holds every word once.
    words: f32,
    /// The reader's logit that the passage answers, and that no span of it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    answerable: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_span: Option<f32>,
    /// How much of the question it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<f32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sentences: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// The reader's logits, of the sentence and of the best span in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_logit: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<f32>,
    /// Cosine of question and sentence.
    meaning: f32,
    /// Whether it holds a gold answer.
    gold: bool,
}

/// The line of a question, for which `found` was retrieved; `documents` are the set's own names of articles.
pub(super) fn line(record: &Record, found: &Retrieved, documents: &HashMap<String, String>) -> String {
    let scored = &found.evidence[..found.scored];
    let line = Line {
        set: &record.set,
        id: &record.id,
        question: &record.question,
        answerable: record.answerable,
        same_language: scored.first().map_or(1.0, |one| one.scores.same_language),
        candidates: scored.iter().map(|one| candidate(record, one, documents)).collect(),
    };
    serde_json::to_string(&line).expect("texts and finite numbers")
}

fn candidate<'a>(record: &Record, evidence: &Evidence, documents: &'a HashMap<String, String>) -> Candidate<'a> {
    let document = documents.get(&evidence.passage.article.0).map_or("", String::as_str);
    let scores = &evidence.scores;
    Candidate {
        document,
        relevant: record.relevant.contains_key(document),
        meaning: scores.meaning,
        sentence: scores.sentence,
        words: scores.words,
        answerable: scores.reading.map(|reading| reading.answerable),
        no_span: scores.reading.map(|reading| reading.no_span),
        coverage: scores.reading.map(|reading| reading.coverage),
        sentences: evidence.sentences.iter().map(|sentence| row(record, evidence, sentence)).collect(),
    }
}

fn row(record: &Record, evidence: &Evidence, sentence: &Sentence) -> Row {
    let from = evidence.passage.passage.span.start;
    let text = evidence.passage.text.get(sentence.span.start - from..sentence.span.end - from).unwrap_or_default();
    Row {
        logit: sentence.reading.map(|reading| reading.logit),
        span_logit: sentence.reading.map(|reading| reading.span_logit),
        coverage: sentence.reading.map(|reading| reading.coverage),
        meaning: sentence.meaning,
        gold: holds_gold(record, text),
    }
}
