//! Products of activations and weights: what an encoder does nearly all of the time.
//!
//! Weights are packed once, into panels of 32 outputs whose words a tile's steps read one after another.
//! Activations become words row by row. A block of rows that fits the cache meets all panels before the
//! next block comes.

mod rows;
mod weights;

use std::iter::repeat;
use std::ops::Range;
use std::sync::Arc;

pub(super) use self::rows::Rows;
pub(super) use self::weights::Weights;
use super::kernels::activation::{Activation, activate};
use super::kernels::tile::{Columns, LANES, Panel, ROWS, Step, tile};
use super::kernels::{Precision, amx};
use super::team::{Team, Work};

/// Words of activations that are worked on at once: they stay in the processor's second cache.
const BLOCK_WORDS: usize = 160 * 1024;

/// Steps of a panel that all rows meet before the next: they stay in the first cache.
const STEPS: usize = 128;

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

/// Steps of a panel for so many numbers: whole tiles, where the matrix unit multiplies it.
pub(super) fn steps(precision: Precision, numbers: usize) -> usize {
    let steps = numbers.div_ceil(precision.per_word());
    if amx::has(precision) { steps.next_multiple_of(amx::SIDE) } else { steps }
}

/// `out`, `width` numbers a row, becomes the products of some of the rows and of panels of so many steps each.
pub(super) fn by_panels(
    precision: Precision,
    rows: &Rows,
    some: Range<usize>,
    steps: usize,
    panels: &[Step],
    out: &mut [f32],
    width: usize,
) {
    let panels = panels.chunks_exact(steps).zip(repeat(&Columns::PLAIN));
    if amx::takes(precision, steps) {
        return amx::product(precision, some.len(), rows.tile(some.start, 0), &panels, out, width);
    }
    for ((steps, columns), column) in panels.zip((0..).step_by(LANES)) {
        let panel = Panel { steps, columns, begun: false, ahead: &[] };
        for (at, first) in some.clone().step_by(ROWS).enumerate() {
            let out = &mut out[at * ROWS * width + column..];
            tile(precision, ROWS.min(some.end - first), rows.tile(first, 0), panel, out, width);
        }
    }
}

/// The product of `rows` and `weights`, `weights.outputs()` numbers a row.
pub(super) fn product(rows: &Rows, weights: &Weights) -> Vec<f32> {
    let mut out = vec![0.0; rows.len() * weights.outputs];
    columns(rows, weights, 0..weights.count(), &mut out, weights.outputs);
    out
}

/// The rows of `out`, `stride` numbers from one to the next, begin with the product of `rows` and `weights`, and
/// `activation` of it.
pub(super) fn activated(
    rows: &Arc<Rows>,
    weights: &Arc<Weights>,
    cores: Cores<'_>,
    activation: Option<Activation>,
    out: &mut [f32],
    stride: usize,
) {
    let work = rows.len() * weights.steps * weights.outputs * weights.precision.per_word();
    let share = Share { rows: Arc::clone(rows), weights: Arc::clone(weights), activation };
    match cores {
        Cores::Team(team) if work >= WORTH_SHARING => {
            // Laying the parts side by side costs next to nothing.
            team.made(share, weights.count().div_ceil(Share::PANELS), |part, made| {
                let first = part * Share::PANELS * LANES;
                lay(made, out, stride, first..(first + Share::PANELS * LANES).min(weights.outputs));
            });
        }
        Cores::One | Cores::Team(_) => share.columns(0..weights.count(), out, stride),
    }
}

/// Lays some columns into rows of `width` numbers.
pub(super) fn lay(made: &[f32], out: &mut [f32], width: usize, columns: Range<usize>) {
    for (out, made) in out.chunks_exact_mut(width).zip(made.chunks_exact(columns.len())) {
        out[columns.clone()].copy_from_slice(made);
    }
}

/// A product whose columns are made in parts.
struct Share {
    rows: Arc<Rows>,
    weights: Arc<Weights>,
    activation: Option<Activation>,
}

impl Share {
    /// Panels in a part: enough that what comes with each part does not count.
    const PANELS: usize = 3;

    /// What some panels make, at the beginning of rows that lie `stride` apart.
    fn columns(&self, panels: Range<usize>, out: &mut [f32], stride: usize) {
        let width = (panels.end * LANES).min(self.weights.outputs) - panels.start * LANES;
        columns(&self.rows, &self.weights, panels, out, stride);
        if let Some(activation) = self.activation {
            out.chunks_mut(stride).for_each(|row| activate(activation, &mut row[..width]));
        }
    }
}

impl Work for Share {
    fn make(&self, part: usize) -> Vec<f32> {
        let first = part * Self::PANELS;
        let panels = first..(first + Self::PANELS).min(self.weights.count());
        let width = (panels.end * LANES).min(self.weights.outputs) - first * LANES;
        let mut made = vec![0.0; self.rows.len() * width];
        self.columns(panels, &mut made, width);
        made
    }
}

/// The columns that `panels` make, `width` numbers a row.
pub(super) fn columns(rows: &Rows, weights: &Weights, panels: Range<usize>, out: &mut [f32], width: usize) {
    let Weights { precision, steps, .. } = *weights;
    if amx::takes(precision, steps) {
        let packed = weights.panels[panels.start * steps..panels.end * steps].chunks_exact(steps);
        return amx::product(precision, rows.len(), rows.tile(0, 0), &packed.zip(&weights.columns[panels]), out, width);
    }
    let block = (BLOCK_WORDS / rows.stride.max(1)).next_multiple_of(ROWS);
    for start in (0..rows.len()).step_by(block) {
        let some = start..(start + block).min(rows.len());
        let out = &mut out[start * width..some.end * width];
        for (at, panel) in panels.clone().enumerate() {
            let (first, lanes) = (at * LANES, LANES.min(width - at * LANES));
            if lanes == LANES {
                by_steps(rows, some.clone(), weights, panel, &mut out[first..], width);
                continue;
            }
            // The last panel has fewer columns than lanes.
            let mut edge = vec![0.0; some.len() * LANES];
            by_steps(rows, some.clone(), weights, panel, &mut edge, LANES);
            for (out, line) in out.chunks_mut(width).zip(edge.chunks(LANES)) {
                out[first..].copy_from_slice(&line[..lanes]);
            }
        }
    }
}

/// A panel's products with some of the rows: all of these meet some of its steps before the next ones.
fn by_steps(rows: &Rows, some: Range<usize>, weights: &Weights, panel: usize, out: &mut [f32], stride: usize) {
    let Weights { precision, steps, .. } = *weights;
    let at_once = if precision == Precision::Int8 { steps } else { STEPS };
    let words = precision.per_word() / precision.of_rows().per_word();
    // Tiles of one size: a panel's steps take their time for two rows as well.
    let turns = some.len().div_ceil(ROWS);
    let begin = |turn: usize| turn * some.len() / turns;
    for step in (0..steps).step_by(at_once) {
        for turn in 0..turns {
            let (first, count) = (begin(turn), begin(turn + 1) - begin(turn));
            let panel = weights.panel(panel, step..steps.min(step + at_once), turn, turns);
            tile(precision, count, rows.tile(some.start + first, step * words), panel, &mut out[first * stride..], stride);
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
                for round in 0..40 {
                    // More rows than a block has, once.
                    let (count, outputs) = (if round == 0 { 1100 } else { random.usize(1..80) }, random.usize(1..100));
                    // The matrix unit takes whole tiles only.
                    let inputs = if round > 0 && random.bool() { random.usize(1..150) } else { 64 * random.usize(3..6) };
                    let mut numbers = |length: usize| (0..length).map(|_| random.f32() * 2.0 - 1.0).collect::<Vec<f32>>();
                    let (values, rows, bias) = (numbers(count * inputs), numbers(inputs * outputs), numbers(outputs));
                    let weights = Arc::new(Weights::of(precision, inputs, &rows, Some(&bias)));
                    let activations = Arc::new(Rows::of(&weights, &values, inputs));
                    let out = product(&activations, &weights);
                    let mut shared = vec![0.0; out.len()];
                    if let Some(team) = Team::gather() {
                        activated(&activations, &weights, Cores::Team(&team), None, &mut shared, outputs);
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
