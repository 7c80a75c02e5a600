//! A user's question: checked once, and embedded once.

use std::time::Instant;

use super::milliseconds;
use crate::embed::{Embedder, UnitVector};

/// Longest question, in characters, when settings do not say.
const DEFAULT_LONGEST: usize = 4000;

/// A checked user question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    words: String,
    /// Where what is asked now begins; before it stands what was asked before.
    now: usize,
}

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
        Ok(Self { words: clean.to_owned(), now: 0 })
    }

    /// Whether it ends with a question mark.
    pub fn ends_as_question(&self) -> bool {
        self.words.trim_end_matches([' ', '”', '"', '」', '»', ')', '）']).ends_with(['?', '？', '؟', ';', '\u{37e}'])
    }

    /// `self` behind what was asked before it, which was checked too.
    pub(super) fn after(&self, before: &str) -> Self {
        Self { words: format!("{before} {}", self.words), now: before.len() + 1 + self.now }
    }

    /// The same words, all of them asked now.
    #[must_use]
    pub fn as_one(&self) -> Self {
        Self { words: self.words.clone(), now: 0 }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// The words of what is asked now, without what was asked before.
    pub fn asked_now(&self) -> &str {
        &self.words[self.now..]
    }
}

/// A question with its vector.
#[derive(Debug, Clone)]
pub struct EmbeddedQuestion {
    /// The question.
    pub question: Question,
    /// Its vector; `None` when it holds no known token, or only words are searched.
    pub vector: Option<UnitVector>,
    /// Milliseconds that the vector took.
    pub embed_ms: f64,
}

impl EmbeddedQuestion {
    /// Embeds `question`.
    pub fn of(question: Question, embedder: &Embedder) -> Self {
        let begun = Instant::now();
        let vector = embedder.question(question.as_str());
        Self { question, vector, embed_ms: milliseconds(begun) }
    }

    /// For a search by words alone.
    pub fn without_vector(question: Question) -> Self {
        Self { question, vector: None, embed_ms: 0.0 }
    }
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
