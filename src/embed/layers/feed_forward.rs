//! The feed-forward part of a layer: two linear layers with an activation between them, gated or not
//! (Vaswani et al. 2017, section 3.3; Shazeer 2020 for gated linear units).

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor};

use super::super::batch::{PackedBatch, Scratch, scratch_slice};
use super::super::kernels::Precision;
use super::super::kernels::activation::{Activation, activate};
use super::super::kernels::product::{PackedActivations, linear};
use super::super::kernels::rows::multiply;
use super::super::kernels::tile::LANES;
use super::super::kernels::words::{Matrix, RowsMut};
use super::norm::Norm;
use super::packed_linear::PackedLinear;
use super::{values, values_mut};

/// Tokens of a block: their wide middle stays in the second-level cache.
const BLOCK_TOKENS: usize = 96;

/// `down(act(up(norm(x))))`, or `down(act(gate(norm(x))) ∘ up(norm(x)))`: `[tokens, hidden] → [tokens, hidden]`.
pub(in crate::embed) struct FeedForward {
    pub(in crate::embed) pre_norm: Option<Norm>,
    /// In gated layers the outputs of the gate, which are activated, stand before those they are multiplied with.
    pub(in crate::embed) up: PackedLinear,
    pub(in crate::embed) down: PackedLinear,
    pub(in crate::embed) activation: Activation,
    pub(in crate::embed) gated: bool,
    pub(in crate::embed) precision: Precision,
}

struct FeedForwardOp<'a> {
    layer: &'a FeedForward,
    batch: &'a PackedBatch<'a>,
}

impl FeedForward {
    /// What the layer adds to the residual stream.
    pub(in crate::embed) fn forward(&self, hidden: &Tensor, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let out = batch.spare(Some(hidden));
        out.inplace_op2(hidden, &FeedForwardOp { layer: self, batch })?;
        Ok(out)
    }

    /// Fills `rows` with `hidden`, normalised first where the family does.
    fn pack_input(&self, hidden: &[f32], width: usize, scratch: &mut Scratch) {
        let rows = PackedActivations::unique(&mut scratch.rows);
        if let Some(norm) = &self.pre_norm {
            let normed = scratch_slice(&mut scratch.narrow, hidden.len());
            normed.copy_from_slice(hidden);
            norm.apply_rows(normed);
            rows.fill(&self.up.weights, normed, width);
        } else {
            rows.fill(&self.up.weights, hidden, width);
        }
    }

    /// Element-wise steps run per block, while it is in the cache.
    fn forward_block(&self, hidden: &[f32], out: &mut [f32], width: usize, batch: &PackedBatch<'_>) {
        let (cores, scratch) = (batch.cores, &mut *batch.scratch.borrow_mut());
        self.pack_input(hidden, width, scratch);
        let (tokens, wide) = (hidden.len() / width, self.up.outputs());
        // Half a line more, so that the rows of a tile do not map to one set of the cache.
        let stride = wide.next_multiple_of(LANES) + LANES / 2;
        let middle = scratch_slice(&mut scratch.wide, tokens * stride);
        let activation = Some(self.activation).filter(|_| !self.gated);
        linear(&scratch.rows, &self.up.weights, cores, activation, RowsMut { numbers: middle, stride });
        let inner = if self.gated { wide / 2 } else { wide };
        if self.gated {
            for row in middle.chunks_exact_mut(stride) {
                let (gate, up) = row[..wide].split_at_mut(inner);
                activate(self.activation, gate);
                multiply(gate, up);
            }
        }
        let matrix = Matrix { numbers: middle, stride, rows: tokens, columns: inner };
        PackedActivations::unique(&mut scratch.rows).pack(self.precision, matrix);
        linear(&scratch.rows, &self.down.weights, cores, None, RowsMut { numbers: out, stride: width });
    }
}

impl InplaceOp2 for FeedForwardOp<'_> {
    fn name(&self) -> &'static str {
        "feed-forward"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, of_out: &Layout, hidden: &CpuStorage, of_hidden: &Layout) -> Result<()> {
        let (_, width) = of_hidden.shape().dims2()?;
        let (out, hidden) = (values_mut(out, of_out)?, values::<f32>(hidden, of_hidden)?);
        for (hidden, out) in hidden.chunks(BLOCK_TOKENS * width).zip(out.chunks_mut(BLOCK_TOKENS * width)) {
            self.layer.forward_block(hidden, out, width, self.batch);
        }
        Ok(())
    }
}
