//! How likely it is that the articles answer: a logistic model of a few measures of the best passages.

use crate::embed::{Confidence, logistic};
use crate::retrieve::{Evidence, Sentence};

/// What the probability is reckoned from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measures {
    /// The best passage's fused score.
    pub fused: f32,
    /// The highest logit that a passage answers; 0 where nothing was read.
    pub answerable: f32,
    /// The highest span's logit over that of no span in its passage; 0 where nothing was read.
    pub span: f32,
    /// The chosen sentence's logit; its cosine where nothing was read.
    pub sentence: f32,
    /// How much of the question the best passage and its context cover; 0 where nothing was read.
    pub coverage: f32,
    /// How much of the question the chosen sentence covers; 0 where nothing was read.
    pub sentence_coverage: f32,
    /// By how much the best passage's total is above the mean of the next; 0 where there is only one.
    pub lead: f32,
    /// How far the question is in another language than the passages, 0 to 1.
    pub foreign: f32,
}

impl Measures {
    /// Of `evidence`, the best first, for an answer whose first sentence is `chosen`.
    pub(super) fn of<'a>(evidence: impl Iterator<Item = &'a Evidence>, chosen: &Sentence) -> Self {
        let evidence: Vec<&Evidence> = evidence.filter(|one| !one.sentences.is_empty()).collect();
        let Some(best) = evidence.first() else { return Self::default() };
        let readings = || evidence.iter().filter_map(|one| one.scores.reading);
        let totals: Vec<f32> = evidence.iter().map(|one| one.scores.total).collect();
        Self {
            fused: best.scores.fused,
            answerable: readings().map(|reading| reading.answerable).reduce(f32::max).unwrap_or(0.0),
            span: readings().map(|reading| reading.span).reduce(f32::max).unwrap_or(0.0),
            sentence: chosen.reading.map_or(chosen.meaning, |reading| reading.logit),
            coverage: best.scores.reading.map_or(0.0, |reading| reading.coverage),
            sentence_coverage: chosen.reading.map_or(0.0, |reading| reading.coverage),
            lead: lead(&totals),
            foreign: 1.0 - best.scores.same_language,
        }
    }

    /// The probability that the articles answer.
    pub fn probability(&self, weights: &Confidence) -> f32 {
        let Self { fused, answerable, span, sentence, coverage, sentence_coverage, lead, foreign } = self;
        logistic(
            weights.bias
                + weights.fused * fused
                + weights.answerable * answerable
                + weights.span * span
                + weights.sentence * sentence
                + weights.coverage * coverage
                + weights.sentence_coverage * sentence_coverage
                + weights.lead * lead
                + weights.foreign * foreign,
        )
    }
}

/// The first of `totals` less the mean of the others.
#[expect(clippy::cast_precision_loss, reason = "a few passages")]
fn lead(totals: &[f32]) -> f32 {
    match totals {
        [best, next @ ..] if !next.is_empty() => best - next.iter().sum::<f32>() / next.len() as f32,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Parameters;

    #[test]
    fn the_best_leads_the_mean_of_the_next_and_one_alone_leads_nothing() {
        assert!((lead(&[3.0, 1.0, 0.0]) - 2.5).abs() < 1e-6);
        assert!(lead(&[3.0]).abs() < 1e-6 && lead(&[]).abs() < 1e-6);
    }

    #[test]
    fn without_a_reader_a_nearer_passage_is_surer() {
        let shipped = Parameters::default();
        let of_cosine = |cosine: f32| {
            let fused = (shipped.fusion.meaning + shipped.fusion.sentence) * cosine;
            Measures { fused, sentence: cosine, ..Measures::default() }.probability(&shipped.confidence)
        };
        assert!(of_cosine(0.3) < shipped.confidence.threshold && of_cosine(0.8) > of_cosine(0.5));
    }

    #[test]
    fn the_probability_is_logistic_in_the_measures() {
        let zero = Confidence {
            bias: -1.0,
            fused: 0.0,
            answerable: 0.5,
            span: 0.25,
            sentence: 0.0,
            coverage: 2.0,
            sentence_coverage: 0.0,
            lead: 0.0,
            foreign: 0.0,
            ..Parameters::default().confidence
        };
        let measures = Measures { answerable: 2.0, span: 2.0, coverage: 0.25, ..Measures::default() };
        assert!((measures.probability(&zero) - logistic(1.0)).abs() < 1e-6);
    }
}
