//! Embedding tables: rows by token, position or token type, in the type in which the folder stores them.

use candle_core::{CpuStorage, DType, Device, InplaceOp2, Layout, Result, Storage, Tensor, bail};
use candle_nn::VarBuilder;

use super::super::batch::PackedBatch;
use super::super::kernels::add_bytes;
use super::super::weights::{SCALE, STORED, finite};
use super::packed_linear::scales;
use super::{values, values_mut};

/// A table `[rows, width]`. Rows in 16 or 8 bits stay so in memory, for a vocabulary is large, and are converted when
/// they are gathered. An index without a row gives zeros.
pub(in crate::embed) struct EmbeddingTable {
    rows: Tensor,
    /// The scale of each row of 8-bit codes; empty for others.
    scales: Vec<f32>,
    /// Factor of all rows.
    factor: f32,
    width: usize,
}

impl EmbeddingTable {
    /// The table `vb`, whose rows have `width` values and are multiplied by `factor`.
    pub(in crate::embed) fn load(vb: &VarBuilder<'_>, width: usize, factor: f32) -> Result<Self> {
        let mut rows = vb.get_unchecked_dtype("weight", STORED)?;
        let (count, found) = rows.dims2()?;
        if found != width {
            bail!("`{}` has rows of {found} numbers, and the configuration says {width}", vb.prefix());
        }
        let mut row_scales = vec![];
        if rows.dtype() == DType::U8 && vb.contains_tensor(SCALE) {
            row_scales = scales(vb, count)?;
        } else if rows.dtype() != DType::BF16 {
            rows = Tensor::from_vec(finite(vb, &rows.to_dtype(DType::F32)?, "weight")?, (count, width), &Device::Cpu)?;
        }
        Ok(Self { rows, scales: row_scales, factor, width })
    }

    /// The table without its first rows.
    pub(in crate::embed) fn skip(self, first: usize) -> Result<Self> {
        let first = first.min(self.len());
        let rows = self.rows.narrow(0, first, self.len() - first)?;
        Ok(Self { rows, scales: self.scales.into_iter().skip(first).collect(), ..self })
    }

    /// Values in a row.
    pub(in crate::embed) fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub(in crate::embed) fn len(&self) -> usize {
        self.rows.dim(0).unwrap_or(0)
    }

    /// The rows of a batch's tokens, `[tokens, width]`.
    pub(in crate::embed) fn forward(&self, batch: &PackedBatch<'_>) -> Result<Tensor> {
        let hidden = batch.spare(None);
        hidden.zero_set()?;
        self.add_to(&hidden, &batch.input_ids)?;
        Ok(hidden)
    }

    /// The rows of `indices`: `[tokens, width]`.
    pub(in crate::embed) fn rows(&self, indices: &[u32]) -> Result<Tensor> {
        let rows = Tensor::zeros((indices.len(), self.width), DType::F32, &Device::Cpu)?;
        self.add_to(&rows, &Tensor::new(indices, &Device::Cpu)?)?;
        Ok(rows)
    }

    /// Adds the rows of `indices`, `[tokens]`, to `hidden`, `[tokens, width]`, in place.
    pub(in crate::embed) fn add_to(&self, hidden: &Tensor, indices: &Tensor) -> Result<()> {
        hidden.inplace_op2(indices, self)
    }

    /// Adds the rows of `indices` to those of `out`.
    fn gather(&self, indices: &[u32], out: &mut [f32]) -> Result<()> {
        let (storage, layout) = self.rows.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("a table is not on the processor") };
        let range = |index: u32| index as usize * self.width..(index as usize + 1) * self.width;
        let rows = indices.iter().zip(out.chunks_exact_mut(self.width));
        if let CpuStorage::BF16(numbers) = storage {
            let Some((from, to)) = layout.contiguous_offsets() else { bail!("a table is not contiguous") };
            for (index, out) in rows {
                let row = numbers[from..to].get(range(*index)).unwrap_or_default();
                out.iter_mut().zip(row).for_each(|(sum, number)| *sum += number.to_f32() * self.factor);
            }
        } else if self.scales.is_empty() {
            let numbers = values::<f32>(storage, layout)?;
            for (index, out) in rows {
                let row = numbers.get(range(*index)).unwrap_or_default();
                out.iter_mut().zip(row).for_each(|(sum, number)| *sum += number * self.factor);
            }
        } else {
            let codes = values::<u8>(storage, layout)?;
            for (index, out) in rows {
                let scale = self.scales.get(*index as usize).copied().unwrap_or(0.0);
                add_bytes(codes.get(range(*index)).unwrap_or_default(), scale * self.factor, out);
            }
        }
        Ok(())
    }
}

impl InplaceOp2 for EmbeddingTable {
    fn name(&self) -> &'static str {
        "add-embedding"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout, indices: &CpuStorage, of_indices: &Layout) -> Result<()> {
        self.gather(values::<u32>(indices, of_indices)?, values_mut(storage, layout)?)
    }
}
