//! Gemma 3 (Gemma Team 2025, arXiv:2503.19786) as an embedder (Vera et al. 2025, arXiv:2509.20354): as Qwen3, with norms
//! before and after each part, and windows that are local but for every sixth layer's.

use candle_core::{Module as _, Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::qwen3::{attention_weights, gated_feed_forward};
use super::{TransformerLayer, forward_layers, rotary_tables};
use crate::embed::batch::PackedBatch;
use crate::embed::config::EncoderConfig;
use crate::embed::kernels::Precision;
use crate::embed::layers::attention::SelfAttention;
use crate::embed::layers::embedding::EmbeddingTable;
use crate::embed::layers::norm::{AddNorm, Norm};

/// Embeddings, which are scaled, layers, and a norm behind the last.
pub(in crate::embed) struct Gemma3Model {
    words: EmbeddingTable,
    layers: Vec<TransformerLayer>,
    norm: Norm,
}

impl Gemma3Model {
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<Self> {
        let hidden = config.hidden_size;
        let ropes = rotary_tables(config);
        let layer = |at: usize| -> Result<TransformerLayer> {
            let vb = vb.pp(format!("layers.{at}"));
            let weights = attention_weights(&vb, config, precision)?;
            let sum = |name: &str| {
                let branch_norm = Norm::load_optional(&vb.pp(name), config, hidden)?;
                Ok::<_, candle_core::Error>(AddNorm { branch_norm, sum_norm: None })
            };
            Ok(TransformerLayer {
                attention: SelfAttention::new(weights, config, config.layers[at], ropes[at].clone(), precision),
                attention_sum: sum("post_attention_layernorm")?,
                feed_forward: gated_feed_forward(&vb, "pre_feedforward_layernorm", config, precision)?,
                feed_forward_sum: sum("post_feedforward_layernorm")?,
            })
        };
        let layers: Result<Vec<_>> = (0..config.layers.len()).into_par_iter().map(layer).collect();
        Ok(Self {
            words: EmbeddingTable::load(&vb.pp("embed_tokens"), hidden, config.embedding_scale)?,
            layers: layers?,
            norm: Norm::load(&vb.pp("norm"), config, hidden)?,
        })
    }

    /// The last layer's hidden states, `[tokens, hidden]`.
    pub(in crate::embed) fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let hidden = forward_layers(&self.layers, self.words.forward(batch)?, batch)?;
        self.norm.forward(&hidden)
    }
}
