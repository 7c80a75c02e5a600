//! Question → evidence: two legs find candidates, one measure ranks them.
//!
//! By meaning and by words each find passages. All are then compared with the
//! question token by token (or by vector, as the model does it), which neither leg
//! can do for the whole library, and `rank` weighs the three. What can `read` a question
//! and a passage together is asked about the first ones.

mod fold;
mod follow_up;
mod rank;
mod read;
mod weigh;

use std::time::Instant;

use crate::embed::{Embedder, UnitVector};
use crate::shelf::{Error, Filter, Neighbor, PassageId, Shelf, StoredPassage};

pub use fold::folded;
pub use follow_up::in_context;
pub use rank::Scores;
pub use weigh::Sentence;

/// Passages that have their sentences weighed; an answer looks at no more.
pub const WEIGHED: usize = rank::WEIGHED;

/// Longest question, in characters, when settings do not say.
const DEFAULT_LONGEST: usize = 4000;

/// A checked user question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question(String);

/// Why a text is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Nothing in it.
    #[error("the question is empty\nhint: ask something, such as `强省会的关键在于什么？`")]
    Empty,
    /// Too much in it.
    #[error(
        "the question has {length} characters, over the limit of {limit}\nhint: ask in fewer words, or raise `answer.max_question_chars`"
    )]
    TooLong {
        /// Its characters.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Only punctuation.
    #[error("the question holds no word")]
    NoWord,
}

/// Whether `text` holds more than spaces and punctuation. The API's document says the same as a
/// pattern, by ranges that every reader of patterns knows: classes of letters are read in many ways.
pub fn says_something(text: &str) -> bool {
    let silent = |c: char| {
        matches!(c, '\0'..='/' | ':'..='@' | '['..='`' | '{'..='\u{bf}' | '\u{1680}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}'
            | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
    };
    !text.chars().all(silent)
}

impl Question {
    /// Checks `text`; control characters are dropped.
    pub fn parse(text: &str, limit: Option<usize>) -> Result<Self, QuestionError> {
        let limit = limit.unwrap_or(DEFAULT_LONGEST);
        let length = text.chars().count();
        if length > limit {
            return Err(QuestionError::TooLong { length, limit });
        }
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let clean = clean.trim();
        if clean.is_empty() {
            return Err(QuestionError::Empty);
        }
        if !says_something(clean) {
            return Err(QuestionError::NoWord);
        }
        Ok(Self(clean.to_owned()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A passage with its article and its scores.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The passage.
    pub passage: StoredPassage,
    /// How it scored.
    pub scores: Scores,
    /// Its sentences, where they were weighed: those of the first passages are.
    pub sentences: Vec<Sentence>,
    /// Passages of other articles that say the same, where these were folded.
    pub copies: Vec<StoredPassage>,
}

/// Which legs search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Both, ranked together.
    #[default]
    Hybrid,
    /// Only by meaning: the vectors' own order.
    Dense,
    /// Only by words: the word index's own order.
    Lexical,
}

impl Mode {
    /// As commands and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Dense => "dense",
            Self::Lexical => "lexical",
        }
    }
}

/// What retrieval gives.
#[derive(Debug)]
pub struct Retrieved {
    /// Evidence, the best first.
    pub evidence: Vec<Evidence>,
    /// Milliseconds for the question's vector.
    pub embed_ms: f64,
    /// Milliseconds for both legs and the ranking.
    pub search_ms: f64,
}

/// What a ranking works on.
#[derive(Clone, Copy)]
struct Asked<'a> {
    shelf: &'a Shelf,
    embedder: &'a Embedder,
    question: &'a Question,
    vector: Option<&'a UnitVector>,
}

/// Finds up to `limit` passages for `question`.
pub fn retrieve(
    shelf: &Shelf,
    embedder: &Embedder,
    question: &Question,
    filter: &Filter,
    mode: Mode,
    limit: usize,
    candidates: usize,
) -> Result<Retrieved, Error> {
    let begun = Instant::now();
    let vector = if mode == Mode::Lexical { None } else { embedder.question(question.as_str()) };
    let embed_ms = milliseconds(begun);
    let begun = Instant::now();
    let (near, words) = shelf.search(question.as_str(), vector.as_ref(), candidates.max(limit), filter)?;
    let mut evidence = match mode {
        Mode::Hybrid => {
            // Only the first of each leg are worth comparing; the rest follow in their own order.
            let first = |leg: &[Neighbor]| leg[..leg.len().min(candidates)].to_vec();
            let (near_first, words_first) = (first(&near), first(&words));
            let asked = Asked { shelf, embedder, question, vector: vector.as_ref() };
            let mut evidence = rank::ranked(&asked, &near_first, &words_first, limit)?;
            if evidence.len() < limit {
                let head: Vec<PassageId> = evidence.iter().map(|one| one.passage.id).collect();
                let tail = rank::rest(&near, &words, &head);
                evidence.extend(rank::single(shelf.passages(&ids(&tail))?, &tail));
            }
            evidence
        }
        Mode::Dense => rank::single(shelf.passages(&ids(&near))?, &near),
        Mode::Lexical => rank::single(shelf.passages(&ids(&words))?, &words),
    };
    evidence.truncate(limit);
    Ok(Retrieved { evidence, embed_ms, search_ms: milliseconds(begun) })
}

fn ids(neighbors: &[Neighbor]) -> Vec<PassageId> {
    neighbors.iter().map(|neighbor| neighbor.passage).collect()
}

/// Milliseconds since `begun`.
pub(crate) fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_checked_once() {
        assert_eq!(Question::parse(" 为什么？\u{0}", None).unwrap().as_str(), "为什么？");
        assert_eq!(Question::parse("\n", None), Err(QuestionError::Empty));
        assert_eq!(Question::parse("？！", None), Err(QuestionError::NoWord));
        assert!(matches!(
            Question::parse(&"长".repeat(100_000), None),
            Err(QuestionError::TooLong { length: 100_000, limit: 4000 })
        ));
    }
}
