//! Weighs what the legs and the comparison of tokens say of each candidate.

use std::collections::HashMap;

use super::{Evidence, Question};
use crate::embed::Embedder;
use crate::shelf::{Neighbor, PassageId, StoredPassage};

/// What words add to the comparison of tokens, at most. Token comparison finds
/// across languages; where the question's words are in the library, they are surer.
const WORDS: f32 = 1.0;
/// What the vectors' similarity adds.
const MEANING: f32 = 0.3;

/// How a passage scored. All are 0 where a leg did not find it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Weighed together; what evidence is ordered by.
    pub total: f32,
    /// Cosine of the vectors.
    pub meaning: f32,
    /// BM25, as the share of the best candidate's.
    pub words: f32,
    /// Tokens compared with tokens, 0 to 1.
    pub tokens: f32,
}

/// All candidates, the best first.
pub(super) fn ranked(
    embedder: &Embedder,
    question: &Question,
    passages: Vec<StoredPassage>,
    near: &[Neighbor],
    words: &[Neighbor],
) -> Vec<Evidence> {
    let meaning = by_passage(near);
    let bm25 = by_passage(words);
    let texts: Vec<String> = passages.iter().map(|passage| format!("{}\n{}", passage.context(), passage.text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tokens = embedder.relevance(question.as_str(), &texts);
    let best = words.iter().map(|neighbor| neighbor.score).fold(f32::MIN_POSITIVE, f32::max);
    // How much of the question the words can carry at all: across languages next to nothing.
    let ceiling = tokens.iter().zip(&passages).map(|(token, passage)| token * share(&bm25, passage.id, best)).fold(0.0, f32::max);
    let mut evidence: Vec<Evidence> = passages
        .into_iter()
        .zip(tokens)
        .map(|(passage, tokens)| {
            let meaning = meaning.get(&passage.id).copied().unwrap_or(0.0);
            let words = share(&bm25, passage.id, best);
            let total = tokens + WORDS * ceiling * words + MEANING * meaning;
            Evidence { passage, scores: Scores { total, meaning, words, tokens } }
        })
        .collect();
    sort(&mut evidence);
    evidence
}

fn share(bm25: &HashMap<PassageId, f32>, passage: PassageId, best: f32) -> f32 {
    bm25.get(&passage).copied().unwrap_or(0.0) / best
}

/// One leg alone, in its own order.
pub(super) fn single(passages: Vec<StoredPassage>, neighbors: &[Neighbor]) -> Vec<Evidence> {
    let scores = by_passage(neighbors);
    let evidence = passages.into_iter().map(|passage| {
        let total = scores.get(&passage.id).copied().unwrap_or(0.0);
        Evidence { passage, scores: Scores { total, ..Scores::default() } }
    });
    let mut evidence: Vec<Evidence> = evidence.collect();
    sort(&mut evidence);
    evidence
}

fn by_passage(neighbors: &[Neighbor]) -> HashMap<PassageId, f32> {
    neighbors.iter().map(|neighbor| (neighbor.passage, neighbor.score)).collect()
}

fn sort(evidence: &mut [Evidence]) {
    evidence.sort_by(|a, b| b.scores.total.total_cmp(&a.scores.total).then(a.passage.id.cmp(&b.passage.id)));
}
