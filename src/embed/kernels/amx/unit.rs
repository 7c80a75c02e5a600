//! The AMX unit itself: detection, tile configuration, and its instructions, which have no stable intrinsics yet.

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

/// AMX-TILE, AMX-BF16 and AMX-INT8.
fn processor_has() -> bool {
    const FEATURES: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & FEATURES == FEATURES
}

/// Asks the kernel to save the tile registers of this process's threads, which it does on request only.
fn system_allows() -> bool {
    const ARCH_PRCTL: u64 = 158;
    const REQUEST_PERMISSION: u64 = 0x1023;
    const TILES: u64 = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: the call only grants the permission; a kernel that does not know it returns an error.
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

/// The tile configuration that `ldtilecfg` reads.
#[repr(C, align(64))]
struct TileConfig {
    palette: u8,
    start_row: u8,
    unused: [u8; 14],
    /// Bytes of a row of each register.
    bytes: [u16; SIDE],
    rows: [u8; SIDE],
}

/// For 1 to 32 rows; static, because loading a configuration that was just written stalls.
static TILE_CONFIGS: [TileConfig; ROWS] = {
    let mut configs = [const { TileConfig::of(0) }; ROWS];
    let mut rows = 1;
    while rows <= ROWS {
        configs[rows - 1] = TileConfig::of(rows);
        rows += 1;
    }
    configs
};

impl TileConfig {
    #[expect(clippy::cast_possible_truncation, reason = "sixteen at most")]
    const fn of(rows: usize) -> Self {
        let upper = if rows < SIDE { rows } else { SIDE };
        let lower = if rows > SIDE { rows - SIDE } else { 1 };
        let heights = [upper, upper, lower, lower, upper, lower, SIDE, SIDE];
        let mut config = Self { palette: 1, start_row: 0, unused: [0; 14], bytes: [0; SIDE], rows: [0; SIDE] };
        let mut register = 0;
        while register < heights.len() {
            config.bytes[register] = 64;
            config.rows[register] = heights[register] as u8;
            register += 1;
        }
        config
    }
}

/// The unit, configured for some rows on this thread until it is dropped.
///
/// Registers 0 to 3 hold sums, 4 and 5 tiles of rows, 6 and 7 tiles of a panel.
pub(super) struct Unit {
    rows: usize,
    here: PhantomData<*const ()>,
}

/// Prefetches what the panel holds two tiles later.
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
        /// The unit is configured for the number of rows in `rows`, which lie `stride` words apart and have a word for
        /// each of the panel's steps, a whole number of tiles; `out` has room for as many rows of 32 values, `width`
        /// values apart.
        unsafe fn $name(rows: *const u32, stride: usize, panel: &[Step], begin: &Line, out: *mut f32, width: usize) {
            // The first 16 columns of the lower rows, or, without lower rows, the last 16 columns of the upper ones.
            let other: fn(usize) -> usize = $other;
            // SAFETY: reads stay within the rows, the panel and `begin`, writes within `out`.
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
    /// Configures the unit for 1 to 32 rows.
    pub(super) fn for_rows(rows: usize) -> Self {
        assert!(is_there() && (1..=ROWS).contains(&rows), "a unit, and 1 to 32 rows");
        // SAFETY: the processor has the unit, the kernel allows it, and the configuration is valid.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const TILE_CONFIGS[rows - 1], options(nostack, readonly)) };
        Self { rows, here: PhantomData }
    }

    /// Writes the products of rows, `stride` words apart, and a panel to `out`, `width` values a row; sums start at
    /// `begin`. In int8 the results are the bits of 32-bit integers.
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
        // SAFETY: the unit is configured for these rows, and the lengths have just been checked.
        unsafe { multiply(words.as_ptr(), stride, panel, begin, out.as_mut_ptr(), width) }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // SAFETY: it was configured on this thread.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
