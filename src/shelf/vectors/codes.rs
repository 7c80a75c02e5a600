//! Vectors in memory: sixteen bits a number, in two bytes that lie apart.
//!
//! The high bytes alone tell nearly how near two vectors are, and a walk or a scan reads no more. The low
//! bytes, 1/254 of the high ones' unit, bring what was found to within a millionth of the cosine. So a vector takes
//! half of its 32-bit numbers' memory, and the first look at it a quarter.

use std::ops::Range;
use std::sync::Arc;

use crate::embed::{CodeProduct, ROUNDING_MAGIC, UnitVector, dot_pair};
use crate::shelf::PassageId;

/// Passages in a chunk. Adding a few copies one chunk at most: states share the others.
const CHUNK: usize = 1024;

/// Units of the low bytes in one of the high ones.
const FINE: f32 = 254.0;

/// Vectors of consecutive passages. A passage without one has zeros.
#[derive(Clone, Default)]
struct Chunk {
    high: Vec<u8>,
    low: Vec<u8>,
    /// What high bytes are multiplied by.
    scales: Vec<f32>,
    /// Sums of the high bytes.
    sums: Vec<i32>,
    /// The greatest distance between a vector and what its high bytes say.
    error: f32,
}

/// The vectors of all passages, by their numbers.
#[derive(Clone)]
pub(super) struct Codes {
    dimension: usize,
    product: CodeProduct,
    chunks: Vec<Arc<Chunk>>,
    /// What stands for every chunk without vectors: numbers are never used again, and what is gone shall take no memory.
    none: Arc<Chunk>,
    end: PassageId,
}

/// The high bytes of a vector.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) bytes: &'a [u8],
    scale: f32,
    sum: i32,
}

/// A question's vector.
pub(super) struct QueryVector<'a> {
    exact: &'a [f32],
    bytes: Vec<u8>,
    scale: f32,
    error: f32,
}

/// What is known of a vector beside its bytes.
struct Coded {
    scale: f32,
    sum: i32,
    error: f32,
}

/// Writes a vector's bytes. A million are written when a library is opened: nothing here keeps the compiler from
/// taking several numbers at once.
#[expect(clippy::cast_possible_truncation, reason = "the lowest byte is meant")]
fn code(vector: &[f32], high: &mut [u8], low: &mut [u8]) -> Coded {
    const LANES: usize = 16;
    // Without their sign, numbers are in the order of their bits.
    let largest = vector.iter().map(|value| value.to_bits() & (u32::MAX >> 1)).max().unwrap_or(0);
    let largest = f32::from_bits(largest).max(1e-30);
    let scale = 127.0 / largest;
    let mut errors = [0.0_f32; LANES];
    for ((values, high), low) in vector.chunks(LANES).zip(high.chunks_mut(LANES)).zip(low.chunks_mut(LANES)) {
        for (((value, high), low), error) in values.iter().zip(high).zip(low).zip(&mut errors) {
            let scaled = value * scale;
            let whole = scaled + ROUNDING_MAGIC;
            let rest = scaled - (whole - ROUNDING_MAGIC);
            *high = whole.to_bits() as u8;
            *low = (rest * FINE + ROUNDING_MAGIC).to_bits() as u8;
            *error += rest * rest;
        }
    }
    let sum = high.iter().map(|byte| i32::from(byte.cast_signed())).sum();
    let scale = largest / 127.0;
    Coded { scale, sum, error: errors.iter().sum::<f32>().sqrt() * scale }
}

impl Chunk {
    /// A full one, of passages without vectors.
    fn none(dimension: usize) -> Self {
        let bytes = || vec![0; CHUNK * dimension];
        Self { high: bytes(), low: bytes(), scales: vec![0.0; CHUNK], sums: vec![0; CHUNK], error: 0.0 }
    }
}

impl<'a> QueryVector<'a> {
    pub(super) fn of(vector: &'a UnitVector) -> Self {
        let (mut bytes, mut low) = (vec![0; vector.as_slice().len()], vec![0; vector.as_slice().len()]);
        let Coded { scale, error, .. } = code(vector.as_slice(), &mut bytes, &mut low);
        Self { exact: vector.as_slice(), bytes, scale, error }
    }
}

impl Codes {
    pub(super) fn new(dimension: usize) -> Self {
        Self { dimension, product: CodeProduct::fastest(), chunks: vec![], none: Arc::new(Chunk::none(dimension)), end: 0 }
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// The number behind the last passage's.
    pub(super) fn end(&self) -> PassageId {
        self.end
    }

    /// Takes the vector of passage `id`; numbers that were skipped have none. Passages come in order.
    pub(super) fn push(&mut self, id: PassageId, vector: Option<&UnitVector>) {
        debug_assert!(id >= self.end, "passages come in order");
        while self.end < id {
            self.push_row(None);
        }
        self.push_row(vector.filter(|vector| vector.as_slice().len() == self.dimension));
    }

    fn push_row(&mut self, vector: Option<&UnitVector>) {
        if (self.end as usize).is_multiple_of(CHUNK) {
            let bytes = || Vec::with_capacity(CHUNK * self.dimension);
            self.chunks.push(Arc::new(Chunk { high: bytes(), low: bytes(), ..Chunk::default() }));
        }
        let chunk = Arc::make_mut(self.chunks.last_mut().expect("one was pushed for the first passage"));
        let from = chunk.high.len();
        chunk.high.resize(from + self.dimension, 0);
        chunk.low.resize(from + self.dimension, 0);
        let coded = vector.map(|vector| code(vector.as_slice(), &mut chunk.high[from..], &mut chunk.low[from..]));
        let Coded { scale, sum, error } = coded.unwrap_or(Coded { scale: 0.0, sum: 0, error: 0.0 });
        chunk.scales.push(scale);
        chunk.sums.push(sum);
        chunk.error = chunk.error.max(error);
        self.end += 1;
        if (self.end as usize).is_multiple_of(CHUNK) && chunk.scales.iter().all(|scale| *scale == 0.0) {
            *self.chunks.last_mut().expect("it was just filled") = Arc::clone(&self.none);
        }
    }

    /// Lets go of the vectors of full chunks of which nothing is `needed`. Their passages have none from now on.
    pub(super) fn forget(&mut self, needed: impl Fn(Range<PassageId>) -> bool) {
        let full = self.end as usize / CHUNK;
        let starts = (0..=self.end).step_by(CHUNK);
        for (chunk, (first, end)) in self.chunks[..full].iter_mut().zip(starts.clone().zip(starts.skip(1))) {
            if !Arc::ptr_eq(chunk, &self.none) && !needed(first..end) {
                *chunk = Arc::clone(&self.none);
            }
        }
    }

    /// Chunks that take memory of their own.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.chunks.iter().filter(|chunk| !Arc::ptr_eq(chunk, &self.none)).count()
    }

    fn at(&self, id: PassageId) -> (&Chunk, usize) {
        (&self.chunks[id as usize / CHUNK], id as usize % CHUNK)
    }

    /// The high bytes of passage `id`, which must be one of its passages.
    pub(super) fn row(&self, id: PassageId) -> Row<'_> {
        let (chunk, at) = self.at(id);
        Row { bytes: &chunk.high[at * self.dimension..][..self.dimension], scale: chunk.scales[at], sum: chunk.sums[at] }
    }

    /// How near two passages are by their high bytes.
    pub(super) fn between(&self, a: PassageId, b: PassageId) -> f32 {
        let (a, b) = (self.row(a), self.row(b));
        #[expect(clippy::cast_precision_loss, reason = "the last bits do not count")]
        let product = self.product.of(a.bytes, b.bytes, b.sum) as f32;
        product * a.scale * b.scale
    }

    /// How near a passage is to the question by its high bytes.
    #[expect(clippy::cast_precision_loss, reason = "the last bits do not count")]
    pub(super) fn nearly(&self, asked: &QueryVector<'_>, row: Row<'_>) -> f32 {
        self.product.of(&asked.bytes, row.bytes, row.sum) as f32 * asked.scale * row.scale
    }

    /// How near passage `id` is to the question; 0 when there is no such passage.
    pub(super) fn exactly(&self, asked: &[f32], id: PassageId) -> f32 {
        if id >= self.end || asked.len() != self.dimension {
            return 0.0;
        }
        let (chunk, at) = self.at(id);
        let range = at * self.dimension..(at + 1) * self.dimension;
        let (high, low) = dot_pair(asked, &chunk.high[range.clone()], &chunk.low[range]);
        (high + low / FINE) * chunk.scales[at]
    }

    /// As [`Self::exactly`], for the vector that a question was made of.
    pub(super) fn to_asked(&self, asked: &QueryVector<'_>, id: PassageId) -> f32 {
        self.exactly(asked.exact, id)
    }

    /// The vector of passage `id`, as far as it is kept.
    pub(super) fn vector(&self, id: PassageId) -> Option<Vec<f32>> {
        if id >= self.end {
            return None;
        }
        let (chunk, at) = self.at(id);
        let range = at * self.dimension..(at + 1) * self.dimension;
        let numbers = chunk.high[range.clone()].iter().zip(&chunk.low[range]);
        let number = |high: &u8, low: &u8| f32::from(high.cast_signed()) + f32::from(low.cast_signed()) / FINE;
        Some(numbers.map(|(high, low)| number(high, low) * chunk.scales[at]).collect())
    }

    /// How far [`Self::nearly`] can be from the truth, for passages from `first` on and before `end`.
    pub(super) fn error(&self, asked: &QueryVector<'_>, first: PassageId, end: PassageId) -> f32 {
        let chunks =
            self.chunks.iter().skip(first as usize / CHUNK).take((end as usize).div_ceil(CHUNK) - first as usize / CHUNK);
        let rows = chunks.fold(0.0, |most: f32, chunk| most.max(chunk.error));
        // |q·v - q'·v'| ≤ |q - q'|·|v| + |q'|·|v - v'|, where |v| is 1 and |q'| at most 1 + |q - q'|.
        asked.error + (1.0 + asked.error) * rows
    }
}
