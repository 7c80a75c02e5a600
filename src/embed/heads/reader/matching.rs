//! How well tokens are matched on the other side: a passage's by the question, a question's by the passage.
//!
//! A token's match is its greatest cosine with a token of the other side, over the encoder's word embeddings without
//! their mean, which are aligned across languages. It is an input of every token, as its type (Chen et al. 2017,
//! arXiv:1704.00051, section 3.2: exact match and aligned question embedding), and spares the reader's few layers
//! learning to compare words. The share of the question that a text matches is its coverage.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use serde::Deserialize;
use tokenizers::{ModelWrapper, Tokenizer};

use crate::embed::layers::embedding::EmbeddingTable;

/// How matches become types.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct MatchConfig {
    /// Bucket boundaries, ascending cosines; none: matches make no difference.
    edges: Vec<f32>,
    /// The first token id that can match; special tokens are below it.
    first_word: u32,
}

/// Compares the tokens of both sides.
pub(super) struct TokenMatcher {
    config: MatchConfig,
    words: Arc<EmbeddingTable>,
    /// What each token of a question counts for in coverage.
    weights: Vec<f32>,
    /// The mean of the word embeddings, `[1, hidden]`.
    mean: Tensor,
}

/// A question's tokens, to be compared with those of passages.
pub(super) struct MatchedQuestion {
    pub(super) ids: Vec<u32>,
    /// `[tokens, hidden]`; `None` where matches make no difference.
    rows: Option<Tensor>,
    weights: Vec<f32>,
}

/// The cosines of a question's and a passage's tokens.
pub(super) struct Matches {
    /// A row of the passage's tokens for each token of the question; -1 for what cannot match.
    cosines: Vec<Vec<f32>>,
    /// What each token of the question counts for.
    weights: Vec<f32>,
}

impl TokenMatcher {
    pub(super) fn load(
        vb: &VarBuilder<'_>,
        config: MatchConfig,
        words: Arc<EmbeddingTable>,
        tokenizer: &Tokenizer,
    ) -> Result<Self> {
        let mean = match config.edges.as_slice() {
            [] => Tensor::zeros((1, words.width()), DType::F32, &Device::Cpu)?,
            _ => vb.get((1, words.width()), "matching.mean")?.to_dtype(DType::F32)?,
        };
        let weights = if config.edges.is_empty() { vec![] } else { token_weights(tokenizer, config.first_word) };
        Ok(Self { config, words, weights, mean })
    }

    /// How many types there are of each side's tokens.
    pub(super) fn buckets_per_side(&self) -> usize {
        self.config.edges.len() + 1
    }

    /// What of a question is the same for all passages.
    pub(super) fn question(&self, ids: &[u32]) -> Result<MatchedQuestion> {
        let weight = |id: &u32| usize::try_from(*id).ok().and_then(|id| self.weights.get(id)).copied().unwrap_or(0.0);
        let rows = if self.config.edges.is_empty() { None } else { Some(self.centred_rows(ids)?) };
        Ok(MatchedQuestion { ids: ids.to_vec(), rows, weights: ids.iter().map(weight).collect() })
    }

    /// The cosines of the tokens of both sides.
    pub(super) fn matches(&self, question: &MatchedQuestion, passage: &[u32]) -> Result<Matches> {
        let weights = question.weights.clone();
        let Some(rows) = question.rows.as_ref().filter(|_| !passage.is_empty()) else {
            return Ok(Matches { cosines: vec![vec![-1.0; passage.len()]; question.ids.len()], weights });
        };
        let mut cosines = rows.matmul(&self.centred_rows(passage)?.t()?)?.to_vec2::<f32>()?;
        let special = |id: &u32| *id < self.config.first_word;
        for (row, of_question) in cosines.iter_mut().zip(&question.ids) {
            for (cosine, of_passage) in row.iter_mut().zip(passage) {
                if special(of_question) || special(of_passage) {
                    *cosine = -1.0;
                }
            }
        }
        Ok(Matches { cosines, weights })
    }

    /// A type for each token of both sides: the question's from 0, the passage's from [`Self::buckets_per_side`].
    pub(super) fn types(&self, matches: &Matches, of_passage: usize) -> Vec<u32> {
        let own = u32::try_from(self.buckets_per_side()).unwrap_or(u32::MAX);
        let greatest = |cosines: &mut dyn Iterator<Item = f32>| cosines.fold(-1.0_f32, f32::max);
        let question = matches.cosines.iter().map(|row| self.bucket(greatest(&mut row.iter().copied())));
        let passage = (0..of_passage).map(|at| own + self.bucket(greatest(&mut matches.cosines.iter().map(|row| row[at]))));
        question.chain(passage).collect()
    }

    /// The tokens' embeddings without the mean, of length one: `[tokens, hidden]`.
    fn centred_rows(&self, ids: &[u32]) -> Result<Tensor> {
        let rows = self.words.rows(ids)?.broadcast_sub(&self.mean)?;
        let lengths = rows.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?;
        rows.broadcast_div(&lengths)
    }

    fn bucket(&self, cosine: f32) -> u32 {
        let below = self.config.edges.partition_point(|edge| *edge < cosine);
        u32::try_from(below).unwrap_or(u32::MAX)
    }
}

impl Matches {
    /// How much of the question the passage's `tokens` cover, 0 to 1: each token of the question counts for its weight
    /// times its greatest cosine.
    pub(super) fn coverage(&self, tokens: &(impl Iterator<Item = usize> + Clone)) -> f32 {
        let best = |row: &Vec<f32>| tokens.clone().filter_map(|token| row.get(token)).fold(0.0_f32, |best, one| best.max(*one));
        let covered: f32 = self.cosines.iter().zip(&self.weights).map(|(row, weight)| weight * best(row)).sum();
        let whole: f32 = self.weights.iter().sum();
        if whole > 0.0 { covered / whole } else { 0.0 }
    }
}

/// What each token counts for: its information in nats by the tokenizer's unigram model (Kudo 2018, arXiv:1804.10959), 1
/// where there is none; 0 for special tokens and for those without a letter or digit.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm")]
fn token_weights(tokenizer: &Tokenizer, first_word: u32) -> Vec<f32> {
    /// The rarest tokens' probabilities are guesses.
    const MAX_NATS: f32 = 16.0;
    let says_something = |id: usize, token: &str| id >= first_word as usize && token.chars().any(char::is_alphanumeric);
    if let ModelWrapper::Unigram(model) = tokenizer.get_model() {
        let weight = |(id, (token, score)): (usize, &(String, f64))| {
            if says_something(id, token) { (-*score as f32).clamp(0.0, MAX_NATS) } else { 0.0 }
        };
        return model.iter().enumerate().map(weight).collect();
    }
    let size = u32::try_from(tokenizer.get_vocab_size(true)).unwrap_or(u32::MAX);
    let weight = |id: u32| {
        let token = tokenizer.id_to_token(id).unwrap_or_default();
        f32::from(u8::from(says_something(id as usize, &token)))
    };
    (0..size).map(weight).collect()
}
