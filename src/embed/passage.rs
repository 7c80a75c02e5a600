//! A passage and its sentences → their vectors, from one forward pass.

use std::ops::Range;

use rayon::prelude::*;

use super::batch::EncoderInput;
use super::tokens::TextTokens;
use super::{Embedder, Model, UnitVector, prefixed};

/// A passage that is embedded together with its sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassageText {
    /// What the passage's text does not say itself, such as its article's title; a line before it. May be empty.
    pub context: String,
    /// The passage.
    pub text: String,
    /// Its sentences: byte ranges in `text`, in order.
    pub sentences: Vec<Range<usize>>,
}

/// The vectors of a [`PassageText`].
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The passage's, as [`Embedder::passages`] makes it; `None` where it holds no known token.
    pub vector: Option<UnitVector>,
    /// The mean of each sentence's tokens within the passage; `None` for one of which no token was read.
    pub sentences: Vec<Option<UnitVector>>,
}

impl PassageText {
    /// What is put before the passage's text.
    fn before(&self, prefix: &str) -> String {
        if self.context.is_empty() { prefix.to_owned() } else { format!("{prefix}{}\n", self.context) }
    }
}

impl Embedder {
    /// Vectors of passages and of their sentences, on all cores.
    ///
    /// A sentence's vector is the mean of its tokens' last hidden states within the passage, so that it knows what
    /// stands around it; in a static model, of its tokens' rows.
    pub fn embed(&self, texts: &[PassageText]) -> Vec<Embedded> {
        match &self.model {
            Model::Static(table) => {
                let embed = |text: &PassageText| {
                    let (tokens, sentences) = self.passage_tokens(text, false);
                    let sentence = |own: &Vec<usize>| {
                        let ids: Vec<u32> = own.iter().filter_map(|token| tokens.ids.get(*token).copied()).collect();
                        table.mean(&ids)
                    };
                    Embedded { vector: table.mean(&tokens.ids), sentences: sentences.iter().map(sentence).collect() }
                };
                texts.par_iter().map(embed).collect()
            }
            Model::Encoder(encoder) => {
                let tokens = texts
                    .par_iter()
                    .map(|text| self.passage_tokens(text, true))
                    .map(|(tokens, sentences)| (EncoderInput::from(tokens.ids), sentences));
                let (inputs, sentences): (Vec<_>, Vec<_>) = tokens.unzip();
                encoder.with_sentences(&inputs, &sentences)
            }
        }
    }

    /// The tokens of what is embedded, and which of them each sentence has.
    fn passage_tokens(&self, passage: &PassageText, special: bool) -> (TextTokens, Vec<Vec<usize>>) {
        let before = passage.before(&self.info.passage_prefix);
        let tokens = TextTokens::of(&self.tokenizer, &prefixed(&before, &passage.text), special);
        let shifted = |sentence: &Range<usize>| sentence.start + before.len()..sentence.end + before.len();
        let sentences: Vec<Range<usize>> = passage.sentences.iter().map(shifted).collect();
        let of_sentences = tokens.of_sentences(&sentences);
        (tokens, of_sentences)
    }
}
