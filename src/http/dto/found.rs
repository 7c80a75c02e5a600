//! Passages that were found: what `POST /v1/search` answers, and the stages of a streamed answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::TimingsBody;
use super::citation::CopyBody;
use super::round;
use crate::embed::logistic;
use crate::retrieve::Evidence;

/// Passages that were found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Found)]
pub(in crate::http) struct SearchBody {
    pub(in crate::http) passages: Vec<FoundBody>,
    pub(in crate::http) timings_ms: TimingsBody,
    pub(in crate::http) model: String,
}

/// A stage of a streamed answer: `searching`, `reading`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stage)]
pub(in crate::http) struct StageBody {
    pub(in crate::http) stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) passages: Option<usize>,
}

/// A passage found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundPassage)]
pub(in crate::http) struct FoundBody {
    passage_id: u32,
    article_id: String,
    version: u32,
    title: String,
    authors: Vec<String>,
    section: Option<String>,
    text: String,
    score: f64,
    scores: ScoresBody,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyBody>,
}

/// What `score` was weighed from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scores)]
struct ScoresBody {
    /// Cosine of question and passage.
    meaning: f64,
    /// Highest cosine of the question and a sentence of the passage.
    sentence: f64,
    /// BM25, as a share of what a passage would have that holds every word once.
    words: f64,
    /// The probability that the passage answers, by the reader, where it was read.
    answers: Option<f64>,
}

/// A found passage.
pub(in crate::http) fn found(evidence: &Evidence) -> FoundBody {
    let Evidence { passage, scores, copies, .. } = evidence;
    FoundBody {
        passage_id: passage.id,
        article_id: passage.article.0.clone(),
        version: passage.version,
        title: passage.title.clone(),
        authors: passage.authors.clone(),
        section: passage.passage.section.clone(),
        text: passage.text.clone(),
        score: round(scores.total),
        scores: ScoresBody {
            meaning: round(scores.meaning),
            sentence: round(scores.sentence),
            words: round(scores.words),
            answers: scores.reading.map(|reading| round(logistic(reading.answerable))),
        },
        copies: copies.iter().map(|copy| CopyBody { article_id: copy.article.0.clone(), title: copy.title.clone() }).collect(),
    }
}
