//! Products of vectors, compiled for what the processor has: the only unsafe code there is.
//!
//! Each function is written once, in lanes that the compiler turns into wide instructions;
//! here it is compiled anew for wider ones, which are called after the processor was asked.
#![expect(unsafe_code, reason = "a function for instructions that not every processor has can only be called so")]

/// The widest instructions that products use on this processor.
pub(crate) fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bw") {
        return "AVX-512";
    } else if is_x86_feature_detected!("avx2") {
        return "AVX2";
    }
    "portable instructions"
}

/// Product of two vectors.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has just said that it has these instructions.
        return unsafe { x86::dot_avx512(a, b) };
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: as above.
        return unsafe { x86::dot_avx2(a, b) };
    }
    // Not `mul_add`: without the instruction it is a call into a library for each number.
    lanes(a, b, |sum, a, b| sum + a * b)
}

/// Product of two rows of signed bytes. Sums of so many small numbers are exact in 32 bits.
pub(crate) fn dot_bytes(a: &[u8], b: &[u8]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has just said that it has these instructions.
        return unsafe { x86::dot_bytes_avx512(a, b) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        return unsafe { x86::dot_bytes_avx2(a, b) };
    }
    bytes(a, b)
}

#[inline(always)]
fn lanes(a: &[f32], b: &[f32], add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    const LANES: usize = 32;
    let (a_wide, a_rest) = a.as_chunks::<LANES>();
    let (b_wide, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_wide.iter().zip(b_wide) {
        for lane in 0..LANES {
            sums[lane] = add(sums[lane], a[lane], b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
#[expect(clippy::cast_precision_loss, reason = "below 2^24 for rows of a thousand numbers; beyond, the last bits do not count")]
fn bytes(a: &[u8], b: &[u8]) -> f32 {
    let product = |(a, b): (&u8, &u8)| i32::from(a.cast_signed()) * i32::from(b.cast_signed());
    a.iter().zip(b).map(product).sum::<i32>() as f32
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
    pub(super) fn dot_avx512(a: &[f32], b: &[f32]) -> f32 {
        super::lanes(a, b, |sum, a, b| a.mul_add(b, sum))
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
        super::lanes(a, b, |sum, a, b| a.mul_add(b, sum))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn dot_bytes_avx512(a: &[u8], b: &[u8]) -> f32 {
        super::bytes(a, b)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn dot_bytes_avx2(a: &[u8], b: &[u8]) -> f32 {
        super::bytes(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kernels_give_the_plain_product_for_every_length() {
        let mut random = fastrand::Rng::with_seed(7);
        for length in (0..200).chain([768, 1000, 1023]) {
            let mut floats = || (0..length).map(|_| random.f32() * 2.0 - 1.0).collect::<Vec<f32>>();
            let (a, b) = (floats(), floats());
            let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(dot(&a, &b)) - expected).abs() < 1e-4, "{length}");
            let mut row = || (0..length).map(|_| random.u8(..)).collect::<Vec<u8>>();
            let (a, b) = (row(), row());
            let exact: i64 = a.iter().zip(&b).map(|(a, b)| i64::from(a.cast_signed()) * i64::from(b.cast_signed())).sum();
            #[expect(clippy::cast_precision_loss, reason = "compared with a number of the same precision")]
            let exact = exact as f32;
            assert!((dot_bytes(&a, &b) - exact).abs() <= 1.0, "{length}");
            assert!((bytes(&a, &b) - exact).abs() <= 1.0, "{length}");
        }
    }
}
