//! All rows of a tile times a whole panel in AVX-512 registers.

#![cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "thirty instructions, all of them named so that nothing else can be meant")
)]

use std::arch::x86_64::*;
use std::mem::transmute;

use super::{LANES, Panel, Step, Tile};

/// What is prefetched while a panel is multiplied: its address, and how many bytes with each step. Without anything
/// to prefetch it is the panel itself, because an invalid address would miss the TLB with each step.
fn ahead(panel: &Panel<'_>) -> (*const i8, usize) {
    let wanted = if panel.ahead.is_empty() { panel.steps } else { panel.ahead };
    (wanted.as_ptr().cast(), size_of_val(wanted).div_ceil(panel.steps.len().max(1)))
}

/// Prefetches two cache lines; an invalid address does no harm.
#[target_feature(enable = "avx512f")]
fn fetch(from: *const i8) {
    _mm_prefetch::<_MM_HINT_T0>(from);
    _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(64));
}

/// The sums of a row's earlier steps.
#[target_feature(enable = "avx512f")]
fn begun(out: &[f32]) -> [__m512; 2] {
    let line = out[..LANES].as_ptr();
    // SAFETY: a line is 32 values.
    unsafe { [_mm512_loadu_ps(line), _mm512_loadu_ps(line.add(LANES / 2))] }
}

macro_rules! wide {
    ($name:ident, $features:literal, $begin:expr, $add:expr, $end:expr) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name<const R: usize>(tile: Tile<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
            let Panel { steps, columns, .. } = panel;
            let (ahead, pace) = ahead(&panel);
            let [initial, scales, bias] = [&columns.initial, &columns.scales, &columns.bias].map(|numbers| {
                // SAFETY: a line is 32 values, and these are its halves.
                unsafe { [_mm512_loadu_ps(numbers.as_ptr()), _mm512_loadu_ps(numbers.as_ptr().add(LANES / 2))] }
            });
            let mut parts = [[$begin(initial[0]), $begin(initial[1])]; R];
            if panel.begun {
                for (row, parts) in parts.iter_mut().enumerate() {
                    let [left, right] = begun(&out[row * stride..]);
                    *parts = [$begin(left), $begin(right)];
                }
            }
            let rows = tile.cut::<R>(0, steps.len());
            for (step, Step(b)) in steps.iter().enumerate() {
                let b = b.as_ptr().cast::<i32>();
                fetch(ahead.wrapping_add(step * pace));
                // SAFETY: a step of a panel is 32 words.
                let (left, right) = unsafe { (_mm512_loadu_epi32(b), _mm512_loadu_epi32(b.add(LANES / 2))) };
                for row in 0..R {
                    // SAFETY: a row has been cut to as many words as there are steps.
                    let word = _mm512_set1_epi32(unsafe { rows[row].get_unchecked(step) }.cast_signed());
                    parts[row][0] = $add(parts[row][0], word, left);
                    parts[row][1] = $add(parts[row][1], word, right);
                }
            }
            for (row, [left, right]) in parts.into_iter().enumerate() {
                let scale = _mm512_set1_ps(tile.scales[row]);
                let line = out[row * stride..][..LANES].as_mut_ptr();
                // SAFETY: a line is 32 values.
                unsafe {
                    _mm512_storeu_ps(line, $end(left, scale, scales[0], bias[0]));
                    _mm512_storeu_ps(line.add(LANES / 2), $end(right, scale, scales[1], bias[1]));
                }
            }
        }
    };
}

wide!(
    f32,
    "avx512f",
    |initial| initial,
    |sum, a, b| _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum),
    |sum, _, _, _| sum
);
wide!(
    bf16,
    "avx512f,avx512bf16",
    |initial| initial,
    // SAFETY: both types are 512 bits without invalid values.
    |sum, a: __m512i, b: __m512i| unsafe {
        _mm512_dpbf16_ps(sum, transmute::<__m512i, __m512bh>(a), transmute::<__m512i, __m512bh>(b))
    },
    |sum, _, _, _| sum
);
wide!(
    int8,
    "avx512f,avx512vnni",
    |initial| _mm512_cvtps_epi32(initial),
    |sum, a, b| _mm512_dpbusd_epi32(sum, a, b),
    |sum, scale, column, bias| _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale), column, bias)
);

/// A panel of bf16 pairs, which are widened, times rows of f32, two words for each of the panel's.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn widened<const R: usize>(tile: Tile<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
    let Panel { steps, columns, .. } = panel;
    let (ahead, pace) = ahead(&panel);
    let initial = columns.initial.as_ptr();
    // SAFETY: a line is 32 values, and these are its halves.
    let initial = unsafe { [_mm512_loadu_ps(initial), _mm512_loadu_ps(initial.add(LANES / 2))] };
    let high_half = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
    let mut parts = [initial; R];
    if panel.begun {
        parts.iter_mut().enumerate().for_each(|(row, parts)| *parts = begun(&out[row * stride..]));
    }
    let rows = tile.cut::<R>(0, 2 * steps.len());
    for (step, Step(b)) in steps.iter().enumerate() {
        let b = b.as_ptr().cast::<i32>();
        fetch(ahead.wrapping_add(step * pace));
        // SAFETY: a step of a panel is 32 words.
        let both = unsafe { [_mm512_loadu_epi32(b), _mm512_loadu_epi32(b.add(LANES / 2))] };
        let low = both.map(|b| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(b)));
        let high = both.map(|b| _mm512_castsi512_ps(_mm512_and_si512(b, high_half)));
        for (at, half) in [low, high].into_iter().enumerate() {
            for row in 0..R {
                // SAFETY: a row has been cut to twice as many words as there are steps.
                let word = _mm512_set1_ps(f32::from_bits(unsafe { *rows[row].get_unchecked(2 * step + at) }));
                parts[row][0] = _mm512_fmadd_ps(word, half[0], parts[row][0]);
                parts[row][1] = _mm512_fmadd_ps(word, half[1], parts[row][1]);
            }
        }
    }
    for (row, [left, right]) in parts.into_iter().enumerate() {
        let line = out[row * stride..][..LANES].as_mut_ptr();
        // SAFETY: a line is 32 values.
        unsafe {
            _mm512_storeu_ps(line, left);
            _mm512_storeu_ps(line.add(LANES / 2), right);
        }
    }
}
