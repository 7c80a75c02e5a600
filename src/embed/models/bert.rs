//! BERT (Devlin et al. 2019, arXiv:1810.04805) and XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116).
//!
//! Learned positions, token types, post-norm layers. Tensors are named as in transformers' `BertModel`.

use std::sync::Arc;

use candle_core::{Module as _, Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::{TransformerLayer, forward_layers};
use crate::embed::batch::PackedBatch;
use crate::embed::config::{EncoderConfig, Positions};
use crate::embed::kernels::Precision;
use crate::embed::layers::attention::{AttentionWeights, SelfAttention};
use crate::embed::layers::embedding::EmbeddingTable;
use crate::embed::layers::feed_forward::FeedForward;
use crate::embed::layers::norm::{AddNorm, Norm};
use crate::embed::layers::packed_linear::PackedLinear;

/// A tensor that every folder has, by which its prefix is known.
pub(super) const KNOWN: &str = "embeddings.word_embeddings.weight";

/// Embeddings and layers; there is no norm behind the last.
pub(in crate::embed) struct BertModel {
    embeddings: BertEmbeddings,
    layers: Vec<TransformerLayer>,
}

/// Token + position + type embeddings, normalised: `[tokens, hidden]`.
struct BertEmbeddings {
    words: Arc<EmbeddingTable>,
    positions: EmbeddingTable,
    token_types: EmbeddingTable,
    norm: Norm,
}

impl BertModel {
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, precision: Precision) -> Result<Self> {
        let words = EmbeddingTable::load(&vb.pp("embeddings.word_embeddings"), config.hidden_size, config.embedding_scale)?;
        Self::load_with_words(vb, config, precision, Arc::new(words))
    }

    /// The same over word embeddings that another model has.
    pub(in crate::embed) fn load_with_words(
        vb: &VarBuilder<'_>,
        config: &EncoderConfig,
        precision: Precision,
        words: Arc<EmbeddingTable>,
    ) -> Result<Self> {
        let layer = |at| bert_layer(&vb.pp(format!("encoder.layer.{at}")), config, at, precision);
        let layers: Result<Vec<_>> = (0..config.layers.len()).into_par_iter().map(layer).collect();
        let (vb, hidden) = (vb.pp("embeddings"), config.hidden_size);
        // The row of a text's first token.
        let first = match config.positions {
            Positions::Learned { first } => first,
            Positions::Rotary => 0,
        };
        let embeddings = BertEmbeddings {
            words,
            positions: EmbeddingTable::load(&vb.pp("position_embeddings"), hidden, 1.0)?.skip(first)?,
            token_types: EmbeddingTable::load(&vb.pp("token_type_embeddings"), hidden, 1.0)?,
            norm: Norm::load(&vb.pp("LayerNorm"), config, hidden)?,
        };
        Ok(Self { embeddings, layers: layers? })
    }

    /// The table of word embeddings, for others to share.
    pub(in crate::embed) fn words(&self) -> &Arc<EmbeddingTable> {
        &self.embeddings.words
    }

    /// Number of token types.
    pub(in crate::embed) fn token_types(&self) -> usize {
        self.embeddings.token_types.len()
    }

    /// Tokens that there are positions for.
    pub(in crate::embed) fn max_positions(&self) -> usize {
        self.embeddings.positions.len()
    }

    /// The last layer's hidden states, `[tokens, hidden]`.
    pub(in crate::embed) fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        forward_layers(&self.layers, self.embeddings.forward(batch)?, batch)
    }
}

impl BertEmbeddings {
    fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let hidden = self.words.forward(batch)?;
        self.positions.add_to(&hidden, &batch.positions)?;
        self.token_types.add_to(&hidden, &batch.token_types)?;
        self.norm.forward(&hidden)
    }
}

fn bert_layer(vb: &VarBuilder<'_>, config: &EncoderConfig, at: usize, precision: Precision) -> Result<TransformerLayer> {
    let hidden = config.hidden_size;
    let linear = |vb: &VarBuilder<'_>, inputs, names: &[(&str, Option<usize>)]| PackedLinear::load(vb, precision, inputs, names);
    let parts = [("query", Some(hidden)), ("key", Some(hidden)), ("value", Some(hidden))];
    let weights = AttentionWeights {
        pre_norm: None,
        query_key_value: linear(&vb.pp("attention.self"), hidden, &parts)?,
        query_norm: None,
        key_norm: None,
        output: linear(vb, hidden, &[("attention.output.dense", Some(hidden))])?,
    };
    let up = linear(vb, hidden, &[("intermediate.dense", None)])?;
    let down = linear(vb, up.outputs(), &[("output.dense", Some(hidden))])?;
    let sum = |name: &str| {
        let norm = Norm::load(&vb.pp(name), config, hidden)?;
        Ok::<_, candle_core::Error>(AddNorm { branch_norm: None, sum_norm: Some(norm) })
    };
    Ok(TransformerLayer {
        attention: SelfAttention::new(weights, config, config.layers[at], None, precision),
        attention_sum: sum("attention.output.LayerNorm")?,
        feed_forward: FeedForward { pre_norm: None, up, down, activation: config.activation, gated: false, precision },
        feed_forward_sum: sum("output.LayerNorm")?,
    })
}
