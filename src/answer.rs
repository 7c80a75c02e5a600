//! Evidence → answer: statements, each with the quotes that carry it.
//!
//! [`Extractive`] picks the sentence that answers and quotes it; it cannot say what no article
//! says. A list is given whole (`list`), and of a long sentence the clause that holds the answer is
//! shown (`clause`). Whether the articles answer at all is a probability (`confidence`), learnt on
//! questions with and without an answer.
//!
//! [`Written`] has a language model write, where one is configured, and shows what its sources hold. Questions about
//! the collection ([`collection`]) are answered from the records, with articles as citations.

mod citation;
mod clause;
pub mod collection;
mod confidence;
mod extractive;
mod list;
mod written;

use crate::article::{ArticleId, Span};
use crate::generate::Failure;

pub use citation::Citation;
pub use confidence::Measures;
pub use extractive::{Extractive, Found, Rules};
pub use written::{Fault, Written};

/// Makes an answer of evidence. There are two: one quotes, one has a language model write.
pub trait Answerer {
    /// Answers. `hear` hears of each statement once it stands, with its citations.
    fn answer(&self, asked: &Asked<'_>, hear: &mut Hear<'_>) -> Answer;
}

/// What is answered, and from what.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The question, as it stands alone.
    pub question: &'a str,
    /// The best first.
    pub evidence: &'a [Found],
    /// What was answered before: it is not said again.
    pub said: &'a [String],
    /// Words that answered the question before: another part of a sentence that was said is new.
    pub answered: &'a [(ArticleId, Span)],
}

/// A statement that stands, and what is cited in it for the first time.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// Citations that no statement before it has.
    pub citations: &'a [Citation],
    /// The number of the first of them.
    pub first: usize,
}

/// Hears statements as they come.
pub type Hear<'h> = dyn FnMut(Said<'_>) + 'h;

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Sentences of passages, quoted.
    #[default]
    Passages,
    /// Sentences that a language model wrote, each held by the quotes that it cites.
    Written,
    /// What the records say of the collection, with articles as citations.
    Collection,
    /// Sentences of one article, or of an author about one thing, in its order.
    Summary,
    /// Sentences of two sides about one thing.
    Comparison,
}

impl Kind {
    /// As the wire and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passages => "passages",
            Self::Written => "written",
            Self::Collection => "collection",
            Self::Summary => "summary",
            Self::Comparison => "comparison",
        }
    }
}

/// What an answer about the collection was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records {
    /// Articles whose records were looked at.
    pub articles: usize,
    /// Articles that fit; the first of them are cited.
    pub found: usize,
    /// Whether they were found by a search for a topic, and not by records alone.
    pub searched: bool,
}

/// What came of having an answer written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writing {
    /// The model that was asked.
    pub model: String,
    /// The version of the prompt.
    pub prompt: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Sentences that their sources hold.
    pub shown: usize,
    /// Why each of the others does not stand.
    pub faults: Vec<Fault>,
    /// Ids that no sentence has which was sent.
    pub unknown_ids: usize,
    /// Sentences that are shown and came without ids: what the reader found to answer holds them.
    pub attributed: usize,
    /// Tokens sent and written.
    pub tokens: usize,
    /// Milliseconds to the first token.
    pub first_token_ms: u64,
}

/// How writing ended, and what is answered therefore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// No language model is configured: the extractive answer.
    #[default]
    NotConfigured,
    /// The articles do not say it: nothing was sent.
    NotSent,
    /// What was written is shown, as far as it holds.
    Written,
    /// It was cut off; what holds of what came is shown.
    CutOff(Failure),
    /// Nothing of what was written holds: the articles do not say.
    NothingHeld,
    /// The model found no answer in what it was sent: the articles do not say.
    NothingWritten,
    /// Something did not hold, and the settings want the extractive answer then.
    Replaced,
    /// Nothing was written: the extractive answer.
    Failed(Failure),
}

impl Outcome {
    /// As the wire and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::NotSent => "not_sent",
            Self::Written => "written",
            Self::CutOff(_) => "cut_off",
            Self::NothingHeld => "nothing_held",
            Self::NothingWritten => "nothing_written",
            Self::Replaced => "replaced",
            Self::Failed(_) => "failed",
        }
    }

    /// What kept it from being written to its end.
    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::CutOff(failure) | Self::Failed(failure) => Some(failure),
            Self::NotConfigured | Self::NotSent | Self::Written | Self::NothingHeld | Self::NothingWritten | Self::Replaced => {
                None
            }
        }
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it is made of.
    pub kind: Kind,
    /// Whether the articles say it. If not, there are no statements, and the
    /// citations are the nearest passages.
    pub answerable: bool,
    /// How likely the articles say it, 0 to 1.
    pub confidence: f32,
    /// Why there is no answer; `None` where there is one.
    pub reason: Option<Refusal>,
    /// What the confidence was reckoned from.
    pub measures: Measures,
    /// The answer's sentences, in order of how well they answer.
    pub statements: Vec<Statement>,
    /// What the statements' marks point to; number 1 is the first.
    pub citations: Vec<Citation>,
    /// What came of having it written, where that was asked for.
    pub writing: Option<Writing>,
    /// What it was made from, where it is about the collection.
    pub records: Option<Records>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A greeting, thanks, a lone word, noise: nothing was asked.
    NotAQuestion,
    /// The articles do not say it.
    NotInArticles,
}

impl Refusal {
    /// As the wire and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAQuestion => "not_a_question",
            Self::NotInArticles => "not_in_articles",
        }
    }
}

impl Answer {
    /// To a text that asks for nothing.
    pub fn not_a_question() -> Self {
        Self {
            kind: Kind::Passages,
            answerable: false,
            confidence: 0.0,
            reason: Some(Refusal::NotAQuestion),
            measures: Measures::default(),
            statements: vec![],
            citations: vec![],
            writing: None,
            records: None,
        }
    }

    /// What the records say.
    pub(crate) fn of_records(kind: Kind, records: Records, statements: Vec<Statement>, citations: Vec<Citation>) -> Self {
        Self {
            kind,
            answerable: true,
            confidence: 1.0,
            reason: None,
            measures: Measures::default(),
            statements,
            citations,
            writing: None,
            records: Some(records),
        }
    }

    /// To a question about the collection that none of `articles` records answers.
    pub(crate) fn of_no_record(articles: usize) -> Self {
        let records = Records { articles, found: 0, searched: false };
        let reason = Some(Refusal::NotInArticles);
        Self { answerable: false, confidence: 0.0, reason, ..Self::of_records(Kind::Collection, records, vec![], vec![]) }
    }

    /// Passes each statement to `hear`, with the citations that it is the first to use.
    pub(crate) fn tell(&self, hear: &mut Hear<'_>) {
        let mut told = 0;
        for statement in &self.statements {
            let last = statement.citations.iter().copied().fold(told, usize::max).min(self.citations.len());
            hear(Said { statement, citations: &self.citations[told..last], first: told + 1 });
            told = last;
        }
    }
}

/// One sentence of an answer.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its words: the quote, or the clause of a long quote that holds the answer.
    pub text: String,
    /// Numbers of the citations that carry it, from 1.
    pub citations: Vec<usize>,
}
