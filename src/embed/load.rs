//! Loads a model: its folder's files in, an [`Embedder`] out.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

use super::defect::ModelDefect;
use super::encoder::Encoder;
use super::folder::{Architecture, BUNDLED, Error, Files, ModelLayout};
use super::heads::dense::Dense;
use super::heads::pooling::PooledEncoder;
use super::heads::reader::Reader;
use super::kernels::Precision;
use super::weights::{has_int8_layers, var_builder};
use super::{Choices, Embedder, Model, ModelInfo, Parameters, table};
use crate::text::hex;

impl Embedder {
    /// The model in the binary.
    ///
    /// # Errors
    /// When its files cannot be run, which a test rules out.
    pub fn bundled() -> Result<Self, Error> {
        Self::from_files(&Files::Bundled, BUNDLED.to_owned(), &Choices::default())
    }

    /// The model in folder `path`.
    ///
    /// # Errors
    /// When a file is missing or unusable, or the architecture is none of those that are built.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_with(path, &Choices::default())
    }

    /// The model in folder `path`, as `choices` ask for it.
    ///
    /// # Errors
    /// As [`Self::load`], and when the model cannot be what `choices` ask for.
    pub fn load_with(path: &Path, choices: &Choices) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::from_files(&Files::Folder(path.to_owned()), name, choices)
    }

    fn from_files(files: &Files, id: String, choices: &Choices) -> Result<Self, Error> {
        let layout = ModelLayout::of(files)?;
        let bytes = files.read(&layout.weights)?;
        // Checksum, tokenizer and weights take about equally long.
        let ((sha256, tokenizer), model) = rayon::join(
            || rayon::join(|| hex(&Sha256::digest(&bytes)), || tokenizer(files, &layout.tokenizer)),
            || model(files, &layout, &bytes, choices),
        );
        let (mut tokenizer, model) = (tokenizer?, model?);
        tokenizer.with_padding(None);
        let window = match &model {
            Model::Static(_) => None,
            Model::Encoder(encoder) => {
                let max_length = layout.longest.unwrap_or(usize::MAX).min(encoder.config().max_positions);
                Some(tokenizers::TruncationParams { max_length, ..Default::default() })
            }
        };
        tokenizer.with_truncation(window).map_err(|reason| files.broken(&layout.tokenizer, reason))?;
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
        let tokenizer = Arc::new(tokenizer);
        let reader = match &model {
            Model::Static(_) => None,
            Model::Encoder(encoder) => match encoder.encoder().model().words() {
                Some(words) => Reader::load(files, words, Arc::clone(&tokenizer), choices.precision)?,
                None => None,
            },
        };
        let parameters = Parameters::of(files, dimension)?;
        Ok(Self { info, tokenizer, model, reader, reranker: None, parameters })
    }
}

/// The tokenizer in `file`.
pub(super) fn tokenizer(files: &Files, file: &str) -> Result<Tokenizer, Error> {
    let bytes = files.read(file)?;
    Tokenizer::from_bytes(&bytes).map_err(|reason| files.broken(file, reason))
}

#[expect(clippy::ptr_arg, reason = "a table keeps the bytes; those that lie in the binary are not copied")]
fn model(files: &Files, layout: &ModelLayout, bytes: &Cow<'static, [u8]>, choices: &Choices) -> Result<Model, Error> {
    let broken = |reason: ModelDefect| files.broken(&layout.weights, reason);
    match &layout.architecture {
        Architecture::Static if choices.dimension.is_some() => {
            Err(broken(ModelDefect::unsupported("model.dimension", &choices.dimension.unwrap_or_default(), "none, for a table")))
        }
        Architecture::Static => table::Table::load(bytes.clone()).map(Model::Static).map_err(broken),
        Architecture::Encoder(config) => {
            let precision = choices.precision.unwrap_or_else(|| Precision::fastest_for(has_int8_layers(bytes)));
            let load = || Encoder::load(&var_builder(bytes)?, (**config).clone(), precision);
            let encoder = load().map_err(|error: candle_core::Error| broken(error.into()))?;
            let dense = layout.dense.iter().map(|layout| Dense::load(files, layout)).collect::<Result<_, _>>()?;
            let pooled = PooledEncoder::new(encoder, layout.pooling, dense, choices.dimension).map_err(broken)?;
            Ok(Model::Encoder(Box::new(pooled)))
        }
    }
}
