//! Text → [`UnitVector`]: loads a model folder and runs it in Candle.
//!
//! A model is a folder as the Hugging Face ecosystem lays it out; its own `modules.json` and `config.json` choose the
//! code (`folder`, `config`, `load`). Its weights are a Candle `VarBuilder` (`weights`), in 8 bits or in floats.
//!
//! | part | what it is for |
//! | --- | --- |
//! | `models` | BERT, `ModernBERT`, Qwen3, Gemma 3: modules in the terms of their papers |
//! | `layers` | what they are built of: attention, feed-forward, norms, embeddings, as Candle custom operations |
//! | `heads` | hidden states → vector (`pooling`, `dense`), score (`reranker`), reading (`reader`) |
//! | `kernels` | packed matrix products and SIMD code that the operations call; all unsafe code |
//! | `encoder`, `batch` | which texts are computed together, packed without padding, and by whom |
//! | `table` | static models: a table of token vectors |
//!
//! Only `hub` fetches, when `ibid model pull` asks it to.

mod batch;
mod checksums;
mod comparison;
mod config;
mod encoder;
mod folder;
mod heads;
pub mod hub;
mod kernels;
mod layers;
mod load;
mod models;
mod passage;
mod pieces;
mod reader;
mod table;
mod tokens;
mod vector;
mod weights;

use std::sync::Arc;

use rayon::prelude::*;
use tokenizers::Tokenizer;

pub use checksums::{Checked, LIST as CHECKSUMS, verify};
pub use comparison::Comparison;
pub use folder::{BUNDLED, Error};
pub use heads::reader::{Reader, ReaderInput, Reading, SentenceReading};
pub use heads::reranker::Reranker;
pub(crate) use kernels::codes::{CodeProduct, prefetch};
pub use kernels::{Instructions, Precision, limit_instructions};
pub(crate) use kernels::{ROUNDING_MAGIC as WHOLE, dot_pair, instructions};
pub use passage::{Embedded, PassageText};
pub use vector::UnitVector;

use batch::EncoderInput;
use heads::pooling::PooledEncoder;

/// What a model is; a shelf opens only with the one that filled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// The folder's name.
    pub id: String,
    /// SHA-256 of the weights, hexadecimal.
    pub sha256: String,
    /// Numbers in a vector.
    pub dimension: usize,
    /// How token vectors become one: `mean` or `cls`.
    pub pooling: &'static str,
    /// What is put before a question.
    pub question_prefix: String,
    /// What is put before a passage.
    pub passage_prefix: String,
}

enum Model {
    Static(table::Table),
    Encoder(Box<PooledEncoder>),
}

/// What is asked of a model beyond its folder. Empty parts leave it to the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Precision of an encoder's products. Unless said: 8 bits for weights that are stored so, else the fastest that
    /// does not change results visibly.
    pub precision: Option<Precision>,
    /// Values that are kept of a vector, for models that were trained to be cut short.
    pub dimension: Option<usize>,
    /// What is put before a question.
    pub question_prefix: Option<String>,
    /// What is put before a passage.
    pub passage_prefix: Option<String>,
}

/// A loaded model: tokenizer, weights and heads.
pub struct Embedder {
    info: ModelInfo,
    tokenizer: Arc<Tokenizer>,
    /// The same, where it is of a make that is faster without the crate.
    pieces: Option<pieces::Pieces>,
    model: Model,
    static_reader: Option<reader::Reader>,
    reader: Option<Reader>,
    reranker: Option<Reranker>,
}

impl Embedder {
    /// The same with a cross-encoder that compares the best passages once more.
    #[must_use]
    pub fn with_reranker(self, reranker: Reranker) -> Self {
        Self { reranker: Some(reranker), ..self }
    }

    /// What the cross-encoder makes of each of `texts`, 0 to 1; `None` where there is none.
    pub fn reranked(&self, question: &str, texts: &[&str]) -> Option<Vec<f32>> {
        self.reranker.as_ref().map(|reranker| reranker.scores(question, texts))
    }

    /// Whether [`Self::reranked`] orders.
    pub fn reranks(&self) -> bool {
        self.reranker.is_some()
    }

    /// What the model's reader makes of each of `texts` beside the question of `comparison`: the higher, the likelier
    /// it answers; the logarithm of the odds up to a constant. `None` where there is none.
    pub fn read(&self, comparison: Option<&mut Comparison<'_>>, texts: &[&str]) -> Option<Vec<f32>> {
        let (reader, comparison) = (self.static_reader.as_ref()?, comparison?);
        Some(reader.scores(comparison, &self.tokens_of_all(texts.iter().copied())))
    }

    /// The model's reader, which reads a question and passages together; `None` where its folder has none.
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// `static`, or the name of the encoder's family.
    pub fn architecture(&self) -> &'static str {
        match &self.model {
            Model::Static(_) => "static",
            Model::Encoder(encoder) => encoder.config().family.name(),
        }
    }

    /// Tokens that it knows.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Vectors of passages, `None` for those that hold no known token. Both cores work.
    pub fn passages(&self, texts: &[String]) -> Vec<Option<UnitVector>> {
        self.vectors(texts, &self.info.passage_prefix)
    }

    /// The vector of a question.
    pub fn question(&self, text: &str) -> Option<UnitVector> {
        self.vectors(&[text.to_owned()], &self.info.question_prefix).pop().flatten()
    }

    /// Passages' vectors and their tokens, as [`Self::comparison`] reads them; a model that compares
    /// whole vectors has none.
    pub fn embedded(&self, texts: &[String]) -> Vec<(Option<UnitVector>, Vec<u32>)> {
        match &self.model {
            Model::Static(table) => {
                let embed = |text: &String| {
                    let tokens = self.ids(&prefixed(&self.info.passage_prefix, text), false);
                    (table.mean(&tokens), tokens)
                };
                texts.par_iter().map(embed).collect()
            }
            Model::Encoder(_) => self.passages(texts).into_iter().map(|vector| (vector, vec![])).collect(),
        }
    }

    fn vectors(&self, texts: &[String], prefix: &str) -> Vec<Option<UnitVector>> {
        match &self.model {
            Model::Static(table) => texts.par_iter().map(|text| table.mean(&self.ids(&prefixed(prefix, text), false))).collect(),
            Model::Encoder(encoder) => {
                let input = |text: &String| EncoderInput::from(self.ids(&prefixed(prefix, text), true));
                encoder.vectors(&texts.par_iter().map(input).collect::<Vec<_>>())
            }
        }
    }

    /// The tokens of `text`, without special ones.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        self.ids(text, false)
    }

    /// The tokens of many texts, on all cores.
    pub fn tokens_of_all<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<Vec<u32>> {
        let texts: Vec<&str> = texts.collect();
        texts.par_iter().map(|text| self.tokens(text)).collect()
    }

    /// Compares `question` with texts token by token; `None` for a model whose tokens mean nothing alone.
    pub fn comparison(&self, question: &str) -> Option<Comparison<'_>> {
        match &self.model {
            Model::Static(table) => Some(table.comparison(&self.ids(question, false))),
            Model::Encoder(_) => None,
        }
    }

    /// How many tokens `text` has, without the special ones.
    pub fn count(&self, text: &str) -> usize {
        self.ids(text, false).len()
    }

    /// How well each of `texts` bears on `question`, 0 to 1.
    ///
    /// A static model compares token by token: each token of the question finds its
    /// nearest in the text, and rare tokens weigh more (their rows are longer). An
    /// encoder compares whole vectors. A cross-encoder, where there is one, reads both together.
    pub fn relevance(&self, question: &str, texts: &[&str]) -> Vec<f32> {
        if let Some(scores) = self.reranked(question, texts) {
            return scores;
        }
        self.compared(question, texts)
    }

    /// The same without the cross-encoder.
    pub(crate) fn compared(&self, question: &str, texts: &[&str]) -> Vec<f32> {
        if let Some(mut comparison) = self.comparison(question) {
            let ids: Vec<Vec<u32>> = texts.par_iter().map(|text| self.ids(text, false)).collect();
            comparison.learn(ids.iter().map(Vec::as_slice));
            return ids.iter().map(|ids| comparison.score(&comparison.nearest(ids))).collect();
        }
        let Some(asked) = self.question(question) else { return vec![0.0; texts.len()] };
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let vectors = self.passages(&texts);
        vectors.iter().map(|vector| vector.as_ref().map_or(0.0, |vector| asked.dot(vector).max(0.0))).collect()
    }

    fn ids(&self, text: &str, special: bool) -> Vec<u32> {
        let pieces = self.pieces.as_ref().filter(|_| !special);
        if let Some(ids) = pieces.and_then(|pieces| pieces.ids(&self.tokenizer, text)) {
            return ids;
        }
        self.tokenizer.encode_fast(text, special).map_or_else(|_| vec![], |encoding| encoding.get_ids().to_vec())
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if prefix.is_empty() { text.to_owned() } else { format!("{prefix}{text}") }
}
