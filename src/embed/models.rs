//! The encoders, each in the terms of its paper: embeddings, layers, a last norm.

pub(super) mod bert;
pub(super) mod gemma3;
pub(super) mod modernbert;
#[cfg(test)]
mod oracle;
pub(super) mod qwen3;

use std::sync::Arc;

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use super::batch::PackedBatch;
use super::config::{EncoderConfig, Family, Positions};
use super::kernels::Precision;
use super::layers::attention::SelfAttention;
use super::layers::embedding::EmbeddingTable;
use super::layers::feed_forward::FeedForward;
use super::layers::norm::AddNorm;
use super::layers::rope::RotaryTable;

/// An encoder of any family.
pub(super) enum Model {
    Bert(bert::BertModel),
    ModernBert(modernbert::ModernBertModel),
    Qwen3(qwen3::Qwen3Model),
    Gemma3(gemma3::Gemma3Model),
}

impl Model {
    /// The model that `config` describes, from the weights in `vb`. Some folders put the family's name before all
    /// tensors' names.
    pub(super) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<Self> {
        let under = |prefix: &str, known: &str| if vb.contains_tensor(known) { vb.clone() } else { vb.pp(prefix) };
        Ok(match config.family {
            Family::Bert => Self::Bert(bert::BertModel::load(&under("bert", bert::KNOWN), config, precision)?),
            Family::XlmRoberta => Self::Bert(bert::BertModel::load(&under("roberta", bert::KNOWN), config, precision)?),
            Family::ModernBert => {
                Self::ModernBert(modernbert::ModernBertModel::load(&under("model", modernbert::KNOWN), config, precision)?)
            }
            Family::Qwen3 => Self::Qwen3(qwen3::Qwen3Model::load(&under("model", qwen3::KNOWN), config, precision)?),
            Family::Gemma3 => Self::Gemma3(gemma3::Gemma3Model::load(&under("model", qwen3::KNOWN), config, precision)?),
        })
    }

    /// The last layer's hidden states, `[tokens, hidden]`.
    pub(super) fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        match self {
            Self::Bert(model) => model.forward(batch),
            Self::ModernBert(model) => model.forward(batch),
            Self::Qwen3(model) => model.forward(batch),
            Self::Gemma3(model) => model.forward(batch),
        }
    }

    /// The word embeddings that a reader may share; `None` for families whose readers are not built.
    pub(super) fn words(&self) -> Option<&Arc<EmbeddingTable>> {
        match self {
            Self::Bert(model) => Some(model.words()),
            Self::ModernBert(_) | Self::Qwen3(_) | Self::Gemma3(_) => None,
        }
    }

    /// Tokens that the weights have positions for.
    pub(super) fn max_positions(&self, config: &EncoderConfig) -> usize {
        match self {
            Self::Bert(model) => config.max_positions.min(model.max_positions()),
            Self::ModernBert(_) | Self::Qwen3(_) | Self::Gemma3(_) => config.max_positions,
        }
    }
}

/// A transformer layer: attention and feed-forward, each with its residual sum and the norms of its family.
struct TransformerLayer {
    attention: SelfAttention,
    attention_sum: AddNorm,
    feed_forward: FeedForward,
    feed_forward_sum: AddNorm,
}

impl TransformerLayer {
    /// `[tokens, hidden] → [tokens, hidden]`.
    fn forward(&self, hidden: &Tensor, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let attended = self.attention.forward(hidden, batch)?;
        let hidden = self.attention_sum.forward(attended, hidden)?;
        let fed = self.feed_forward.forward(&hidden, batch)?;
        self.feed_forward_sum.forward(fed, &hidden)
    }
}

/// Runs `layers` one after another.
fn forward_layers(layers: &[TransformerLayer], hidden: Tensor, batch: &PackedBatch<'_>) -> Result<Tensor> {
    layers.iter().try_fold(hidden, |hidden, layer| layer.forward(&hidden, batch))
}

/// One rotary table a base; layers with the same base share theirs.
fn rotary_tables(config: &EncoderConfig) -> Vec<Option<Arc<RotaryTable>>> {
    if config.positions != Positions::Rotary {
        return vec![None; config.layers.len()];
    }
    let mut known: Vec<(f64, Arc<RotaryTable>)> = Vec::new();
    let tables = config.layers.iter().map(|window| {
        if let Some((_, table)) = known.iter().find(|(theta, _)| theta.total_cmp(&window.theta).is_eq()) {
            return Some(Arc::clone(table));
        }
        let table = Arc::new(RotaryTable::new(window.theta, config.head_dim, config.max_positions));
        known.push((window.theta, Arc::clone(&table)));
        Some(table)
    });
    tables.collect()
}
