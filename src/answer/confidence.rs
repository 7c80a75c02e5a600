//! How likely it is that the articles answer: a logistic model of a few measures.
//!
//! None of them is a raw cosine: each is a share of what a full answer would show,
//! so that they mean the same in a library of one page and of many.

/// What is measured of the best sentence and of the best passages.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measures {
    /// Tokens of the question that the best sentence has in meaning, 0 to 1.
    pub sentence_tokens: f32,
    /// Words of the question that the best sentence has, by rarity, 0 to 1.
    pub sentence_words: f32,
    /// Tokens of the question that the best passage has in meaning.
    pub passage_tokens: f32,
    /// Words of the question that the best passage has, by rarity.
    pub passage_words: f32,
    /// Cosine of the question and the best passage.
    pub meaning: f32,
    /// Characters or words of the question that occur in the passages at all: low
    /// when they are in another language, where missing words prove nothing.
    pub same_language: f32,
}

const BIAS: f32 = -8.0;
const SENTENCE_TOKENS: f32 = 4.0;
const SENTENCE_WORDS: f32 = 2.0;
const PASSAGE_TOKENS: f32 = 8.0;
const PASSAGE_WORDS: f32 = 3.0;
const MEANING: f32 = 2.0;

/// The probability that the articles answer.
pub(super) fn confidence(measures: Measures) -> f32 {
    let Measures { sentence_tokens, sentence_words, passage_tokens, passage_words, meaning, same_language: _ } = measures;
    let sum = BIAS
        + SENTENCE_TOKENS * sentence_tokens
        + SENTENCE_WORDS * sentence_words
        + PASSAGE_TOKENS * passage_tokens
        + PASSAGE_WORDS * passage_words
        + MEANING * meaning;
    1.0 / (1.0 + (-sum).exp())
}
