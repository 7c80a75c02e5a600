//! What reads a question and the best passages together, where something does: the model's reader, a cross-encoder.

use std::collections::{BTreeMap, HashMap};

use super::Asked;
use super::rank::{Scores, order_scores};
use super::weigh::Sentence;
use crate::embed::Comparison;
use crate::shelf::{PassageId, StoredPassage};

/// Passages as they were read, with their sentences.
pub(super) type Read = HashMap<PassageId, (StoredPassage, Vec<Sentence>)>;

/// Passages that the reader reads: the right one is seldom behind them.
const FIRST: usize = 4;
/// What a difference of the reader's scores adds, where question and passages are in two languages. Within one the
/// words are surer: there it was right no more often, and is not asked.
const READING: f32 = 0.04;

/// Lets the model's reader move the first passages, where the question is in another language than they are and no
/// cross-encoder comes after it.
pub(super) fn across(
    asked: &Asked<'_>,
    comparison: Option<&mut Comparison<'_>>,
    read: &Read,
    scored: &mut [(PassageId, Scores)],
) {
    scored.sort_by(order_scores);
    let weight = scored.first().map_or(0.0, |(_, scores)| READING * (1.0 - scores.same_language));
    if weight <= 0.0 || asked.embedder.reranks() {
        return;
    }
    let first = scored.len().min(FIRST);
    let first = &mut scored[..first];
    let texts: Vec<&str> = first.iter().filter_map(|(id, _)| Some(read.get(id)?.0.text.as_str())).collect();
    let Some(made) = asked.embedder.read(comparison, &texts).filter(|made| made.len() == first.len()) else { return };
    // Those that are not read stay behind.
    let least = made.iter().copied().fold(f32::INFINITY, f32::min);
    for ((_, scores), made) in first.iter_mut().zip(made) {
        scores.reading = Some(made);
        scores.total += weight * (made - least);
    }
}

/// The passages that were read go in the order of the cross-encoder, where there is one, before the others.
pub(super) fn rerank(asked: &Asked<'_>, read: &Read, scored: &mut [(PassageId, Scores)]) {
    let texts: BTreeMap<PassageId, String> =
        read.iter().map(|(id, (passage, _))| (*id, format!("{}\n{}", passage.context(), passage.text))).collect();
    let in_order: Vec<&str> = texts.values().map(String::as_str).collect();
    let Some(reranked) = asked.embedder.reranked(asked.question.as_str(), &in_order) else { return };
    let best_of_rest =
        scored.iter().filter(|(id, _)| !texts.contains_key(id)).map(|(_, scores)| scores.total).fold(0.0, f32::max);
    let reranked: BTreeMap<PassageId, f32> = texts.into_keys().zip(reranked).collect();
    for (id, scores) in scored.iter_mut() {
        if let Some(score) = reranked.get(id) {
            scores.total = best_of_rest + score;
        }
    }
    scored.sort_by(order_scores);
}
