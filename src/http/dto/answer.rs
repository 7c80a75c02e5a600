//! What `POST /v1/ask` answers.

use serde::Serialize;
use utoipa::ToSchema;

use super::help::help;
use super::{CitationBody, citation, round};
use crate::answer::{Answer, Kind, Records, Refusal, Statement, Writing};
use crate::generate::Failure;
use crate::library::Timings;

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(crate) struct AnswerBody {
    pub(in crate::http) id: String,
    pub(in crate::http) kind: KindBody,
    /// Whether the articles say it. If not, `citations` are the nearest passages.
    pub(in crate::http) answerable: bool,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) reason: Option<ReasonBody>,
    /// What can be asked, in the asker's language; where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) help: Option<&'static str>,
    /// How likely the articles say it, 0 to 1.
    pub(in crate::http) confidence: f64,
    /// The sentences that answer, each with the numbers of its citations; of a long sentence the clause that answers.
    pub(in crate::http) answer: Vec<StatementBody>,
    pub(in crate::http) citations: Vec<CitationBody>,
    /// What it was made from; of answers about the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) records: Option<RecordsBody>,
    /// What came of having it written; where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) writing: Option<WritingBody>,
    pub(in crate::http) timings_ms: TimingsBody,
    pub(in crate::http) model: String,
}

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Kind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KindBody {
    /// Sentences of passages, quoted.
    Passages,
    /// Sentences that a language model wrote, each held by what it cites.
    Written,
    /// What the records say of the collection; its citations are articles.
    Collection,
    /// Sentences of an article, in its order.
    Summary,
    /// Sentences of two sides about one thing.
    Comparison,
}

impl From<Kind> for KindBody {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Passages => Self::Passages,
            Kind::Written => Self::Written,
            Kind::Collection => Self::Collection,
            Kind::Summary => Self::Summary,
            Kind::Comparison => Self::Comparison,
        }
    }
}

/// What an answer about the collection was made from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Records)]
pub(crate) struct RecordsBody {
    /// Articles whose records were looked at.
    pub(in crate::http) articles: usize,
    /// Articles that fit; the first of them are cited.
    pub(in crate::http) found: usize,
    /// Whether they were found by a search for a topic: then `found` counts what was found.
    pub(in crate::http) searched: bool,
}

/// What came of having an answer written by a language model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Writing)]
pub(crate) struct WritingBody {
    /// `written`; `cut_off`: what held before is shown; `nothing_held` and `nothing_written`: the articles do not say;
    /// `replaced`, `failed`, `not_configured`: the extractive answer is given; `not_sent`: the articles do not say it,
    /// and nothing was sent.
    pub(in crate::http) outcome: &'static str,
    /// What kept it from being written to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) failure: Option<&'static str>,
    /// The language model; empty where none is configured.
    pub(in crate::http) model: String,
    /// The version of the prompt.
    pub(in crate::http) prompt: &'static str,
    /// Sentences that their citations hold.
    pub(in crate::http) shown: usize,
    /// Why each of the others does not stand: `no_source`, `number`, `name`, `negation`, `words`, `reader`.
    pub(in crate::http) faults: Vec<&'static str>,
    /// Cited ids of sentences that were not sent.
    pub(in crate::http) unknown_ids: usize,
    /// Sentences that are shown and came without ids: what the reader found to answer holds them.
    pub(in crate::http) attributed: usize,
    /// Tokens sent and written.
    pub(in crate::http) tokens: usize,
    /// Milliseconds to the first token.
    pub(in crate::http) first_token_ms: u64,
}

impl From<&Writing> for WritingBody {
    fn from(writing: &Writing) -> Self {
        let Writing { model, prompt, outcome, shown, faults, unknown_ids, attributed, tokens, first_token_ms } = writing;
        Self {
            outcome: outcome.name(),
            failure: outcome.failure().map(Failure::name),
            model: model.clone(),
            prompt,
            shown: *shown,
            faults: faults.iter().map(|fault| fault.name()).collect(),
            unknown_ids: *unknown_ids,
            attributed: *attributed,
            tokens: *tokens,
            first_token_ms: *first_token_ms,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reason)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasonBody {
    /// A greeting, thanks, a lone word, noise: nothing was asked.
    NotAQuestion,
    /// The articles do not say it.
    NotInArticles,
}

/// A sentence of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementBody {
    pub(in crate::http) text: String,
    /// None at all for a sentence that nothing holds, where the settings have it shown.
    pub(in crate::http) citations: Vec<usize>,
}

impl StatementBody {
    pub(in crate::http) fn of(statement: &Statement) -> Self {
        Self { text: statement.text.clone(), citations: statement.citations.clone() }
    }
}

/// Milliseconds in each stage.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Timings)]
pub(crate) struct TimingsBody {
    pub(in crate::http) embed: f64,
    pub(in crate::http) search: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) answer: Option<f64>,
}

/// What an answer is told with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What was asked.
    pub(crate) question: &'a str,
    /// The model's id.
    pub(crate) model: &'a str,
    /// What links begin with.
    pub(crate) base: &'a str,
}

/// An answer with a fresh id.
pub(crate) fn answer(answer: &Answer, timings: Timings, context: Context<'_>) -> AnswerBody {
    let Context { question, model, base } = context;
    let reason = answer.reason.map(|reason| match reason {
        Refusal::NotAQuestion => ReasonBody::NotAQuestion,
        Refusal::NotInArticles => ReasonBody::NotInArticles,
    });
    AnswerBody {
        id: format!("ask_{}", ulid::Ulid::generate()),
        kind: answer.kind.into(),
        answerable: answer.answerable,
        reason,
        help: (reason == Some(ReasonBody::NotAQuestion)).then(|| help(question)),
        confidence: round(answer.confidence),
        answer: answer.statements.iter().map(StatementBody::of).collect(),
        citations: (1..).zip(&answer.citations).map(|(n, cited)| citation(n, cited, base)).collect(),
        records: answer.records.map(|Records { articles, found, searched }| RecordsBody { articles, found, searched }),
        writing: answer.writing.as_ref().map(WritingBody::from),
        timings_ms: TimingsBody { embed: timings.embed, search: timings.search, answer: Some(timings.answer) },
        model: model.to_owned(),
    }
}
