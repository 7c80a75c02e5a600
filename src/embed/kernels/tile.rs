//! The inner step of every product of matrices: a few rows against a panel of 32 columns.
//!
//! Both sides are words of 32 bits: one number, two of 16 bits, or four of 8 bits, as [`Precision`]
//! says. A tile's rows lie one after another, `stride` words apart; a panel lies step after step, each
//! step holding one word of each column. The sums stay in registers over all steps: twelve
//! rows by 32 columns take 24 of the 32 wide registers of AVX-512 (`wide`). AVX2 takes the same tile in parts
//! (`narrow`), and plain code (`plain`), from which NEON's instructions are made too, does what AVX2 does.

use super::Precision;

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

#[cfg(target_arch = "x86_64")]
mod narrow;
mod plain;
#[cfg(target_arch = "x86_64")]
mod wide;

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

/// A panel, or some steps of it, and what its sums become.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) steps: &'a [Step],
    pub(crate) columns: &'a Columns,
    /// Whether `out` holds the sums of the steps before; never in [`Precision::Int8`], whose sums are no results yet.
    pub(crate) begun: bool,
    /// Steps that are wanted next and may lie afar: they are fetched meanwhile.
    pub(crate) ahead: &'a [Step],
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

impl<'a> Tile<'a> {
    /// The first words of so many rows. A loop is made anew within each caller, whose instructions are its own; what the
    /// library has for it is called, and its rows go through memory.
    #[inline(always)]
    fn cut<const R: usize>(&self, first: usize, words: usize) -> [&'a [u32]; R] {
        let mut rows = [self.words; R];
        for (row, cut) in rows.iter_mut().enumerate() {
            *cut = &self.words[(first + row) * self.stride..][..words];
        }
        rows
    }
}

/// `out[row * stride + lane]` becomes the product of a tile's row and a panel's column, for `rows` rows.
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

/// Whether a panel's pairs of 16-bit numbers are multiplied in less time by the instruction for pairs than taken apart.
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
            // SAFETY: the processor has just said that it has these instructions.
            unsafe { instruction(rows, panel, std::hint::black_box(&mut out), LANES) };
            begun.elapsed()
        };
        (0..TRIES).map(|_| time()).min()
    };
    fastest(wide::bf16::<ROWS>) < fastest(wide::apart::<ROWS>)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn bf16_dot_is_faster() -> bool {
    false
}

fn by_instructions<const R: usize>(precision: Precision, tile: Tile<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if super::has_wide(precision) {
        // SAFETY: the processor has just said that it has these instructions.
        return unsafe {
            match precision {
                Precision::F32 => wide::f32::<R>(tile, panel, out, stride),
                Precision::Bf16 if super::widens_bf16() => wide::apart::<R>(tile, panel, out, stride),
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

/// Narrower registers hold the sums of four rows by half a panel.
const FEW: usize = 4;

/// `part(rows, first)` for each four rows of a tile, and for what is left.
fn in_fours(rows: usize, mut part: impl FnMut(usize, usize)) {
    (0..rows).step_by(FEW).for_each(|first| part(FEW.min(rows - first), first));
}
