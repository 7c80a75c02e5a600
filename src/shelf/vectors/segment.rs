//! A graph over passages whose numbers follow one another: read-only, flat arrays that a question walks.
//!
//! Neighbours lie one after another; where a passage's begin is found by its number. Vectors are not in
//! it: the walk looks at the high bytes of those that it passes, and asks for them before it needs them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::codes::{Codes, QueryVector};
use super::set::PassageSet;
use crate::embed::prefetch;
use crate::shelf::PassageId;

/// A graph.
#[derive(Debug, PartialEq)]
pub struct Segment {
    /// The first passage that it may hold.
    pub(super) first: PassageId,
    /// Where each passage's neighbours begin in `links`; one more than there are passages.
    pub(super) starts: Vec<u32>,
    /// Neighbours on the ground, counted from `first`.
    pub(super) links: Vec<u32>,
    /// Neighbours in the layers above the ground.
    pub(super) upper: Vec<HashMap<u32, Vec<u32>>>,
    /// A passage of the highest layer, where walks begin.
    pub(super) entry: u32,
    /// Passages in it, those that are gone included.
    pub(super) points: usize,
}

/// A passage on the way and how near it is, as one number: the nearest is the greatest, of equals the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Near(u64);

impl Near {
    fn of(similarity: f32, slot: u32) -> Self {
        let bits = similarity.to_bits();
        // Floats as integers of the same order.
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Self(u64::from(ordered) << 32 | u64::from(!slot))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    fn slot(self) -> u32 {
        !(self.0 as u32)
    }
}

impl Segment {
    /// The number behind the last passage that it may hold.
    pub fn end(&self) -> PassageId {
        self.first + PassageId::try_from(self.starts.len()).unwrap_or(PassageId::MAX) - 1
    }

    /// The first passage that it may hold.
    pub fn first(&self) -> PassageId {
        self.first
    }

    /// Passages in it, those that are gone included.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Whether walks go through any of `passages`, gone or not.
    pub(super) fn passes(&self, passages: &Range<PassageId>) -> bool {
        let slot = |id: PassageId| id.clamp(self.first, self.end()) - self.first;
        self.starts[slot(passages.start) as usize] != self.starts[slot(passages.end) as usize]
    }

    /// Bytes that it takes in memory, nearly.
    pub fn bytes(&self) -> usize {
        let upper = self.upper.iter().flat_map(HashMap::values).map(|links| 48 + 4 * links.len()).sum::<usize>();
        4 * (self.starts.len() + self.links.len()) + upper
    }

    /// The passages of `allowed` that the walk finds nearest, in no order, by their high bytes.
    pub(super) fn nearest(&self, codes: &Codes, asked: &QueryVector<'_>, effort: usize, allowed: &PassageSet) -> Vec<PassageId> {
        if self.points == 0 {
            return vec![];
        }
        let walk = Walk { segment: self, codes, asked };
        walk.outward(walk.descend(), effort, allowed)
    }
}

/// A question on its way through a graph.
struct Walk<'a> {
    segment: &'a Segment,
    codes: &'a Codes,
    asked: &'a QueryVector<'a>,
}

impl Walk<'_> {
    fn near(&self, slot: u32) -> Near {
        Near::of(self.codes.nearly(self.asked, self.codes.row(self.segment.first + slot)), slot)
    }

    /// From the highest layer to the ground, each time to the nearest neighbour.
    fn descend(&self) -> Near {
        let mut here = self.near(self.segment.entry);
        for layer in self.segment.upper.iter().rev() {
            loop {
                let neighbours = layer.get(&here.slot()).map(Vec::as_slice).unwrap_or_default();
                match neighbours.iter().map(|slot| self.near(*slot)).max().filter(|best| *best > here) {
                    Some(best) => here = best,
                    None => break,
                }
            }
        }
        here
    }

    /// On the ground, outward from `entry`, until nothing nearer than the `effort` best is left.
    fn outward(&self, entry: Near, effort: usize, allowed: &PassageSet) -> Vec<PassageId> {
        let Segment { first, starts, links, .. } = self.segment;
        let mut seen = vec![0_u64; starts.len() / 64 + 1];
        let mut first_time = |slot: u32| {
            let (word, bit) = (slot as usize / 64, 1_u64 << (slot % 64));
            let fresh = seen[word] & bit == 0;
            seen[word] |= bit;
            fresh
        };
        let mut ahead = BinaryHeap::from([entry]);
        let mut best: BinaryHeap<Reverse<Near>> = BinaryHeap::with_capacity(effort + 1);
        let mut worst = Near(0);
        let mut keep = |near: Near, worst: &mut Near| {
            if !allowed.contains(first + near.slot()) {
                return;
            }
            best.push(Reverse(near));
            if best.len() > effort {
                best.pop();
            }
            if best.len() == effort {
                *worst = best.peek().map_or(Near(0), |Reverse(near)| *near);
            }
        };
        first_time(entry.slot());
        keep(entry, &mut worst);
        let mut fresh = Vec::with_capacity(64);
        while let Some(here) = ahead.pop() {
            if here < worst {
                break;
            }
            let (from, to) = (starts[here.slot() as usize] as usize, starts[here.slot() as usize + 1] as usize);
            fresh.clear();
            for slot in links[from..to].iter().filter(|slot| first_time(**slot)) {
                let row = self.codes.row(first + slot);
                prefetch(row.bytes);
                fresh.push((*slot, row));
            }
            for (slot, row) in fresh.drain(..) {
                let near = Near::of(self.codes.nearly(self.asked, row), slot);
                if near > worst {
                    ahead.push(near);
                    keep(near, &mut worst);
                }
            }
        }
        best.into_iter().map(|Reverse(near)| first + near.slot()).collect()
    }
}
