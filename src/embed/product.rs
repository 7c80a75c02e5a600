//! Products of activations and weights: what an encoder does nearly all of the time.
//!
//! Weights are packed once, into panels of 32 outputs whose words a tile's steps read one after another.
//! Activations become words row by row. A block of rows that fits the cache meets all panels before the
//! next block comes.

use std::sync::Arc;

use super::kernels::activation::{Activation, activate};
use super::kernels::pages::in_large_pages;
use super::kernels::tile::{Columns, LANES, Line, ROWS, Step, Tile, tile};
use super::kernels::words::words;
use super::kernels::{Precision, amx};
use super::team::{Team, Work};

/// Words of activations that are worked on at once: they stay in the processor's second cache.
const BLOCK_WORDS: usize = 160 * 1024;

/// Multiplications that are worth dividing.
const WORTH_SHARING: usize = 1 << 18;

/// Who works on a product.
#[derive(Clone, Copy)]
pub(super) enum Cores<'a> {
    /// The calling thread: the others have work of their own.
    One,
    /// A team, each of it some of the outputs.
    Team(&'a Team<'a>),
}

/// A layer's weights, packed.
pub(super) struct Weights {
    precision: Precision,
    outputs: usize,
    steps: usize,
    panels: Vec<Step>,
    /// For each panel, what its sums become.
    columns: Vec<Columns>,
}

impl Weights {
    /// Packs `rows`, one row of `inputs` numbers an output.
    pub(super) fn of(precision: Precision, inputs: usize, rows: &[f32], bias: Option<&[f32]>) -> Self {
        let outputs = rows.len() / inputs.max(1);
        let steps = inputs.div_ceil(precision.per_word());
        let count = outputs.div_ceil(LANES);
        let mut packed =
            Self { precision, outputs, steps, panels: vec![Step::EMPTY; count * steps], columns: vec![Columns::PLAIN; count] };
        let mut packed_row = vec![0_u32; steps];
        for (output, row) in rows.chunks_exact(inputs.max(1)).enumerate() {
            let (panel, lane) = (output / LANES, output % LANES);
            packed_row.fill(0);
            let scale = words(precision, row, &mut packed_row);
            let bias = bias.and_then(|bias| bias.get(output).copied()).unwrap_or(0.0);
            let columns = &mut packed.columns[panel];
            if precision == Precision::Int8 {
                // Activations stand 128 above what they are.
                columns.initial[lane] = -128.0 * signed(&mut packed_row, inputs);
                (columns.scales[lane], columns.bias[lane]) = (scale, bias);
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
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    fn panel(&self, panel: usize) -> &[Step] {
        &self.panels[panel * self.steps..][..self.steps]
    }

    fn count(&self) -> usize {
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

/// Rows of activations as a product reads them.
#[derive(Default)]
pub(super) struct Rows {
    words: Vec<u32>,
    stride: usize,
    scales: Vec<f32>,
}

impl Rows {
    /// Rows of `width` numbers each, as `weights` are multiplied with.
    pub(super) fn of(weights: &Weights, values: &[f32], width: usize) -> Arc<Self> {
        let mut rows = Arc::default();
        Self::unique(&mut rows).fill_in(weights.precision, values, width, width);
        rows
    }

    /// `rows` to be filled: others, where a helper has not let go of these yet.
    pub(super) fn unique(rows: &mut Arc<Self>) -> &mut Self {
        if Arc::get_mut(rows).is_none() {
            *rows = Arc::default();
        }
        Arc::get_mut(rows).expect("nobody else knows them")
    }

    /// Takes rows of `width` numbers each; `weights` says how. What was in it is gone.
    pub(super) fn fill(&mut self, weights: &Weights, values: &[f32], width: usize) {
        self.fill_in(weights.precision, values, width, width);
    }

    /// Takes the first `width` numbers of rows that lie `stride` apart.
    pub(super) fn fill_in(&mut self, precision: Precision, values: &[f32], width: usize, stride: usize) {
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
    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    /// `rows` of them from `first` on, their words from `step` on.
    pub(super) fn tile(&self, first: usize, step: usize) -> Tile<'_> {
        Tile { words: &self.words[first * self.stride + step..], stride: self.stride, scales: &self.scales[first..] }
    }
}

/// Steps of a panel for so many numbers: whole tiles, where the matrix unit multiplies it.
pub(super) fn steps(precision: Precision, numbers: usize) -> usize {
    let steps = numbers.div_ceil(precision.per_word());
    if amx::has(precision) { steps.next_multiple_of(amx::SIDE) } else { steps }
}

/// `out` becomes the products of one panel and some of the rows, whose words count from `step` on.
pub(super) fn by_panel(
    precision: Precision,
    rows: &Rows,
    some: std::ops::Range<usize>,
    step: usize,
    panel: &[Step],
    out: &mut [Line],
) {
    if amx::takes(precision, panel.len()) {
        let out = out.as_flattened_mut();
        return amx::product(precision, some.len(), rows.tile(some.start, step), panel, &[Columns::PLAIN], out, LANES);
    }
    for (first, out) in some.step_by(ROWS).zip(out.chunks_mut(ROWS)) {
        tile(precision, out.len(), rows.tile(first, step), panel, &Columns::PLAIN, out.as_flattened_mut(), LANES);
    }
}

/// `out`, `weights.outputs()` numbers a row, becomes the product of `rows` and `weights`.
pub(super) fn product(rows: &Arc<Rows>, weights: &Arc<Weights>, cores: Cores<'_>, out: &mut Vec<f32>) {
    activated(rows, weights, cores, None, out);
}

/// As [`product`], and `activation` of it.
pub(super) fn activated(
    rows: &Arc<Rows>,
    weights: &Arc<Weights>,
    cores: Cores<'_>,
    activation: Option<Activation>,
    out: &mut Vec<f32>,
) {
    let width = weights.outputs;
    out.resize(rows.len() * width, 0.0);
    let work = rows.len() * weights.steps * width * weights.precision.per_word();
    let team = match cores {
        Cores::Team(team) if work >= WORTH_SHARING => team,
        Cores::One | Cores::Team(_) => {
            columns(rows, weights, 0..weights.count(), out, width);
            if let Some(activation) = activation {
                activate(activation, out);
            }
            return;
        }
    };
    let share = Share { rows: Arc::clone(rows), weights: Arc::clone(weights), activation };
    // Laying the parts side by side costs next to nothing.
    team.made(share, weights.count().div_ceil(Share::PANELS), |part, made| {
        let first = part * Share::PANELS * LANES;
        let columns = made.len() / rows.len().max(1);
        for (out, part) in out.chunks_exact_mut(width).zip(made.chunks_exact(columns.max(1))) {
            out[first..first + columns].copy_from_slice(part);
        }
    });
}

/// A product whose columns are made in parts.
struct Share {
    rows: Arc<Rows>,
    weights: Arc<Weights>,
    activation: Option<Activation>,
}

impl Share {
    /// Panels in a part.
    const PANELS: usize = 1;
}

impl Work for Share {
    fn make(&self, part: usize) -> Vec<f32> {
        let first = part * Self::PANELS;
        let panels = first..(first + Self::PANELS).min(self.weights.count());
        let width = (panels.end * LANES).min(self.weights.outputs) - first * LANES;
        let mut made = vec![0.0; self.rows.len() * width];
        columns(&self.rows, &self.weights, panels, &mut made, width);
        if let Some(activation) = self.activation {
            activate(activation, &mut made);
        }
        made
    }
}

/// The columns that `panels` make, `width` of them a row.
fn columns(rows: &Rows, weights: &Weights, panels: std::ops::Range<usize>, out: &mut [f32], width: usize) {
    let Weights { precision, steps, .. } = *weights;
    if amx::takes(precision, steps) {
        let packed = &weights.panels[panels.start * steps..panels.end * steps];
        return amx::product(precision, rows.len(), rows.tile(0, 0), packed, &weights.columns[panels], out, width);
    }
    let block = (BLOCK_WORDS / rows.stride.max(1)).next_multiple_of(ROWS);
    let mut edge = [0.0; LANES * ROWS];
    for start in (0..rows.len()).step_by(block) {
        let end = (start + block).min(rows.len());
        for panel in panels.clone() {
            let first_column = (panel - panels.start) * LANES;
            for first in (start..end).step_by(ROWS) {
                let count = ROWS.min(end - first);
                let (tiled, words, columns) = (rows.tile(first, 0), weights.panel(panel), &weights.columns[panel]);
                if first_column + LANES <= width {
                    let out = &mut out[first * width + first_column..];
                    tile(weights.precision, count, tiled, words, columns, out, width);
                    continue;
                }
                // The last panel has fewer columns than lanes.
                tile(weights.precision, count, tiled, words, columns, &mut edge, LANES);
                for (row, line) in (first..first + count).zip(edge.chunks_exact(LANES)) {
                    let out = &mut out[row * width + first_column..(row + 1) * width];
                    out.copy_from_slice(&line[..width - first_column]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::kernels::under_each;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a row of some numbers")]
    fn products_of_all_shapes_precisions_and_instructions_are_the_plain_ones() {
        let mut random = fastrand::Rng::with_seed(11);
        under_each(|instructions| {
            for precision in Precision::ALL {
                for _ in 0..40 {
                    let (count, outputs) = (random.usize(1..80), random.usize(1..100));
                    // The matrix unit takes whole tiles only.
                    let inputs = if random.bool() { random.usize(1..150) } else { 64 * random.usize(1..5) };
                    let mut numbers = |length: usize| (0..length).map(|_| random.f32() * 2.0 - 1.0).collect::<Vec<f32>>();
                    let (values, rows, bias) = (numbers(count * inputs), numbers(inputs * outputs), numbers(outputs));
                    let weights = Arc::new(Weights::of(precision, inputs, &rows, Some(&bias)));
                    let activations = Rows::of(&weights, &values, inputs);
                    let (mut out, mut shared) = (vec![], vec![]);
                    product(&activations, &weights, Cores::One, &mut out);
                    if let Some(team) = Team::gather() {
                        product(&activations, &weights, Cores::Team(&team), &mut shared);
                        assert_eq!(out, shared);
                    }
                    let tolerance = match precision {
                        Precision::F32 => 1e-5,
                        Precision::Bf16 => 0.01,
                        Precision::Int8 => 0.02,
                    };
                    for (row, made) in values.chunks(inputs).zip(out.chunks(outputs)) {
                        for ((column, made), bias) in rows.chunks(inputs).zip(made).zip(&bias) {
                            let exact: f32 = row.iter().zip(column).map(|(a, b)| a * b).sum::<f32>() + bias;
                            let most = tolerance * (inputs as f32).sqrt().max(1.0);
                            assert!(
                                (exact - made).abs() <= most,
                                "{instructions:?} {precision:?} {count}×{inputs}×{outputs}: {made} for {exact}"
                            );
                        }
                    }
                }
            }
        });
    }
}
