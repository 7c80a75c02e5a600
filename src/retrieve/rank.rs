//! Weighs what the legs and the comparison of tokens say of each candidate.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Evidence, Question};
use crate::embed::Embedder;
use crate::shelf::terms::units;
use crate::shelf::{Neighbor, PassageId, Shelf, StoredPassage};

/// What words add to the comparison of tokens, at most. Token comparison finds
/// across languages; where the question's words are in the library, they are surer.
const WORDS: f32 = 1.0;
/// What the vectors' similarity adds; across languages twice as much.
const MEANING: f32 = 0.3;
/// What likeness to the best passage adds to the others: its translations and its
/// neighbours follow it. Across languages the best is too often the wrong one.
const LIKENESS: f32 = 1.5;
/// Shares of the question's words in the passages at which its language is taken
/// for another, and for theirs. Across languages the few words that agree are
/// numbers and names, and drown what the rest means.
const FOREIGN: f32 = 0.2;
const FAMILIAR: f32 = 0.45;

/// How a passage scored. All are 0 where a leg did not find it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Weighed together; what evidence is ordered by.
    pub total: f32,
    /// Cosine of the vectors.
    pub meaning: f32,
    /// BM25, as a share of what a passage would have that holds every term once.
    pub words: f32,
    /// Tokens compared with tokens, 0 to 1.
    pub tokens: f32,
    /// Whether the question is in the passages' language, 0 to 1; the same for all
    /// passages of a question.
    pub same_language: f32,
}

/// All candidates, the best first.
pub(super) fn ranked(
    shelf: &Shelf,
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
    let same_language = same_language(question.as_str(), &passages, &[near, words]);
    // The best candidate of both measures says how much words can add here.
    let ceiling = tokens.iter().zip(&passages).map(|(token, passage)| token * share(&bm25, passage.id, best)).fold(0.0, f32::max);
    let (words_weight, meaning_weight) = (WORDS * same_language * ceiling, MEANING * (2.0 - same_language));
    let mut evidence: Vec<Evidence> = passages
        .into_iter()
        .zip(tokens)
        .map(|(passage, tokens)| {
            let meaning = meaning.get(&passage.id).copied().unwrap_or(0.0);
            let total = tokens + words_weight * share(&bm25, passage.id, best) + meaning_weight * meaning;
            let words = bm25.get(&passage.id).copied().unwrap_or(0.0);
            let scores = Scores { total, meaning, words, tokens, same_language };
            Evidence { passage, scores, copies: vec![] }
        })
        .collect();
    if let Some(best) = evidence.iter().max_by(|a, b| order(b, a)).map(|best| best.passage.id) {
        let ids: Vec<PassageId> = evidence.iter().map(|one| one.passage.id).collect();
        for (one, likeness) in evidence.iter_mut().zip(shelf.cosines(best, &ids)) {
            one.scores.total += LIKENESS * same_language * likeness;
        }
    }
    evidence.sort_by(order);
    evidence
}

/// Whether the question is in the passages' language, 0 to 1: by the share of its
/// characters or words that the first passages of each leg hold at all.
#[expect(clippy::cast_precision_loss, reason = "words of a question")]
fn same_language(question: &str, passages: &[StoredPassage], legs: &[&[Neighbor]]) -> f32 {
    const FIRST: usize = 3;
    let first: Vec<PassageId> = legs.iter().flat_map(|leg| leg.iter().take(FIRST).map(|neighbor| neighbor.passage)).collect();
    let near = passages.iter().filter(|passage| first.contains(&passage.id));
    let held: BTreeSet<String> = near.flat_map(|passage| units(&passage.text)).collect();
    let asked = units(question);
    let known = asked.iter().filter(|unit| held.contains(*unit)).count() as f32 / asked.len().max(1) as f32;
    ((known - FOREIGN) / (FAMILIAR - FOREIGN)).clamp(0.0, 1.0)
}

fn share(bm25: &HashMap<PassageId, f32>, passage: PassageId, best: f32) -> f32 {
    bm25.get(&passage).copied().unwrap_or(0.0) / best
}

/// One leg alone, in its own order.
pub(super) fn single(passages: Vec<StoredPassage>, neighbors: &[Neighbor]) -> Vec<Evidence> {
    let scores = by_passage(neighbors);
    let evidence = passages.into_iter().map(|passage| {
        let total = scores.get(&passage.id).copied().unwrap_or(0.0);
        Evidence { passage, scores: Scores { total, ..Scores::default() }, copies: vec![] }
    });
    let mut evidence: Vec<Evidence> = evidence.collect();
    evidence.sort_by(order);
    evidence
}

/// Passages that were not compared, by their places in both legs; all score below zero.
#[expect(clippy::cast_precision_loss, reason = "ranks")]
pub(super) fn rest(near: &[Neighbor], words: &[Neighbor], compared: &[PassageId]) -> Vec<Neighbor> {
    const SMOOTHING: f32 = 60.0;
    let mut sums: BTreeMap<PassageId, f32> = BTreeMap::new();
    for leg in [near, words] {
        for (place, neighbor) in leg.iter().enumerate() {
            *sums.entry(neighbor.passage).or_default() += 1.0 / (SMOOTHING + place as f32);
        }
    }
    let left = sums.into_iter().filter(|(passage, _)| !compared.contains(passage));
    let mut rest: Vec<Neighbor> = left.map(|(passage, sum)| Neighbor { passage, score: sum - 1.0 }).collect();
    rest.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
    rest
}

fn by_passage(neighbors: &[Neighbor]) -> HashMap<PassageId, f32> {
    neighbors.iter().map(|neighbor| (neighbor.passage, neighbor.score)).collect()
}

/// The highest total first, ties by number.
fn order(a: &Evidence, b: &Evidence) -> Ordering {
    b.scores.total.total_cmp(&a.scores.total).then(a.passage.id.cmp(&b.passage.id))
}
