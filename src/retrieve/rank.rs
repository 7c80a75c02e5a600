//! Weighs what the legs and the comparison of tokens say of each candidate.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::read::{self, Read};
use super::weigh;
use super::{Asked, Evidence};
use crate::embed::Comparison;
use crate::read::sure_language;
use crate::shelf::staged;
use crate::shelf::terms::units;
use crate::shelf::{Error, Neighbor, PassageId, Shelf, StoredPassage};

// The weights stand in the middle of where they hardly matter: measured on ten sets, six of them in one language.
/// What words add to the comparison of tokens, at most. Token comparison finds
/// across languages; where the question's words are in the library, they are surer.
const WORDS: f32 = 0.6;
/// What the vectors' similarity adds.
const MEANING: f32 = 0.45;
/// How much rare tokens of the question outweigh common ones, as a power.
const RARITY: f32 = 0.5;
/// What a passage's best sentence adds: tokens that stand together say more than tokens here and there.
const SENTENCE: f32 = 0.5;
/// What likeness to the best passage adds to the others: its translations and its
/// neighbours follow it. Across languages the best is too often the wrong one.
const LIKENESS: f32 = 1.5;
/// Passages whose sentences are weighed: the answer is chosen from them.
pub(super) const WEIGHED: usize = 12;
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
    /// How likely the model's reader finds that it answers, as the logarithm of the odds up to a constant; `None` where
    /// it was not read.
    pub reading: Option<f32>,
}

/// Candidates, the best first, at most `limit`; the first of them with their sentences.
pub(super) fn ranked(asked: &Asked<'_>, near: &[Neighbor], words: &[Neighbor], limit: usize) -> Result<Vec<Evidence>, Error> {
    let Asked { shelf, embedder, question, .. } = *asked;
    let mut ids: Vec<PassageId> = near.iter().chain(words).map(|neighbor| neighbor.passage).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut comparison = embedder.comparison(question.as_str());
    let (meaning, bm25) = (by_passage(near), by_passage(words));
    let best = words.iter().map(|neighbor| neighbor.score).fold(f32::MIN_POSITIVE, f32::max);
    let same_language = staged("compare languages", || {
        first_of(shelf, &[near, words]).map(|passages| same_language(question.as_str(), &passages))
    })?;
    let candidates = staged("compare tokens", || compared(asked, &ids, comparison.as_mut(), same_language))?;
    // The best candidate of both measures says how much words can add here.
    let ceiling = candidates.iter().map(|one| one.bearing * share(&bm25, one.id, best)).fold(0.0, f32::max);
    let score = |Compared { id, tokens, bearing }: Compared| {
        let meaning = meaning.get(&id).copied().unwrap_or(0.0);
        let total = bearing + WORDS * same_language * ceiling * share(&bm25, id, best) + MEANING * meaning;
        let words = bm25.get(&id).copied().unwrap_or(0.0);
        (id, Scores { total, meaning, words, tokens, same_language, reading: None })
    };
    let mut scored: Vec<(PassageId, Scores)> = candidates.into_iter().map(score).collect();
    scored.sort_by(order_scores);
    let first: Vec<PassageId> = scored.iter().take(WEIGHED).map(|(id, _)| *id).collect();
    let passages = staged("read passages", || shelf.passages(&first))?;
    let weigh = || weigh::weighed(embedder, comparison.as_mut(), question, &passages, same_language);
    let sentences = staged("weigh sentences", weigh);
    let mut read: Read =
        passages.into_iter().zip(sentences).map(|(passage, sentences)| (passage.id, (passage, sentences))).collect();
    for (id, scores) in &mut scored {
        let sentences = read.get(id).map_or(&[][..], |(_, sentences)| sentences);
        scores.total += SENTENCE * sentences.iter().map(|sentence| sentence.tokens).fold(0.0, f32::max);
    }
    staged("read across languages", || read::across(asked, comparison.as_mut(), &read, &mut scored));
    add_likeness(shelf, &mut scored, same_language);
    scored.sort_by(order_scores);
    read::rerank(asked, &read, &mut scored);
    scored.truncate(limit);
    let unread: Vec<PassageId> = scored.iter().map(|(id, _)| *id).filter(|id| !read.contains_key(id)).collect();
    read.extend(shelf.passages(&unread)?.into_iter().map(|passage| (passage.id, (passage, vec![]))));
    let evidence = scored.into_iter().filter_map(|(id, scores)| {
        let (passage, sentences) = read.remove(&id)?;
        Some(Evidence { passage, scores, sentences, copies: vec![] })
    });
    Ok(evidence.collect())
}

/// A candidate whose tokens, as they were kept, were compared with the question's.
struct Compared {
    id: PassageId,
    /// By itself, whatever the other candidates are; 0 to 1.
    tokens: f32,
    /// Beside the other candidates; 0 to 1.
    bearing: f32,
}

/// Compares each candidate with the question.
fn compared(
    asked: &Asked<'_>,
    ids: &[PassageId],
    comparison: Option<&mut Comparison<'_>>,
    same_language: f32,
) -> Result<Vec<Compared>, Error> {
    let Asked { shelf, embedder, vector, .. } = *asked;
    let Some(comparison) = comparison else {
        let similarities = vector.map(|vector| shelf.similarities(vector, ids));
        let similarities = similarities.unwrap_or_else(|| vec![0.0; ids.len()]);
        let similarities = similarities.into_iter().map(|similarity| similarity.max(0.0));
        return Ok(ids.iter().zip(similarities).map(|(id, one)| Compared { id: *id, tokens: one, bearing: one }).collect());
    };
    let mut kept: Vec<(PassageId, Vec<u32>)> = Vec::with_capacity(ids.len());
    for (id, tokens) in shelf.tokens(ids)? {
        // A library of an earlier format has kept none.
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => shelf
                .passages(&[id])?
                .pop()
                .map_or_else(Vec::new, |passage| embedder.tokens(&format!("{}\n{}", passage.context(), passage.text))),
        };
        kept.push((id, tokens));
    }
    comparison.learn(kept.iter().map(|(_, tokens)| tokens.as_slice()));
    let comparison = &*comparison;
    let nearest: Vec<Vec<f32>> = kept.par_iter().map(|(_, tokens)| comparison.nearest(tokens)).collect();
    let weights = comparison.rarity(&nearest, RARITY);
    let weigh = |((id, _), nearest): (&(PassageId, Vec<u32>), &Vec<f32>)| {
        let bearing = Comparison::bearing(nearest, &weights, same_language);
        Compared { id: *id, tokens: comparison.score(nearest), bearing }
    };
    Ok(kept.par_iter().zip(&nearest).map(weigh).collect())
}

/// What is like the best passage follows it: its translations and its neighbours.
fn add_likeness(shelf: &Shelf, scored: &mut [(PassageId, Scores)], same_language: f32) {
    let Some(best) = scored.iter().min_by(|a, b| order_scores(a, b)).map(|(id, _)| *id) else { return };
    let ids: Vec<PassageId> = scored.iter().map(|(id, _)| *id).collect();
    for ((_, scores), likeness) in scored.iter_mut().zip(shelf.cosines(best, &ids)) {
        scores.total += LIKENESS * same_language * likeness;
    }
}

/// The first passages of each leg.
fn first_of(shelf: &Shelf, legs: &[&[Neighbor]]) -> Result<Vec<StoredPassage>, Error> {
    const FIRST: usize = 3;
    let mut first: Vec<PassageId> = legs.iter().flat_map(|leg| leg.iter().take(FIRST).map(|neighbor| neighbor.passage)).collect();
    first.sort_unstable();
    first.dedup();
    shelf.passages(&first)
}

/// Whether the question is in the passages' language, 0 to 1: by the share of its
/// characters or words that they hold at all. Names and loanwords are shared: in doubt it is not, where its language
/// is sure and none of theirs.
#[expect(clippy::cast_precision_loss, reason = "words of a question")]
fn same_language(question: &str, passages: &[StoredPassage]) -> f32 {
    let held: BTreeSet<String> = passages.iter().flat_map(|passage| units(&passage.text)).collect();
    let asked = units(question);
    let known = asked.iter().filter(|unit| held.contains(*unit)).count() as f32 / asked.len().max(1) as f32;
    let same = ((known - FOREIGN) / (FAMILIAR - FOREIGN)).clamp(0.0, 1.0);
    let foreign = |mine| passages.iter().all(|passage| passage.language.as_deref().is_some_and(|theirs| theirs != mine));
    if same < 1.0 && sure_language(question).is_some_and(foreign) { 0.0 } else { same }
}

/// The highest total first, ties by number.
pub(super) fn order_scores((a, one): &(PassageId, Scores), (b, other): &(PassageId, Scores)) -> Ordering {
    other.total.total_cmp(&one.total).then(a.cmp(b))
}

fn share(bm25: &HashMap<PassageId, f32>, passage: PassageId, best: f32) -> f32 {
    bm25.get(&passage).copied().unwrap_or(0.0) / best
}

/// One leg alone, in its own order.
pub(super) fn single(passages: Vec<StoredPassage>, neighbors: &[Neighbor]) -> Vec<Evidence> {
    let scores = by_passage(neighbors);
    let evidence = passages.into_iter().map(|passage| {
        let total = scores.get(&passage.id).copied().unwrap_or(0.0);
        Evidence { passage, scores: Scores { total, ..Scores::default() }, sentences: vec![], copies: vec![] }
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
