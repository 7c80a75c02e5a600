//! Loads the reader from a model's folder.

use std::sync::Arc;

use candle_core::{Result as CandleResult, Tensor, bail};
use candle_nn::{Linear, VarBuilder, linear};
use serde::Deserialize;
use tokenizers::Tokenizer;

use super::matching::{MatchConfig, TokenMatcher};
use super::{Limits, Reader};
use crate::embed::config::{EncoderConfig, Family};
use crate::embed::defect::ModelDefect;
use crate::embed::encoder::Encoder;
use crate::embed::folder::{Error, Files};
use crate::embed::kernels::Precision;
use crate::embed::layers::embedding::EmbeddingTable;
use crate::embed::models::Model;
use crate::embed::models::bert::BertModel;
use crate::embed::weights::{has_int8_layers, var_builder};

const CONFIG: &str = "reader/config.json";
const WEIGHTS: &str = "reader/model.safetensors";

/// What the configuration says beside the encoder's.
#[derive(Deserialize)]
struct ReaderConfig {
    #[serde(flatten)]
    limits: Limits,
    #[serde(default)]
    matching: MatchConfig,
    bos_token_id: Option<u32>,
    eos_token_id: Option<u32>,
}

impl Reader {
    /// The reader in a model's folder, over the word embeddings of its encoder; `None` where the folder has none.
    ///
    /// # Errors
    /// When the folder holds a reader that cannot be read, or one that does not fit the encoder.
    pub(in crate::embed) fn load(
        files: &Files,
        words: &Arc<EmbeddingTable>,
        tokenizer: Arc<Tokenizer>,
        precision: Option<Precision>,
    ) -> Result<Option<Self>, Error> {
        if !files.exists(CONFIG) {
            return Ok(None);
        }
        let value = files.json(CONFIG)?;
        let own: ReaderConfig = serde_json::from_value(value.clone()).map_err(|error| files.broken(CONFIG, error))?;
        let config = EncoderConfig::of(Family::Bert, value).map_err(|reason| files.broken(CONFIG, reason))?;
        let special = |chosen: Option<u32>, name: &str| {
            let found = chosen.or_else(|| tokenizer.token_to_id(name));
            found.ok_or_else(|| files.broken(CONFIG, ModelDefect::Missing(format!("token `{name}`, of the tokenizer too,"))))
        };
        let (begin, end) = (special(own.bos_token_id, "<s>")?, special(own.eos_token_id, "</s>")?);
        let tokenizer = long_enough(tokenizer, &own.limits);
        let bytes = files.read(WEIGHTS)?;
        let precision = precision.unwrap_or_else(|| Precision::fastest_for(has_int8_layers(&bytes)));
        let load = || -> CandleResult<Self> {
            let (vb, hidden) = (var_builder(&bytes)?, config.hidden_size);
            let answerable = vb.pp("answerable");
            let (answerable_dense, answerable_out) =
                (linear(hidden, hidden, answerable.pp("dense"))?, linear(hidden, 1, answerable.pp("out"))?);
            let of_tokens = token_heads(&vb, hidden)?;
            let matcher = TokenMatcher::load(&vb, own.matching, Arc::clone(words), &tokenizer)?;
            let encoder = encoder(&vb, config, precision, words, 2 * matcher.buckets_per_side())?;
            let longest = 3 + own.limits.question_tokens + own.limits.context_tokens + own.limits.passage_tokens;
            if encoder.config().max_positions < longest {
                bail!("it has {} positions, and a question with a passage has up to {longest}", encoder.config().max_positions);
            }
            Ok(Self { tokenizer, encoder, matcher, limits: own.limits, begin, end, answerable_dense, answerable_out, of_tokens })
        };
        load().map(Some).map_err(|error| files.broken(WEIGHTS, error))
    }
}

/// The encoder's tokenizer; a copy that cuts nothing, where the encoder reads shorter texts than the reader.
fn long_enough(tokenizer: Arc<Tokenizer>, limits: &Limits) -> Arc<Tokenizer> {
    let longest = limits.question_tokens.max(limits.context_tokens).max(limits.passage_tokens);
    if tokenizer.get_truncation().is_none_or(|truncation| truncation.max_length >= longest) {
        return tokenizer;
    }
    let mut own = (*tokenizer).clone();
    // Only a window that is smaller than its special tokens is refused, and this is none.
    if own.with_truncation(None).is_err() { tokenizer } else { Arc::new(own) }
}

/// The heads `span` (start, end) and `sentence` as one linear layer of three outputs.
fn token_heads(vb: &VarBuilder<'_>, hidden: usize) -> CandleResult<Linear> {
    let (span, sentence) = (vb.pp("span"), vb.pp("sentence"));
    let weight = Tensor::cat(&[span.get((2, hidden), "weight")?, sentence.get((1, hidden), "weight")?], 0)?;
    let bias = Tensor::cat(&[span.get(2, "bias")?, sentence.get(1, "bias")?], 0)?;
    Ok(Linear::new(weight, Some(bias)))
}

fn encoder(
    vb: &VarBuilder<'_>,
    config: EncoderConfig,
    precision: Precision,
    words: &Arc<EmbeddingTable>,
    token_types: usize,
) -> CandleResult<Encoder> {
    if words.width() != config.hidden_size {
        bail!("its hidden states have {} numbers, and the encoder's word embeddings {}", config.hidden_size, words.width());
    }
    let model = BertModel::load_with_words(vb, &config, precision, Arc::clone(words))?;
    if model.token_types() < token_types {
        bail!("it has {} token types, and a question and a passage need {token_types}", model.token_types());
    }
    Ok(Encoder::of(Model::Bert(model), config))
}
