//! Rotary position embeddings (Su et al. 2021, "RoFormer"): queries and keys are rotated by angles that grow with
//! their positions, so that their product depends on the distance.

use super::super::kernels::rows::rotate;

/// Cosines and sines of all positions, `[positions, head_dim / 2]`.
pub(in crate::embed) struct RotaryTable {
    half: usize,
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl RotaryTable {
    /// The angle of pair `i` at position `p` is `p / theta^(2i / head_dim)`.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as the reference computes them")]
    pub(in crate::embed) fn new(theta: f64, head_dim: usize, positions: usize) -> Self {
        let half = head_dim / 2;
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        let frequencies: Vec<f32> = (0..half).map(|at| 1.0 / theta.powf(2.0 * at as f64 / head_dim as f64) as f32).collect();
        for position in 0..positions {
            for frequency in &frequencies {
                let angle = position as f32 * frequency;
                cosines.push(angle.cos());
                sines.push(angle.sin());
            }
        }
        Self { half, cosines, sines }
    }

    /// Rotates the pairs `(x[i], x[i + head_dim / 2])` of one head.
    pub(in crate::embed) fn rotate(&self, position: usize, head: &mut [f32]) {
        let range = position * self.half..(position + 1) * self.half;
        rotate(head, &self.cosines[range.clone()], &self.sines[range]);
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn heads_are_rotated_as_candle_nn_rotates_them() {
        const POSITIONS: usize = 7;
        const HEADS: usize = 3;
        const DIM: usize = 8;
        let mut random = fastrand::Rng::with_seed(3);
        let table = RotaryTable::new(10_000.0, DIM, POSITIONS);
        let mut rows: Vec<f32> = (0..POSITIONS * HEADS * DIM).map(|_| random.f32() - 0.5).collect();
        let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
        let (cosines, sines) = (tensor(&table.cosines, &[POSITIONS, DIM / 2]), tensor(&table.sines, &[POSITIONS, DIM / 2]));
        let expected = candle_nn::rotary_emb::rope_thd(&tensor(&rows, &[1, POSITIONS, HEADS, DIM]), &cosines, &sines).unwrap();
        for (at, head) in rows.chunks_exact_mut(DIM).enumerate() {
            table.rotate(at / HEADS, head);
        }
        let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(rows.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{rows:?} {expected:?}");
    }
}
