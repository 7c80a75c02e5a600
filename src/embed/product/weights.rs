//! Weights as products read them: packed once, panel after panel.

use std::ops::Range;

use crate::embed::kernels::Precision;
use crate::embed::kernels::pages::in_large_pages;
use crate::embed::kernels::tile::{Columns, LANES, Panel, Step};
use crate::embed::kernels::words::{Matrix, words};

/// A layer's weights, packed.
pub(in crate::embed) struct Weights {
    pub(super) precision: Precision,
    pub(super) outputs: usize,
    pub(super) steps: usize,
    pub(super) panels: Vec<Step>,
    /// For each panel, what its sums become.
    pub(super) columns: Vec<Columns>,
}

impl Weights {
    /// Packs `rows`, one row of `inputs` numbers an output.
    pub(in crate::embed) fn of(precision: Precision, inputs: usize, rows: &[f32], bias: Option<&[f32]>) -> Self {
        let outputs = rows.len() / inputs.max(1);
        let steps = inputs.div_ceil(precision.per_word());
        let count = outputs.div_ceil(LANES);
        let mut packed =
            Self { precision, outputs, steps, panels: vec![Step::EMPTY; count * steps], columns: vec![Columns::PLAIN; count] };
        let (mut packed_row, mut scale) = (vec![0_u32; steps], [0.0]);
        for (output, row) in rows.chunks_exact(inputs.max(1)).enumerate() {
            let (panel, lane) = (output / LANES, output % LANES);
            let row = Matrix { numbers: row, stride: inputs, rows: 1, columns: inputs };
            words(precision, row, &mut packed_row, steps, &mut scale);
            let bias = bias.and_then(|bias| bias.get(output).copied()).unwrap_or(0.0);
            let columns = &mut packed.columns[panel];
            if precision == Precision::Int8 {
                // Activations stand 128 above what they are.
                columns.initial[lane] = -128.0 * signed(&mut packed_row, inputs);
                (columns.scales[lane], columns.bias[lane]) = (scale[0], bias);
            } else {
                columns.initial[lane] = bias;
            }
            for (step, word) in packed_row.iter().enumerate() {
                packed.panels[panel * steps + step].0[lane] = *word;
            }
        }
        in_large_pages(&packed.panels);
        packed
    }

    /// Numbers that it makes of a row.
    pub(in crate::embed) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Some steps of a panel, which are worked on for the `turn`th of `turns` times: each fetches its part of what
    /// comes after them.
    pub(super) fn panel(&self, panel: usize, steps: Range<usize>, turn: usize, turns: usize) -> Panel<'_> {
        let begun = steps.start > 0;
        let (steps, after) = self.panels[panel * self.steps + steps.start..].split_at(steps.len());
        let next = &after[..after.len().min(steps.len())];
        let ahead = &next[turn * next.len() / turns..(turn + 1) * next.len() / turns];
        Panel { steps, columns: &self.columns[panel], begun, ahead }
    }

    /// How many panels there are.
    pub(in crate::embed) fn count(&self) -> usize {
        self.columns.len()
    }
}

/// Makes bytes that stand 128 too high signed ones, and gives their sum.
#[expect(clippy::cast_precision_loss, reason = "a sum of some thousand bytes")]
fn signed(line: &mut [u32], inputs: usize) -> f32 {
    let mut sum = 0_i32;
    for (step, word) in line.iter_mut().enumerate() {
        let mut bytes = word.to_le_bytes();
        for (at, byte) in bytes.iter_mut().enumerate().take_while(|(at, _)| step * 4 + at < inputs) {
            debug_assert!(at < 4, "four bytes a word");
            *byte = byte.wrapping_sub(128);
            sum += i32::from(byte.cast_signed());
        }
        *word = u32::from_le_bytes(bytes);
    }
    sum as f32
}
