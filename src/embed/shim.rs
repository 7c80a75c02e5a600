//! Passages with their sentences, embedded; and what a reader says: until the encoder gives both itself.

use std::ops::Range;

use super::{Embedder, UnitVector};

/// A passage to embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageText {
    /// What helps to find it and is not in it.
    pub context: String,
    /// Its words.
    pub text: String,
    /// Its sentences, in bytes of `text`.
    pub sentences: Vec<Range<usize>>,
}

/// Vectors of a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Of the whole; `None` when it holds no known token.
    pub vector: Option<UnitVector>,
    /// Of its sentences, in order.
    pub sentences: Vec<Option<UnitVector>>,
}

/// A passage to read beside a question.
#[derive(Debug, Clone, Copy)]
pub struct ReaderInput<'a> {
    /// What helps to understand it and is not in it.
    pub context: &'a str,
    /// Its words.
    pub text: &'a str,
    /// Its sentences, in bytes of `text`.
    pub sentences: &'a [Range<usize>],
}

/// What a reader says of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct SentenceReading {
    /// The logit that it answers.
    pub logit: f32,
    /// The best answer inside it, in bytes of the passage's text.
    pub span: Range<usize>,
    /// That answer's logit.
    pub span_logit: f32,
}

/// What a reader says of a passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The logit that it answers.
    pub answerable: f32,
    /// The logit that no span of it answers.
    pub no_span: f32,
    /// Its sentences, in order.
    pub sentences: Vec<SentenceReading>,
}

/// A cross-encoder over a question and a passage.
pub struct Reader(());

impl Reader {
    /// Reads each of `passages` beside `question`.
    pub fn read(&self, _question: &str, _passages: &[ReaderInput<'_>]) -> Vec<Reading> {
        vec![]
    }
}

impl Embedder {
    /// Vectors of passages and of their sentences.
    pub fn embed(&self, texts: &[PassageText]) -> Vec<Embedded> {
        let whole: Vec<String> = texts.iter().map(|one| format!("{}\n{}", one.context, one.text)).collect();
        let sentences = |one: &PassageText| -> Vec<String> {
            one.sentences.iter().map(|range| one.text.get(range.clone()).unwrap_or_default().to_owned()).collect()
        };
        let all: Vec<String> = texts.iter().flat_map(sentences).collect();
        let mut of_sentences = self.passages(&all).into_iter();
        let vectors = self.passages(&whole).into_iter().zip(texts);
        let embedded = vectors.map(|(vector, one)| {
            let sentences = of_sentences.by_ref().take(one.sentences.len()).collect();
            Embedded { vector, sentences }
        });
        embedded.collect()
    }

    /// What reads a question and a passage together; `None` for a model without it.
    pub fn reader(&self) -> Option<&Reader> {
        None
    }
}
