//! Token types that say how well each token is matched on the other side: a passage's by the question, a question's
//! by the passage.
//!
//! A token's match is its greatest cosine with a token of the other side, over the encoder's word embeddings without
//! their mean, which are aligned across languages. As an input feature of every token (Chen et al. 2017,
//! arXiv:1704.00051, section 3.2: exact match and aligned question embedding) it spares the reader's few layers
//! learning to compare words.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use serde::Deserialize;

use crate::embed::layers::embedding::EmbeddingTable;

/// How matches become types.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct MatchConfig {
    /// Ascending cosines that part the types; none: matches make no difference.
    edges: Vec<f32>,
    /// The first token id that can match; special tokens are below it.
    first_word: u32,
}

/// Gives tokens their types.
pub(super) struct TokenMatcher {
    config: MatchConfig,
    words: Arc<EmbeddingTable>,
    /// The mean of the word embeddings, `[1, hidden]`.
    mean: Tensor,
}

impl TokenMatcher {
    pub(super) fn load(vb: &VarBuilder<'_>, config: MatchConfig, words: Arc<EmbeddingTable>) -> Result<Self> {
        let mean = match config.edges.as_slice() {
            [] => Tensor::zeros((1, words.width()), DType::F32, &Device::Cpu)?,
            _ => vb.get_with_hints_dtype((1, words.width()), "matching.mean", candle_nn::Init::Const(0.0), DType::F32)?,
        };
        Ok(Self { config, words, mean })
    }

    /// How many types there are of each side's tokens.
    pub(super) fn types_of_side(&self) -> usize {
        self.config.edges.len() + 1
    }

    /// A type for each token of both sides, first the question's, from 0; then the passage's, from
    /// [`Self::types_of_side`].
    pub(super) fn types(&self, question: &[u32], passage: &[u32]) -> Result<Vec<u32>> {
        let own = u32::try_from(self.types_of_side()).unwrap_or(u32::MAX);
        let (of_question, of_passage) = self.matches(question, passage)?;
        let types = of_question.into_iter().map(|cosine| self.bucket(cosine));
        Ok(types.chain(of_passage.into_iter().map(|cosine| own + self.bucket(cosine))).collect())
    }

    /// The match of each token; -1 where nothing can match.
    fn matches(&self, question: &[u32], passage: &[u32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut matches = (vec![-1.0_f32; question.len()], vec![-1.0_f32; passage.len()]);
        if self.config.edges.is_empty() || question.is_empty() || passage.is_empty() {
            return Ok(matches);
        }
        let cosines = self.directions(question)?.matmul(&self.directions(passage)?.t()?)?;
        let can_match = |id: &u32| *id >= self.config.first_word;
        for ((row, id), of_question) in cosines.to_vec2::<f32>()?.iter().zip(question).zip(&mut matches.0) {
            if !can_match(id) {
                continue;
            }
            for ((cosine, id), of_passage) in row.iter().zip(passage).zip(&mut matches.1) {
                if can_match(id) {
                    *of_question = of_question.max(*cosine);
                    *of_passage = of_passage.max(*cosine);
                }
            }
        }
        Ok(matches)
    }

    /// The tokens' embeddings without the mean, of length one: `[tokens, hidden]`.
    fn directions(&self, ids: &[u32]) -> Result<Tensor> {
        let rows = self.words.rows(ids)?.broadcast_sub(&self.mean)?;
        let lengths = rows.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?;
        rows.broadcast_div(&lengths)
    }

    fn bucket(&self, cosine: f32) -> u32 {
        let below = self.config.edges.partition_point(|edge| *edge < cosine);
        u32::try_from(below).unwrap_or(u32::MAX)
    }
}
