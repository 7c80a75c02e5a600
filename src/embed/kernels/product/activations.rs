//! Activations as the matrix product reads them: packed anew for each product.

use std::sync::Arc;

use super::PackedWeights;
use crate::embed::kernels::Precision;
use crate::embed::kernels::tile::Tile;
use crate::embed::kernels::words::{Matrix, words};

/// Rows of activations `[tokens, width]`, packed into words.
#[derive(Default)]
pub(in crate::embed) struct PackedActivations {
    words: Vec<u32>,
    /// Words from one row to the next.
    pub(super) stride: usize,
    scales: Vec<f32>,
}

impl PackedActivations {
    /// Packs `values`, `[tokens, width]`, for a product with `weights`.
    pub(in crate::embed) fn of(weights: &PackedWeights, values: &[f32], width: usize) -> Self {
        let mut rows = Self::default();
        rows.fill(weights, values, width);
        rows
    }

    /// A buffer to be filled: a fresh one where a helper still holds `rows`.
    pub(in crate::embed) fn unique(rows: &mut Arc<Self>) -> &mut Self {
        if Arc::get_mut(rows).is_none() {
            *rows = Arc::default();
        }
        Arc::get_mut(rows).expect("a fresh buffer has one owner")
    }

    /// Replaces the contents with `values`, `[tokens, width]`, packed for a product with `weights`.
    pub(in crate::embed) fn fill(&mut self, weights: &PackedWeights, values: &[f32], width: usize) {
        let matrix = Matrix { numbers: values, stride: width, rows: values.len() / width, columns: width };
        self.pack(weights.precision, matrix);
    }

    /// Replaces the contents with the rows of a matrix.
    pub(in crate::embed) fn pack(&mut self, precision: Precision, matrix: Matrix<'_>) {
        let precision = precision.of_activations();
        // One cache line more, so that the rows of a tile do not map to one set of the cache. A panel of bf16 pairs
        // reads on to the second word of its last pair, and the matrix unit to the end of a tile.
        self.stride = matrix.columns.div_ceil(precision.values_per_word()).next_multiple_of(16) + 16;
        self.scales.resize(matrix.rows, 0.0);
        // The buffer never shrinks: growing it again would clear it again.
        self.words.resize(self.words.len().max(matrix.rows * self.stride), 0);
        words(precision, matrix, &mut self.words, self.stride, &mut self.scales);
    }

    /// Number of rows.
    pub(in crate::embed) fn len(&self) -> usize {
        self.scales.len()
    }

    /// The rows from `first` on, their words from `step` on.
    pub(in crate::embed) fn tile(&self, first: usize, step: usize) -> Tile<'_> {
        Tile { words: &self.words[first * self.stride + step..], stride: self.stride, scales: &self.scales[first..] }
    }
}
