//! Rows of numbers as the next product reads them: words of a row, words of a panel, and rows turned to columns.

use super::tile::{LANES, Step};
use super::{Arithmetic, Precision, WHOLE, widened};

/// A number's upper 16 bits, rounded.
#[inline(always)]
fn upper(x: f32) -> u32 {
    let bits = x.to_bits();
    (bits + 0x7fff + (bits >> 16 & 1)) >> 16
}

widened! {
    /// The words of a row, zeros behind its end, and what its bytes are multiplied by: 1 but in 8 bits,
    /// which are scaled to lie in -127 to 127 and stand 128 higher.
    words(precision: Precision, row: &[f32], words: &mut [u32]) -> f32, worded
}

#[inline(always)]
fn worded<A: Arithmetic>(precision: Precision, row: &[f32], words: &mut [u32]) -> f32 {
    match precision {
        Precision::F32 => {
            words.iter_mut().zip(row).for_each(|(word, x)| *word = x.to_bits());
            1.0
        }
        Precision::Bf16 => {
            let (pairs, last) = row.as_chunks::<2>();
            words.iter_mut().zip(pairs).for_each(|(word, [low, high])| *word = upper(*low) | upper(*high) << 16);
            if let [last] = last {
                words[pairs.len()] = upper(*last);
            }
            1.0
        }
        Precision::Int8 => {
            let mut largest = [f32::MIN_POSITIVE; LANES];
            let (wide, rest) = row.as_chunks::<LANES>();
            for chunk in wide {
                for lane in 0..LANES {
                    largest[lane] = largest[lane].max(chunk[lane].abs());
                }
            }
            let largest = largest.iter().copied().chain(rest.iter().map(|x| x.abs())).fold(f32::MIN_POSITIVE, f32::max);
            let inverse = 127.0 / largest;
            let byte = |x: f32| A::multiply_add(x, inverse, WHOLE + 128.0).to_bits() & 0xff;
            let (fours, rest) = row.as_chunks::<4>();
            for (word, [a, b, c, d]) in words.iter_mut().zip(fours) {
                *word = byte(*a) | byte(*b) << 8 | byte(*c) << 16 | byte(*d) << 24;
            }
            if let Some(word) = words.get_mut(fours.len()).filter(|_| !rest.is_empty()) {
                *word = (0..).zip(rest).fold(0, |word, (at, x)| word | byte(*x) << (8 * at));
            }
            largest / 127.0
        }
    }
}

widened! {
    /// The words of shares that lie row after row: what a product reads as a panel of so many steps, empty behind the last share.
    panel_words(precision: Precision, shares: &[[f32; LANES]], panel: &mut [Step]), panel_worded
}

#[inline(always)]
fn panel_worded<A>(precision: Precision, shares: &[[f32; LANES]], panel: &mut [Step]) {
    let full = shares.len().div_ceil(precision.per_word());
    panel[full..].fill(Step::EMPTY);
    if precision == Precision::F32 {
        for (Step(words), row) in panel.iter_mut().zip(shares) {
            for lane in 0..LANES {
                words[lane] = row[lane].to_bits();
            }
        }
        return;
    }
    let (pairs, last) = shares.as_chunks::<2>();
    for (Step(words), [low, high]) in panel.iter_mut().zip(pairs) {
        for lane in 0..LANES {
            words[lane] = upper(low[lane]) | upper(high[lane]) << 16;
        }
    }
    if let [last] = last {
        panel[pairs.len()].0.iter_mut().zip(last).for_each(|(word, share)| *word = upper(*share));
    }
}

/// Numbers in rows that lie `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

widened! {
    /// Rows become columns: those of `out` lie `stride` apart.
    transpose(matrix: Matrix<'_>, out: &mut [f32], stride: usize), transposed
}

#[inline(always)]
fn transposed<A>(matrix: Matrix<'_>, out: &mut [f32], stride: usize) {
    const SIDE: usize = 8;
    let Matrix { numbers, stride: from, rows, columns } = matrix;
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            if row + SIDE <= rows && column + SIDE <= columns {
                let block: [[f32; SIDE]; SIDE] = std::array::from_fn(|at| {
                    *numbers[(row + at) * from + column..].first_chunk().expect("the block ends before the row does")
                });
                for at in 0..SIDE {
                    let line: [f32; SIDE] = std::array::from_fn(|lane| block[lane][at]);
                    out[(column + at) * stride + row..][..SIDE].copy_from_slice(&line);
                }
                continue;
            }
            for row in row..(row + SIDE).min(rows) {
                for column in column..(column + SIDE).min(columns) {
                    out[column * stride + row] = numbers[row * from + column];
                }
            }
        }
    }
}
