//! Static models: a table of token vectors.
//!
//! A table in 8 bits stays as it lies in the file (or in the binary): a row is its
//! bytes times its token's weight. Other tables are kept as 32-bit numbers.

use std::borrow::Cow;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};
use safetensors::{Dtype, SafeTensors};

use super::UnitVector;
use super::defect::ModelDefect;
use super::kernels::add_bytes;

enum Rows {
    Floats(Vec<f32>),
    /// The whole file, and where the rows begin in it.
    Bytes {
        file: Cow<'static, [u8]>,
        start: usize,
    },
}

enum Row<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
}

/// One row a token: `[tokens, dimension]`.
pub(super) struct Table {
    rows: Rows,
    dimension: usize,
    /// What each row is multiplied by.
    weights: Vec<f32>,
}

impl Table {
    /// The table in the bytes of a safetensors file: `embedding.weight`, or Model2Vec's
    /// `embeddings` with a number a token in `weights`, where it has them.
    pub(super) fn load(file: Cow<'static, [u8]>) -> Result<Self, ModelDefect> {
        let Parts { rows, tokens, dimension, weights } = Parts::of(file)?;
        let weights = weights.unwrap_or_else(|| vec![1.0; tokens]);
        if weights.len() != tokens || dimension == 0 {
            let what = format!("weights of a table of {tokens} rows of {dimension} numbers");
            return Err(ModelDefect::size(what, weights.len(), &tokens));
        }
        let floats = if let Rows::Floats(rows) = &rows { rows.as_slice() } else { &[] };
        if weights.iter().chain(floats).any(|value| !value.is_finite()) {
            return Err(ModelDefect::NotFinite);
        }
        Ok(Self { rows, dimension, weights })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    fn row(&self, token: usize) -> Option<Row<'_>> {
        let from = token.checked_mul(self.dimension)?;
        let to = from.checked_add(self.dimension)?;
        match &self.rows {
            Rows::Floats(rows) => rows.get(from..to).map(Row::Floats),
            Rows::Bytes { file, start } => file.get(start + from..start + to).map(Row::Bytes),
        }
    }

    /// The mean of the tokens' rows, scaled to length one.
    pub(super) fn mean(&self, ids: &[u32]) -> Option<UnitVector> {
        let mut sum = vec![0.0_f32; self.dimension];
        for token in ids.iter().filter_map(|id| usize::try_from(*id).ok()) {
            let (Some(row), Some(weight)) = (self.row(token), self.weights.get(token)) else { continue };
            match row {
                Row::Floats(row) => sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value),
                Row::Bytes(row) => add_bytes(row, *weight, &mut sum),
            }
        }
        UnitVector::of(sum)
    }
}

/// What a safetensors file holds of a table.
struct Parts {
    rows: Rows,
    tokens: usize,
    dimension: usize,
    weights: Option<Vec<f32>>,
}

impl Parts {
    fn of(file: Cow<'static, [u8]>) -> Result<Self, ModelDefect> {
        let (header, metadata) = SafeTensors::read_metadata(&file)?;
        if metadata.info("mapping").is_some() {
            return Err(ModelDefect::unsupported("tensor", "mapping", "a row for each token"));
        }
        let named = ["embedding.weight", "embeddings"].into_iter().find_map(|name| Some((name, metadata.info(name)?)));
        let (name, info) = named.ok_or_else(|| ModelDefect::Missing("a tensor `embedding.weight` or `embeddings`".to_owned()))?;
        let [tokens, dimension] = info.shape[..] else {
            return Err(ModelDefect::size(format!("dimensions of `{name}`"), info.shape.len(), &2));
        };
        let in_bytes = info.dtype == Dtype::I8;
        // Eight bytes say how long the header is.
        let start = 8 + header + info.data_offsets.0;
        let weights = metadata.info("weights").map(|_| floats(&file, "weights")).transpose()?;
        let rows = if in_bytes { None } else { Some(floats(&file, name)?) };
        let rows = rows.map_or(Rows::Bytes { file, start }, Rows::Floats);
        Ok(Self { rows, tokens, dimension, weights })
    }
}

/// One tensor as 32-bit numbers.
fn floats(file: &[u8], name: &str) -> Result<Vec<f32>, ModelDefect> {
    Ok(SliceSafetensors::new(file)?.load(name, &Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}
