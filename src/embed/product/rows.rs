//! Rows of activations as products read them: words, written anew for each product.

use std::sync::Arc;

use super::Weights;
use crate::embed::kernels::Precision;
use crate::embed::kernels::tile::Tile;
use crate::embed::kernels::words::{Matrix, words};

/// Rows of activations as a product reads them.
#[derive(Default)]
pub(in crate::embed) struct Rows {
    words: Vec<u32>,
    /// Words from one row to the next.
    pub(super) stride: usize,
    scales: Vec<f32>,
}

impl Rows {
    /// Rows of `width` numbers each, as `weights` are multiplied with.
    pub(in crate::embed) fn of(weights: &Weights, values: &[f32], width: usize) -> Self {
        let mut rows = Self::default();
        rows.fill(weights, values, width);
        rows
    }

    /// `rows` to be filled: others, where a helper has not let go of these yet.
    pub(in crate::embed) fn unique(rows: &mut Arc<Self>) -> &mut Self {
        if Arc::get_mut(rows).is_none() {
            *rows = Arc::default();
        }
        Arc::get_mut(rows).expect("nobody else knows them")
    }

    /// Takes rows of `width` numbers each; `weights` says how. What was in it is gone.
    pub(in crate::embed) fn fill(&mut self, weights: &Weights, values: &[f32], width: usize) {
        let matrix = Matrix { numbers: values, stride: width, rows: values.len() / width, columns: width };
        self.take(weights.precision, matrix);
    }

    /// Takes the rows of a matrix.
    pub(in crate::embed) fn take(&mut self, precision: Precision, matrix: Matrix<'_>) {
        let precision = precision.of_rows();
        // One line more, lest all rows of a tile fall into the same set of the cache. A panel of pairs reads on to the
        // second word of its last, and the matrix unit to the end of a tile.
        self.stride = matrix.columns.div_ceil(precision.per_word()).next_multiple_of(16) + 16;
        self.scales.resize(matrix.rows, 0.0);
        // It does not shrink: what is given back would be cleared when it is wanted again.
        self.words.resize(self.words.len().max(matrix.rows * self.stride), 0);
        words(precision, matrix, &mut self.words, self.stride, &mut self.scales);
    }

    /// How many there are.
    pub(in crate::embed) fn len(&self) -> usize {
        self.scales.len()
    }

    /// `rows` of them from `first` on, their words from `step` on.
    pub(in crate::embed) fn tile(&self, first: usize, step: usize) -> Tile<'_> {
        Tile { words: &self.words[first * self.stride + step..], stride: self.stride, scales: &self.scales[first..] }
    }
}
