//! Weights of a linear layer, packed once into the panels that the matrix product reads.

use std::ops::Range;

use crate::embed::kernels::Precision;
use crate::embed::kernels::pages::in_large_pages;
use crate::embed::kernels::tile::{Columns, LANES, Panel, Step};
use crate::embed::kernels::words::{Matrix, words};

/// A weight matrix `[outputs, inputs]` in panels of 32 outputs.
pub(in crate::embed) struct PackedWeights {
    pub(super) precision: Precision,
    pub(super) outputs: usize,
    pub(super) steps: usize,
    pub(super) panels: Vec<Step>,
    /// Initial sums, scales and biases of each panel's columns.
    pub(super) columns: Vec<Columns>,
}

impl PackedWeights {
    fn empty(precision: Precision, outputs: usize, inputs: usize) -> Self {
        let steps = inputs.div_ceil(precision.values_per_word());
        let count = outputs.div_ceil(LANES);
        Self { precision, outputs, steps, panels: vec![Step::EMPTY; count * steps], columns: vec![Columns::PLAIN; count] }
    }

    /// Packs `rows`, `[outputs, inputs]` row after row. In 8 bits each row is scaled by its own largest value.
    pub(in crate::embed) fn of(precision: Precision, inputs: usize, rows: &[f32], bias: Option<&[f32]>) -> Self {
        let mut packed = Self::empty(precision, rows.len() / inputs.max(1), inputs);
        let (mut row_words, mut scale) = (vec![0_u32; packed.steps], [0.0]);
        for (output, row) in rows.chunks_exact(inputs.max(1)).enumerate() {
            let matrix = Matrix { numbers: row, stride: inputs, rows: 1, columns: inputs };
            words(precision, matrix, &mut row_words, packed.steps, &mut scale);
            let bias = bias.and_then(|bias| bias.get(output).copied()).unwrap_or(0.0);
            if precision == Precision::Int8 {
                let sum = make_signed(&mut row_words, inputs);
                packed.set_int8_column(output, sum, scale[0], bias);
            } else {
                packed.columns[output / LANES].initial[output % LANES] = bias;
            }
            packed.set_words(output, &row_words);
        }
        in_large_pages(&packed.panels);
        packed
    }

    /// Packs `codes`, `[outputs, inputs]` in two's complement, as they are: a weight is its code times the scale of
    /// its row.
    pub(in crate::embed) fn of_int8(inputs: usize, codes: &[u8], scales: &[f32], bias: Option<&[f32]>) -> Self {
        let mut packed = Self::empty(Precision::Int8, codes.len() / inputs.max(1), inputs);
        let mut row_words = vec![0_u32; packed.steps];
        for (output, (row, scale)) in codes.chunks_exact(inputs.max(1)).zip(scales).enumerate() {
            for (word, bytes) in row_words.iter_mut().zip(row.chunks(4)) {
                let mut four = [0; 4];
                four[..bytes.len()].copy_from_slice(bytes);
                *word = u32::from_le_bytes(four);
            }
            let sum = row.iter().map(|code| i32::from(code.cast_signed())).sum();
            packed.set_int8_column(output, sum, *scale, bias.and_then(|bias| bias.get(output).copied()).unwrap_or(0.0));
            packed.set_words(output, &row_words);
        }
        in_large_pages(&packed.panels);
        packed
    }

    /// Activations are stored with an offset of 128, which the initial sum takes off again.
    #[expect(clippy::cast_precision_loss, reason = "a sum of some thousand bytes")]
    fn set_int8_column(&mut self, output: usize, sum_of_codes: i32, scale: f32, bias: f32) {
        let (columns, lane) = (&mut self.columns[output / LANES], output % LANES);
        columns.initial[lane] = -128.0 * sum_of_codes as f32;
        (columns.scales[lane], columns.bias[lane]) = (scale, bias);
    }

    fn set_words(&mut self, output: usize, row_words: &[u32]) {
        let first = output / LANES * self.steps;
        for (step, word) in self.panels[first..].iter_mut().zip(row_words) {
            step.0[output % LANES] = *word;
        }
    }

    /// Width of the product.
    pub(in crate::embed) fn outputs(&self) -> usize {
        self.outputs
    }

    /// A range of steps of a panel, for the `turn`th of `turns` tiles of rows: each of these prefetches its part of
    /// the steps that follow.
    pub(super) fn panel(&self, panel: usize, steps: Range<usize>, turn: usize, turns: usize) -> Panel<'_> {
        let begun = steps.start > 0;
        let (steps, after) = self.panels[panel * self.steps + steps.start..].split_at(steps.len());
        let next = &after[..after.len().min(steps.len())];
        let ahead = &next[turn * next.len() / turns..(turn + 1) * next.len() / turns];
        Panel { steps, columns: &self.columns[panel], begun, ahead }
    }

    /// Number of panels.
    pub(in crate::embed) fn count(&self) -> usize {
        self.columns.len()
    }
}

/// Takes the offset of 128 off each code of a row; returns their sum.
fn make_signed(row_words: &mut [u32], inputs: usize) -> i32 {
    let mut sum = 0_i32;
    for (step, word) in row_words.iter_mut().enumerate() {
        let mut bytes = word.to_le_bytes();
        for byte in bytes.iter_mut().take(inputs.saturating_sub(step * 4)) {
            *byte = byte.wrapping_sub(128);
            sum += i32::from(byte.cast_signed());
        }
        *word = u32::from_le_bytes(bytes);
    }
    sum
}
