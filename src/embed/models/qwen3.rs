//! Qwen3 (Qwen Team 2025, arXiv:2505.09388) as an embedder (Zhang et al. 2025, arXiv:2506.05176): causal grouped-query
//! attention with norms of queries and keys, rotary positions, pre-norm layers with `RMSNorm`.

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
pub(super) const KNOWN: &str = "embed_tokens.weight";

/// Embeddings, layers, and a norm behind the last.
pub(in crate::embed) struct Qwen3Model {
    words: EmbeddingTable,
    layers: Vec<TransformerLayer>,
    norm: Norm,
}

impl Qwen3Model {
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<Self> {
        let hidden = config.hidden_size;
        let ropes = rotary_tables(config);
        let layer = |at: usize| -> Result<TransformerLayer> {
            let vb = vb.pp(format!("layers.{at}"));
            Ok(TransformerLayer {
                attention: SelfAttention::new(
                    attention_weights(&vb, config, precision)?,
                    config,
                    config.layers[at],
                    ropes[at].clone(),
                    precision,
                ),
                attention_sum: AddNorm::default(),
                feed_forward: gated_feed_forward(&vb, "post_attention_layernorm", config, precision)?,
                feed_forward_sum: AddNorm::default(),
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

/// The attention of a decoder's layer, as Qwen3 and Gemma 3 have it.
pub(super) fn attention_weights(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<AttentionWeights> {
    let EncoderConfig { hidden_size: hidden, num_heads, num_key_value_heads, head_dim, .. } = *config;
    let of_heads = |name, heads: usize| (name, Some(heads * head_dim));
    let parts = [of_heads("q_proj", num_heads), of_heads("k_proj", num_key_value_heads), of_heads("v_proj", num_key_value_heads)];
    let of_attention = vb.pp("self_attn");
    Ok(AttentionWeights {
        pre_norm: Norm::load_optional(&vb.pp("input_layernorm"), config, hidden)?,
        query_key_value: PackedLinear::load(&of_attention, precision, hidden, &parts)?,
        query_norm: Norm::load_optional(&of_attention.pp("q_norm"), config, head_dim)?,
        key_norm: Norm::load_optional(&of_attention.pp("k_norm"), config, head_dim)?,
        output: PackedLinear::load(&of_attention, precision, num_heads * head_dim, &[("o_proj", Some(hidden))])?,
    })
}

/// The gated feed-forward part of a decoder's layer; `pre_norm` names the norm before it.
pub(super) fn gated_feed_forward(
    vb: &VarBuilder<'_>,
    pre_norm: &str,
    config: &EncoderConfig,
    precision: Precision,
) -> Result<FeedForward> {
    let (hidden, of_mlp) = (config.hidden_size, vb.pp("mlp"));
    let up = PackedLinear::load(&of_mlp, precision, hidden, &[("gate_proj", None), ("up_proj", None)])?;
    Ok(FeedForward {
        pre_norm: Norm::load_optional(&vb.pp(pre_norm), config, hidden)?,
        down: PackedLinear::load(&of_mlp, precision, up.outputs() / 2, &[("down_proj", Some(hidden))])?,
        up,
        activation: config.activation,
        gated: true,
        precision,
    })
}
