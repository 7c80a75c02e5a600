//! A linear layer `x·Wᵀ + b` whose weights are packed once for the processor's widest products.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Module, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::super::kernels::Precision;
use super::super::kernels::product::{Cores, PackedActivations, PackedWeights, linear};
use super::super::kernels::words::RowsMut;
use super::super::weights::{SCALE, STORED, finite, floats};
use super::values;

/// Linear layers over the same input, their outputs one after another: `[tokens, inputs] → [tokens, outputs]`.
pub(in crate::embed) struct PackedLinear {
    pub(in crate::embed) weights: Arc<PackedWeights>,
    inputs: usize,
}

/// The weights of one layer as the folder has them, `[outputs, inputs]`.
enum Rows {
    Floats(Vec<f32>),
    /// Codes in two's complement, and the scale of each row.
    Int8(Vec<u8>, Vec<f32>),
}

impl PackedLinear {
    /// The layers `names` of `vb` with `inputs` inputs; `outputs` where the configuration says how many each has.
    pub(in crate::embed) fn load(
        vb: &VarBuilder<'_>,
        precision: Precision,
        inputs: usize,
        names: &[(&str, Option<usize>)],
    ) -> Result<Self> {
        let (mut parts, mut bias) = (Vec::new(), Vec::new());
        for (name, outputs) in names {
            let vb = vb.pp(name);
            let rows = Rows::load(&vb, precision, inputs, *outputs)?;
            let outputs = rows.count(inputs);
            bias.extend(if vb.contains_tensor("bias") { floats(&vb, outputs, "bias")? } else { vec![0.0; outputs] });
            parts.push(rows);
        }
        let weights = if parts.iter().all(|rows| matches!(rows, Rows::Int8(..))) {
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            for part in parts {
                if let Rows::Int8(part, of_part) = part {
                    codes.extend(part);
                    scales.extend(of_part);
                }
            }
            PackedWeights::of_int8(inputs, &codes, &scales, Some(&bias))
        } else {
            let rows: Vec<f32> = parts.into_iter().flat_map(|rows| rows.into_floats(inputs)).collect();
            PackedWeights::of(precision, inputs, &rows, Some(&bias))
        };
        Ok(Self { weights: Arc::new(weights), inputs })
    }

    /// Width of the output.
    pub(in crate::embed) fn outputs(&self) -> usize {
        self.weights.outputs()
    }
}

impl Rows {
    fn load(vb: &VarBuilder<'_>, precision: Precision, inputs: usize, outputs: Option<usize>) -> Result<Self> {
        let is_int8 = vb.contains_tensor(SCALE);
        if precision == Precision::Int8 && is_int8 {
            let codes = vb.get_unchecked_dtype("weight", STORED)?;
            check_shape(vb, &codes, inputs, outputs)?;
            return Ok(Self::Int8(codes.flatten_all()?.to_vec1()?, scales(vb, codes.dim(0)?)?));
        }
        let weight = vb.get_unchecked("weight")?;
        check_shape(vb, &weight, inputs, outputs)?;
        Ok(Self::Floats(finite(vb, &weight, "weight")?))
    }

    fn count(&self, inputs: usize) -> usize {
        match self {
            Self::Floats(rows) => rows.len() / inputs.max(1),
            Self::Int8(_, scales) => scales.len(),
        }
    }

    fn into_floats(self, inputs: usize) -> Vec<f32> {
        match self {
            Self::Floats(rows) => rows,
            Self::Int8(codes, scales) => {
                let rows = codes.chunks_exact(inputs.max(1)).zip(scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |code| f32::from(code.cast_signed()) * scale)).collect()
            }
        }
    }
}

/// Refuses a weight matrix that is not `[outputs, inputs]`; `outputs` where the configuration says how many.
fn check_shape(vb: &VarBuilder<'_>, weight: &Tensor, inputs: usize, outputs: Option<usize>) -> Result<()> {
    let (found, width) = weight.dims2()?;
    if width != inputs || outputs.is_some_and(|outputs| outputs != found) {
        let outputs = outputs.map_or_else(|| "its".to_owned(), |outputs| outputs.to_string());
        bail!("`{}.weight` is [{found}, {width}], and the configuration says {outputs} rows of {inputs}", vb.prefix());
    }
    Ok(())
}

/// The scales of so many rows, stored as `[rows]` or `[rows, 1]`.
pub(super) fn scales(vb: &VarBuilder<'_>, rows: usize) -> Result<Vec<f32>> {
    let shape: Shape = vb.get_unchecked(SCALE)?.shape().clone();
    if shape.elem_count() != rows {
        bail!("`{}` has {rows} rows, and {} scales", vb.prefix(), shape.elem_count());
    }
    floats(vb, shape, SCALE)
}

impl CustomOp1 for PackedLinear {
    fn name(&self) -> &'static str {
        "packed-linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = Arc::new(PackedActivations::of(&self.weights, values(storage, layout)?, self.inputs));
        let mut out = vec![0.0; rows.len() * self.outputs()];
        linear(&rows, &self.weights, Cores::One, None, RowsMut { numbers: &mut out, stride: self.outputs() });
        Ok((CpuStorage::F32(out), Shape::from((rows.len(), self.outputs()))))
    }
}

impl Module for PackedLinear {
    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        hidden.apply_op1_no_bwd(self)
    }
}
