//! Text → [`UnitVector`]: loads a model folder and runs it.
//!
//! A model is a folder as the Hugging Face ecosystem lays it out; its own
//! `modules.json` and `config.json` choose the code (`folder`). Static models are
//! a table of token vectors (`table`); BERT encoders run in Candle (`bert`).
//! Only `hub` fetches, when `ibid model pull` asks it to.

mod bert;
mod checksums;
mod folder;
pub mod hub;
mod kernels;
mod table;
mod vector;

use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

pub use checksums::{Checked, LIST as CHECKSUMS, verify};
pub use folder::Error;
pub(crate) use kernels::{dot, dot_bytes, instructions};
pub use table::Comparison;
pub use vector::UnitVector;

use crate::read::files::hex;
use folder::{Architecture, Files, Layout};

/// The name of the model in the binary.
pub const BUNDLED: &str = "static-multilingual";

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

enum Encoder {
    Static(table::Table),
    Bert(Box<bert::Bert>),
}

/// A loaded model.
pub struct Embedder {
    info: ModelInfo,
    tokenizer: Tokenizer,
    encoder: Encoder,
}

impl Embedder {
    /// The model in the binary.
    pub fn bundled() -> Result<Self, Error> {
        Self::from_files(&Files::Bundled, BUNDLED.to_owned())
    }

    /// The model in folder `path`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::from_files(&Files::Folder(path.to_owned()), name)
    }

    fn from_files(files: &Files, id: String) -> Result<Self, Error> {
        let Layout { architecture, weights, tokenizer, pooling, question_prefix, passage_prefix } = Layout::of(files)?;
        let bytes = files.read(&weights)?;
        // The checksum, the tokenizer and the weights take about equally long.
        let ((sha256, tokenizer), encoder) = rayon::join(
            || {
                rayon::join(
                    || hex(&Sha256::digest(&bytes)),
                    || {
                        let bytes = files.read(&tokenizer)?;
                        Tokenizer::from_bytes(&bytes).map_err(|reason| files.broken(&tokenizer, reason.to_string()))
                    },
                )
            },
            || match &architecture {
                Architecture::Static => table::Table::load(bytes.clone()).map(Encoder::Static),
                Architecture::Bert(config) => bert::Bert::load(&bytes, config, pooling).map(|bert| Encoder::Bert(Box::new(bert))),
            },
        );
        let encoder = encoder.map_err(|reason| files.broken(&weights, reason))?;
        let mut tokenizer = tokenizer?;
        tokenizer.with_padding(None);
        let window = match &encoder {
            Encoder::Static(_) => None,
            Encoder::Bert(bert) => Some(tokenizers::TruncationParams { max_length: bert.window(), ..Default::default() }),
        };
        tokenizer.with_truncation(window).map_err(|reason| files.broken("tokenizer.json", reason.to_string()))?;
        let dimension = match &encoder {
            Encoder::Static(table) => table.dimension(),
            Encoder::Bert(bert) => bert.dimension(),
        };
        let info = ModelInfo { id, sha256, dimension, pooling: pooling.name(), question_prefix, passage_prefix };
        Ok(Self { info, tokenizer, encoder })
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// `static` or `bert`.
    pub fn architecture(&self) -> &'static str {
        match &self.encoder {
            Encoder::Static(_) => "static",
            Encoder::Bert(_) => "bert",
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
        match &self.encoder {
            Encoder::Static(table) => {
                let embed = |text: &String| {
                    let tokens = self.ids(&prefixed(&self.info.passage_prefix, text), false);
                    (table.mean(&tokens), tokens)
                };
                texts.par_iter().map(embed).collect()
            }
            Encoder::Bert(_) => self.passages(texts).into_iter().map(|vector| (vector, vec![])).collect(),
        }
    }

    fn vectors(&self, texts: &[String], prefix: &str) -> Vec<Option<UnitVector>> {
        match &self.encoder {
            Encoder::Static(table) => {
                texts.par_iter().map(|text| table.mean(&self.ids(&prefixed(prefix, text), false))).collect()
            }
            Encoder::Bert(bert) => {
                let ids: Vec<Vec<u32>> = texts.par_iter().map(|text| self.ids(&prefixed(prefix, text), true)).collect();
                bert.vectors(&ids)
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
        match &self.encoder {
            Encoder::Static(table) => Some(table.comparison(&self.ids(question, false))),
            Encoder::Bert(_) => None,
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
    /// encoder compares whole vectors.
    pub fn relevance(&self, question: &str, texts: &[&str]) -> Vec<f32> {
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
        self.tokenizer.encode_fast(text, special).map_or_else(|_| vec![], |encoding| encoding.get_ids().to_vec())
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if prefix.is_empty() { text.to_owned() } else { format!("{prefix}{text}") }
}
