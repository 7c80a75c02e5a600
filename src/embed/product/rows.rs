//! Rows of activations as products read them: words, written anew for each product.

use std::sync::Arc;

use super::Weights;
use crate::embed::kernels::Precision;
use crate::embed::kernels::tile::Tile;
use crate::embed::kernels::words::words;

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
    pub(in crate::embed) fn of(weights: &Weights, values: &[f32], width: usize) -> Arc<Self> {
        let mut rows = Arc::default();
        Self::unique(&mut rows).fill_in(weights.precision, values, width, width);
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
        self.fill_in(weights.precision, values, width, width);
    }

    /// Takes the first `width` numbers of rows that lie `stride` apart.
    pub(in crate::embed) fn fill_in(&mut self, precision: Precision, values: &[f32], width: usize, stride: usize) {
        let precision = precision.of_rows();
        let steps = width.div_ceil(precision.per_word());
        // One line more, lest all rows of a tile fall into the same set of the cache.
        self.stride = steps.next_multiple_of(16) + 16;
        self.scales.clear();
        self.words.resize(values.len().div_ceil(stride) * self.stride, 0);
        for (row, line) in values.chunks(stride).zip(self.words.chunks_exact_mut(self.stride)) {
            self.scales.push(words(precision, &row[..width], &mut line[..steps]));
            // A panel of pairs reads on to the second word of its last, and the matrix unit to the end of a tile.
            line[steps..].fill(0);
        }
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
