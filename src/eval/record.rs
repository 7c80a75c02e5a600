//! What is kept of each question: a line of `per_query.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dataset::Query;
use crate::answer::{Answer, Measures, Statement, Writing};
use crate::retrieve::Mode;

/// A question, what is known of its answer, what was found, and the figures of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The set.
    pub set: String,
    /// Which legs searched: `hybrid`, `dense` or `lexical`.
    pub mode: String,
    /// The question's id.
    pub id: String,
    /// Its words.
    pub question: String,
    /// Its language, where the set says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Whether the documents answer it.
    pub answerable: bool,
    /// Gold answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// Gold sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Relevant documents and their grades.
    pub relevant: BTreeMap<String, u32>,
    /// Documents, best first, with their scores.
    pub ranking: Vec<(String, f32)>,
    /// Words of the first passages.
    pub contexts: Vec<String>,
    /// Share of the ten truly nearest passages that the index found, where it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ann_recall: Option<f64>,
    /// What was answered, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// Figures of this question alone.
    pub figures: BTreeMap<String, f64>,
}

/// What was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    /// Whether it was not refused.
    pub answerable: bool,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// What that was reckoned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Measured>,
    /// The first sentence; empty when refused.
    pub text: String,
    /// The first three quotes.
    pub quotes: Vec<String>,
    /// Whether every quote is the slice that it says.
    pub citations_hold: bool,
    /// What came of having it written, where a language model answered, and the sentences with their marks and quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<Written>,
}

/// What a language model wrote, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// How it ended, as the wire has it.
    pub outcome: String,
    /// What kept it from being written to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Sentences that their sources hold.
    pub shown: usize,
    /// Why the others do not stand.
    pub faults: Vec<String>,
    /// Ids of sentences that were not sent.
    pub unknown_ids: usize,
    /// Sentences that are shown and came without ids.
    #[serde(default)]
    pub attributed: usize,
    /// Tokens sent and written.
    pub tokens: usize,
    /// Milliseconds to the first token.
    pub first_token_ms: u64,
    /// The sentences that are shown, each with its quotes.
    pub sentences: Vec<(String, Vec<String>)>,
    /// Whether each mark of them has its citation.
    pub marks_hold: bool,
}

impl Written {
    /// What came of `answer`, where it was to be written.
    pub fn of(answer: &Answer) -> Option<Self> {
        let Writing { outcome, shown, faults, unknown_ids, attributed, tokens, first_token_ms, .. } = answer.writing.as_ref()?;
        let quotes = |statement: &Statement| -> Vec<String> {
            let cited = statement.citations.iter().filter_map(|n| answer.citations.get(n.checked_sub(1)?));
            cited.map(|citation| citation.quote().to_owned()).collect()
        };
        let sentences: Vec<(String, Vec<String>)> =
            answer.statements.iter().map(|statement| (statement.text.clone(), quotes(statement))).collect();
        let marks = |(statement, (_, quotes)): (&Statement, &(String, Vec<String>))| statement.citations.len() == quotes.len();
        Some(Self {
            outcome: outcome.name().to_owned(),
            failure: outcome.failure().map(|failure| failure.name().to_owned()),
            shown: *shown,
            faults: faults.iter().map(|fault| fault.name().to_owned()).collect(),
            unknown_ids: *unknown_ids,
            attributed: *attributed,
            tokens: *tokens,
            first_token_ms: *first_token_ms,
            marks_hold: answer.statements.iter().zip(&sentences).all(marks),
            sentences,
        })
    }
}

/// The measures of [`Measures`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the measures' own docs say it")]
pub struct Measured {
    pub fused: f32,
    pub answerable: f32,
    pub span: f32,
    pub sentence: f32,
    pub coverage: f32,
    pub sentence_coverage: f32,
    pub lead: f32,
    pub foreign: f32,
}

impl From<Measures> for Measured {
    fn from(measures: Measures) -> Self {
        let Measures { fused, answerable, span, sentence, coverage, sentence_coverage, lead, foreign } = measures;
        Self { fused, answerable, span, sentence, coverage, sentence_coverage, lead, foreign }
    }
}

impl Record {
    /// A question of which nothing is found yet.
    pub fn of(set: &str, mode: Mode, query: &Query) -> Self {
        Self {
            set: set.to_owned(),
            mode: mode.name().to_owned(),
            id: query.id.clone(),
            question: query.text.clone(),
            lang: query.lang.clone(),
            answerable: query.answerable,
            answers: query.answers.clone(),
            evidence: query.evidence.clone(),
            relevant: query.relevant.clone(),
            ranking: vec![],
            contexts: vec![],
            ann_recall: None,
            given: None,
            figures: BTreeMap::new(),
        }
    }

    /// Whether anything is known of its answer's words.
    pub fn has_gold(&self) -> bool {
        !self.answers.is_empty() || !self.evidence.is_empty()
    }
}
