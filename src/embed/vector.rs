//! Embeddings of length one.

/// An embedding of length one; only this room makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVector(Box<[f32]>);

impl UnitVector {
    /// `values` scaled to length one; `None` when they have no length or are no numbers.
    pub(super) fn of(mut values: Vec<f32>) -> Option<Self> {
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !length.is_finite() || length < 1e-12 {
            return None;
        }
        for value in &mut values {
            *value /= length;
        }
        Some(Self(values.into_boxed_slice()))
    }

    /// The vector that [`Self::to_bytes`] wrote; `None` when the bytes are no vector of length one.
    pub fn from_bytes(bytes: &[u8], dimension: usize) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let values: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
        let length = super::kernels::dot(&values, &values);
        let sound = rest.is_empty() && values.len() == dimension && (length - 1.0).abs() < 1e-3;
        sound.then(|| Self(values.into_boxed_slice()))
    }

    /// Little-endian 32-bit numbers.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine similarity.
    pub fn dot(&self, other: &Self) -> f32 {
        super::kernels::dot(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_survives_its_bytes_and_nothing_else_does() {
        let vector = UnitVector::of(vec![3.0, 4.0]).unwrap();
        assert_eq!(UnitVector::from_bytes(&vector.to_bytes(), 2), Some(vector));
        assert_eq!(UnitVector::from_bytes(&[0; 8], 2), None);
        assert_eq!(UnitVector::from_bytes(&[0; 7], 2), None);
        assert_eq!(UnitVector::of(vec![0.0; 4]), None);
        assert_eq!(UnitVector::of(vec![f32::NAN, 1.0]), None);
    }
}
