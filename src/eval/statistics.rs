//! How far a mean can be trusted, and whether two runs differ.

use fastrand::Rng;

/// Samples drawn for an interval and permutations for a test.
const DRAWS: usize = 2000;

/// The mean; of nothing, zero.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The value below which `share` of the sorted `values` lie.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into a list")]
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// 95 % bootstrap interval of `figure` over `rows`: what it would be had other
/// questions of the same kind been asked.
pub fn interval<T: Copy>(rows: &[T], seed: u64, figure: &dyn Fn(&[T]) -> f64) -> (f64, f64) {
    if rows.is_empty() {
        return (0.0, 0.0);
    }
    let mut random = Rng::with_seed(seed);
    let mut sample = rows.to_vec();
    let mut figures: Vec<f64> = (0..DRAWS)
        .map(|_| {
            sample.fill_with(|| rows[random.usize(..rows.len())]);
            figure(&sample)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    (percentile(&figures, 0.025), percentile(&figures, 0.975))
}

/// Two-sided p of a paired randomisation test: how often the mean difference is as
/// large when the sign of each question's is left to chance.
#[expect(clippy::cast_precision_loss, reason = "counts of draws")]
pub fn paired(differences: &[f64], seed: u64) -> f64 {
    let observed = differences.iter().sum::<f64>().abs();
    let mut random = Rng::with_seed(seed);
    let extreme = (0..DRAWS)
        .filter(|_| {
            let drawn: f64 = differences.iter().map(|difference| if random.bool() { *difference } else { -difference }).sum();
            drawn.abs() >= observed - 1e-12
        })
        .count();
    (extreme + 1) as f64 / (DRAWS + 1) as f64
}

/// Holm's correction: what each p becomes when so many were tried.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut corrected = vec![1.0; ps.len()];
    let mut floor = 0.0_f64;
    for (place, at) in order.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a count of tests")]
        let left = (ps.len() - place) as f64;
        floor = floor.max(ps[at] * left).min(1.0);
        corrected[at] = floor;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_the_mean_and_repeat_themselves() {
        let values: Vec<f64> = (0..200).map(|n| f64::from(n % 2)).collect();
        let (low, high) = interval(&values, 7, &mean);
        assert!(low < 0.5 && 0.5 < high && high - low < 0.2, "{low} {high}");
        assert_eq!(interval(&values, 7, &mean), (low, high));
    }

    #[test]
    fn a_test_tells_a_difference_from_none() {
        assert!(paired(&[0.1; 50], 1) < 0.01);
        let none: Vec<f64> = (0..50).map(|n| if n % 2 == 0 { 0.1 } else { -0.1 }).collect();
        assert!(paired(&none, 1) > 0.5);
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
    }
}
