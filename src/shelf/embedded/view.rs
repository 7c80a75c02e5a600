//! One immutable state of the shelf that questions work on.

use std::sync::Arc;

use rayon::prelude::*;

use super::graph::Graph;
use super::words::WordSearcher;
use crate::embed::{UnitVector, dot};
use crate::shelf::{Error, Neighbor, PassageId};

/// Rows of vectors that were loaded together.
pub(super) struct Block {
    /// The number of its first passage.
    pub(super) first: PassageId,
    /// Rows one after the other; a passage without a vector has a row of zeros.
    pub(super) rows: Vec<f32>,
}

/// A set of passages, one bit each.
#[derive(Debug, Clone, Default)]
pub(super) struct PassageSet {
    bits: Vec<u64>,
    count: usize,
}

impl PassageSet {
    /// Adds a passage.
    pub(super) fn insert(&mut self, id: PassageId) {
        let (word, bit) = (id as usize / 64, id % 64);
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.count += usize::from(self.bits[word] >> bit & 1 == 0);
        self.bits[word] |= 1 << bit;
    }

    /// Takes a passage out.
    pub(super) fn remove(&mut self, id: PassageId) {
        let (word, bit) = (id as usize / 64, id % 64);
        if self.contains(id) {
            self.bits[word] &= !(1 << bit);
            self.count -= 1;
        }
    }

    /// Whether it holds `id`.
    pub(super) fn contains(&self, id: PassageId) -> bool {
        self.bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// How many it holds.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many it holds that come before `end`.
    pub(super) fn len_before(&self, end: PassageId) -> usize {
        (0..end).filter(|id| self.contains(*id)).count()
    }
}

/// A state of the shelf. Later changes make another.
pub struct View {
    /// The change that it has reached.
    pub(super) change: u64,
    pub(super) dimension: usize,
    pub(super) blocks: Vec<Arc<Block>>,
    /// Passages of current versions.
    pub(super) live: Arc<PassageSet>,
    pub(super) graph: Option<Arc<Graph>>,
    pub(super) words: WordSearcher,
    pub(super) exact_below: usize,
    pub(super) effort: usize,
}

impl View {
    /// The passages nearest to `vector` among `allowed` (all, when `None`), nearest first.
    pub(super) fn nearest(&self, vector: &UnitVector, count: usize, allowed: Option<&PassageSet>) -> Vec<Neighbor> {
        let allowed = allowed.unwrap_or(&self.live);
        match &self.graph {
            // A graph walk that a filter thins out loses its way; a scan of the few does not.
            Some(graph) if allowed.len() > self.exact_below => {
                let mut found = graph.flat().nearest(vector, count, self.effort, &|id| allowed.contains(id), &|id| self.row(id));
                // What came after the graph was built is compared one by one.
                found.extend(self.scan_from(graph.end(), vector, count, allowed));
                best_of(found, count)
            }
            _ => self.scan(vector, count, allowed),
        }
    }

    /// The vector of a passage; one without tokens has zeros.
    fn row(&self, id: PassageId) -> Option<&[f32]> {
        let block = self.blocks.iter().rfind(|block| block.first <= id)?;
        let start = (id - block.first) as usize * self.dimension;
        block.rows.get(start..start + self.dimension)
    }

    /// How near each of `passages` is to `vector`.
    pub(super) fn similarities(&self, vector: &UnitVector, passages: &[PassageId]) -> Vec<f32> {
        let near = |id: &PassageId| self.row(*id).filter(|_| vector.as_slice().len() == self.dimension);
        passages.iter().map(|id| near(id).map_or(0.0, |row| dot(vector.as_slice(), row))).collect()
    }

    /// How near each of `passages` is to `one`.
    pub(super) fn cosines(&self, one: PassageId, passages: &[PassageId]) -> Vec<f32> {
        let Some(one) = self.row(one) else { return vec![0.0; passages.len()] };
        passages.iter().map(|other| self.row(*other).map_or(0.0, |other| dot(one, other))).collect()
    }

    /// Compares every vector: exact.
    pub(super) fn scan(&self, vector: &UnitVector, count: usize, allowed: &PassageSet) -> Vec<Neighbor> {
        self.scan_from(0, vector, count, allowed)
    }

    /// Compares the vectors of passage `from` and those after it.
    fn scan_from(&self, from: PassageId, vector: &UnitVector, count: usize, allowed: &PassageSet) -> Vec<Neighbor> {
        const ROWS: usize = 2048;
        let asked = vector.as_slice();
        if asked.len() != self.dimension {
            return vec![];
        }
        let chunks = self.blocks.iter().flat_map(|block| {
            let starts = (block.first..).step_by(ROWS);
            block.rows.chunks(ROWS * self.dimension).zip(starts)
        });
        let ends_after = |(rows, first): &(&[f32], PassageId)| *first as usize + rows.len() / self.dimension > from as usize;
        let chunks: Vec<(&[f32], PassageId)> = chunks.filter(ends_after).collect();
        let best = chunks.par_iter().map(|(rows, first)| {
            let rows = rows.chunks_exact(self.dimension).zip(*first..);
            let scored = rows
                .filter(|(_, id)| *id >= from && allowed.contains(*id))
                .map(|(row, passage)| Neighbor { passage, score: dot(asked, row) });
            best_of(scored.collect(), count)
        });
        best_of(best.flatten().collect(), count)
    }

    /// The passages whose words fit best, best first.
    pub(super) fn words(&self, question: &str, count: usize, allowed: Option<Arc<PassageSet>>) -> Result<Vec<Neighbor>, Error> {
        let allowed = allowed.unwrap_or_else(|| Arc::clone(&self.live));
        self.words.best(question, count, move |id| allowed.contains(id))
    }
}

/// The `count` highest scores, ties by number.
fn best_of(mut neighbors: Vec<Neighbor>, count: usize) -> Vec<Neighbor> {
    let order = |a: &Neighbor, b: &Neighbor| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage));
    if neighbors.len() > count {
        neighbors.select_nth_unstable_by(count, order);
        neighbors.truncate(count);
    }
    neighbors.sort_unstable_by(order);
    neighbors
}
