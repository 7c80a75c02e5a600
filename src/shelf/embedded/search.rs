//! What questions ask of the shelf: both legs, under a filter, and likeness.

use std::sync::Arc;
use std::time::Instant;

use super::{Shelf, View, filter};
use crate::embed::UnitVector;
use crate::shelf::vectors::PassageSet;
use crate::shelf::{Error, Filter, Neighbor, PassageId};

/// Tells the log, where it listens, how long a stage of a question took.
pub(crate) fn staged<T>(stage: &'static str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = work();
    tracing::debug!(target: "ibid::stages", stage, micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    made
}

impl Shelf {
    /// The passages nearest in meaning, and those whose words fit best, each best first.
    pub fn search(
        &self,
        question: &str,
        vector: Option<&UnitVector>,
        count: usize,
        filter: &Filter,
    ) -> Result<(Vec<Neighbor>, Vec<Neighbor>), Error> {
        let view = self.view();
        let allowed = if filter.is_empty() { None } else { Some(Arc::new(self.allowed(&view, filter)?)) };
        let near = || vector.map(|vector| view.nearest(vector, count, allowed.as_deref())).unwrap_or_default();
        let words = || view.words(question, count, allowed.clone());
        let (near, words) = rayon::join(|| staged("nearest", near), || staged("words", words));
        Ok((near, words?))
    }

    /// The passages truly nearest to `vector`, by comparing all: what the graph is measured against.
    pub fn scan(&self, vector: &UnitVector, count: usize) -> Vec<Neighbor> {
        self.view().scan(vector, count)
    }

    /// Cosine similarity of each of `passages` with `vector`.
    pub fn similarities(&self, vector: &UnitVector, passages: &[PassageId]) -> Vec<f32> {
        self.view().vectors.similarities(vector.as_slice(), passages)
    }

    /// Cosine similarity of each of `passages` with `one`.
    pub fn cosines(&self, one: PassageId, passages: &[PassageId]) -> Vec<f32> {
        self.view().vectors.cosines(one, passages)
    }

    fn allowed(&self, view: &View, wanted: &Filter) -> Result<PassageSet, Error> {
        let ids = self.read(|connection| filter::allowed(connection, wanted))?;
        Ok(ids.into_iter().filter(|id| view.live.contains(*id)).collect())
    }
}
