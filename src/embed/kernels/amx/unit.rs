//! The matrix unit itself: whether it is there, how it is laid out, and its instructions, which have no names in
//! the language yet.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::marker::PhantomData;
use std::sync::LazyLock;

use super::{ROWS, SIDE};
use crate::embed::kernels::Precision;
use crate::embed::kernels::tile::{LANES, Line, Step};

static IS_THERE: LazyLock<bool> = LazyLock::new(|| processor_has() && system_allows());

pub(super) fn is_there() -> bool {
    *IS_THERE
}

/// Tiles, and products of them in 16 and in 8 bits.
fn processor_has() -> bool {
    const FEATURES: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & FEATURES == FEATURES
}

/// Asks the system to keep the unit's registers for this process's threads: it does not unasked, for they are large.
fn system_allows() -> bool {
    const ARCH_PRCTL: u64 = 158;
    const REQUEST_PERMISSION: u64 = 0x1023;
    const TILES: u64 = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: this call changes nothing but what it is named for; a system that does not know it says so.
    unsafe {
        asm!(
            "syscall",
            inout("rax") result,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILES,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result == 0
}

/// How the unit's eight registers are laid out, as its instruction reads it.
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    unused: [u8; 14],
    /// Bytes of a row of each register.
    bytes: [u16; SIDE],
    rows: [u8; SIDE],
}

/// For 1 to 32 rows: one that is only just written is waited for.
static LAYOUTS: [Layout; ROWS] = {
    let mut layouts = [const { Layout::of(0) }; ROWS];
    let mut rows = 1;
    while rows <= ROWS {
        layouts[rows - 1] = Layout::of(rows);
        rows += 1;
    }
    layouts
};

impl Layout {
    #[expect(clippy::cast_possible_truncation, reason = "sixteen at most")]
    const fn of(rows: usize) -> Self {
        let upper = if rows < SIDE { rows } else { SIDE };
        let lower = if rows > SIDE { rows - SIDE } else { 1 };
        let heights = [upper, upper, lower, lower, upper, lower, SIDE, SIDE];
        let mut layout = Self { palette: 1, start_row: 0, unused: [0; 14], bytes: [0; SIDE], rows: [0; SIDE] };
        let mut register = 0;
        while register < heights.len() {
            layout.bytes[register] = 64;
            layout.rows[register] = heights[register] as u8;
            register += 1;
        }
        layout
    }
}

/// The unit, laid out for so many rows on this thread until it is dropped.
///
/// Registers 0 to 3 hold sums, 4 and 5 tiles of rows, 6 and 7 tiles of a panel.
pub(super) struct Unit {
    rows: usize,
    here: PhantomData<*const ()>,
}

/// Asks for what the panel holds two tiles later.
macro_rules! ask_ahead {
    ($places:literal) => {
        concat!(".irp place, ", $places, "\n prefetcht0 [{panel} + \\place]\n .endr\n")
    };
}

macro_rules! multiply {
    ($name:ident, $dot:literal, two) => {
        multiply!($name, concat!(
            "tileloadd tmm0, [{begin} + {zero}]\n tileloadd tmm1, [{begin} + {zero} + 64]\n",
            "tileloadd tmm2, [{begin} + {zero}]\n tileloadd tmm3, [{begin} + {zero} + 64]\n",
            "2:\n",
            "tileloadd tmm4, [{rows} + {stride}]\n tileloadd tmm6, [{panel} + {step}]\n",
            ask_ahead!("4096, 4160, 4224, 4288, 4352, 4416, 4480, 4544"),
            $dot, " tmm0, tmm4, tmm6\n",
            "tileloadd tmm7, [{panel} + {step} + 64]\n",
            ask_ahead!("4608, 4672, 4736, 4800, 4864, 4928, 4992, 5056"),
            $dot, " tmm1, tmm4, tmm7\n",
            "tileloadd tmm5, [{more} + {stride}]\n",
            ask_ahead!("5120, 5184, 5248, 5312, 5376, 5440, 5504, 5568"),
            $dot, " tmm2, tmm5, tmm6\n",
            ask_ahead!("5632, 5696, 5760, 5824, 5888, 5952, 6016, 6080"),
            $dot, " tmm3, tmm5, tmm7\n",
            "add {rows}, 64\n add {more}, 64\n add {panel}, 2048\n dec {times}\n jnz 2b\n",
            "tilestored [{out} + {width}], tmm0\n tilestored [{out} + {width} + 64], tmm1\n",
            "tilestored [{other} + {width}], tmm2\n tilestored [{other} + {width} + 64], tmm3"
        ), |width| SIDE * width);
    };
    ($name:ident, $dot:literal, one) => {
        multiply!($name, concat!(
            "tileloadd tmm0, [{begin} + {zero}]\n tileloadd tmm1, [{begin} + {zero} + 64]\n",
            "2:\n",
            "tileloadd tmm4, [{rows} + {stride}]\n tileloadd tmm6, [{panel} + {step}]\n",
            ask_ahead!("4096, 4160, 4224, 4288, 4352, 4416, 4480, 4544, 4608, 4672, 4736, 4800, 4864, 4928, 4992, 5056"),
            $dot, " tmm0, tmm4, tmm6\n tileloadd tmm7, [{panel} + {step} + 64]\n",
            ask_ahead!("5120, 5184, 5248, 5312, 5376, 5440, 5504, 5568, 5632, 5696, 5760, 5824, 5888, 5952, 6016, 6080"),
            $dot, " tmm1, tmm4, tmm7\n",
            "add {rows}, 64\n add {more}, 64\n add {panel}, 2048\n dec {times}\n jnz 2b\n",
            "tilestored [{out} + {width}], tmm0\n tilestored [{other} + {width}], tmm1"
        ), |_| SIDE);
    };
    ($name:ident, $instructions:expr, $other:expr) => {
        /// # Safety
        ///
        /// The unit is laid out for as many rows as `rows` has, `stride` words apart, each with a word for each
        /// of the panel's steps, which are a whole number of tiles; `out` has room for as many rows of 32 numbers,
        /// `width` numbers apart.
        unsafe fn $name(rows: *const u32, stride: usize, panel: &[Step], begin: &Line, out: *mut f32, width: usize) {
            // The first sixteen columns of the lower rows; where there are none, the other columns of these.
            let other: fn(usize) -> usize = $other;
            // SAFETY: all that is read lies in the rows, the panel and the beginning, all that is written in the room.
            unsafe {
                asm!(
                    $instructions,
                    rows = inout(reg) rows => _,
                    more = inout(reg) rows.wrapping_add(SIDE * stride) => _,
                    stride = in(reg) stride * size_of::<u32>(),
                    panel = inout(reg) panel.as_ptr() => _,
                    step = in(reg) size_of::<Step>(),
                    times = inout(reg) panel.len() / SIDE => _,
                    begin = in(reg) begin,
                    zero = in(reg) 0_usize,
                    out = in(reg) out,
                    other = in(reg) out.wrapping_add(other(width)),
                    width = in(reg) width * size_of::<f32>(),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack)
                );
            }
        }
    };
}

multiply!(bytes_by_two, "tdpbusd", two);
multiply!(bytes_by_one, "tdpbusd", one);
multiply!(pairs_by_two, "tdpbf16ps", two);
multiply!(pairs_by_one, "tdpbf16ps", one);

impl Unit {
    /// Lays the unit out for 1 to 32 rows.
    pub(super) fn for_rows(rows: usize) -> Self {
        assert!(is_there() && (1..=ROWS).contains(&rows), "a unit, and rows that it takes");
        // SAFETY: the processor has the unit, the system allows it, and the layout is one that it takes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUTS[rows - 1], options(nostack, readonly)) };
        Self { rows, here: PhantomData }
    }

    /// `out`, `width` numbers a row, becomes the products of rows, `stride` words apart, and a panel, each begun with
    /// its column's number: the bits of whole numbers in 8 bits.
    #[expect(clippy::too_many_arguments, reason = "two factors and their product")]
    pub(super) fn multiply(
        &self,
        precision: Precision,
        words: &[u32],
        stride: usize,
        panel: &[Step],
        begin: &Line,
        out: &mut [f32],
        width: usize,
    ) {
        let last = self.rows - 1;
        assert!(!panel.is_empty() && panel.len().is_multiple_of(SIDE), "whole tiles");
        assert!(words.len() >= last * stride + panel.len() && out.len() >= last * width + LANES, "room for all rows");
        let multiply = match (precision, self.rows > SIDE) {
            (Precision::Int8, true) => bytes_by_two,
            (Precision::Int8, false) => bytes_by_one,
            (_, true) => pairs_by_two,
            (_, false) => pairs_by_one,
        };
        // SAFETY: the unit is laid out for as many rows, and all that it reads and writes has just been measured.
        unsafe { multiply(words.as_ptr(), stride, panel, begin, out.as_mut_ptr(), width) }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: it was laid out on this thread.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
