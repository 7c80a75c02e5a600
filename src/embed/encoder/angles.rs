//! Angles that questions and keys are turned by, so that their product knows how far apart they stand.

use super::super::kernels::rows::rotate;

/// Cosines and sines of each place's angles.
pub(super) struct Angles {
    half: usize,
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Angles {
    /// Of `places` places, for heads of `head` numbers.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as the reference counts")]
    pub(super) fn of(theta: f64, head: usize, places: usize) -> Self {
        let half = head / 2;
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        let speeds: Vec<f32> = (0..half).map(|at| 1.0 / theta.powf(2.0 * at as f64 / head as f64) as f32).collect();
        for place in 0..places {
            for speed in &speeds {
                let angle = place as f32 * speed;
                cosines.push(angle.cos());
                sines.push(angle.sin());
            }
        }
        Self { half, cosines, sines }
    }

    pub(super) fn turn(&self, place: usize, row: &mut [f32]) {
        let range = place * self.half..(place + 1) * self.half;
        rotate(row, &self.cosines[range.clone()], &self.sines[range]);
    }
}
