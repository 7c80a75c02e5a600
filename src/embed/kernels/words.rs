//! Packs rows of floats into 32-bit words as matrix products read them, quantising on the way.

use super::tile::LANES;
use super::{Arithmetic, Precision, ROUNDING_MAGIC, reduced, widened};

/// The bf16 bits of a float, rounded to nearest even.
#[inline(always)]
fn upper(x: f32) -> u32 {
    let bits = x.to_bits();
    (bits + 0x7fff + (bits >> 16 & 1)) >> 16
}

/// Two bf16 values in a word, the first in the lower half.
#[inline(always)]
pub(super) fn pair(low: f32, high: f32) -> u32 {
    upper(low) | upper(high) << 16
}

/// Words are written part by part, which assumes a little-endian processor.
const _: () = assert!(cfg!(target_endian = "little"), "words are written part by part");

/// Words as their 16-bit halves.
#[inline(always)]
fn halves(words: &mut [u32]) -> &mut [u16] {
    // SAFETY: any 32 bits are two 16-bit integers.
    unsafe { words.align_to_mut().1 }
}

/// Words as their bytes.
#[inline(always)]
fn bytes(words: &mut [u32]) -> &mut [u8] {
    // SAFETY: any 32 bits are four bytes.
    unsafe { words.align_to_mut().1 }
}

/// A matrix whose rows lie `stride` values apart.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// Rows that are written; each begins `stride` values after the one before.
pub(crate) struct RowsMut<'a> {
    pub(crate) numbers: &'a mut [f32],
    pub(crate) stride: usize,
}

impl<'a> Matrix<'a> {
    #[inline(always)]
    fn row(&self, at: usize) -> &'a [f32] {
        &self.numbers[at * self.stride..][..self.columns]
    }

    /// `N` values of a row from `first` on; zeros outside the matrix.
    #[inline(always)]
    pub(super) fn some<const N: usize>(&self, row: usize, first: usize) -> [f32; N] {
        let mut some = [0.0; N];
        if row < self.rows && first < self.columns {
            let there = &self.row(row)[first..];
            if let Some(whole) = there.first_chunk() {
                return *whole;
            }
            some[..there.len()].copy_from_slice(there);
        }
        some
    }
}

widened! {
    /// Packs rows into words, `stride` from one to the next and padded with zeros, and gives each row's scale. Int8:
    /// per-row symmetric ±127, stored with offset 128; in other precisions scales are 1.
    words(precision: Precision, rows: Matrix<'_>, words: &mut [u32], stride: usize, scales: &mut [f32]), worded
}

#[inline(always)]
fn worded<A: Arithmetic>(precision: Precision, rows: Matrix<'_>, words: &mut [u32], stride: usize, scales: &mut [f32]) {
    for ((at, words), scale) in words.chunks_exact_mut(stride).enumerate().zip(scales).take(rows.rows) {
        let (words, rest) = words.split_at_mut(rows.columns.div_ceil(precision.values_per_word()));
        *scale = row_worded::<A>(precision, rows.row(at), words);
        rest.fill(0);
    }
}

#[inline(always)]
fn row_worded<A: Arithmetic>(precision: Precision, row: &[f32], words: &mut [u32]) -> f32 {
    match precision {
        Precision::F32 => {
            words.iter_mut().zip(row).for_each(|(word, x)| *word = x.to_bits());
            1.0
        }
        Precision::Bf16 => {
            let halves = halves(words);
            halves[row.len()..].fill(0);
            halves.iter_mut().zip(row).for_each(|(half, x)| *half = low_half(upper(*x)));
            1.0
        }
        Precision::Int8 => {
            let largest = largest(row).max(f32::MIN_POSITIVE);
            let inverse = 127.0 / largest;
            let bytes = bytes(words);
            bytes[row.len()..].fill(0);
            let shifted = |x: f32| A::multiply_add(x, inverse, ROUNDING_MAGIC + 128.0).to_bits();
            bytes.iter_mut().zip(row).for_each(|(byte, x)| *byte = low_byte(shifted(*x)));
            largest / 127.0
        }
    }
}

/// The largest absolute value of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut largest = [0.0_f32; LANES];
    let (wide, rest) = row.as_chunks::<LANES>();
    for chunk in wide {
        for lane in 0..LANES {
            let x = chunk[lane].abs();
            largest[lane] = if x > largest[lane] { x } else { largest[lane] };
        }
    }
    rest.iter().map(|x| x.abs()).fold(reduced(largest, f32::max), f32::max)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the upper half is zero")]
fn low_half(bits: u32) -> u16 {
    bits as u16
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "only the lowest byte is wanted")]
fn low_byte(bits: u32) -> u8 {
    bits as u8
}
