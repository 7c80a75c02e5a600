//! What the confidence is worth: how it separates, how it is calibrated, what a
//! threshold costs.

use serde::Serialize;

/// One question: how sure the answer was, whether the documents answer it, and
/// whether what was said is right.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// 0 to 1.
    pub confidence: f64,
    /// Whether the documents answer the question.
    pub answerable: bool,
    /// Whether the first quote holds a gold answer.
    pub right: bool,
}

/// A point of the risk–coverage curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Risk {
    /// Answered if the confidence is at least this.
    pub threshold: f64,
    /// Share of all questions that are answered then.
    pub coverage: f64,
    /// Share of those that are answered wrongly.
    pub risk: f64,
}

/// A bin of the reliability plot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Mean confidence of its questions.
    pub confidence: f64,
    /// Share of them that the documents answer.
    pub answerable: f64,
    /// How many they are.
    pub questions: usize,
}

/// The chance that an answerable question scores higher than an unanswerable one; ties count half.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn auroc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let positive = tied.iter().filter(|(_, answerable)| *answerable).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + negative / 2.0);
        below += negative;
    }
    let positive = scored.iter().filter(|(_, answerable)| *answerable).count() as f64;
    let pairs = positive * (scored.len() as f64 - positive);
    if pairs > 0.0 { wins / pairs } else { 0.0 }
}

/// Share of unanswerable questions that are refused by the threshold at which nine of
/// ten answerable ones are still answered.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn refused_at_90(scored: &[(f64, bool)]) -> f64 {
    let mut answerable: Vec<f64> = scored.iter().filter(|(_, answerable)| *answerable).map(|(score, _)| *score).collect();
    answerable.sort_by(|a, b| b.total_cmp(a));
    let needed = (answerable.len() * 9).div_ceil(10);
    let Some(threshold) = needed.checked_sub(1).and_then(|last| answerable.get(last)) else { return 0.0 };
    let unanswerable: Vec<f64> = scored.iter().filter(|(_, answerable)| !answerable).map(|(score, _)| *score).collect();
    unanswerable.iter().filter(|score| *score < threshold).count() as f64 / unanswerable.len().max(1) as f64
}

/// The curve, from the surest question to all.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn risk_coverage(judged: &[Judged]) -> Vec<Risk> {
    const POINTS: usize = 50;
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut wrong = 0;
    let mut curve = Vec::new();
    for (at, one) in sorted.iter().enumerate() {
        wrong += usize::from(!one.right);
        let answered = at + 1;
        // The last of each of fifty steps, and always the end.
        if answered * POINTS / sorted.len() != at * POINTS / sorted.len() {
            let coverage = answered as f64 / sorted.len() as f64;
            curve.push(Risk {
                threshold: one.confidence,
                coverage,
                risk: f64::from(u32::try_from(wrong).unwrap_or(u32::MAX)) / answered as f64,
            });
        }
    }
    curve
}

/// Ten bins of confidence; empty ones are left out.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tenths of 0 to 1")]
pub fn reliability(judged: &[Judged]) -> Vec<Bin> {
    let mut bins: Vec<Vec<&Judged>> = vec![vec![]; 10];
    for one in judged {
        bins[((one.confidence * 10.0) as usize).min(9)].push(one);
    }
    bins.retain(|bin| !bin.is_empty());
    let bin = |bin: Vec<&Judged>| Bin {
        confidence: bin.iter().map(|one| one.confidence).sum::<f64>() / bin.len() as f64,
        answerable: bin.iter().filter(|one| one.answerable).count() as f64 / bin.len() as f64,
        questions: bin.len(),
    };
    bins.into_iter().map(bin).collect()
}

/// Expected calibration error: how far the bins lie from what they say, by their size.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let questions: usize = bins.iter().map(|bin| bin.questions).sum();
    bins.iter().map(|bin| (bin.confidence - bin.answerable).abs() * bin.questions as f64).sum::<f64>() / questions.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_ties_half() {
        assert!((auroc(&[(0.9, true), (0.1, false), (0.5, true), (0.5, false)]) - 0.875).abs() < 1e-9);
        assert!(auroc(&[(0.1, true), (0.9, false)]).abs() < 1e-9);
    }

    #[test]
    fn a_curve_ends_with_all_answered() {
        let judged: Vec<Judged> =
            (0..100).map(|n| Judged { confidence: f64::from(n) / 100.0, answerable: n >= 20, right: n >= 20 }).collect();
        let curve = risk_coverage(&judged);
        let last = curve.last().unwrap();
        assert!((last.coverage - 1.0).abs() < 1e-9 && (last.risk - 0.2).abs() < 1e-9);
        assert!(curve[0].risk < 1e-9 && curve.len() <= 50);
        assert_eq!(reliability(&judged).iter().map(|bin| bin.questions).sum::<usize>(), 100);
        let scored: Vec<(f64, bool)> = judged.iter().map(|one| (one.confidence, one.answerable)).collect();
        assert!((refused_at_90(&scored) - 1.0).abs() < 1e-9);
    }
}
