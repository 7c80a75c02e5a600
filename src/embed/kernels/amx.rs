//! Products by the processor's matrix unit, where it has one (AMX): a tile of sixteen rows by one of sixteen
//! columns, of 16-bit or 8-bit numbers, at an instruction.
//!
//! Rows and panels lie as all other products find them. Sixteen words of sixteen rows are a tile, and so
//! are sixteen steps of half a panel; numbers that are no whole tiles are left to the other products.

use super::tile::{Columns, LANES, Line, Step, Tile};
use super::{Arithmetic, Instructions, Precision, widened};

/// Rows and columns of a tile; words of a row, and steps of a panel, that one holds.
pub(crate) const SIDE: usize = 16;
/// Rows that are multiplied together: each tile of a panel meets two of theirs.
const ROWS: usize = 2 * SIDE;

/// What the unit makes of some rows and a panel in 8 bits: whole numbers' bits.
#[repr(C, align(64))]
pub(crate) struct Sums([Line; ROWS]);

/// Whether the processor has the unit for numbers of this precision, and lets this process use it.
pub(crate) fn has(precision: Precision) -> bool {
    precision != Precision::F32 && super::allowed(Instructions::Amx) && super::has_avx512() && unit::is_there()
}

/// Whether products of this precision are made here, of rows of so many words.
pub(crate) fn takes(precision: Precision, words: usize) -> bool {
    words > 0 && words.is_multiple_of(SIDE) && has(precision)
}

/// `out`, `width` numbers a row, becomes the product of `count` rows and panels that lie one after another.
pub(crate) fn product(
    precision: Precision,
    count: usize,
    rows: Tile<'_>,
    panels: &[Step],
    columns: &[Columns],
    out: &mut [f32],
    width: usize,
) {
    let steps = panels.len() / columns.len().max(1);
    assert!(takes(precision, steps), "a unit, and whole tiles for it");
    let mut sums = Sums([[0.0; LANES]; ROWS]);
    let whole = count - count % ROWS;
    for (from, to) in [(0, whole), (whole, count)] {
        if from == to {
            continue;
        }
        let unit = unit::Unit::for_rows(ROWS.min(to - from));
        // Rows stay in the first cache; panels pass by, which the unit is told ahead.
        for first in (from..to).step_by(ROWS) {
            for (panel, (steps, columns)) in panels.chunks_exact(steps).zip(columns).enumerate() {
                let words = &rows.words[first * rows.stride..];
                let out = &mut out[first * width + panel * LANES..];
                let lanes = LANES.min(width - panel * LANES);
                if precision == Precision::Bf16 && lanes == LANES {
                    unit.multiply(precision, words, rows.stride, steps, columns, out, width);
                } else {
                    unit.multiply(precision, words, rows.stride, steps, columns, sums.0.as_flattened_mut(), LANES);
                    finish(precision, &sums, &rows.scales[first..(first + ROWS).min(to)], columns, out, (width, lanes));
                }
            }
        }
    }
}

widened! {
    /// Brings sums to their true size: so many rows as there are scales, each so many numbers behind the one
    /// before, and so many numbers of each.
    finish(precision: Precision, sums: &Sums, scales: &[f32], columns: &Columns, out: &mut [f32], shape: (usize, usize)), finished
}

#[inline(always)]
fn finished<A: Arithmetic>(
    precision: Precision,
    sums: &Sums,
    scales: &[f32],
    columns: &Columns,
    out: &mut [f32],
    (width, lanes): (usize, usize),
) {
    for ((line, sums), scale) in out.chunks_mut(width).zip(&sums.0).zip(scales) {
        let mut made = *sums;
        if precision == Precision::Int8 {
            for lane in 0..LANES {
                made[lane] = A::multiply_add(whole(sums[lane]) * scale, columns.scales[lane], columns.bias[lane]);
            }
        }
        if let Some(line) = line.first_chunk_mut::<LANES>().filter(|_| lanes == LANES) {
            *line = made;
        } else {
            // The last panel has fewer columns than lanes.
            line[..lanes].copy_from_slice(&made[..lanes]);
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "the last bits of long sums do not count")]
fn whole(sum: f32) -> f32 {
    sum.to_bits().cast_signed() as f32
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod unit {
    use std::arch::asm;
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    use std::marker::PhantomData;
    use std::sync::LazyLock;

    use super::{Columns, LANES, Line, Precision, ROWS, SIDE, Step};

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
                "tileloadd tmm4, [{rows} + {stride}]\n",
                "tileloadd tmm6, [{panel} + {step}]\n tileloadd tmm7, [{panel} + {step} + 64]\n",
                $dot, " tmm0, tmm4, tmm6\n", $dot, " tmm1, tmm4, tmm7\n",
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
            let (upper, lower) = (rows.min(SIDE), rows.saturating_sub(SIDE).max(1));
            let mut layout = Layout { palette: 1, start_row: 0, unused: [0; 14], bytes: [0; SIDE], rows: [0; SIDE] };
            for (register, rows) in [upper, upper, lower, lower, upper, lower, SIDE, SIDE].into_iter().enumerate() {
                layout.bytes[register] = 64;
                layout.rows[register] = u8::try_from(rows).expect("sixteen at most");
            }
            // SAFETY: the processor has the unit, the system allows it, and the layout is one that it takes.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const layout, options(nostack, readonly)) };
            Self { rows, here: PhantomData }
        }

        /// `out`, `width` numbers a row, becomes the products of rows, `stride` words apart, and a panel: the bits of
        /// whole numbers in 8 bits.
        #[expect(clippy::too_many_arguments, reason = "two factors and their product")]
        pub(super) fn multiply(
            &self,
            precision: Precision,
            words: &[u32],
            stride: usize,
            panel: &[Step],
            columns: &Columns,
            out: &mut [f32],
            width: usize,
        ) {
            let last = self.rows - 1;
            assert!(!panel.is_empty() && panel.len().is_multiple_of(SIDE), "whole tiles");
            assert!(words.len() >= last * stride + panel.len() && out.len() >= last * width + LANES, "room for all rows");
            let mut begin = columns.initial;
            if precision == Precision::Int8 {
                for number in &mut begin {
                    *number = bits_of_whole(*number);
                }
            }
            let multiply = match (precision, self.rows > SIDE) {
                (Precision::Int8, true) => bytes_by_two,
                (Precision::Int8, false) => bytes_by_one,
                (_, true) => pairs_by_two,
                (_, false) => pairs_by_one,
            };
            // SAFETY: the unit is laid out for as many rows, and all that it reads and writes has just been measured.
            unsafe { multiply(words.as_ptr(), stride, panel, &begin, out.as_mut_ptr(), width) }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number")]
    fn bits_of_whole(number: f32) -> f32 {
        f32::from_bits((number as i32).cast_unsigned())
    }

    impl Drop for Unit {
        fn drop(&mut self) {
            // SAFETY: it was laid out on this thread.
            unsafe { asm!("tilerelease", options(nostack, nomem)) };
        }
    }
}

/// Elsewhere there is none.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod unit {
    use super::{Columns, Precision, Step};

    pub(super) enum Unit {}

    pub(super) fn is_there() -> bool {
        false
    }

    impl Unit {
        pub(super) fn for_rows(_: usize) -> Self {
            unreachable!("there is no unit")
        }

        #[expect(clippy::too_many_arguments, reason = "as where there is one")]
        pub(super) fn multiply(&self, _: Precision, _: &[u32], _: usize, _: &[Step], _: &Columns, _: &mut [f32], _: usize) {
            match *self {}
        }
    }
}
