//! Static models: a table of token vectors.

use candle_core::{DType, Device, safetensors};
use rayon::prelude::*;

use super::UnitVector;
use super::vector::dot;

/// One row a token.
pub(super) struct Table {
    rows: Vec<f32>,
    /// Length of each row: what the model learnt of the token's weight.
    norms: Vec<f32>,
    dimension: usize,
}

impl Table {
    /// The table in the bytes of a safetensors file that holds one matrix.
    pub(super) fn load(bytes: &[u8]) -> Result<Self, String> {
        let tensors = safetensors::load_buffer(bytes, &Device::Cpu).map_err(|error| error.to_string())?;
        let named = ["embedding.weight", "embeddings"].iter().find_map(|name| tensors.get(*name));
        let tensor = named.ok_or("no tensor `embedding.weight` or `embeddings`")?;
        let (_, dimension) = tensor.dims2().map_err(|error| error.to_string())?;
        let flat = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all());
        let rows: Vec<f32> = flat.and_then(|flat| flat.to_vec1()).map_err(|error| error.to_string())?;
        if dimension == 0 || rows.iter().any(|value| !value.is_finite()) {
            return Err("the table holds values that are no numbers".to_owned());
        }
        let norms = rows.par_chunks(dimension).map(|row| dot(row, row).sqrt()).collect();
        Ok(Self { rows, norms, dimension })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    fn row(&self, id: u32) -> Option<&[f32]> {
        let start = usize::try_from(id).ok()?.checked_mul(self.dimension)?;
        self.rows.get(start..start + self.dimension)
    }

    /// The mean of the tokens' rows, scaled to length one.
    pub(super) fn mean(&self, ids: &[u32]) -> Option<UnitVector> {
        let mut sum = vec![0.0_f32; self.dimension];
        for row in ids.iter().filter_map(|id| self.row(*id)) {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        UnitVector::of(sum)
    }

    /// For each text the weighted mean, over the question's tokens, of the squared
    /// cosine with the text's nearest token.
    pub(super) fn relevance(&self, question: &[u32], texts: &[Vec<u32>]) -> Vec<f32> {
        let asked: Vec<(&[f32], f32)> = question.iter().filter_map(|id| Some((self.row(*id)?, self.norm(*id)))).collect();
        let weight: f32 = asked.iter().map(|(_, norm)| norm).sum();
        if weight <= 0.0 {
            return vec![0.0; texts.len()];
        }
        // Texts share most of their tokens: each is compared once.
        let mut distinct: Vec<u32> = texts.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let cosines: Vec<Vec<f32>> = distinct
            .par_iter()
            .with_min_len(256)
            .map(|id| {
                let row = self.row(*id).unwrap_or_default();
                let norm = self.norm(*id);
                asked.iter().map(|(other, other_norm)| (dot(row, other) / (norm * other_norm).max(1e-9)).max(0.0)).collect()
            })
            .collect();
        let score = |text: &Vec<u32>| {
            let mut best = vec![0.0_f32; asked.len()];
            for id in text {
                let Ok(at) = distinct.binary_search(id) else { continue };
                best.iter_mut().zip(&cosines[at]).for_each(|(best, cosine)| *best = best.max(*cosine));
            }
            best.iter().zip(&asked).map(|(best, (_, norm))| best * best * norm).sum::<f32>() / weight
        };
        texts.iter().map(score).collect()
    }

    fn norm(&self, id: u32) -> f32 {
        usize::try_from(id).ok().and_then(|id| self.norms.get(id)).copied().unwrap_or(0.0)
    }
}
