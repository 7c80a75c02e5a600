//! Four rows times half a panel in portable code, which the compiler vectorises.

use super::{FEW, LANES, Precision, Step, Sums, Tile};

/// Sums of up to four rows from `first` on.
pub(super) fn sums(precision: Precision, rows: usize, first: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
    for column in [0, LANES / 2] {
        match precision {
            Precision::F32 => of_rows!(rows, lanes(first, column, tile, panel, sums, one)),
            Precision::Bf16 => of_rows!(rows, lanes(first, column, tile, panel, sums, pair)),
            Precision::Int8 => of_rows!(rows, lanes(first, column, tile, panel, sums, four)),
        }
    }
}

fn one(sum: f32, a: u32, b: u32) -> f32 {
    let (a, b) = (f32::from_bits(a), f32::from_bits(b));
    // `mul_add` is a library call where the baseline has no fused instruction.
    if cfg!(target_arch = "aarch64") { a.mul_add(b, sum) } else { sum + a * b }
}

/// Two products of bf16 values.
fn pair(sum: f32, a: u32, b: u32) -> f32 {
    let (low, high) = (|word: u32| f32::from_bits(word << 16), |word: u32| f32::from_bits(word & 0xffff_0000));
    sum + low(a) * low(b) + high(a) * high(b)
}

/// Four products of bytes, unsigned times signed.
#[expect(clippy::cast_precision_loss, reason = "below 2^24 in steps of four; the last bits of longer sums do not count")]
fn four(sum: f32, a: u32, b: u32) -> f32 {
    let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes()).map(|(a, b)| i32::from(a) * i32::from(b.cast_signed()));
    sum + products.sum::<i32>() as f32
}

/// `N` rows from `first` on times half a panel from `column` on.
fn lanes<const N: usize>(
    first: usize,
    column: usize,
    tile: Tile<'_>,
    panel: &[Step],
    sums: &mut Sums,
    add: impl Fn(f32, u32, u32) -> f32,
) {
    const HALF: usize = LANES / 2;
    let mut parts = [[0.0; HALF]; N];
    let rows = tile.cut::<N>(first, panel.len());
    for (step, Step(b)) in panel.iter().enumerate() {
        let b = &b[column..column + HALF];
        for (row, part) in parts.iter_mut().enumerate() {
            for (sum, b) in part.iter_mut().zip(b) {
                *sum = add(*sum, rows[row][step], *b);
            }
        }
    }
    for (row, part) in sums[first..first + N].iter_mut().zip(parts) {
        row[column..column + HALF].copy_from_slice(&part);
    }
}
