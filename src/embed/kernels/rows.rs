//! What is done to rows of numbers between two products: norms, activations, attention's weights, and
//! the words that the next product reads.

use super::tile::{LANES, Step};
use super::{Arithmetic, Precision, widened};

/// The function between a layer's two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x · Φ(x)`.
    Gelu,
    /// The same by way of a hyperbolic tangent.
    GeluTanh,
    /// `x / (1 + e⁻ˣ)`.
    Silu,
    /// Nothing below zero.
    Relu,
}

/// Added to a small number, it leaves the number's integer in the lowest bits: 1.5 · 2²³.
const MAGIC: f32 = 12_582_912.0;

/// `e` to the power of `x`, to seven digits; below -87 it is nearly nothing, above 88 it stays.
#[inline(always)]
fn exp<A: Arithmetic>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let shifted = A::multiply_add(x, std::f32::consts::LOG2_E, MAGIC);
    let whole = shifted - MAGIC;
    // ln 2 in two parts, so that the difference is exact.
    let rest = A::multiply_add(whole, 2.121_944_4e-4, A::multiply_add(whole, -0.693_359_4, x));
    let mut sum = 1.987_569_1e-4;
    for factor in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
        sum = A::multiply_add(sum, rest, factor);
    }
    let power = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    sum * f32::from_bits(power)
}

/// The error function, to seven digits, as a quotient of polynomials in x².
#[inline(always)]
fn erf<A: Arithmetic>(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let polynomial = |factors: &[f32]| factors.iter().fold(0.0, |sum, factor| A::multiply_add(sum, square, *factor));
    let above = polynomial(&[
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ]);
    let below = polynomial(&[-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2]);
    x * above / below
}

#[inline(always)]
fn gelu<A: Arithmetic>(x: f32) -> f32 {
    0.5 * x * (1.0 + erf::<A>(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_tanh<A: Arithmetic>(x: f32) -> f32 {
    let inner = 0.797_884_6 * A::multiply_add(0.044_715 * x * x, x, x);
    // x/2 · (1 + tanh y) = x - x / (1 + e^2y)
    x - x / (1.0 + exp::<A>(2.0 * inner))
}

#[inline(always)]
fn silu<A: Arithmetic>(x: f32) -> f32 {
    x / (1.0 + exp::<A>(-x))
}

widened! {
    /// Each number becomes its activation.
    activate(activation: Activation, row: &mut [f32]), activated
}

#[inline(always)]
fn activated<A: Arithmetic>(activation: Activation, row: &mut [f32]) {
    match activation {
        Activation::Gelu => row.iter_mut().for_each(|x| *x = gelu::<A>(*x)),
        Activation::GeluTanh => row.iter_mut().for_each(|x| *x = gelu_tanh::<A>(*x)),
        Activation::Silu => row.iter_mut().for_each(|x| *x = silu::<A>(*x)),
        Activation::Relu => row.iter_mut().for_each(|x| *x = x.max(0.0)),
    }
}

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
            let byte = |x: f32| A::multiply_add(x, inverse, MAGIC + 128.0).to_bits() & 0xff;
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

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;
    use crate::embed::kernels::{Fused, Plain};

    fn close(found: f32, expected: f64, what: &str) {
        assert!((f64::from(found) - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{what}: {found} for {expected}");
    }

    /// The error function by its series, which converges for all that is asked here.
    fn erf_by_series(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn functions_are_exact_to_six_digits() {
        for step in -800..=800 {
            let x = step as f32 / 100.0;
            let wide = f64::from(x);
            close(exp::<Fused>(-x.abs()), (-wide.abs()).exp(), "exp");
            close(exp::<Plain>(-x.abs()), (-wide.abs()).exp(), "exp");
            if x.abs() <= 4.0 {
                close(erf::<Fused>(x), erf_by_series(wide), "erf");
                close(gelu::<Plain>(x), 0.5 * wide * (1.0 + erf_by_series(wide / 2_f64.sqrt())), "gelu");
            }
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044_715 * wide.powi(3));
            close(gelu_tanh::<Fused>(x), 0.5 * wide * (1.0 + inner.tanh()), "gelu by tanh");
            close(silu::<Fused>(x), wide / (1.0 + (-wide).exp()), "silu");
        }
    }
}
