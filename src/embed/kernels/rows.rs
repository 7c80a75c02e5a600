//! What is done to rows of numbers between two products: sums, norms and attention's weights.

use super::activation::exp;
use super::tile::LANES;
use super::{Arithmetic, widened};

widened! {
    /// Multiplies numbers, one by one.
    multiply(row: &mut [f32], by: &[f32]), multiplied
}

#[inline(always)]
fn multiplied<A>(row: &mut [f32], by: &[f32]) {
    row.iter_mut().zip(by).for_each(|(x, by)| *x *= by);
}

widened! {
    /// Adds `more`, one by one.
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
    sums.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

widened! {
    /// Mean zero, variance one, then `weight` and `bias`, where there is one.
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
    /// Mean square one, then `weight`.
    root_norm(row: &mut [f32], weight: &[f32], epsilon: f32), root_normed
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "numbers in a row")]
fn root_normed<A: Arithmetic>(row: &mut [f32], weight: &[f32], epsilon: f32) {
    let scale = 1.0 / (sum(row, |x| x * x) / row.len() as f32 + epsilon).sqrt();
    row.iter_mut().zip(weight).for_each(|(x, weight)| *x = *x * scale * weight);
}

widened! {
    /// Each column's shares: `e` to the power of its numbers, and one over their sum, by which they are yet to be multiplied.
    softmax(columns: &mut [[f32; LANES]]) -> [f32; LANES], softmaxed
}

#[inline(always)]
fn softmaxed<A: Arithmetic>(columns: &mut [[f32; LANES]]) -> [f32; LANES] {
    let mut largest = [f32::MIN; LANES];
    for row in columns.iter() {
        for lane in 0..LANES {
            largest[lane] = largest[lane].max(row[lane]);
        }
    }
    let mut sums = [0.0_f32; LANES];
    for row in columns.iter_mut() {
        for lane in 0..LANES {
            row[lane] = exp::<A>(row[lane] - largest[lane]);
            sums[lane] += row[lane];
        }
    }
    for sum in &mut sums {
        *sum = 1.0 / *sum;
    }
    sums
}

widened! {
    /// Turns pairs of numbers that lie `half` apart, by angles whose cosines and sines these are.
    rotate(row: &mut [f32], cosines: &[f32], sines: &[f32]), rotated
}

#[inline(always)]
fn rotated<A: Arithmetic>(row: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let (left, right) = row.split_at_mut(cosines.len());
    for (((left, right), cosine), sine) in left.iter_mut().zip(right).zip(cosines).zip(sines) {
        (*left, *right) = (*left * cosine - *right * sine, *right * cosine + *left * sine);
    }
}
