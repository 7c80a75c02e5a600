//! Matrix products on Intel's matrix unit (AMX): a tile of 16 rows times one of 16 columns an instruction, bf16 or int8.
//!
//! Rows and panels are packed as for all other products. 16 words of 16 rows are a tile, and so are 16 steps of half a
//! panel; widths that are no whole number of tiles are left to the other kernels.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod unit;

use super::tile::{Columns, LANES, Line, Step, Tile};
use super::{Arithmetic, Instructions, Precision, widened};

/// Side of a tile: rows, columns, and words of a row.
pub(crate) const SIDE: usize = 16;
/// Rows that are multiplied together: each tile of a panel is used for two tiles of rows.
const ROWS: usize = 2 * SIDE;

/// Sums of some rows and a panel; in int8 the bits of 32-bit integers.
#[repr(C, align(64))]
pub(crate) struct Sums([Line; ROWS]);

/// Whether the processor has the unit for this precision, and the system lets this process use it.
pub(crate) fn has(precision: Precision) -> bool {
    precision != Precision::F32 && super::allowed(Instructions::Amx) && super::has_avx512() && unit::is_there()
}

/// Whether products of this precision, of rows of `words` words, are computed here.
pub(crate) fn takes(precision: Precision, words: usize) -> bool {
    words > 0 && words.is_multiple_of(SIDE) && has(precision)
}

/// Writes the products of `count` rows and of panels to `out`, `width` values a row.
pub(crate) fn product<'a>(
    precision: Precision,
    count: usize,
    rows: Tile<'_>,
    panels: &(impl Iterator<Item = (&'a [Step], &'a Columns)> + Clone),
    out: &mut [f32],
    width: usize,
) {
    assert!(has(precision), "a matrix unit");
    let mut sums = Sums([[0.0; LANES]; ROWS]);
    let whole = count - count % ROWS;
    for (from, to) in [(0, whole), (whole, count)] {
        if from == to {
            continue;
        }
        let unit = unit::Unit::for_rows(ROWS.min(to - from));
        // Rows stay in the first-level cache; panels stream through and are prefetched.
        for first in (from..to).step_by(ROWS) {
            for (panel, (steps, columns)) in panels.clone().enumerate() {
                let words = &rows.words[first * rows.stride..];
                let out = &mut out[first * width + panel * LANES..];
                let lanes = LANES.min(width - panel * LANES);
                let begin = if precision == Precision::Bf16 { &columns.initial } else { &Columns::PLAIN.initial };
                if precision == Precision::Bf16 && lanes == LANES {
                    unit.multiply(precision, words, rows.stride, steps, begin, out, width);
                } else {
                    unit.multiply(precision, words, rows.stride, steps, begin, sums.0.as_flattened_mut(), LANES);
                    finish(precision, &sums, &rows.scales[first..(first + ROWS).min(to)], columns, out, (width, lanes));
                }
            }
        }
    }
}

widened! {
    /// Turns sums into results: as many rows as there are scales; `shape` is the width of a row of `out`, and the lanes
    /// that are written.
    finish(precision: Precision, sums: &Sums, scales: &[f32], columns: &Columns, out: &mut [f32], shape: (usize, usize)), finished
}

#[inline(always)]
fn finished<A: Arithmetic>(
    precision: Precision,
    sums: &Sums,
    scales: &[f32],
    columns: &Columns,
    out: &mut [f32],
    (width, lanes): (usize, usize),
) {
    let mut initial = [0; LANES];
    initial.iter_mut().zip(&columns.initial).for_each(|(initial, number)| *initial = whole(*number));
    for ((line, sums), scale) in out.chunks_mut(width).zip(&sums.0).zip(scales) {
        let mut made = *sums;
        if precision == Precision::Int8 {
            for lane in 0..LANES {
                let sum = number(sums[lane].to_bits().cast_signed() + initial[lane]);
                made[lane] = A::multiply_add(sum * scale, columns.scales[lane], columns.bias[lane]);
            }
        }
        if let Some(line) = line.first_chunk_mut::<LANES>().filter(|_| lanes == LANES) {
            *line = made;
        } else {
            // The last panel may have fewer columns than lanes.
            line[..lanes].copy_from_slice(&made[..lanes]);
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "the last bits of long sums do not count")]
fn number(sum: i32) -> f32 {
    sum as f32
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "it is an integer")]
fn whole(number: f32) -> i32 {
    number as i32
}

/// Other platforms have none.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod unit {
    use super::{Line, Precision, Step};

    pub(super) enum Unit {}

    pub(super) fn is_there() -> bool {
        false
    }

    impl Unit {
        pub(super) fn for_rows(_: usize) -> Self {
            unreachable!("there is no unit")
        }

        #[expect(clippy::too_many_arguments, reason = "as where there is one")]
        pub(super) fn multiply(&self, _: Precision, _: &[u32], _: usize, _: &[Step], _: &Line, _: &mut [f32], _: usize) {
            match *self {}
        }
    }
}
