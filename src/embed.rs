//! Text → [`UnitVector`]: loads a model folder and runs it.
//!
//! A model is a folder as the Hugging Face ecosystem lays it out; its own
//! `modules.json` and `config.json` choose the code (`folder`). Static models are
//! a table of token vectors (`table`), some with a small encoder that reads question and
//! passage together (`reader`); all others are encoders (`encoder`) with what makes one
//! vector of a text (`pooled`). Only `hub` fetches, when `ibid model pull`
//! asks it to.

mod checksums;
mod comparison;
mod encoder;
mod folder;
pub mod hub;
mod kernels;
mod parameters;
mod pieces;
mod pooled;
mod product;
mod reader;
mod reranker;
mod shim;
mod table;
mod team;
mod vector;

use std::borrow::Cow;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

pub use checksums::{Checked, LIST as CHECKSUMS, verify};
pub use comparison::Comparison;
pub use folder::Error;
pub(crate) use kernels::codes::{CodeProduct, prefetch};
pub use kernels::{Instructions, Precision, limit_instructions};
pub(crate) use kernels::{WHOLE, dot_pair, instructions};
pub use parameters::{Confidence, Fusion, Parameters, QuestionClassifier, ReadingWeights, SentenceWeights, logistic};
pub use reranker::Reranker;
pub use shim::{Embedded, PassageText, Reader, ReaderInput, Reading, SentenceReading};
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

enum Model {
    Static(table::Table),
    Encoder(Box<pooled::Pooled>),
}

/// What is asked of a model beyond its folder. Empty parts leave it to the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// How an encoder's numbers are kept; the fastest that costs nothing, when nobody says.
    pub precision: Option<Precision>,
    /// Numbers that are kept of a vector, for models that were trained to be cut short.
    pub dimension: Option<usize>,
    /// What is put before a question.
    pub question_prefix: Option<String>,
    /// What is put before a passage.
    pub passage_prefix: Option<String>,
}

/// A loaded model.
pub struct Embedder {
    info: ModelInfo,
    tokenizer: Tokenizer,
    /// The same, where it is of a make that is faster without the crate.
    pieces: Option<pieces::Pieces>,
    model: Model,
    reader: Option<reader::Reader>,
    reranker: Option<Reranker>,
    parameters: Parameters,
}

impl Embedder {
    /// The model in the binary.
    pub fn bundled() -> Result<Self, Error> {
        Self::from_files(&Files::Bundled, BUNDLED.to_owned(), &Choices::default())
    }

    /// The model in folder `path`.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_with(path, &Choices::default())
    }

    /// The model in folder `path`, as `choices` ask for it.
    pub fn load_with(path: &Path, choices: &Choices) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::from_files(&Files::Folder(path.to_owned()), name, choices)
    }

    fn from_files(files: &Files, id: String, choices: &Choices) -> Result<Self, Error> {
        let layout = Layout::of(files)?;
        let bytes = files.read(&layout.weights)?;
        // The checksum, the tokenizer and the weights take about equally long.
        let ((sha256, tokenizer), model) = rayon::join(
            || rayon::join(|| hex(&Sha256::digest(&bytes)), || tokenizer(files, &layout.tokenizer)),
            || model(files, &layout, &bytes, choices),
        );
        let (mut tokenizer, model) = (tokenizer?, model?);
        tokenizer.with_padding(None);
        let window = match &model {
            Model::Static(_) => None,
            Model::Encoder(encoder) => {
                let max_length = layout.longest.unwrap_or(usize::MAX).min(encoder.anatomy().window);
                Some(tokenizers::TruncationParams { max_length, ..Default::default() })
            }
        };
        tokenizer.with_truncation(window).map_err(|reason| files.broken(&layout.tokenizer, reason.to_string()))?;
        let dimension = match &model {
            Model::Static(table) => table.dimension(),
            Model::Encoder(encoder) => encoder.dimension(),
        };
        let prefix = |chosen: &Option<String>, found: String| chosen.clone().unwrap_or(found);
        let info = ModelInfo {
            id,
            sha256,
            dimension,
            pooling: layout.pooling.name(),
            question_prefix: prefix(&choices.question_prefix, layout.question_prefix),
            passage_prefix: prefix(&choices.passage_prefix, layout.passage_prefix),
        };
        let pieces = pieces::Pieces::of(&tokenizer);
        let reader = match &model {
            Model::Static(table) => reader::Reader::of(files, table)?,
            Model::Encoder(_) => None,
        };
        let parameters = Parameters::of(files, dimension)?;
        Ok(Self { info, tokenizer, pieces, model, reader, reranker: None, parameters })
    }

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
        let (reader, comparison) = (self.reader.as_ref()?, comparison?);
        Some(reader.scores(comparison, &self.tokens_of_all(texts.iter().copied())))
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
            Model::Encoder(encoder) => encoder.anatomy().family.name(),
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
                let ids: Vec<Vec<u32>> = texts.par_iter().map(|text| self.ids(&prefixed(prefix, text), true)).collect();
                encoder.vectors(&ids)
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

fn tokenizer(files: &Files, file: &str) -> Result<Tokenizer, Error> {
    let bytes = files.read(file)?;
    Tokenizer::from_bytes(&bytes).map_err(|reason| files.broken(file, reason.to_string()))
}

#[expect(clippy::ptr_arg, reason = "a table keeps the bytes; those that lie in the binary are not copied")]
fn model(files: &Files, layout: &Layout, bytes: &Cow<'static, [u8]>, choices: &Choices) -> Result<Model, Error> {
    let broken = |reason: String| files.broken(&layout.weights, reason);
    match &layout.architecture {
        Architecture::Static if choices.dimension.is_some() => Err(broken("a table's vectors are not cut short".to_owned())),
        Architecture::Static => table::Table::load(bytes.clone()).map(Model::Static).map_err(broken),
        Architecture::Encoder(anatomy) => {
            let precision = choices.precision.unwrap_or_else(Precision::fastest_exact);
            let load =
                || encoder::Encoder::load(&encoder::File::of_encoder(bytes, anatomy.family)?, (**anatomy).clone(), precision);
            let encoder = load().map_err(broken)?;
            let dense = layout.dense.iter().map(|layout| pooled::Dense::load(files, layout)).collect::<Result<_, _>>()?;
            let pooled = pooled::Pooled::of(encoder, layout.pooling, dense, choices.dimension).map_err(broken)?;
            Ok(Model::Encoder(Box::new(pooled)))
        }
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if prefix.is_empty() { text.to_owned() } else { format!("{prefix}{text}") }
}
