//! The learnt parameters of ranking and answering: `parameters.json` in the model's folder.
//!
//! They belong to a model and are loaded with it: scores of another model are on another scale.
//! `models/recipe/calibrate.py` learns and writes them. A folder without the file gets
//! `config/parameters.json`, which was learnt without a reader, for the static table.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::UnitVector;
use super::defect::ModelDefect;
use super::folder::{Error, Files};
use crate::text::hex;

/// The file's name, below the model's folder.
const FILE: &str = "parameters.json";
/// What a folder without the file gets.
const DEFAULT: &str = include_str!("../../config/parameters.json");
/// The version of the file's form.
const VERSION: u32 = 1;
/// Passages that may be read at most: each costs a run of the reader.
const MOST_READ: usize = 64;

/// All parameters. Scores are sums of features times these weights; probabilities are logistic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The form of the file.
    pub version: u32,
    /// By which script they were learnt, on what.
    pub learnt: String,
    /// Features of a candidate passage → its fused score.
    pub fusion: Fusion,
    /// Fused score and reading → a passage's total.
    pub reading: ReadingWeights,
    /// Features of a sentence → its score.
    pub sentence: SentenceWeights,
    /// Features of the best passages → the probability that they answer.
    pub confidence: Confidence,
    /// A question's vector → the probability that it asks for something.
    pub question: QuestionClassifier,
    /// A question's vector → which kind of question about the collection it is, if any.
    #[serde(default)]
    pub collection: CollectionClassifier,
    /// What a written sentence must have in common with its sources.
    #[serde(default)]
    pub writing: WritingChecks,
    /// SHA-256 of the file, hexadecimal.
    #[serde(skip)]
    pub sha256: String,
}

/// Weights of what a passage is found by.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    /// Cosine of question and passage.
    pub meaning: f32,
    /// Highest cosine of the question and a sentence of the passage.
    pub sentence: f32,
    /// BM25, where the question is in the passages' language.
    pub words: f32,
    /// BM25, where it is in another one.
    pub foreign_words: f32,
}

/// How many passages the reader reads, and the weights of what it says of them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingWeights {
    /// Passages that are read, the best by fused score.
    pub passages: usize,
    /// The fused score.
    pub fused: f32,
    /// The logit that the passage answers, where the question is in the passages' language.
    pub answerable: f32,
    /// The same, where it is in another one.
    pub foreign_answerable: f32,
    /// The best span's logit over that of no span.
    pub span: f32,
    /// The best sentence's logit.
    pub sentence: f32,
    /// How much of the question the passage and its context cover, where the question is in the passages' language.
    pub coverage: f32,
    /// The same, where it is in another one.
    pub foreign_coverage: f32,
}

/// Weights of what an answering sentence is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentenceWeights {
    /// Its own logit.
    pub logit: f32,
    /// Its best span's logit over that of no span.
    pub span: f32,
    /// Its passage's total.
    pub passage: f32,
    /// Cosine of question and sentence.
    pub meaning: f32,
    /// How much of the question it covers.
    pub coverage: f32,
    /// A further sentence is given when it is at least this many times as probable as the best one.
    pub further: f32,
}

/// Weights of the probability that the articles answer, and where an answer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Added always.
    pub bias: f32,
    /// The best passage's fused score.
    pub fused: f32,
    /// The highest logit that a passage answers.
    pub answerable: f32,
    /// The highest span's logit over that of no span in its passage.
    pub span: f32,
    /// The chosen sentence's logit; its cosine where nothing was read.
    pub sentence: f32,
    /// How much of the question the best passage and its context cover.
    pub coverage: f32,
    /// How much of the question the chosen sentence covers.
    pub sentence_coverage: f32,
    /// By how much the best passage's total is above the mean of the next.
    pub lead: f32,
    /// How far the question is in another language than the passages, 0 to 1.
    pub foreign: f32,
    /// The probability below which an answer is refused.
    pub threshold: f32,
}

/// A linear classifier on the question's vector.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionClassifier {
    /// Added always.
    pub bias: f32,
    /// The probability below which a text asks for nothing.
    pub threshold: f32,
    /// One for each number of the vector; none at all: every text is a question.
    pub weights: Vec<f32>,
}

/// A linear classifier on the question's vector, by softmax: which kind of question about the collection, if any.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionClassifier {
    /// The probability of all kinds together below which it is none.
    pub threshold: f32,
    /// Cosine of a topic and a passage from which on its article is about the topic.
    pub topic: f32,
    /// Names of the kinds; the first is what is none.
    pub kinds: Vec<String>,
    /// Added always, one a kind.
    pub bias: Vec<f32>,
    /// One for each number of the vector, for each kind; none at all: no question is about the collection.
    pub weights: Vec<Vec<f32>>,
}

impl CollectionClassifier {
    /// The kind of a question with this vector; `None` for an ordinary one, and where nothing was learnt.
    pub fn kind(&self, vector: &UnitVector) -> Option<&str> {
        let numbers = vector.as_slice();
        if self.weights.is_empty() || self.weights.iter().any(|weights| weights.len() != numbers.len()) {
            return None;
        }
        let logit = |(weights, bias): (&Vec<f32>, &f32)| {
            bias + weights.iter().zip(numbers).map(|(weight, number)| weight * number).sum::<f32>()
        };
        let logits: Vec<f32> = self.weights.iter().zip(&self.bias).map(logit).collect();
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let raised: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
        let none = raised.first()? / raised.iter().sum::<f32>();
        let likeliest = raised.iter().zip(&self.kinds).skip(1).max_by(|a, b| a.0.total_cmp(b.0))?;
        (1.0 - none >= self.threshold).then_some(likeliest.1.as_str())
    }
}

/// What a sentence that a language model wrote must have in common with the sentences that it cites; shares, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WritingChecks {
    /// Of its pairs of characters or words, those of the question aside, that stand in its sources.
    pub overlap: f32,
    /// Of it, by the reader's matching, that its sources cover.
    pub coverage: f32,
    /// The same, where it is in another language than they are.
    pub foreign_coverage: f32,
}

impl Default for WritingChecks {
    /// For models without a reader: then words alone count.
    fn default() -> Self {
        Self { overlap: 0.6, coverage: 0.0, foreign_coverage: 0.0 }
    }
}

impl Parameters {
    /// Those of the model in `files`, whose vectors have `dimension` numbers.
    pub(super) fn of(files: &Files, dimension: usize) -> Result<Self, Error> {
        if !files.exists(FILE) {
            let shipped = Self::default();
            // Another model's vectors mean something else, be they as long.
            let weights = if matches!(files, Files::Bundled) { shipped.question.weights } else { vec![] };
            return Ok(Self { question: QuestionClassifier { weights, ..shipped.question }, ..shipped });
        }
        let bytes = files.read(FILE)?;
        let parameters = Self::parse(&bytes).map_err(|reason| files.broken(FILE, reason))?;
        // Vectors may be cut short: then every text is a question.
        let weights = parameters.question.weights.len();
        if (1..dimension).contains(&weights) {
            return Err(files.broken(FILE, ModelDefect::size("numbers in `question.weights`", weights, &dimension)));
        }
        Ok(parameters)
    }

    fn parse(bytes: &[u8]) -> Result<Self, ModelDefect> {
        let parameters: Self = serde_json::from_slice(bytes)?;
        let Self { version, reading, sentence, confidence, question, .. } = &parameters;
        if *version != VERSION {
            return Err(ModelDefect::size("`version`", usize::try_from(*version).unwrap_or(usize::MAX), &VERSION));
        }
        if !(1..=MOST_READ).contains(&reading.passages) {
            #[expect(clippy::cast_precision_loss, reason = "small numbers of passages")]
            let [value, most] = [reading.passages, MOST_READ].map(|count| count as f64);
            return Err(ModelDefect::Range { key: "reading.passages", value, least: 1.0, most });
        }
        let shares = [
            ("sentence.further", sentence.further),
            ("confidence.threshold", confidence.threshold),
            ("question.threshold", question.threshold),
        ];
        if let Some((key, value)) = shares.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(ModelDefect::Range { key, value: f64::from(*value), least: 0.0, most: 1.0 });
        }
        Ok(Self { sha256: hex(&Sha256::digest(bytes)), ..parameters })
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::parse(DEFAULT.as_bytes()).expect("the shipped parameters are sound, a test holds it")
    }
}

impl QuestionClassifier {
    /// The probability that a text with this vector asks for something; 1 where nothing was learnt, or for the vector
    /// of another model.
    pub fn probability(&self, vector: &UnitVector) -> f32 {
        if self.weights.len() != vector.as_slice().len() {
            return 1.0;
        }
        let sum: f32 = self.weights.iter().zip(vector.as_slice()).map(|(weight, number)| weight * number).sum();
        logistic(self.bias + sum)
    }

    /// Whether a text with this vector asks for something.
    pub fn asks(&self, vector: &UnitVector) -> bool {
        self.probability(vector) >= self.threshold
    }
}

/// Log-odds → probability.
pub fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_parameters_are_sound() {
        let shipped = Parameters::default();
        assert_eq!((shipped.version, shipped.sha256.len()), (VERSION, 64));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let passages = format!("\"passages\": {}", Parameters::default().reading.passages);
        let rows = [
            ("\"version\": 1", "\"version\": 2", "`version`: 2, expected 1"),
            (passages.as_str(), "\"passages\": 0", "`reading.passages` must be between 1 and 64"),
            ("\"foreign_words\"", "\"foreign_wrods\"", "unknown field `foreign_wrods`"),
            ("\"further\": ", "\"further\": 1", "`sentence.further` must be between 0 and 1"),
            ("\"version\": 1,", "", "missing field `version`"),
        ];
        for (from, to, said) in rows {
            assert!(DEFAULT.contains(from), "{from}");
            let error = Parameters::parse(DEFAULT.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_text_that_asks_for_nothing_is_told_by_its_vector() {
        let vector = UnitVector::of(vec![0.6, 0.8]).unwrap();
        let learnt = QuestionClassifier { bias: -1.0, threshold: 0.5, weights: vec![0.5, 0.5] };
        assert!((learnt.probability(&vector) - logistic(-0.3)).abs() < 1e-6 && !learnt.asks(&vector));
        let nothing = QuestionClassifier { weights: vec![], ..learnt };
        assert!(nothing.asks(&vector));
    }
}
