//! The vectors of a passage's sentences, in 8 bits: kept with the passage, and compared with a question's vector.
//!
//! A vector is a scale (f32, little-endian) and one i8 for each number; the scale makes it of length one again.
//! A sentence without a vector has the scale 0.

use crate::embed::UnitVector;

/// The largest of a vector's numbers in 8 bits.
const LARGEST: f32 = 127.0;
const SCALE: usize = size_of::<f32>();
/// Sums that are kept apart while two vectors are multiplied, so that the compiler can add them at once.
const LANES: usize = 16;

/// The vectors of a passage's sentences, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentenceVectors(Vec<u8>);

impl SentenceVectors {
    /// Rounds `vectors`, all of `dimension` numbers, to 8 bits.
    pub fn of(vectors: &[Option<UnitVector>], dimension: usize) -> Self {
        let mut bytes = Vec::with_capacity(vectors.len() * (SCALE + dimension));
        for vector in vectors {
            match vector {
                Some(vector) => push(&mut bytes, vector.as_slice()),
                None => bytes.resize(bytes.len() + SCALE + dimension, 0),
            }
        }
        Self(bytes)
    }

    /// As they were kept.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As they are kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Cosine similarity of each sentence with `question`.
    pub fn cosines(&self, question: &UnitVector) -> Vec<f32> {
        cosines(&self.0, question)
    }
}

/// Cosine similarity of `question` with each of the sentences whose vectors are `bytes`; none where these are of
/// another dimension.
pub(super) fn cosines(bytes: &[u8], question: &UnitVector) -> Vec<f32> {
    let question = question.as_slice();
    let stride = SCALE + question.len();
    if !bytes.len().is_multiple_of(stride) {
        return vec![];
    }
    let cosine = |sentence: &[u8]| {
        let (scale, numbers) = sentence.split_first_chunk::<SCALE>().expect("each begins with a scale");
        f32::from_le_bytes(*scale) * product(numbers, question)
    };
    bytes.chunks_exact(stride).map(cosine).collect()
}

fn push(bytes: &mut Vec<u8>, vector: &[f32]) {
    let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    #[expect(clippy::cast_possible_truncation, reason = "at most 127 either way")]
    let numbers: Vec<i8> = vector.iter().map(|number| (number / largest * LARGEST).round() as i8).collect();
    let squares: i32 = numbers.iter().map(|number| i32::from(*number).pow(2)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a length")]
    let scale = 1.0 / (squares as f32).sqrt();
    bytes.extend(scale.to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn product(numbers: &[u8], question: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (numbers, last) = numbers.as_chunks::<LANES>();
    let (parts, rest) = question.as_chunks::<LANES>();
    for (numbers, part) in numbers.iter().zip(parts) {
        for lane in 0..LANES {
            sums[lane] += f32::from(numbers[lane].cast_signed()) * part[lane];
        }
    }
    let rest: f32 = last.iter().zip(rest).map(|(number, one)| f32::from(number.cast_signed()) * one).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are always the same.
    fn vector(seed: u64, dimension: usize) -> UnitVector {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f32::from(u16::try_from(state >> 48).unwrap()) / 32768.0 - 1.0
        };
        let numbers: Vec<f32> = std::iter::repeat_with(next).take(dimension).collect();
        let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| (number / length).to_le_bytes()).collect();
        UnitVector::from_bytes(&bytes, dimension).unwrap()
    }

    #[test]
    fn a_sentence_in_8_bits_is_as_near_as_it_was() {
        for dimension in [384, 7] {
            let (question, one, other) = (vector(1, dimension), vector(2, dimension), vector(3, dimension));
            let kept = SentenceVectors::of(&[Some(one.clone()), None, Some(other.clone())], dimension);
            let read = SentenceVectors::from_bytes(kept.as_bytes().to_vec());
            let cosines = read.cosines(&question);
            assert_eq!(cosines.len(), 3);
            for (cosine, exact) in cosines.iter().zip([question.dot(&one), 0.0, question.dot(&other)]) {
                assert!((cosine - exact).abs() < 0.005, "{cosine} {exact}");
            }
            assert!((SentenceVectors::of(&[Some(question.clone())], dimension).cosines(&question)[0] - 1.0).abs() < 0.001);
            assert!(read.cosines(&vector(1, dimension + 1)).is_empty());
        }
    }
}
