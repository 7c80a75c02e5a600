//! The inner step of every product of matrices: a few rows against a panel of 32 columns.
//!
//! Both sides are words of 32 bits: one number, two of 16 bits, or four of 8 bits, as [`Precision`]
//! says. A tile's rows lie one after another, `stride` words apart; a panel lies step after step, each
//! step holding one word of each column. The sums stay in registers over all steps: twelve
//! rows by 32 columns take 24 of the 32 wide registers of AVX-512. AVX2 takes the same tile in four
//! parts, and plain code, from which NEON's instructions are made too, does what AVX2 does.

use super::Precision;

/// Columns in a panel.
pub(crate) const LANES: usize = 32;
/// Rows in a tile, at most.
pub(crate) const ROWS: usize = 12;

/// What the columns of a panel are brought to their true size by.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// What sums begin with. In [`Precision::Int8`] it is whole numbers, and elsewhere what is added in the end.
    pub(crate) initial: [f32; LANES],
    /// In [`Precision::Int8`], what sums are multiplied by, and what is added then.
    pub(crate) scales: [f32; LANES],
    pub(crate) bias: [f32; LANES],
}

impl Columns {
    /// Sums that are the products themselves.
    pub(crate) const PLAIN: Self = Self { initial: [0.0; LANES], scales: [1.0; LANES], bias: [0.0; LANES] };
}

/// A step of a panel: a word of each column, where the widest loads find it in one line of the cache or two whole ones.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Step(pub(crate) [u32; LANES]);

impl Step {
    pub(crate) const EMPTY: Self = Self([0; LANES]);
}

/// A row of a panel's width.
pub(crate) type Line = [f32; LANES];

/// Rows that are multiplied together.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// The words of all rows; it begins with the first row's.
    pub(crate) words: &'a [u32],
    /// Words from one row to the next.
    pub(crate) stride: usize,
    /// In [`Precision::Int8`], what each row's sums are multiplied by.
    pub(crate) scales: &'a [f32],
}

/// `out[row * stride + lane]` becomes the product of a tile's row and a panel's column, for `rows` rows.
///
/// In [`Precision::Int8`] the tile's bytes are unsigned and the panel's signed.
pub(crate) fn tile(
    precision: Precision,
    rows: usize,
    tile: Tile<'_>,
    panel: &[Step],
    columns: &Columns,
    out: &mut [f32],
    stride: usize,
) {
    let whole = (1..=ROWS).contains(&rows) && out.len() >= (rows - 1) * stride + LANES;
    assert!(whole && tile.scales.len() >= rows, "a tile has 1 to {ROWS} rows, and out has room for them");
    macro_rules! by_rows {
        ($($rows:literal)*) => {
            match rows {
                $($rows => by_instructions::<$rows>(precision, tile, panel, columns, out, stride),)*
                _ => {}
            }
        };
    }
    by_rows!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// Whether a panel's pairs of 16-bit numbers are multiplied in less time by the instruction for pairs than taken apart.
#[cfg(target_arch = "x86_64")]
pub(super) fn pairs_pay() -> bool {
    const STEPS: usize = 192;
    const TRIES: usize = 64;
    if !super::has_wide(Precision::Bf16) {
        return false;
    }
    let (words, panel) = (vec![0; 2 * STEPS * ROWS], vec![Step::EMPTY; STEPS]);
    let rows = Tile { words: &words, stride: 2 * STEPS, scales: &[1.0; ROWS] };
    let mut out = [0.0; LANES * ROWS];
    let mut fastest = |instruction: unsafe fn(Tile<'_>, &[Step], &Columns, &mut [f32], usize)| {
        let mut time = || {
            let begun = std::time::Instant::now();
            // SAFETY: the processor has just said that it has these instructions.
            unsafe { instruction(rows, &panel, &Columns::PLAIN, std::hint::black_box(&mut out), LANES) };
            begun.elapsed()
        };
        (0..TRIES).map(|_| time()).min()
    };
    fastest(x86::wide_bf16::<ROWS>) < fastest(x86::wide_apart::<ROWS>)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn pairs_pay() -> bool {
    false
}

fn by_instructions<const R: usize>(
    precision: Precision,
    tile: Tile<'_>,
    panel: &[Step],
    columns: &Columns,
    out: &mut [f32],
    stride: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if super::has_wide(precision) {
        // SAFETY: the processor has just said that it has these instructions.
        return unsafe {
            match precision {
                Precision::F32 => x86::wide_f32::<R>(tile, panel, columns, out, stride),
                Precision::Bf16 if super::taken_apart() => x86::wide_apart::<R>(tile, panel, columns, out, stride),
                Precision::Bf16 => x86::wide_bf16::<R>(tile, panel, columns, out, stride),
                Precision::Int8 => x86::wide_int8::<R>(tile, panel, columns, out, stride),
            }
        };
    }
    let mut sums = [[0.0; LANES]; ROWS];
    in_fours(R, |rows, first| {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::avx2(precision, rows, first, tile, panel, &mut sums) };
        }
        plain(precision, rows, first, tile, panel, &mut sums);
    });
    for ((row, sums), scale) in out.chunks_mut(stride).zip(&sums[..R]).zip(tile.scales) {
        let lanes = sums.iter().zip(&columns.initial).zip(&columns.scales).zip(&columns.bias);
        for (out, (((sum, initial), column), bias)) in row.iter_mut().zip(lanes) {
            *out = if precision == Precision::Int8 { (sum + initial) * scale * column + bias } else { sum + initial };
        }
    }
}

type Sums = [Line; ROWS];

/// Narrower registers hold the sums of four rows by half a panel.
const FEW: usize = 4;

/// `part(rows, first)` for each four rows of a tile, and for what is left.
fn in_fours(rows: usize, mut part: impl FnMut(usize, usize)) {
    (0..rows).step_by(FEW).for_each(|first| part(FEW.min(rows - first), first));
}

/// Calls a function of so many rows, at most four.
macro_rules! of_rows {
    ($rows:expr, $function:ident $arguments:tt) => {
        match $rows {
            1 => $function::<1> $arguments,
            2 => $function::<2> $arguments,
            3 => $function::<3> $arguments,
            _ => $function::<FEW> $arguments,
        }
    };
}

fn plain(precision: Precision, rows: usize, first: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
    for column in [0, LANES / 2] {
        match precision {
            Precision::F32 => of_rows!(rows, lanes(first, column, tile, panel, sums, one)),
            Precision::Bf16 => of_rows!(rows, lanes(first, column, tile, panel, sums, pair)),
            Precision::Int8 => of_rows!(rows, lanes(first, column, tile, panel, sums, four)),
        }
    }
}

fn one(sum: f32, a: u32, b: u32) -> f32 {
    let (a, b) = (f32::from_bits(a), f32::from_bits(b));
    // Only where the machine multiplies and adds in one is `mul_add` not a call into a library.
    if cfg!(target_arch = "aarch64") { a.mul_add(b, sum) } else { sum + a * b }
}

/// Two products of 16-bit numbers.
fn pair(sum: f32, a: u32, b: u32) -> f32 {
    let (low, high) = (|word: u32| f32::from_bits(word << 16), |word: u32| f32::from_bits(word & 0xffff_0000));
    sum + low(a) * low(b) + high(a) * high(b)
}

/// Four products of bytes, unsigned by signed; sums of so few small numbers are exact in 32 bits.
#[expect(clippy::cast_precision_loss, reason = "below 2^24 in steps of four; the last bits of longer sums do not count")]
fn four(sum: f32, a: u32, b: u32) -> f32 {
    let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes()).map(|(a, b)| i32::from(a) * i32::from(b.cast_signed()));
    sum + products.sum::<i32>() as f32
}

/// `N` rows from `first` on by half a panel from `column` on.
fn lanes<const N: usize>(
    first: usize,
    column: usize,
    tile: Tile<'_>,
    panel: &[Step],
    sums: &mut Sums,
    add: impl Fn(f32, u32, u32) -> f32,
) {
    const HALF: usize = LANES / 2;
    let mut parts = [[0.0; HALF]; N];
    let rows: [&[u32]; N] = std::array::from_fn(|row| &tile.words[(first + row) * tile.stride..][..panel.len()]);
    for (step, Step(b)) in panel.iter().enumerate() {
        let b = &b[column..column + HALF];
        for (row, part) in parts.iter_mut().enumerate() {
            for (sum, b) in part.iter_mut().zip(b) {
                *sum = add(*sum, rows[row][step], *b);
            }
        }
    }
    for (row, part) in sums[first..first + N].iter_mut().zip(parts) {
        row[column..column + HALF].copy_from_slice(&part);
    }
}

#[cfg(target_arch = "x86_64")]
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "thirty instructions, all of them named so that nothing else can be meant")
)]
#[expect(clippy::cast_ptr_alignment, reason = "the loads are those that ask for no alignment")]
mod x86 {
    use std::arch::x86_64::*;
    use std::mem::transmute;

    use super::{Columns, FEW, LANES, Precision, Step, Sums, Tile};

    /// Steps of a panel that are asked for before they are needed.
    const AHEAD: usize = 24;

    macro_rules! wide {
        ($name:ident, $features:literal, $begin:expr, $add:expr, $end:expr) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name<const R: usize>(
                tile: Tile<'_>,
                panel: &[Step],
                columns: &Columns,
                out: &mut [f32],
                stride: usize,
            ) {
                let [initial, scales, bias] = [&columns.initial, &columns.scales, &columns.bias].map(|numbers| {
                    // SAFETY: a line is 32 numbers, and these are its first and its last sixteen.
                    unsafe { [_mm512_loadu_ps(numbers.as_ptr()), _mm512_loadu_ps(numbers.as_ptr().add(LANES / 2))] }
                });
                let mut parts = [[$begin(initial[0]), $begin(initial[1])]; R];
                let rows: [&[u32]; R] = std::array::from_fn(|row| &tile.words[row * tile.stride..][..panel.len()]);
                for (step, Step(b)) in panel.iter().enumerate() {
                    let b = b.as_ptr().cast::<i32>();
                    // What a panel that comes from afar holds next is asked for early; asking for what is not there does no harm.
                    let ahead = b.wrapping_add(AHEAD * LANES).cast::<i8>();
                    _mm_prefetch::<_MM_HINT_T0>(ahead);
                    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(64));
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
                    // SAFETY: a line is 32 numbers.
                    unsafe {
                        _mm512_storeu_ps(line, $end(left, scale, scales[0], bias[0]));
                        _mm512_storeu_ps(line.add(LANES / 2), $end(right, scale, scales[1], bias[1]));
                    }
                }
            }
        };
    }

    wide!(
        wide_f32,
        "avx512f",
        |initial| initial,
        |sum, a, b| _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum),
        |sum, _, _, _| sum
    );
    wide!(
        wide_bf16,
        "avx512f,avx512bf16",
        |initial| initial,
        // SAFETY: both types are 512 bits, and every pattern of bits is a value of either.
        |sum, a: __m512i, b: __m512i| unsafe {
            _mm512_dpbf16_ps(sum, transmute::<__m512i, __m512bh>(a), transmute::<__m512i, __m512bh>(b))
        },
        |sum, _, _, _| sum
    );
    wide!(
        wide_int8,
        "avx512f,avx512vnni",
        |initial| _mm512_cvtps_epi32(initial),
        |sum, a, b| _mm512_dpbusd_epi32(sum, a, b),
        |sum, scale, column, bias| _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale), column, bias)
    );

    /// A panel of 16-bit numbers, which are taken apart, and rows of 32-bit ones, two words for each of the panel's.
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) fn wide_apart<const R: usize>(tile: Tile<'_>, panel: &[Step], columns: &Columns, out: &mut [f32], stride: usize) {
        let initial = columns.initial.as_ptr();
        // SAFETY: a line is 32 numbers, and these are its first and its last sixteen.
        let initial = unsafe { [_mm512_loadu_ps(initial), _mm512_loadu_ps(initial.add(LANES / 2))] };
        let high_half = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
        let mut parts = [initial; R];
        let rows: [&[u32]; R] = std::array::from_fn(|row| &tile.words[row * tile.stride..][..2 * panel.len()]);
        for (step, Step(b)) in panel.iter().enumerate() {
            let b = b.as_ptr().cast::<i32>();
            let ahead = b.wrapping_add(AHEAD * LANES).cast::<i8>();
            _mm_prefetch::<_MM_HINT_T0>(ahead);
            _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(64));
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
            // SAFETY: a line is 32 numbers.
            unsafe {
                _mm512_storeu_ps(line, left);
                _mm512_storeu_ps(line.add(LANES / 2), right);
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(precision: Precision, rows: usize, first: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
        for column in [0, LANES / 2] {
            match precision {
                Precision::F32 => of_rows!(rows, avx2_f32(first, column, tile, panel, sums)),
                Precision::Bf16 => of_rows!(rows, avx2_bf16(first, column, tile, panel, sums)),
                Precision::Int8 => of_rows!(rows, avx2_int8(first, column, tile, panel, sums)),
            }
        }
    }

    /// As [`super::lanes`], with what is done to a step of the panel once for all rows.
    macro_rules! narrow {
        ($name:ident, $zero:expr, $split:expr, $add:expr, $made:expr) => {
            #[target_feature(enable = "avx2,fma")]
            fn $name<const N: usize>(first: usize, column: usize, tile: Tile<'_>, panel: &[Step], sums: &mut Sums) {
                let mut parts = [[$zero; 2]; N];
                let rows: [&[u32]; N] = std::array::from_fn(|row| &tile.words[(first + row) * tile.stride..][..panel.len()]);
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
        avx2_f32,
        _mm256_setzero_ps(),
        |b| b,
        |sum, a, b| _mm256_fmadd_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), sum),
        |sum| sum
    );
    narrow!(
        avx2_bf16,
        _mm256_setzero_ps(),
        halves,
        |sum, a, (low, high)| {
            let (a_low, a_high) = halves(a);
            _mm256_fmadd_ps(a_high, high, _mm256_fmadd_ps(a_low, low, sum))
        },
        |sum| sum
    );
    narrow!(
        avx2_int8,
        _mm256_setzero_si256(),
        // Signed bytes, the even and the odd ones, as 16-bit numbers.
        |b| (_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b)), _mm256_srai_epi16::<8>(b)),
        |sum, a, (even, odd)| {
            let (a_even, a_odd) = (_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(a));
            let products = _mm256_add_epi32(_mm256_madd_epi16(a_even, even), _mm256_madd_epi16(a_odd, odd));
            _mm256_add_epi32(sum, products)
        },
        |sum| _mm256_cvtepi32_ps(sum)
    );

    /// The two 16-bit numbers of each word as 32-bit ones.
    #[target_feature(enable = "avx2")]
    fn halves(word: __m256i) -> (__m256, __m256) {
        let high = _mm256_and_si256(word, _mm256_set1_epi32(0xffff_0000_u32.cast_signed()));
        (_mm256_castsi256_ps(_mm256_slli_epi32::<16>(word)), _mm256_castsi256_ps(high))
    }
}
