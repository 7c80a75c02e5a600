//! Whether a question is in the language of the passages: where it is not, shared words say little.

use std::collections::BTreeSet;

use crate::shelf::{Error, Neighbor, PassageId, Snapshot, StoredPassage};
use crate::text::sure_language;
use crate::text::terms::units;

/// Shares of the question's words that the passages hold, at which its language is taken for another, and for theirs.
const FOREIGN: f32 = 0.2;
const FAMILIAR: f32 = 0.45;
/// Passages of each leg that are looked at.
const FIRST: usize = 3;

/// 0 to 1, by the first passages of each leg.
pub(super) fn same_language(snapshot: &Snapshot, question: &str, legs: &[&[Neighbor]]) -> Result<f32, Error> {
    let mut first: Vec<PassageId> = legs.iter().flat_map(|leg| leg.iter().take(FIRST).map(|neighbor| neighbor.passage)).collect();
    first.sort_unstable();
    first.dedup();
    Ok(shared(question, &snapshot.passages(&first)?))
}

/// By the share of the question's characters or words that the passages hold at all. Names and loanwords are shared:
/// in doubt it is another language, where the question's is sure and none of theirs.
#[expect(clippy::cast_precision_loss, reason = "words of a question")]
fn shared(question: &str, passages: &[StoredPassage]) -> f32 {
    let held: BTreeSet<String> = passages.iter().flat_map(|passage| units(&passage.text)).collect();
    let asked = units(question);
    let known = asked.iter().filter(|unit| held.contains(*unit)).count() as f32 / asked.len().max(1) as f32;
    let same = ((known - FOREIGN) / (FAMILIAR - FOREIGN)).clamp(0.0, 1.0);
    let foreign = |mine| passages.iter().all(|passage| passage.language.as_deref().is_some_and(|theirs| theirs != mine));
    if same < 1.0 && sure_language(question).is_some_and(foreign) { 0.0 } else { same }
}
