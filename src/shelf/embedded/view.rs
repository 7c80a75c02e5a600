//! One immutable state of the shelf that questions work on.

use std::sync::Arc;

use super::words::WordSearcher;
use crate::embed::UnitVector;
use crate::shelf::vectors::{PassageSet, VectorIndex};
use crate::shelf::{Error, Neighbor};

/// A state of the shelf. Later changes make another.
#[derive(Clone)]
pub struct View {
    /// The change that it has reached.
    pub(super) change: u64,
    pub(super) vectors: VectorIndex,
    /// Passages of current versions.
    pub(super) live: Arc<PassageSet>,
    pub(super) words: WordSearcher,
}

impl View {
    /// The passages nearest to `vector` among `allowed` (all, when `None`), nearest first.
    pub(super) fn nearest(&self, vector: &UnitVector, count: usize, allowed: Option<&PassageSet>) -> Vec<Neighbor> {
        self.vectors.nearest(vector, count, allowed.unwrap_or(&self.live))
    }

    /// Compares every vector: exact.
    pub(super) fn scan(&self, vector: &UnitVector, count: usize) -> Vec<Neighbor> {
        self.vectors.scan(vector, count, &self.live)
    }

    /// The passages whose words fit best, best first.
    pub(super) fn words(&self, question: &str, count: usize, allowed: Option<Arc<PassageSet>>) -> Result<Vec<Neighbor>, Error> {
        self.words.best(question, count, allowed.unwrap_or_else(|| Arc::clone(&self.live)))
    }
}
