//! Four rows times half a panel in AVX2 registers.

#![cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "thirty intrinsics with unmistakable names"))]
#![expect(clippy::cast_ptr_alignment, reason = "unaligned loads")]

use std::arch::x86_64::*;

use super::{FEW, LANES, Precision, Step, Sums, Tile};

/// Sums of up to four rows from `first` on.
#[target_feature(enable = "avx2,fma")]
pub(super) fn sums(precision: Precision, rows: usize, first: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
    for column in [0, LANES / 2] {
        match precision {
            Precision::F32 => of_rows!(rows, by_f32(first, column, tile, panel, sums)),
            Precision::Bf16 => of_rows!(rows, by_bf16(first, column, tile, panel, sums)),
            Precision::Int8 => of_rows!(rows, by_int8(first, column, tile, panel, sums)),
        }
    }
}

/// Like [`super::plain`]; `$split` prepares a step of the panel once for all rows.
macro_rules! narrow {
    ($name:ident, $zero:expr, $split:expr, $add:expr, $made:expr) => {
        #[target_feature(enable = "avx2,fma")]
        fn $name<const N: usize>(first: usize, column: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
            let mut parts = [[$zero; 2]; N];
            let rows = tile.cut::<N>(first, panel.len());
            for (step, Step(b)) in panel.iter().enumerate() {
                let b = b[column..column + LANES / 2].as_ptr().cast::<__m256i>();
                // SAFETY: half a step of a panel is sixteen words.
                let (left, right) = unsafe { (_mm256_loadu_si256(b), _mm256_loadu_si256(b.add(1))) };
                let (left, right) = ($split(left), $split(right));
                for row in 0..N {
                    // SAFETY: a row has been cut to as many words as there are steps.
                    let word = _mm256_set1_epi32(unsafe { rows[row].get_unchecked(step) }.cast_signed());
                    parts[row][0] = $add(parts[row][0], word, left);
                    parts[row][1] = $add(parts[row][1], word, right);
                }
            }
            for (row, [left, right]) in sums[first..first + N].iter_mut().zip(parts) {
                let row = row[column..column + LANES / 2].as_mut_ptr();
                // SAFETY: half a row of sums is sixteen numbers.
                unsafe {
                    _mm256_storeu_ps(row, $made(left));
                    _mm256_storeu_ps(row.add(LANES / 4), $made(right));
                }
            }
        }
    };
}

narrow!(
    by_f32,
    _mm256_setzero_ps(),
    |b| b,
    |sum, a, b| _mm256_fmadd_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), sum),
    |sum| sum
);
narrow!(
    by_bf16,
    _mm256_setzero_ps(),
    halves,
    |sum, a, (low, high)| {
        let (a_low, a_high) = halves(a);
        _mm256_fmadd_ps(a_high, high, _mm256_fmadd_ps(a_low, low, sum))
    },
    |sum| sum
);
narrow!(
    by_int8,
    _mm256_setzero_si256(),
    // The even and the odd signed bytes, as 16-bit integers.
    |b| (_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b)), _mm256_srai_epi16::<8>(b)),
    |sum, a, (even, odd)| {
        let (a_even, a_odd) = (_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(a));
        let products = _mm256_add_epi32(_mm256_madd_epi16(a_even, even), _mm256_madd_epi16(a_odd, odd));
        _mm256_add_epi32(sum, products)
    },
    |sum| _mm256_cvtepi32_ps(sum)
);

/// The two bf16 values of each word as f32.
#[target_feature(enable = "avx2")]
fn halves(word: __m256i) -> (__m256, __m256) {
    let high = _mm256_and_si256(word, _mm256_set1_epi32(0xffff_0000_u32.cast_signed()));
    (_mm256_castsi256_ps(_mm256_slli_epi32::<16>(word)), _mm256_castsi256_ps(high))
}
