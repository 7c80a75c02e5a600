//! Finding the nearest vectors: an exact scan while there are few, and graphs once there are many.
//!
//! Passages are numbered in the order in which they came, and a graph covers numbers that follow one
//! another. What came after the last graph is scanned; when that has become much, a graph of it is built,
//! which takes smaller ones before it in. So building never stops a question, costs each passage
//! a few times over all, and needs memory for 262,144 passages at most.

mod build;
mod codes;
mod saved;
mod segment;
mod set;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use self::build::Shape;
use self::codes::{Codes, QueryVector};
use self::saved::Head;
use super::{Neighbor, PassageId};
use crate::embed::UnitVector;
use crate::settings;

pub(super) use self::saved::look;
pub use self::segment::Segment;
pub use self::set::PassageSet;

/// Passages in a graph, at most. The builder takes some 3 kB for each while it works.
const MOST: usize = 262_144;

/// Passages beyond which a walk holds twice the candidates: at a million, .981 of the ten nearest are found
/// then, and .969 were.
const LARGE: PassageId = 262_144;

/// Passages that a thread scans at once.
const SCANNED: u32 = 4096;

/// A state of the vectors and their graphs. States share what they have in common.
#[derive(Clone)]
pub struct VectorIndex {
    codes: Codes,
    segments: Vec<Arc<Segment>>,
    shape: Shape,
    exact_below: usize,
    effort: usize,
}

impl VectorIndex {
    /// No vectors yet, of `dimension` numbers each.
    pub fn new(dimension: usize, settings: &settings::Search) -> Self {
        let shape = Shape { connections: settings.graph_connections, build: settings.graph_build };
        let (exact_below, effort) = (settings.exact_below, settings.graph_search);
        Self { codes: Codes::new(dimension), segments: vec![], shape, exact_below, effort }
    }

    /// Numbers that a vector has.
    pub fn dimension(&self) -> usize {
        self.codes.dimension()
    }

    /// Takes the vector of passage `id`; numbers that were skipped have none. Passages come in order.
    pub fn push(&mut self, id: PassageId, vector: Option<&UnitVector>) {
        self.codes.push(id, vector);
    }

    /// From now on a walk holds so many candidates.
    pub fn set_effort(&mut self, effort: usize) {
        self.effort = effort;
    }

    /// The graphs, in the order of their passages.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The same vectors with `segment`, which takes the place of those that it covers.
    #[must_use]
    pub fn with_segment(mut self, segment: Segment) -> Self {
        self.segments.retain(|other| other.end() <= segment.first() || segment.end() <= other.first());
        self.segments.push(Arc::new(segment));
        self.segments.sort_by_key(|segment| segment.first());
        self
    }

    /// The same vectors with the graphs of `other`, a state before or after.
    #[must_use]
    pub(super) fn with_segments_of(mut self, other: &Self) -> Self {
        self.segments.clone_from(&other.segments);
        self
    }

    /// Lets go of vectors that no question needs: of passages not in `live` that no graph leads through. They go
    /// by the thousand.
    pub(super) fn forget(&mut self, live: &PassageSet) {
        let segments = &self.segments;
        self.codes.forget(|passages| {
            live.within(passages.start, passages.end).next().is_some() || segments.iter().any(|one| one.passes(&passages))
        });
    }

    /// Reads the graphs saved below `folder` that fit and are not ahead of `change`.
    pub(super) fn load(&mut self, folder: &Path, change: u64) {
        let saved = saved::load(folder, self.head(change)).into_iter().filter(|segment| segment.end() <= self.codes.end());
        self.segments = saved.map(Arc::new).collect();
    }

    /// Writes a graph below `folder` as one that has seen `change`.
    pub(super) fn save(&self, segment: &Segment, change: u64, folder: &Path) -> std::io::Result<()> {
        saved::save(segment, self.head(change), folder)
    }

    fn head(&self, change: u64) -> Head {
        Head { shape: self.shape, dimension: self.codes.dimension(), change }
    }

    /// The passages of `allowed` nearest to `vector`, nearest first.
    pub fn nearest(&self, vector: &UnitVector, count: usize, allowed: &PassageSet) -> Vec<Neighbor> {
        // A walk that a filter thins out loses its way; a scan of the few does not.
        if allowed.len() <= self.exact_below || vector.as_slice().len() != self.codes.dimension() {
            return self.scan(vector, count, allowed);
        }
        let asked = QueryVector::of(vector);
        // What one graph finds of ten, of a million passages takes more looking.
        let effort = self.effort.max(count) * if self.codes.end() > LARGE { 2 } else { 1 };
        let walked = self.segments.iter().flat_map(|segment| segment.nearest(&self.codes, &asked, effort, allowed));
        let mut found: Vec<Neighbor> =
            walked.map(|passage| Neighbor { passage, score: self.codes.to_asked(&asked, passage) }).collect();
        for gap in self.gaps() {
            found.extend(self.scan_within(&asked, count, allowed, gap));
        }
        best_of(found, count)
    }

    /// The passages of `allowed` truly nearest to `vector`: all are compared.
    pub fn scan(&self, vector: &UnitVector, count: usize, allowed: &PassageSet) -> Vec<Neighbor> {
        if vector.as_slice().len() != self.codes.dimension() {
            return vec![];
        }
        self.scan_within(&QueryVector::of(vector), count, allowed, 0..self.codes.end())
    }

    /// All of `range` are compared by their high bytes, and exactly those that could be among the nearest.
    fn scan_within(&self, asked: &QueryVector<'_>, count: usize, allowed: &PassageSet, range: Range<PassageId>) -> Vec<Neighbor> {
        let starts: Vec<PassageId> = range.clone().step_by(SCANNED as usize).collect();
        let nearly = starts.par_iter().map(|first| {
            let ids = allowed.within(*first, first.saturating_add(SCANNED).min(range.end));
            let near = |passage| Neighbor { passage, score: self.codes.nearly(asked, self.codes.row(passage)) };
            let mut scored: Vec<Neighbor> = ids.map(near).collect();
            // What is further behind the best here than both can be wrong is not among the best anywhere.
            let doubt = 2.0 * self.codes.error(asked, *first, first.saturating_add(SCANNED).min(range.end));
            if scored.len() > count {
                let (_, last, _) = scored.select_nth_unstable_by(count.saturating_sub(1), by_score);
                let floor = last.score - doubt;
                scored.retain(|near| near.score >= floor);
            }
            scored
        });
        let mut found: Vec<Neighbor> = nearly.flatten().collect();
        let doubt = 2.0 * self.codes.error(asked, range.start, range.end);
        if found.len() > count {
            let (_, last, _) = found.select_nth_unstable_by(count.saturating_sub(1), by_score);
            let floor = last.score - doubt;
            found.retain(|near| near.score >= floor);
        }
        for near in &mut found {
            near.score = self.codes.to_asked(asked, near.passage);
        }
        best_of(found, count)
    }

    /// How near each of `passages` is to `vector`; 0 for one without a vector.
    pub fn similarities(&self, vector: &[f32], passages: &[PassageId]) -> Vec<f32> {
        passages.iter().map(|id| self.codes.exactly(vector, *id)).collect()
    }

    /// How near each of `passages` is to passage `one`.
    pub fn cosines(&self, one: PassageId, passages: &[PassageId]) -> Vec<f32> {
        self.codes.vector(one).map_or_else(|| vec![0.0; passages.len()], |one| self.similarities(&one, passages))
    }

    /// Numbers that no graph covers.
    fn gaps(&self) -> Vec<Range<PassageId>> {
        let ends = self.segments.iter().map(|segment| segment.end());
        let starts = self.segments.iter().map(|segment| segment.first()).chain([self.codes.end()]);
        std::iter::once(0).chain(ends).zip(starts).filter(|(end, start)| end < start).map(|(end, start)| end..start).collect()
    }

    /// The passages that a graph should be built of next; `None` when questions are well served.
    pub fn wanting(&self, live: &PassageSet) -> Option<Range<PassageId>> {
        if live.len() <= self.exact_below {
            return None;
        }
        let bearable = if self.segments.is_empty() { 0 } else { self.exact_below / 2 };
        let count = |range: &Range<PassageId>| live.count_within(range.start, range.end);
        let gap = self.gaps().into_iter().find(|gap| count(gap) > bearable);
        let lost = || {
            let mut halved = self.segments.iter().filter(|segment| {
                let kept = live.count_within(segment.first(), segment.end());
                kept * 2 < segment.points()
            });
            halved.next().map(|segment| segment.first()..segment.end())
        };
        let mut range = gap.or_else(lost)?;
        let mut held = count(&range);
        let before = range.start;
        for segment in self.segments.iter().rev().filter(|segment| segment.end() <= before) {
            let more = live.count_within(segment.first(), segment.end());
            if segment.end() != range.start || more > held || held + more > MOST {
                break;
            }
            (range.start, held) = (segment.first(), held + more);
        }
        if held > MOST {
            range.end = live.within(range.start, range.end).nth(MOST)?;
        }
        Some(range)
    }

    /// Builds a graph of the passages of `live` within `range`, on all cores. `going` is asked now and
    /// then whether to go on; `None` when it said no.
    pub fn build(&self, range: Range<PassageId>, live: &PassageSet, going: &dyn Fn() -> bool) -> Option<Segment> {
        let passages: Vec<PassageId> = live.within(range.start, range.end).collect();
        build::build(&self.codes, self.shape, range, &passages, going)
    }
}

/// The nearest first, ties by number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "sorting hands out references")]
fn by_score(a: &Neighbor, b: &Neighbor) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage))
}

/// The `count` highest scores.
fn best_of(mut neighbors: Vec<Neighbor>, count: usize) -> Vec<Neighbor> {
    if neighbors.len() > count {
        neighbors.select_nth_unstable_by(count, by_score);
        neighbors.truncate(count);
    }
    neighbors.sort_unstable_by(by_score);
    neighbors
}
