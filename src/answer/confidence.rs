//! How likely it is that the articles answer: a logistic model of a few measures.
//!
//! In a large library something is always near, and an answer is told by its lead over what comes next;
//! in a small one there is little to lead, and what the best sentence has of the question counts by itself.

/// What is measured of the best sentences and of the best passages; about 0 to 1 each but the last.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measures {
    /// How well the best sentence bears on the question.
    pub bearing: f32,
    /// By how much it leads those that come next, as far as there are any.
    pub sentence_lead: f32,
    /// How many come next, of those that a lead is taken from.
    pub rivals: f32,
    /// Words of the question that the sentence given first has, by rarity.
    pub sentence_words: f32,
    /// The share of the best passage's score by which it leads those that come next, as far as there are any.
    pub passage_lead: f32,
    /// Words of the question that the best passage has, by rarity.
    pub passage_words: f32,
    /// Cosine of the question and the best passage.
    pub meaning: f32,
    /// Whether the question is in the passages' language. Where it is not,
    /// missing words prove nothing.
    pub same_language: f32,
    /// What the model's reader makes of the passage that it finds best, where it was asked: the logarithm of the odds,
    /// up to a constant.
    pub reading: Option<f32>,
}

/// Sentences and passages that a lead is taken from: so many that a fact told twice takes little of it.
const NEXT_SENTENCES: usize = 15;
const NEXT_PASSAGES: usize = 7;

// Learnt by logistic regression on 13,300 questions in four languages and across them, half of them about
// passages that were taken out, in libraries of one to 21,000 passages; each set weighs the same.
const BIAS: f32 = -3.74;
const BEARING: f32 = 5.05;
const SENTENCE_LEAD: f32 = 8.87;
const RIVALS: f32 = -6.21;
const FOREIGN_RIVALS: f32 = 3.51;
const SENTENCE_WORDS: f32 = 2.30;
const PASSAGE_LEAD: f32 = 4.31;
const PASSAGE_WORDS: f32 = 1.01;
const MEANING: f32 = 6.01;
// Learnt on top of these on 12,200 questions in another language than the passages: twelve pairs of four languages,
// other passages of the same articles left in, libraries of one to 4,000 passages.
const READING: f32 = 0.15;
const READ: f32 = -0.60;

/// The highest of some values, and how the next ones follow it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Lead {
    pub(super) best: f32,
    /// The mean of the next.
    next: f32,
    /// How many there are, as a share of those that are looked at.
    pub(super) rivals: f32,
}

impl Lead {
    /// Of the best sentence, by how all bear on the question.
    pub(super) fn of_sentences(bearings: impl Iterator<Item = f32>) -> Self {
        Self::over(bearings, NEXT_SENTENCES)
    }

    /// Of the best passage, by their totals.
    pub(super) fn of_passages(totals: impl Iterator<Item = f32>) -> Self {
        Self::over(totals, NEXT_PASSAGES)
    }

    #[expect(clippy::cast_precision_loss, reason = "a few values")]
    fn over(values: impl Iterator<Item = f32>, most: usize) -> Self {
        let mut values: Vec<f32> = values.collect();
        values.sort_by(|a, b| b.total_cmp(a));
        let Some((best, next)) = values.split_first() else { return Self::default() };
        let next = &next[..next.len().min(most)];
        let mean = next.iter().sum::<f32>() / next.len().max(1) as f32;
        Self { best: *best, next: mean, rivals: next.len() as f32 / most as f32 }
    }

    /// By how much the best leads, as far as there are others.
    pub(super) fn absolute(self) -> f32 {
        (self.best - self.next) * self.rivals
    }

    /// The same as a share of the best.
    pub(super) fn relative(self) -> f32 {
        if self.best > 0.0 { self.absolute() / self.best } else { 0.0 }
    }
}

/// The probability that the articles answer.
pub(super) fn confidence(measures: Measures) -> f32 {
    let Measures { bearing, sentence_lead, rivals, sentence_words, passage_lead, passage_words, meaning, same_language, .. } =
        measures;
    let sum = BIAS
        + BEARING * bearing
        + SENTENCE_LEAD * sentence_lead
        + (RIVALS + FOREIGN_RIVALS * (1.0 - same_language)) * rivals
        + (SENTENCE_WORDS * sentence_words + PASSAGE_WORDS * passage_words) * same_language
        + PASSAGE_LEAD * passage_lead
        + MEANING * meaning
        + (1.0 - same_language) * measures.reading.map_or(0.0, |reading| READ + READING * reading);
    1.0 / (1.0 + (-sum).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_told_twice_still_leads_and_one_sentence_alone_leads_nothing() {
        let others = [0.2_f32; 20];
        let once = Lead::of_sentences(others.into_iter().chain([0.8]));
        let twice = Lead::of_sentences(others.into_iter().chain([0.8, 0.8]));
        assert!((once.absolute() - 0.6).abs() < 1e-6 && twice.absolute() > 0.9 * once.absolute());
        let alone = Lead::of_sentences([0.8].into_iter());
        assert_eq!((alone.best, alone.absolute(), alone.rivals), (0.8, 0.0, 0.0));
        assert!(Lead::of_passages([0.0, 0.0].into_iter()).relative().abs() < 1e-6);
        assert_eq!(Lead::of_passages(std::iter::empty()), Lead::default());
    }
}
