//! How a passage scored, feature by feature.

use crate::embed::{Fusion, ReadingWeights};

/// How a passage scored. Features are 0 where they were not found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// What evidence is ordered by.
    pub total: f32,
    /// The weighted sum of the four features below.
    pub fused: f32,
    /// Cosine of question and passage.
    pub meaning: f32,
    /// Highest cosine of the question and a sentence of the passage.
    pub sentence: f32,
    /// BM25, as a share of what a passage would have that holds every term once.
    pub words: f32,
    /// Whether the question is in the passages' language, 0 to 1; the same for all passages of a question.
    pub same_language: f32,
    /// What the reader says of it, where it was read.
    pub reading: Option<PassageReading>,
    /// How likely the passage answers, 0 to 1, by the best of what is known of it.
    pub relevance: f32,
}

/// What the reader says of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PassageReading {
    /// The logit that it answers.
    pub answerable: f32,
    /// The logit that no span of it answers.
    pub no_span: f32,
    /// The best span's logit over that of no span.
    pub span: f32,
    /// The best sentence's logit.
    pub sentence: f32,
    /// How much of the question it covers, 0 to 1.
    pub coverage: f32,
}

impl Scores {
    /// A passage that a leg gave this score, and of which nothing else is known.
    pub(super) fn of_leg(score: f32) -> Self {
        Self { total: score, relevance: score.clamp(0.0, 1.0), ..Self::default() }
    }

    /// The weighted sum of the features of a candidate.
    pub(super) fn fused(&self, weights: &Fusion) -> f32 {
        let words = weights.words * self.same_language + weights.foreign_words * (1.0 - self.same_language);
        weights.meaning * self.meaning + weights.sentence * self.sentence + words * self.words
    }

    /// The weighted sum of the fused score and the reading; the fused score alone, where there is none.
    pub(super) fn total(&self, weights: &ReadingWeights) -> f32 {
        let Some(PassageReading { answerable, span, sentence, coverage, .. }) = self.reading else { return self.fused };
        let by_language = |own: f32, foreign: f32| own * self.same_language + foreign * (1.0 - self.same_language);
        weights.fused * self.fused
            + by_language(weights.answerable, weights.foreign_answerable) * answerable
            + weights.span * span
            + weights.sentence * sentence
            + by_language(weights.coverage, weights.foreign_coverage) * coverage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::Parameters;

    #[test]
    fn words_count_by_the_language_and_a_reading_by_its_weights() {
        let scores = Scores { meaning: 0.5, sentence: 0.6, words: 0.4, same_language: 0.25, ..Scores::default() };
        let fusion = Fusion { meaning: 1.0, sentence: 2.0, words: 4.0, foreign_words: 0.8 };
        let fused = scores.fused(&fusion);
        assert!((fused - (0.5 + 1.2 + (1.0 + 0.6) * 0.4)).abs() < 1e-6);
        let weights = ReadingWeights {
            passages: 8,
            fused: 2.0,
            answerable: 0.8,
            foreign_answerable: 0.4,
            span: 0.25,
            sentence: 1.0,
            coverage: 2.0,
            foreign_coverage: 10.0,
        };
        let scores = Scores { fused, ..scores };
        assert!((scores.total(&weights) - fused).abs() < 1e-6, "nothing was read");
        let reading = PassageReading { answerable: 2.0, no_span: 1.0, span: 4.0, sentence: -1.0, coverage: 0.5 };
        let read = Scores { reading: Some(reading), ..scores };
        assert!((read.total(&weights) - (2.0 * fused + 1.0 + 1.0 - 1.0 + 4.0)).abs() < 1e-6);
        assert!(Parameters::default().reading.passages > 0);
    }
}
