//! The weights of a model folder as a Candle `VarBuilder`, 8-bit weights included.
//!
//! Candle has no signed 8-bit type. A tensor `NAME.weight` of type I8 with `NAME.weight_scale` beside it (one scale
//! a row; symmetric, per output channel, as the `compressed-tensors` library writes it) is multiplied out when it is
//! asked for in a floating type, so that any Candle model loads such a folder.

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use safetensors::Dtype;

/// Asked for in this type, a tensor comes as it is stored: floats in their own type, 8-bit codes as bytes in two's
/// complement.
pub(super) const STORED: DType = DType::U8;

/// Rows of a weight matrix that are 8-bit codes with a scale each, beside those that are numbers.
pub(super) const SCALE: &str = "weight_scale";

struct FolderWeights<'a>(SliceSafetensors<'a>);

/// The tensors of a safetensors file, as 32-bit floats unless asked for otherwise.
///
/// # Errors
/// When `bytes` are no safetensors file.
pub(super) fn var_builder(bytes: &[u8]) -> Result<VarBuilder<'_>> {
    let backend = Box::new(FolderWeights(SliceSafetensors::new(bytes)?));
    Ok(VarBuilder::from_backend(backend, DType::F32, Device::Cpu))
}

/// Whether the weights of a file's linear layers are 8-bit codes.
pub(super) fn has_int8_layers(bytes: &[u8]) -> bool {
    let tensors = SliceSafetensors::new(bytes)
        .map(|file| file.tensors().iter().any(|(name, view)| view.dtype() == Dtype::I8 && !name.contains("embed")));
    tensors.unwrap_or(false)
}

/// The tensor `name` as numbers, all of them finite.
///
/// # Errors
/// When it is missing, has another shape, or holds what is no number.
pub(super) fn floats(vb: &VarBuilder<'_>, shape: impl Into<Shape>, name: &str) -> Result<Vec<f32>> {
    finite(vb, &vb.get(shape, name)?, name)
}

/// The numbers of the tensor `name`, all of them finite.
pub(super) fn finite(vb: &VarBuilder<'_>, tensor: &Tensor, name: &str) -> Result<Vec<f32>> {
    let numbers = tensor.flatten_all()?.to_vec1::<f32>()?;
    if let Some(odd) = numbers.iter().find(|number| !number.is_finite()) {
        bail!("`{name}` of `{}` holds {odd}, which is no number", vb.prefix());
    }
    Ok(numbers)
}

impl SimpleBackend for FolderWeights<'_> {
    fn get(&self, shape: Shape, name: &str, _: candle_nn::Init, dtype: DType, device: &Device) -> Result<Tensor> {
        let tensor = self.get_unchecked(name, dtype, device)?;
        if tensor.shape() != &shape {
            bail!("`{name}` has shape {:?}, and the configuration says {shape:?}", tensor.shape());
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let view = self.0.get(name)?;
        if view.dtype() != Dtype::I8 {
            let tensor = self.0.load(name, device)?;
            return if dtype == STORED { Ok(tensor) } else { tensor.to_dtype(dtype) };
        }
        if dtype == STORED {
            return Tensor::from_slice(view.data(), view.shape(), device);
        }
        let scales = self.0.load(&format!("{name}_scale"), device)?.to_dtype(DType::F32)?;
        let codes: Vec<f32> = view.data().iter().map(|code| f32::from(code.cast_signed())).collect();
        let codes = Tensor::from_vec(codes, view.shape(), device)?;
        codes.broadcast_mul(&scales.reshape((scales.elem_count(), 1))?)?.to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.get(name).is_ok()
    }
}
