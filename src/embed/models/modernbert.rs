//! `ModernBERT` (Warner et al. 2024, arXiv:2412.13663): rotary positions, gated feed-forward layers, pre-norm layers,
//! and windows that are local but for every third layer's.

use candle_core::{Module as _, Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::{TransformerLayer, forward_layers, rotary_tables};
use crate::embed::batch::PackedBatch;
use crate::embed::config::EncoderConfig;
use crate::embed::kernels::Precision;
use crate::embed::layers::attention::{AttentionWeights, SelfAttention};
use crate::embed::layers::embedding::EmbeddingTable;
use crate::embed::layers::feed_forward::FeedForward;
use crate::embed::layers::norm::{AddNorm, Norm};
use crate::embed::layers::packed_linear::PackedLinear;

/// A tensor that every folder has, by which its prefix is known.
pub(super) const KNOWN: &str = "embeddings.tok_embeddings.weight";

/// Embeddings with a norm, layers, and a norm behind the last.
pub(in crate::embed) struct ModernBertModel {
    words: EmbeddingTable,
    embedding_norm: Norm,
    layers: Vec<TransformerLayer>,
    final_norm: Norm,
}

impl ModernBertModel {
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<Self> {
        let hidden = config.hidden_size;
        let ropes = rotary_tables(config);
        let layer = |at: usize| -> Result<TransformerLayer> {
            let vb = vb.pp(format!("layers.{at}"));
            let linear = |inputs, name, outputs| PackedLinear::load(&vb, precision, inputs, &[(name, outputs)]);
            let up = linear(hidden, "mlp.Wi", None)?;
            let weights = AttentionWeights {
                // The first layer has none: the embeddings are normalised already.
                pre_norm: Norm::load_optional(&vb.pp("attn_norm"), config, hidden)?,
                query_key_value: linear(hidden, "attn.Wqkv", Some(3 * hidden))?,
                query_norm: None,
                key_norm: None,
                output: linear(hidden, "attn.Wo", Some(hidden))?,
            };
            Ok(TransformerLayer {
                attention: SelfAttention::new(weights, config, config.layers[at], ropes[at].clone(), precision),
                attention_sum: AddNorm::default(),
                feed_forward: FeedForward {
                    pre_norm: Norm::load_optional(&vb.pp("mlp_norm"), config, hidden)?,
                    down: linear(up.outputs() / 2, "mlp.Wo", Some(hidden))?,
                    up,
                    activation: config.activation,
                    gated: true,
                    precision,
                },
                feed_forward_sum: AddNorm::default(),
            })
        };
        let layers: Result<Vec<_>> = (0..config.layers.len()).into_par_iter().map(layer).collect();
        Ok(Self {
            words: EmbeddingTable::load(&vb.pp("embeddings.tok_embeddings"), hidden, config.embedding_scale)?,
            embedding_norm: Norm::load(&vb.pp("embeddings.norm"), config, hidden)?,
            layers: layers?,
            final_norm: Norm::load(&vb.pp("final_norm"), config, hidden)?,
        })
    }

    /// The last layer's hidden states, `[tokens, hidden]`.
    pub(in crate::embed) fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let hidden = self.words.forward(batch)?;
        let hidden = forward_layers(&self.layers, self.embedding_norm.forward(&hidden)?, batch)?;
        self.final_norm.forward(&hidden)
    }
}
