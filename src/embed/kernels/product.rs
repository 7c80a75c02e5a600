//! Matrix products of activations and weights, where an encoder spends nearly all of its time.
//!
//! Weights are packed once, into panels of 32 outputs whose words the tile kernel reads in order. Activations
//! are packed row by row before each product. A block of rows that fits the second-level cache is multiplied
//! with all panels before the next block (the blocking of Goto & van de Geijn, 2008).

mod activations;
mod weights;

use std::iter::repeat;
use std::ops::Range;
use std::sync::Arc;

pub(in crate::embed) use self::activations::PackedActivations;
pub(in crate::embed) use self::weights::PackedWeights;
use super::activation::{Activation, activate};
use super::team::{Job, Team};
use super::tile::{Columns, LANES, Panel, ROWS, Step, tile};
use super::words::RowsMut;
use super::{Precision, amx};

/// Words of activations in a block: they stay in the second-level cache.
const BLOCK_WORDS: usize = 160 * 1024;

/// Steps of a panel that all rows are multiplied with before the next: they stay in the first-level cache.
const STEPS: usize = 128;

/// Multiplications from which on sharing a product with the helpers pays.
const MIN_SHARED_WORK: usize = 1 << 18;

/// Who computes a product.
#[derive(Clone, Copy)]
pub(in crate::embed) enum Cores<'a> {
    /// The calling thread alone: the other cores have groups of their own.
    One,
    /// A team, each member some of the outputs.
    Team(&'a Team<'a>),
}

/// Steps of a panel for rows of `numbers` values; whole tiles where the matrix unit (AMX) multiplies them.
pub(in crate::embed) fn steps(precision: Precision, numbers: usize) -> usize {
    let steps = numbers.div_ceil(precision.values_per_word());
    if amx::has(precision) { steps.next_multiple_of(amx::SIDE) } else { steps }
}

/// Writes the products of a range of rows and of panels of `steps` steps each to `out`, `width` values a row.
pub(in crate::embed) fn by_panels(
    precision: Precision,
    rows: &PackedActivations,
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

/// The product of `rows` and `weights`, `[tokens, outputs]`.
#[cfg(test)]
pub(in crate::embed) fn product(rows: &PackedActivations, weights: &PackedWeights) -> Vec<f32> {
    let mut out = vec![0.0; rows.len() * weights.outputs];
    columns(rows, weights, 0..weights.count(), &mut out, weights.outputs);
    out
}

/// Writes `activation(rows · weightsᵀ + bias)` to `out`.
pub(in crate::embed) fn linear(
    rows: &Arc<PackedActivations>,
    weights: &Arc<PackedWeights>,
    cores: Cores<'_>,
    activation: Option<Activation>,
    out: RowsMut<'_>,
) {
    let RowsMut { numbers: out, stride } = out;
    let work = rows.len() * weights.steps * weights.outputs * weights.precision.values_per_word();
    let job = MatmulJob { rows: Arc::clone(rows), weights: Arc::clone(weights), activation };
    match cores {
        Cores::Team(team) if work >= MIN_SHARED_WORK => {
            team.run(job, weights.count().div_ceil(MatmulJob::PANELS), |part, made| {
                let first = part * MatmulJob::PANELS * LANES;
                copy_columns(made, out, stride, first..(first + MatmulJob::PANELS * LANES).min(weights.outputs));
            });
        }
        Cores::One | Cores::Team(_) => job.columns(0..weights.count(), out, stride),
    }
}

/// Copies `made` into a range of columns of `out`, whose rows have `width` values.
pub(in crate::embed) fn copy_columns(made: &[f32], out: &mut [f32], width: usize, columns: Range<usize>) {
    for (out, made) in out.chunks_exact_mut(width).zip(made.chunks_exact(columns.len())) {
        out[columns.clone()].copy_from_slice(made);
    }
}

/// A product that is computed in parts of some columns each.
struct MatmulJob {
    rows: Arc<PackedActivations>,
    weights: Arc<PackedWeights>,
    activation: Option<Activation>,
}

impl MatmulJob {
    /// Panels in a part: enough that the cost of handing a part over does not count.
    const PANELS: usize = 3;

    /// Writes the columns of a range of panels to the beginning of rows that lie `stride` apart.
    fn columns(&self, panels: Range<usize>, out: &mut [f32], stride: usize) {
        let width = (panels.end * LANES).min(self.weights.outputs) - panels.start * LANES;
        columns(&self.rows, &self.weights, panels, out, stride);
        if let Some(activation) = self.activation {
            out.chunks_mut(stride).for_each(|row| activate(activation, &mut row[..width]));
        }
    }
}

impl Job for MatmulJob {
    fn compute(&self, part: usize) -> Vec<f32> {
        let first = part * Self::PANELS;
        let panels = first..(first + Self::PANELS).min(self.weights.count());
        let width = (panels.end * LANES).min(self.weights.outputs) - first * LANES;
        let mut made = vec![0.0; self.rows.len() * width];
        self.columns(panels, &mut made, width);
        made
    }
}

/// Writes the columns of a range of panels to `out`, `width` values a row.
pub(in crate::embed) fn columns(
    rows: &PackedActivations,
    weights: &PackedWeights,
    panels: Range<usize>,
    out: &mut [f32],
    width: usize,
) {
    let PackedWeights { precision, steps, .. } = *weights;
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
                by_steps(rows, some.clone(), weights, panel, RowsMut { numbers: &mut out[first..], stride: width });
                continue;
            }
            // The last panel may have fewer columns than lanes.
            let mut edge = vec![0.0; some.len() * LANES];
            by_steps(rows, some.clone(), weights, panel, RowsMut { numbers: &mut edge, stride: LANES });
            for (out, line) in out.chunks_mut(width).zip(edge.chunks(LANES)) {
                out[first..].copy_from_slice(&line[..lanes]);
            }
        }
    }
}

/// One panel's columns for a range of rows, some steps of the panel after another.
fn by_steps(rows: &PackedActivations, some: Range<usize>, weights: &PackedWeights, panel: usize, out: RowsMut<'_>) {
    let RowsMut { numbers: out, stride } = out;
    let PackedWeights { precision, steps, .. } = *weights;
    let at_once = if precision == Precision::Int8 { steps } else { STEPS };
    let words = precision.values_per_word() / precision.of_activations().values_per_word();
    // Tiles of equal size: a tile of two rows takes nearly as long as one of twelve.
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
                    let weights = Arc::new(PackedWeights::of(precision, inputs, &rows, Some(&bias)));
                    let activations = Arc::new(PackedActivations::of(&weights, &values, inputs));
                    let made = product(&activations, &weights);
                    let mut shared = vec![0.0; made.len()];
                    if let Some(team) = Team::gather() {
                        let out = RowsMut { numbers: &mut shared, stride: outputs };
                        linear(&activations, &weights, Cores::Team(&team), None, out);
                        assert_eq!(made, shared);
                    }
                    let tolerance = match precision {
                        Precision::F32 => 1e-5,
                        Precision::Bf16 => 0.01,
                        Precision::Int8 => 0.02,
                    };
                    for (row, made) in values.chunks(inputs).zip(made.chunks(outputs)) {
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
