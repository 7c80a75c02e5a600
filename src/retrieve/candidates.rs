//! What both legs found → candidates with their features and fused scores.

use std::collections::BTreeMap;

use super::language::same_language;
use super::{Evidence, Request, Scores};
use crate::shelf::{Error, Neighbor, PassageId, StoredPassage, staged};

/// A passage that a leg found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: PassageId,
    pub(super) scores: Scores,
    /// Cosine of the question and each sentence.
    pub(super) sentences: Vec<f32>,
}

/// The passages of both legs, the highest fused score first, ties by number.
pub(super) fn scored(request: &Request<'_>, near: &[Neighbor], words: &[Neighbor]) -> Result<Vec<Candidate>, Error> {
    let Request { snapshot, embedder, question, .. } = *request;
    let mut ids: Vec<PassageId> = near.iter().chain(words).map(|neighbor| neighbor.passage).collect();
    ids.sort_unstable();
    ids.dedup();
    let same_language = staged("compare languages", || same_language(snapshot, request.text(), &[near, words]))?;
    let bm25: BTreeMap<PassageId, f32> = words.iter().map(|neighbor| (neighbor.passage, neighbor.score)).collect();
    let vector = question.vector.as_ref();
    let meaning = vector.map(|vector| snapshot.similarities(vector, &ids)).unwrap_or_default();
    let sentences = staged("compare sentences", || vector.map(|vector| snapshot.sentence_cosines(vector, &ids)).transpose())?;
    let mut sentences = sentences.unwrap_or_default().into_iter();
    let mut meaning = meaning.into_iter();
    let weights = &embedder.parameters().fusion;
    let candidate = |id: PassageId| {
        let (meaning, sentences) = (meaning.next().unwrap_or(0.0), sentences.next().unwrap_or_default());
        let sentence = sentences.iter().copied().reduce(f32::max).unwrap_or(meaning);
        let words = bm25.get(&id).copied().unwrap_or(0.0);
        let scores = Scores { meaning, sentence, words, same_language, ..Scores::default() };
        Candidate { id, scores: Scores { fused: scores.fused(weights), ..scores }, sentences }
    };
    let mut candidates: Vec<Candidate> = ids.into_iter().map(candidate).collect();
    candidates.sort_by(|a, b| b.scores.fused.total_cmp(&a.scores.fused).then(a.id.cmp(&b.id)));
    Ok(candidates)
}

/// Passages in the order of their candidates; those that are gone are left out.
pub(super) fn joined(
    passages: Vec<StoredPassage>,
    candidates: Vec<Candidate>,
    mut made: impl FnMut(StoredPassage, Candidate) -> Evidence,
) -> impl Iterator<Item = Evidence> {
    let mut candidates = candidates.into_iter();
    passages.into_iter().filter_map(move |passage| {
        let candidate = candidates.find(|candidate| candidate.id == passage.id)?;
        Some(made(passage, candidate))
    })
}
