//! Activation functions, and the exponential that softmax needs too.

use super::{Arithmetic, ROUNDING_MAGIC, widened};

/// The activation of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// GELU, `x · Φ(x)` (Hendrycks & Gimpel 2016).
    Gelu,
    /// The tanh approximation of GELU.
    GeluTanh,
    /// `SiLU`, `x / (1 + e⁻ˣ)`.
    Silu,
    /// `max(x, 0)`.
    Relu,
}

/// `eˣ` to seven digits, for `x` clamped to [-87, 88]: Cody & Waite's range reduction and a polynomial (Cephes).
#[inline(always)]
pub(super) fn exp<A: Arithmetic>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let shifted = A::multiply_add(x, std::f32::consts::LOG2_E, ROUNDING_MAGIC);
    let whole = shifted - ROUNDING_MAGIC;
    // ln 2 in two parts, so that the remainder is exact.
    let rest = A::multiply_add(whole, 2.121_944_4e-4, A::multiply_add(whole, -0.693_359_4, x));
    let mut sum = 1.987_569_1e-4;
    for factor in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5, 1.0, 1.0] {
        sum = A::multiply_add(sum, rest, factor);
    }
    let power = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    sum * f32::from_bits(power)
}

/// The error function to seven digits, a rational function of x² (as Eigen has it).
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
    /// Applies the activation in place.
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
