//! Element-wise steps and reductions between two matrix products: sums, norms, softmax, rotation.

use std::ops::Range;

use super::activation::exp;
use super::tile::{LANES, Line};
use super::{Arithmetic, reduced, widened};

widened! {
    /// `row ∘= by`.
    multiply(row: &mut [f32], by: &[f32]), multiplied
}

#[inline(always)]
fn multiplied<A>(row: &mut [f32], by: &[f32]) {
    row.iter_mut().zip(by).for_each(|(x, by)| *x *= by);
}

widened! {
    /// `row += more`.
    add(row: &mut [f32], more: &[f32]), added
}

#[inline(always)]
fn added<A>(row: &mut [f32], more: &[f32]) {
    row.iter_mut().zip(more).for_each(|(x, more)| *x += more);
}

/// Sum of `of(x)` over a row, in lanes.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (wide, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for chunk in wide {
        for lane in 0..LANES {
            sums[lane] += of(chunk[lane]);
        }
    }
    reduced(sums, |a, b| a + b) + rest.iter().map(|x| of(*x)).sum::<f32>()
}

widened! {
    /// `LayerNorm` in place; an empty `bias` adds nothing.
    layer_norm(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32), layer_normed
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "numbers in a row")]
fn layer_normed<A: Arithmetic>(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = sum(row, |x| x) / count;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    row.iter_mut().zip(weight).for_each(|(x, weight)| *x = (*x - mean) * scale * weight);
    row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
}

widened! {
    /// `RMSNorm` in place.
    root_norm(row: &mut [f32], weight: &[f32], epsilon: f32), root_normed
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "numbers in a row")]
fn root_normed<A: Arithmetic>(row: &mut [f32], weight: &[f32], epsilon: f32) {
    let scale = 1.0 / (sum(row, |x| x * x) / row.len() as f32 + epsilon).sqrt();
    row.iter_mut().zip(weight).for_each(|(x, weight)| *x = *x * scale * weight);
}

widened! {
    /// Unnormalised softmax of each row, `exp(scale · (x - max))`, and the inverse of its sum, by which the caller
    /// multiplies later. Rows have `width` values, a multiple of 32; values outside the visible part become next to 0.
    softmax(scores: &mut [f32], width: usize, visible: &[Range<usize>], scale: f32, inverse_sums: &mut [f32]), softmaxed
}

#[inline(always)]
fn softmaxed<A: Arithmetic>(scores: &mut [f32], width: usize, visible: &[Range<usize>], scale: f32, inverse_sums: &mut [f32]) {
    // The maxima of all rows first, so that no row's exponentials wait for a horizontal reduction.
    for ((row, visible), largest) in scores.chunks_exact_mut(width).zip(visible).zip(inverse_sums.iter_mut()) {
        row[..visible.start].fill(f32::MIN);
        row[visible.end..].fill(f32::MIN);
        let mut lanes = [f32::MIN; LANES];
        for line in row.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                lanes[lane] = if line[lane] > lanes[lane] { line[lane] } else { lanes[lane] };
            }
        }
        *largest = reduced(lanes, f32::max);
    }
    for (row, inverse_sum) in scores.chunks_exact_mut(width).zip(inverse_sums) {
        let (mut sums, largest) = ([0.0_f32; LANES], *inverse_sum);
        for line in row.as_chunks_mut::<LANES>().0 {
            for lane in 0..LANES {
                line[lane] = exp::<A>((line[lane] - largest) * scale);
                sums[lane] += line[lane];
            }
        }
        *inverse_sum = 1.0 / reduced(sums, |a, b| a + b);
    }
}

widened! {
    /// Writes `width` values of each line, times its factor, to rows of `out` that lie `stride` apart.
    scale_lines(lines: &[Line], by: &[f32], out: &mut [f32], width: usize, stride: usize), lines_scaled
}

#[inline(always)]
fn lines_scaled<A>(lines: &[Line], by: &[f32], out: &mut [f32], width: usize, stride: usize) {
    for ((line, by), out) in lines.iter().zip(by).zip(out.chunks_mut(stride)) {
        let whole = out.first_chunk_mut::<LANES>().filter(|_| width == LANES);
        let out = if let Some(whole) = whole { whole.as_mut_slice() } else { &mut out[..width] };
        out.iter_mut().zip(line).for_each(|(out, x)| *out = x * by);
    }
}

widened! {
    /// Rotates the pairs `(row[i], row[i + half])` by angles with these cosines and sines.
    rotate(row: &mut [f32], cosines: &[f32], sines: &[f32]), rotated
}

#[inline(always)]
fn rotated<A: Arithmetic>(row: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let (left, right) = row.split_at_mut(cosines.len());
    for (((left, right), cosine), sine) in left.iter_mut().zip(right).zip(cosines).zip(sines) {
        (*left, *right) = (*left * cosine - *right * sine, *right * cosine + *left * sine);
    }
}
