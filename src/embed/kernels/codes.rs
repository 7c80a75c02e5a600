//! Dot products of rows of signed bytes, and prefetching such rows, for vector search.

/// The dot product of two rows; the caller supplies the sum of the second row's bytes.
///
/// Its instructions are chosen once, because a product takes less time than detecting them.
#[derive(Clone, Copy)]
pub(crate) struct CodeProduct(unsafe fn(&[u8], &[u8], i32) -> i32);

impl CodeProduct {
    /// The fastest for this processor.
    pub(crate) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::has_wide(super::Precision::Int8) {
            return Self(vnni);
        } else if super::has_avx2() {
            return Self(avx2);
        }
        Self(plain)
    }

    /// Exact in 32 bits for rows of any length used here.
    pub(crate) fn of(self, a: &[u8], b: &[u8], sum_of_b: i32) -> i32 {
        // SAFETY: the instructions were detected when the function was chosen.
        unsafe { (self.0)(a, b, sum_of_b) }
    }
}

/// Prefetches the first cache lines of a row; the hardware prefetcher fetches the rest.
pub(crate) fn prefetch(row: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(64).take(4) {
        // SAFETY: a prefetch has no observable effect at any address.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

#[inline(always)]
pub(super) fn plain(a: &[u8], b: &[u8], _: i32) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(a.cast_signed()) * i32::from(b.cast_signed())).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(a: &[u8], b: &[u8], sum_of_b: i32) -> i32 {
    plain(a, b, sum_of_b)
}

/// `vpdpbusd` takes unsigned bytes on one side: `a` is offset by 128, and 128 times the sum of `b` is subtracted.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn vnni(a: &[u8], b: &[u8], sum_of_b: i32) -> i32 {
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_epi8, _mm512_maskz_loadu_epi8, _mm512_reduce_add_epi32,
        _mm512_set1_epi8, _mm512_setzero_si512, _mm512_xor_si512,
    };
    const LINE: usize = 64;
    let raise = |a: __m512i| _mm512_xor_si512(a, _mm512_set1_epi8(-128));
    let length = a.len().min(b.len());
    let (a, b) = (a[..length].as_ptr().cast::<i8>(), b[..length].as_ptr().cast::<i8>());
    let mut sums = [_mm512_setzero_si512(); 4];
    let mut at = 0;
    while at + 4 * LINE <= length {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: four lines from here end within both rows.
            let (a, b) = unsafe { (_mm512_loadu_epi8(a.add(at + part * LINE)), _mm512_loadu_epi8(b.add(at + part * LINE))) };
            *sum = _mm512_dpbusd_epi32(*sum, raise(a), b);
        }
        at += 4 * LINE;
    }
    while at < length {
        let mask = u64::MAX >> (LINE - (length - at).min(LINE));
        // SAFETY: the mask ends with the rows. Where it has no bit, `b` is zero, and so is the product.
        let (a, b) = unsafe { (_mm512_maskz_loadu_epi8(mask, a.add(at)), _mm512_maskz_loadu_epi8(mask, b.add(at))) };
        sums[0] = _mm512_dpbusd_epi32(sums[0], raise(a), b);
        at += LINE;
    }
    let [one, two, three, four] = sums;
    let sum = _mm512_add_epi32(_mm512_add_epi32(one, two), _mm512_add_epi32(three, four));
    _mm512_reduce_add_epi32(sum) - 128 * sum_of_b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::kernels::under_each;

    #[test]
    fn products_of_bytes_are_exact_on_all_instructions_at_all_lengths() {
        let mut random = fastrand::Rng::with_seed(5);
        under_each(|instructions| {
            let product = CodeProduct::fastest();
            for length in (0..700).chain([768, 1024, 4096]) {
                let mut row = || (0..length).map(|_| random.u8(..)).collect::<Vec<u8>>();
                let (a, b) = (row(), row());
                let exact: i64 = a.iter().zip(&b).map(|(a, b)| i64::from(a.cast_signed()) * i64::from(b.cast_signed())).sum();
                let sum = b.iter().map(|byte| i32::from(byte.cast_signed())).sum();
                assert_eq!(i64::from(product.of(&a, &b, sum)), exact, "{instructions:?} {length}");
            }
        });
    }
}
