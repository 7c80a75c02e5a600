//! Candle modules that the models are built of.
//!
//! Each is a custom operation whose `cpu_fwd` runs on packed weights, and coarse enough that what lies between two
//! matrix products stays in the processor's cache. Hidden states are `[tokens, hidden]`: texts lie packed one after
//! another, without padding.

pub(super) mod attention;
pub(super) mod embedding;
pub(super) mod feed_forward;
pub(super) mod norm;
pub(super) mod packed_linear;
pub(super) mod rope;

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// The values of a contiguous operand.
fn values<'a, T: candle_core::WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let Some((from, to)) = layout.contiguous_offsets() else { bail!("an operand is not contiguous: {layout:?}") };
    Ok(&storage.as_slice::<T>()?[from..to])
}

/// The values of a contiguous operand that is written in place.
fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let Some((from, to)) = layout.contiguous_offsets() else { bail!("an operand is not contiguous: {layout:?}") };
    let CpuStorage::F32(values) = storage else { bail!("an operand is not of 32-bit floats") };
    Ok(&mut values[from..to])
}

/// Hands the values of a contiguous tensor of 32-bit floats to `read`, without a copy.
pub(super) fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => read(values(storage, layout)?),
        Storage::Cuda(_) | Storage::Metal(_) => bail!("a tensor is not on the processor"),
    }
}
