//! Normalisation: `LayerNorm` (Ba et al. 2016) and `RMSNorm` (Zhang & Sennrich 2019), alone or with the residual sum.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, Layout, Module, Result, Tensor};
use candle_nn::VarBuilder;

use super::super::config::{EncoderConfig, NormKind};
use super::super::kernels::rows::{add, layer_norm, root_norm};
use super::super::weights::floats;
use super::{values, values_mut};

/// A normalisation with learned weights; an empty bias adds nothing.
pub(in crate::embed) struct Norm {
    kind: NormKind,
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl Norm {
    /// The norm `vb` of rows of `width` values.
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, config: &EncoderConfig, width: usize) -> Result<Self> {
        // BERT's first checkpoints name them gamma and beta.
        let [weight, bias] = if vb.contains_tensor("gamma") { ["gamma", "beta"] } else { ["weight", "bias"] };
        let offset = match config.norm {
            NormKind::LayerNorm => 0.0,
            NormKind::RmsNorm { offset } => offset,
        };
        Ok(Self {
            kind: config.norm,
            weight: floats(vb, width, weight)?.into_iter().map(|number| number + offset).collect(),
            bias: if vb.contains_tensor(bias) { floats(vb, width, bias)? } else { vec![] },
            epsilon: config.norm_eps,
        })
    }

    /// The same; `None` where the folder has no such norm.
    pub(in crate::embed) fn load_optional(vb: &VarBuilder<'_>, config: &EncoderConfig, width: usize) -> Result<Option<Self>> {
        let there = vb.contains_tensor("weight") || vb.contains_tensor("gamma");
        there.then(|| Self::load(vb, config, width)).transpose()
    }

    /// Normalises one row in place.
    pub(in crate::embed) fn apply(&self, row: &mut [f32]) {
        match self.kind {
            NormKind::LayerNorm => layer_norm(row, &self.weight, &self.bias, self.epsilon),
            NormKind::RmsNorm { .. } => root_norm(row, &self.weight, self.epsilon),
        }
    }

    /// Normalises rows in place.
    pub(in crate::embed) fn apply_rows(&self, rows: &mut [f32]) {
        rows.chunks_exact_mut(self.weight.len()).for_each(|row| self.apply(row));
    }
}

impl InplaceOp1 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        self.apply_rows(values_mut(storage, layout)?);
        Ok(())
    }
}

/// In place: the tensor that goes in is the one that comes out, normalised.
impl Module for Norm {
    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        hidden.inplace_op1(self)?;
        Ok(hidden.clone())
    }
}

/// Adds the residual to what a branch (attention or feed-forward) computed: `sum_norm(branch_norm(branch) + residual)`.
///
/// BERT normalises the sum ("post-norm"), Gemma 3 the branch; most others neither ("pre-norm").
#[derive(Default)]
pub(in crate::embed) struct AddNorm {
    pub(in crate::embed) branch_norm: Option<Norm>,
    pub(in crate::embed) sum_norm: Option<Norm>,
}

impl AddNorm {
    /// The new hidden states, in the place of `branch`.
    pub(in crate::embed) fn forward(&self, branch: Tensor, residual: &Tensor) -> Result<Tensor> {
        branch.inplace_op2(residual, self)?;
        Ok(branch)
    }
}

impl InplaceOp2 for AddNorm {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout, residual: &CpuStorage, residual_layout: &Layout) -> Result<()> {
        let width = layout.shape().dims().last().copied().unwrap_or(1).max(1);
        let (branch, residual) = (values_mut(storage, layout)?, values::<f32>(residual, residual_layout)?);
        for (row, residual) in branch.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
            if let Some(norm) = &self.branch_norm {
                norm.apply(row);
            }
            add(row, residual);
            if let Some(norm) = &self.sum_norm {
                norm.apply(row);
            }
        }
        Ok(())
    }
}
