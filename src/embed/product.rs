//! Products of activations and weights: what an encoder does nearly all of the time.
//!
//! Weights are packed once, into panels of 32 outputs whose words a tile's steps read one after another.
//! Activations become words row by row. A block of rows that fits the cache meets all panels before the
//! next block comes.

mod rows;
mod weights;

use std::ops::Range;
use std::sync::Arc;

pub(super) use self::rows::Rows;
pub(super) use self::weights::Weights;
use super::kernels::activation::{Activation, activate};
use super::kernels::tile::{Columns, LANES, Line, Panel, ROWS, Step, tile};
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

/// `out` becomes the products of one panel and some of the rows, whose words count from `step` on.
pub(super) fn by_panel(precision: Precision, rows: &Rows, some: Range<usize>, step: usize, panel: &[Step], out: &mut [Line]) {
    if amx::takes(precision, panel.len()) {
        let out = out.as_flattened_mut();
        return amx::product(precision, some.len(), rows.tile(some.start, step), panel, &[Columns::PLAIN], out, LANES);
    }
    for (first, out) in some.step_by(ROWS).zip(out.chunks_mut(ROWS)) {
        let panel = Panel { steps: panel, columns: &Columns::PLAIN, begun: false, ahead: &[] };
        tile(precision, out.len(), rows.tile(first, step), panel, out.as_flattened_mut(), LANES);
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
fn columns(rows: &Rows, weights: &Weights, panels: Range<usize>, out: &mut [f32], width: usize) {
    let Weights { precision, steps, .. } = *weights;
    if amx::takes(precision, steps) {
        let packed = &weights.panels[panels.start * steps..panels.end * steps];
        return amx::product(precision, rows.len(), rows.tile(0, 0), packed, &weights.columns[panels], out, width);
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
