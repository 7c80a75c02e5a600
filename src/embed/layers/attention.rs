//! Multi-head self-attention, `softmax(Q·Kᵀ · scale)·V` over packed sequences (Vaswani et al. 2017, section 3.2), with
//! grouped queries, rotary embeddings, causal masks and sliding windows where the family has them.

mod job;

use std::sync::Arc;

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor};

use super::super::batch::{PackedBatch, scratch_slice};
use super::super::config::{AttentionWindow, EncoderConfig};
use super::super::kernels::Precision;
use super::super::kernels::product::{PackedActivations, linear};
use super::super::kernels::words::RowsMut;
use super::norm::Norm;
use super::packed_linear::PackedLinear;
use super::rope::RotaryTable;
use super::{values, values_mut};
use job::AttentionJob;

/// A layer's attention: `[tokens, hidden] → [tokens, hidden]`.
pub(in crate::embed) struct SelfAttention {
    pre_norm: Option<Norm>,
    heads: Arc<AttentionHeads>,
    output: PackedLinear,
    /// Of the products of queries, keys and values.
    precision: Precision,
}

/// What the heads of a layer share.
pub(in crate::embed) struct AttentionHeads {
    query_key_value: PackedLinear,
    /// Of each head (Henry et al. 2020).
    query_norm: Option<Norm>,
    key_norm: Option<Norm>,
    rope: Option<Arc<RotaryTable>>,
    window: AttentionWindow,
    num_heads: usize,
    num_key_value_heads: usize,
    head_dim: usize,
    scale: f32,
    causal: bool,
}

/// The weights of a [`SelfAttention`].
pub(in crate::embed) struct AttentionWeights {
    pub(in crate::embed) pre_norm: Option<Norm>,
    /// The outputs of queries, keys and values stand one after another.
    pub(in crate::embed) query_key_value: PackedLinear,
    pub(in crate::embed) query_norm: Option<Norm>,
    pub(in crate::embed) key_norm: Option<Norm>,
    pub(in crate::embed) output: PackedLinear,
}

struct AttentionOp<'a> {
    layer: &'a SelfAttention,
    batch: &'a PackedBatch<'a>,
}

impl SelfAttention {
    pub(in crate::embed) fn new(
        weights: AttentionWeights,
        config: &EncoderConfig,
        window: AttentionWindow,
        rope: Option<Arc<RotaryTable>>,
        precision: Precision,
    ) -> Self {
        let AttentionWeights { pre_norm, query_key_value, query_norm, key_norm, output } = weights;
        let EncoderConfig { num_heads, num_key_value_heads, head_dim, attention_scale: scale, causal, .. } = *config;
        let heads = AttentionHeads {
            query_key_value,
            query_norm,
            key_norm,
            rope,
            window,
            num_heads,
            num_key_value_heads,
            head_dim,
            scale,
            causal,
        };
        // 8 bits are too few for attention weights.
        let precision = if precision == Precision::F32 { Precision::F32 } else { Precision::fastest_exact() };
        Self { pre_norm, heads: Arc::new(heads), output, precision }
    }

    /// What the layer adds to the residual stream.
    pub(in crate::embed) fn forward(&self, hidden: &Tensor, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let out = batch.spare(Some(hidden));
        out.inplace_op2(hidden, &AttentionOp { layer: self, batch })?;
        Ok(out)
    }
}

impl InplaceOp2 for AttentionOp<'_> {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, of_out: &Layout, hidden: &CpuStorage, of_hidden: &Layout) -> Result<()> {
        let (tokens, width) = of_hidden.shape().dims2()?;
        let (out, hidden) = (values_mut(out, of_out)?, values::<f32>(hidden, of_hidden)?);
        let Self { layer, batch } = self;
        let scratch = &mut *batch.scratch.borrow_mut();
        let rows = PackedActivations::unique(&mut scratch.rows);
        let weights = &layer.heads.query_key_value.weights;
        if let Some(norm) = &layer.pre_norm {
            let normed = scratch_slice(&mut scratch.narrow, hidden.len());
            normed.copy_from_slice(hidden);
            norm.apply_rows(normed);
            rows.fill(weights, normed, width);
        } else {
            rows.fill(weights, hidden, width);
        }
        let job = AttentionJob {
            heads: Arc::clone(&layer.heads),
            precision: layer.precision,
            rows: Arc::clone(&scratch.rows),
            lengths: Arc::clone(&batch.lengths),
        };
        let inner = layer.heads.num_heads * layer.heads.head_dim;
        let context = scratch_slice(&mut scratch.wide, tokens * inner);
        job.run(batch.cores, context, inner);
        PackedActivations::unique(&mut scratch.rows).fill(&layer.output.weights, context, inner);
        let out = RowsMut { numbers: out, stride: width };
        linear(&scratch.rows, &layer.output.weights, batch.cores, None, out);
        Ok(())
    }
}
