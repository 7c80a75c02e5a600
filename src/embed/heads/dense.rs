//! Linear layers behind pooling, as sentence-transformers' `Dense` module has them. They are small and stay in `f32`.

use candle_core::{Device, Module as _, Result, Tensor};
use candle_nn::{Linear, linear_b};

use crate::embed::folder::{Error, Files};
use crate::embed::weights::var_builder;

/// What a folder says of a layer behind pooling.
pub(in crate::embed) struct DenseLayout {
    pub(in crate::embed) file: String,
    pub(in crate::embed) inputs: usize,
    pub(in crate::embed) outputs: usize,
    pub(in crate::embed) tanh: bool,
}

/// A linear layer behind pooling.
pub(in crate::embed) struct Dense {
    linear: Linear,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    tanh: bool,
}

impl Dense {
    /// The layer that `layout` describes.
    ///
    /// # Errors
    /// When its file is missing or does not hold it.
    pub(in crate::embed) fn load(files: &Files, layout: &DenseLayout) -> std::result::Result<Self, Error> {
        let DenseLayout { file, inputs, outputs, tanh } = layout;
        let bytes = files.read(file)?;
        let load = || {
            let vb = var_builder(&bytes)?.pp("linear");
            linear_b(*inputs, *outputs, vb.contains_tensor("bias"), vb)
        };
        let linear = load().map_err(|error| files.broken(file, error))?;
        Ok(Self { linear, inputs: *inputs, outputs: *outputs, tanh: *tanh })
    }

    /// `[inputs] → [outputs]`.
    pub(super) fn apply(&self, vector: Vec<f32>) -> Result<Vec<f32>> {
        let made = self.linear.forward(&Tensor::from_vec(vector, (1, self.inputs), &Device::Cpu)?)?;
        let made = if self.tanh { made.tanh()? } else { made };
        made.flatten_all()?.to_vec1()
    }
}
