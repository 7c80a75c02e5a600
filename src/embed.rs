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
mod config;
mod defect;
mod encoder;
mod folder;
mod heads;
pub mod hub;
mod kernels;
mod layers;
mod load;
mod models;
mod parameters;
mod passage;
mod table;
mod tokens;
mod vector;
mod weights;

use std::sync::Arc;

use rayon::prelude::*;
use tokenizers::Tokenizer;

pub use checksums::{Checked, LIST as CHECKSUMS, verify};
pub use defect::ModelDefect;
pub use folder::{BUNDLED, Error};
pub use heads::reader::{Reader, ReaderInput, Reading, SentenceReading};
pub use heads::reranker::Reranker;
pub(crate) use kernels::codes::{CodeProduct, prefetch};
pub use kernels::{Instructions, Precision, limit_instructions};
pub(crate) use kernels::{ROUNDING_MAGIC, dot_pair, instructions};
pub use parameters::{
    CollectionClassifier, Confidence, Fusion, Parameters, QuestionClassifier, ReadingWeights, SentenceWeights, WritingChecks,
    logistic,
};
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
    model: Model,
    reader: Option<Reader>,
    reranker: Option<Reranker>,
    parameters: Parameters,
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

    /// The model's reader, which reads a question and passages together; `None` where its folder has none.
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// What was learnt for the model.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
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

    /// Vectors of passages, `None` for those that hold no known token. All cores work.
    pub fn passages(&self, texts: &[String]) -> Vec<Option<UnitVector>> {
        self.vectors(texts, &self.info.passage_prefix)
    }

    /// The vector of a question.
    pub fn question(&self, text: &str) -> Option<UnitVector> {
        self.vectors(&[text.to_owned()], &self.info.question_prefix).pop().flatten()
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

    /// How many tokens `text` has, without the special ones.
    pub fn count(&self, text: &str) -> usize {
        self.ids(text, false).len()
    }

    fn ids(&self, text: &str, special: bool) -> Vec<u32> {
        self.tokenizer.encode_fast(text, special).map_or_else(|_| vec![], |encoding| encoding.get_ids().to_vec())
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if prefix.is_empty() { text.to_owned() } else { format!("{prefix}{text}") }
}
