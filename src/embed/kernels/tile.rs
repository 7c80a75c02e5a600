//! The micro-kernel of every matrix product: up to twelve rows times a panel of 32 columns.
//!
//! Both operands are 32-bit words of one f32, two bf16 or four int8 values, as [`Precision`] says. A tile's rows lie
//! `stride` words apart; a panel lies step after step, each step holding one word of each column. Sums stay in
//! registers over all steps: twelve rows by 32 columns take 24 of the 32 vector registers of AVX-512 (`wide`). AVX2
//! computes the same tile in parts (`narrow`), and so does portable code (`plain`), which also serves NEON.

use super::Precision;

/// Calls a function that is generic over the number of rows, at most four.
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

#[cfg(target_arch = "x86_64")]
mod narrow;
mod plain;
#[cfg(target_arch = "x86_64")]
mod wide;

/// Columns in a panel.
pub(crate) const LANES: usize = 32;
/// Rows in a tile, at most.
pub(crate) const ROWS: usize = 12;

/// What turns the sums of a panel's columns into results.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// Initial sums: the bias, or in [`Precision::Int8`] integers that take off the activations' offset.
    pub(crate) initial: [f32; LANES],
    /// In [`Precision::Int8`], scale and bias of each column.
    pub(crate) scales: [f32; LANES],
    pub(crate) bias: [f32; LANES],
}

impl Columns {
    /// Sums without bias or scale.
    pub(crate) const PLAIN: Self = Self { initial: [0.0; LANES], scales: [1.0; LANES], bias: [0.0; LANES] };
}

/// A step of a panel, a word of each column; aligned so that no load crosses a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Step(pub(crate) [u32; LANES]);

impl Step {
    pub(crate) const EMPTY: Self = Self([0; LANES]);
}

/// A panel, or some of its steps.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) steps: &'a [Step],
    pub(crate) columns: &'a Columns,
    /// Whether `out` holds the sums of earlier steps; never in [`Precision::Int8`], whose sums are not results yet.
    pub(crate) begun: bool,
    /// Steps that come next, to be prefetched.
    pub(crate) ahead: &'a [Step],
}

/// A row of one panel's width.
pub(crate) type Line = [f32; LANES];

/// Rows of packed activations.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// The words of all rows, from the first row on.
    pub(crate) words: &'a [u32],
    /// Words from one row to the next.
    pub(crate) stride: usize,
    /// In [`Precision::Int8`], the scale of each row.
    pub(crate) scales: &'a [f32],
}

impl<'a> Tile<'a> {
    /// The first words of `R` rows. A loop is inlined into each caller, whose instruction set it then has;
    /// `array::from_fn` is not, and its rows would go through memory.
    #[inline(always)]
    fn cut<const R: usize>(&self, first: usize, words: usize) -> [&'a [u32]; R] {
        let mut rows = [self.words; R];
        for (row, cut) in rows.iter_mut().enumerate() {
            *cut = &self.words[(first + row) * self.stride..][..words];
        }
        rows
    }
}

/// Writes the products of `rows` rows and a panel's columns to `out[row * stride + lane]`.
///
/// In [`Precision::Int8`] the tile's bytes are unsigned and the panel's signed.
pub(crate) fn tile(precision: Precision, rows: usize, tile: Tile<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
    let whole = (1..=ROWS).contains(&rows) && out.len() >= (rows - 1) * stride + LANES;
    assert!(whole && tile.scales.len() >= rows, "a tile has 1 to {ROWS} rows, and out has room for them");
    assert!(!(panel.begun && precision == Precision::Int8), "sums of bytes are made at once");
    macro_rules! by_rows {
        ($($rows:literal)*) => {
            match rows {
                $($rows => by_instructions::<$rows>(precision, tile, panel, out, stride),)*
                _ => {}
            }
        };
    }
    by_rows!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// Measures whether the bf16 dot product is faster than widening a panel to f32.
#[cfg(target_arch = "x86_64")]
pub(super) fn bf16_dot_is_faster() -> bool {
    const STEPS: usize = 192;
    const TRIES: usize = 64;
    if !super::has_wide(Precision::Bf16) {
        return false;
    }
    let (words, steps) = (vec![0; 2 * STEPS * ROWS], vec![Step::EMPTY; STEPS]);
    let panel = Panel { steps: &steps, columns: &Columns::PLAIN, begun: false, ahead: &[] };
    let rows = Tile { words: &words, stride: 2 * STEPS, scales: &[1.0; ROWS] };
    let mut out = [0.0; LANES * ROWS];
    let mut fastest = |instruction: unsafe fn(Tile<'_>, Panel<'_>, &mut [f32], usize)| {
        let mut time = || {
            let begun = std::time::Instant::now();
            // SAFETY: the instructions have just been detected.
            unsafe { instruction(rows, panel, std::hint::black_box(&mut out), LANES) };
            begun.elapsed()
        };
        (0..TRIES).map(|_| time()).min()
    };
    fastest(wide::bf16::<ROWS>) < fastest(wide::widened::<ROWS>)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn bf16_dot_is_faster() -> bool {
    false
}

fn by_instructions<const R: usize>(precision: Precision, tile: Tile<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if super::has_wide(precision) {
        // SAFETY: the instructions have just been detected.
        return unsafe {
            match precision {
                Precision::F32 => wide::f32::<R>(tile, panel, out, stride),
                Precision::Bf16 if super::widens_bf16() => wide::widened::<R>(tile, panel, out, stride),
                Precision::Bf16 => wide::bf16::<R>(tile, panel, out, stride),
                Precision::Int8 => wide::int8::<R>(tile, panel, out, stride),
            }
        };
    }
    let mut sums = [[0.0; LANES]; ROWS];
    in_fours(R, |rows, first| {
        #[cfg(target_arch = "x86_64")]
        if super::has_avx2() {
            // SAFETY: as above.
            return unsafe { narrow::sums(precision, rows, first, tile, panel.steps, &mut sums) };
        }
        plain::sums(precision, rows, first, tile, panel.steps, &mut sums);
    });
    for ((row, sums), scale) in out.chunks_mut(stride).zip(&sums[..R]).zip(tile.scales) {
        let lanes = sums.iter().zip(&panel.columns.initial).zip(&panel.columns.scales).zip(&panel.columns.bias);
        for (out, (((sum, initial), column), bias)) in row.iter_mut().zip(lanes) {
            let before = if panel.begun { *out } else { *initial };
            *out = if precision == Precision::Int8 { (sum + before) * scale * column + bias } else { sum + before };
        }
    }
}

type Sums = [Line; ROWS];

/// Rows whose sums of half a panel fit narrower registers.
const FEW: usize = 4;

/// Calls `part(rows, first)` for each four rows of a tile, and for the rest.
fn in_fours(rows: usize, mut part: impl FnMut(usize, usize)) {
    (0..rows).step_by(FEW).for_each(|first| part(FEW.min(rows - first), first));
}
