//! Products by the processor's matrix unit, where it has one (AMX): a tile of sixteen rows by one of sixteen
//! columns, of 16-bit or 8-bit numbers, at an instruction.
//!
//! Rows and panels lie as all other products find them. Sixteen words of sixteen rows are a tile, and so
//! are sixteen steps of half a panel; numbers that are no whole tiles are left to the other products.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod unit;

use super::tile::{Columns, LANES, Line, Step, Tile};
use super::{Arithmetic, Instructions, Precision, widened};

/// Rows and columns of a tile; words of a row, and steps of a panel, that one holds.
pub(crate) const SIDE: usize = 16;
/// Rows that are multiplied together: each tile of a panel meets two of theirs.
const ROWS: usize = 2 * SIDE;

/// What the unit makes of some rows and a panel in 8 bits: whole numbers' bits.
#[repr(C, align(64))]
pub(crate) struct Sums([Line; ROWS]);

/// Whether the processor has the unit for numbers of this precision, and lets this process use it.
pub(crate) fn has(precision: Precision) -> bool {
    precision != Precision::F32 && super::allowed(Instructions::Amx) && super::has_avx512() && unit::is_there()
}

/// Whether products of this precision are made here, of rows of so many words.
pub(crate) fn takes(precision: Precision, words: usize) -> bool {
    words > 0 && words.is_multiple_of(SIDE) && has(precision)
}

/// `out`, `width` numbers a row, becomes the products of `count` rows and of panels.
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
        // Rows stay in the first cache; panels pass by, which the unit is told ahead.
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
    /// Brings sums to their true size: so many rows as there are scales, each so many numbers behind the one
    /// before, and so many numbers of each.
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
            // The last panel has fewer columns than lanes.
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
#[expect(clippy::cast_possible_truncation, reason = "it is a whole number")]
fn whole(number: f32) -> i32 {
    number as i32
}

/// Elsewhere there is none.
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
