//! CPU kernels on slices, which Candle calls through custom operations; the only unsafe code of the crate.
//!
//! What the compiler can vectorise is written once, in lanes, and compiled once more for each wider instruction set,
//! chosen at run time (`widened!`). Only matrix products name their instructions (`tile`, `amx`). `product` multiplies
//! packed matrices, and `team` has helper threads for products that are too short to wake a thread for.
#![expect(unsafe_code, reason = "calling a function compiled for optional instructions is unsafe")]
#![expect(clippy::inline_always, reason = "a body is compiled again inside each caller that enables wider instructions")]
#![expect(clippy::extra_unused_type_parameters, reason = "not every body multiplies and adds, but all are called alike")]

pub(super) mod activation;
pub(crate) mod amx;
pub(crate) mod codes;
pub(super) mod pages;
pub(super) mod panels;
pub(super) mod product;
pub(super) mod rows;
pub(super) mod team;
pub(super) mod tile;
pub(super) mod words;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// Adding 1.5 · 2²³ to a small float rounds it to an integer, which then stands in the lowest mantissa bits.
pub(crate) const ROUNDING_MAGIC: f32 = 12_582_912.0;

/// How weights and activations are stored for matrix products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// bfloat16: half the memory, and twice the speed where the processor has instructions for it.
    Bf16,
    /// 8 bits, symmetric: weights with a scale for each output channel, activations with one for each token.
    Int8,
}

impl Precision {
    /// All precisions, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// The name that settings use.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// The fastest precision that does not change results visibly: bf16 where the processor is fast at it, else f32.
    pub fn fastest_exact() -> Self {
        if has_wide(Self::Bf16) && !widens_bf16() { Self::Bf16 } else { Self::F32 }
    }

    /// What `auto` stands for: int8 for weights that are stored so, else [`Self::fastest_exact`].
    pub(super) fn fastest_for(int8_weights: bool) -> Self {
        if int8_weights { Self::Int8 } else { Self::fastest_exact() }
    }

    /// The precision of activations beside weights of this precision: f32 for bf16 weights where widening these to f32
    /// is faster than the processor's bf16 dot products.
    pub(super) fn of_activations(self) -> Self {
        if self == Self::Bf16 && has_wide(self) && widens_bf16() { Self::F32 } else { self }
    }

    /// Values in a word of 32 bits.
    pub(super) fn values_per_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
            Self::Int8 => 4,
        }
    }
}

/// Instruction sets, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// The baseline of the architecture.
    Portable,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
    /// Tiles of a matrix unit.
    Amx,
}

impl Instructions {
    /// All instruction sets, the widest last.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Amx];
}

/// Whether bf16 dot products are faster than widening to f32; this depends on the processor and is measured once.
static BF16_DOT_IS_FASTER: LazyLock<bool> = LazyLock::new(tile::bf16_dot_is_faster);

/// Whether bf16 weights are widened to f32 although the processor could multiply them as they are.
fn widens_bf16() -> bool {
    !amx::has(Precision::Bf16) && !*BF16_DOT_IS_FASTER
}

static CEILING: AtomicU8 = AtomicU8::new(Instructions::Amx as u8);

/// Uses no wider instructions from now on, for tests and measurements of narrower processors.
pub fn limit_instructions(widest: Instructions) {
    CEILING.store(widest as u8, Ordering::Relaxed);
}

fn allowed(instructions: Instructions) -> bool {
    instructions as u8 <= CEILING.load(Ordering::Relaxed)
}

/// The widest instructions that matrix products use on this processor, in words.
pub(crate) fn instructions() -> &'static str {
    match () {
        () if amx::has(Precision::Int8) => "AMX, and AVX-512 with products of 16 and 8 bits",
        () if has_wide(Precision::Bf16) => "AVX-512 with products of 16 and 8 bits",
        () if has_avx512() => "AVX-512",
        () if has_avx2() => "AVX2",
        () => "portable instructions",
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    allowed(Instructions::Avx512)
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    allowed(Instructions::Avx2) && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_wide(precision: Precision) -> bool {
    has_avx512()
        && match precision {
            Precision::F32 => true,
            Precision::Bf16 => is_x86_feature_detected!("avx512bf16"),
            Precision::Int8 => is_x86_feature_detected!("avx512vnni"),
        }
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_wide(_: Precision) -> bool {
    false
}

/// `a · b + c`, fused where the instruction set has it; elsewhere `mul_add` would be a library call.
trait Arithmetic {
    fn multiply_add(a: f32, b: f32, c: f32) -> f32;
}

struct Fused;

impl Arithmetic for Fused {
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

struct Plain;

impl Arithmetic for Plain {
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// Defines a function whose body is compiled for each instruction set, and chooses among them at run time.
macro_rules! widened {
    ($(#[$documentation:meta])* $name:ident($($argument:ident: $type:ty),*) $(-> $made:ty)?, $body:ident) => {
        $(#[$documentation])*
        pub(crate) fn $name($($argument: $type),*) $(-> $made)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
                fn avx512($($argument: $type),*) $(-> $made)? {
                    $body::<$crate::embed::kernels::Fused>($($argument),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) $(-> $made)? {
                    $body::<$crate::embed::kernels::Fused>($($argument),*)
                }
                if $crate::embed::kernels::has_avx512() {
                    // SAFETY: the processor has just said that it has these instructions.
                    return unsafe { avx512($($argument),*) };
                } else if $crate::embed::kernels::has_avx2() {
                    // SAFETY: as above.
                    return unsafe { avx2($($argument),*) };
                }
            }
            $body::<$crate::embed::kernels::Plain>($($argument),*)
        }
    };
}
pub(super) use widened;

/// Reduces lanes to one value by joining halves, which vectorises.
#[inline(always)]
fn reduced<const N: usize>(mut lanes: [f32; N], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

widened! {
    /// Dot product.
    dot(a: &[f32], b: &[f32]) -> f32, lanes
}

widened! {
    /// Adds `weight` times a row of signed bytes to `sum`; bit-identical on every processor.
    add_bytes(row: &[u8], weight: f32, sum: &mut [f32]), add
}

widened! {
    /// Dot products of a vector with two rows of signed bytes.
    dot_pair(vector: &[f32], high: &[u8], low: &[u8]) -> (f32, f32), pair
}

#[inline(always)]
fn lanes<A: Arithmetic>(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 32;
    let (a_wide, a_rest) = a.as_chunks::<LANES>();
    let (b_wide, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_wide.iter().zip(b_wide) {
        for lane in 0..LANES {
            sums[lane] = A::multiply_add(a[lane], b[lane], sums[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    reduced(sums, |a, b| a + b) + rest
}

#[inline(always)]
fn add<A>(row: &[u8], weight: f32, sum: &mut [f32]) {
    sum.iter_mut().zip(row).for_each(|(sum, byte)| *sum += weight * f32::from(byte.cast_signed()));
}

#[inline(always)]
fn pair<A: Arithmetic>(vector: &[f32], high: &[u8], low: &[u8]) -> (f32, f32) {
    const LANES: usize = 32;
    let number = |byte: u8| f32::from(byte.cast_signed());
    let mut sums = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let (wide, rest) = vector.as_chunks::<LANES>();
    let (high_wide, high_rest) = high.as_chunks::<LANES>();
    let (low_wide, low_rest) = low.as_chunks::<LANES>();
    for ((x, high), low) in wide.iter().zip(high_wide).zip(low_wide) {
        for lane in 0..LANES {
            sums.0[lane] = A::multiply_add(x[lane], number(high[lane]), sums.0[lane]);
            sums.1[lane] = A::multiply_add(x[lane], number(low[lane]), sums.1[lane]);
        }
    }
    let rest = |bytes: &[u8]| rest.iter().zip(bytes).map(|(x, byte)| x * number(*byte)).sum::<f32>();
    let [of_high, of_low] = [sums.0, sums.1].map(|sums| reduced(sums, |a, b| a + b));
    (of_high + rest(high_rest), of_low + rest(low_rest))
}

/// Runs `test` with each instruction set as the widest; no other test changes it meanwhile.
#[cfg(test)]
pub(in crate::embed) fn under_each(mut test: impl FnMut(Instructions)) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for widest in Instructions::ALL {
        limit_instructions(widest);
        test(widest);
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
            let (high, low) = (row(), row());
            let (by_high, by_low) = dot_pair(&a, &high, &low);
            for (found, bytes) in [(by_high, &high), (by_low, &low)] {
                let exact: f64 = a.iter().zip(bytes).map(|(a, byte)| f64::from(*a) * f64::from(byte.cast_signed())).sum();
                assert!((f64::from(found) - exact).abs() < 0.05, "{length}: {found} for {exact}");
            }
        }
    }
}
