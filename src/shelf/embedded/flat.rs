//! A read-only view of a built graph: flat arrays that a question walks.
//!
//! Neighbours lie one after another, vectors are kept in 8 bits with a scale each: a step
//! touches a quarter of the memory that the vectors themselves take. What the walk finds is
//! compared once more with the exact vectors.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::embed::{UnitVector, dot_bytes};
use crate::shelf::{Neighbor, PassageId};

/// A point of the graph by its place in the arrays, and how near it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    similarity: f32,
    slot: u32,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.similarity.total_cmp(&other.similarity).then(other.slot.cmp(&self.slot))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A point as the builder hands it over.
pub(super) struct Point<'a> {
    /// Its passage.
    pub(super) passage: PassageId,
    /// Its vector.
    pub(super) vector: &'a [f32],
    /// Its neighbours' passages in each layer, the ground first.
    pub(super) neighbours: Vec<Vec<PassageId>>,
}

/// The view.
pub(super) struct Flat {
    dimension: usize,
    passages: Vec<PassageId>,
    codes: Vec<u8>,
    scales: Vec<f32>,
    /// Where each point's neighbours on the ground begin in `links`; one more than there are points.
    starts: Vec<usize>,
    links: Vec<u32>,
    /// Neighbours in the layers above the ground.
    upper: Vec<HashMap<u32, Vec<u32>>>,
    /// A point of the highest layer.
    entry: u32,
}

/// A vector in 8 bits, and what its bytes are multiplied by.
#[expect(clippy::cast_possible_truncation, reason = "scaled to lie between -127 and 127")]
fn coded(vector: &[f32]) -> (impl Iterator<Item = u8>, f32) {
    let largest = vector.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    (vector.iter().map(move |value| ((value / scale).round() as i8).cast_unsigned()), scale)
}

impl Flat {
    /// Lays out `points`; the first of the highest layer is where walks begin.
    pub(super) fn of(points: &[Point<'_>], dimension: usize) -> Self {
        let slots: HashMap<PassageId, u32> = (0..).zip(points).map(|(slot, point)| (point.passage, slot)).collect();
        let known = |passages: &Vec<PassageId>| -> Vec<u32> { passages.iter().filter_map(|id| slots.get(id).copied()).collect() };
        let mut flat = Self {
            dimension,
            passages: points.iter().map(|point| point.passage).collect(),
            codes: Vec::with_capacity(points.len() * dimension),
            scales: Vec::with_capacity(points.len()),
            starts: vec![0],
            links: Vec::new(),
            upper: Vec::new(),
            entry: 0,
        };
        for (slot, point) in (0..).zip(points) {
            let (codes, scale) = coded(point.vector);
            flat.codes.extend(codes);
            flat.scales.push(scale);
            flat.links.extend(point.neighbours.first().map(known).unwrap_or_default());
            flat.starts.push(flat.links.len());
            for (layer, neighbours) in point.neighbours.iter().skip(1).enumerate().filter(|(_, list)| !list.is_empty()) {
                if flat.upper.len() <= layer {
                    flat.upper.resize_with(layer + 1, HashMap::new);
                    flat.entry = slot;
                }
                flat.upper[layer].insert(slot, known(neighbours));
            }
        }
        flat
    }

    /// Points in it.
    pub(super) fn points(&self) -> usize {
        self.passages.len()
    }

    /// The nearest of the passages that `allowed` lets through, nearest first, by their exact rows.
    pub(super) fn nearest<'r>(
        &self,
        vector: &UnitVector,
        count: usize,
        effort: usize,
        allowed: &dyn Fn(PassageId) -> bool,
        row: &dyn Fn(PassageId) -> Option<&'r [f32]>,
    ) -> Vec<Neighbor> {
        if vector.as_slice().len() != self.dimension || self.passages.is_empty() {
            return vec![];
        }
        let (codes, scale) = coded(vector.as_slice());
        let asked = Asked { flat: self, codes: codes.collect(), scale };
        let found = asked.walk(asked.descend(), effort.max(count), allowed);
        let exact = found.into_iter().filter_map(|near| {
            let passage = self.passages[near.slot as usize];
            Some(Neighbor { passage, score: crate::embed::dot(vector.as_slice(), row(passage)?) })
        });
        let mut found: Vec<Neighbor> = exact.collect();
        found.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.passage.cmp(&b.passage)));
        found.truncate(count);
        found
    }
}

/// A question on its way through the graph.
struct Asked<'a> {
    flat: &'a Flat,
    codes: Vec<u8>,
    scale: f32,
}

impl Asked<'_> {
    fn near(&self, slot: u32) -> Near {
        let from = slot as usize * self.flat.dimension;
        let product = dot_bytes(&self.codes, &self.flat.codes[from..from + self.flat.dimension]);
        Near { similarity: product * self.scale * self.flat.scales[slot as usize], slot }
    }

    /// From the highest layer to the ground, each time to the nearest neighbour.
    fn descend(&self) -> Near {
        let mut here = self.near(self.flat.entry);
        for layer in self.flat.upper.iter().rev() {
            loop {
                let neighbours = layer.get(&here.slot).map(Vec::as_slice).unwrap_or_default();
                match neighbours.iter().map(|slot| self.near(*slot)).max().filter(|best| *best > here) {
                    Some(best) => here = best,
                    None => break,
                }
            }
        }
        here
    }

    /// On the ground, outward from `entry`, until nothing nearer than the `effort` best is left.
    fn walk(&self, entry: Near, effort: usize, allowed: &dyn Fn(PassageId) -> bool) -> Vec<Near> {
        let flat = self.flat;
        let mut seen = vec![0_u64; flat.points() / 64 + 1];
        let mut first_time = |slot: u32| {
            let (word, bit) = (slot as usize / 64, 1_u64 << (slot % 64));
            let fresh = seen[word] & bit == 0;
            seen[word] |= bit;
            fresh
        };
        let mut ahead = BinaryHeap::from([entry]);
        let mut best: BinaryHeap<Reverse<Near>> = BinaryHeap::with_capacity(effort + 1);
        let keep = |near: Near, best: &mut BinaryHeap<Reverse<Near>>| {
            if allowed(flat.passages[near.slot as usize]) {
                best.push(Reverse(near));
                if best.len() > effort {
                    best.pop();
                }
            }
        };
        first_time(entry.slot);
        keep(entry, &mut best);
        while let Some(here) = ahead.pop() {
            let worst =
                |best: &BinaryHeap<Reverse<Near>>| best.peek().filter(|_| best.len() == effort).map(|Reverse(near)| *near);
            if worst(&best).is_some_and(|worst| here < worst) {
                break;
            }
            let (from, to) = (flat.starts[here.slot as usize], flat.starts[here.slot as usize + 1]);
            for slot in flat.links[from..to].iter().filter(|slot| first_time(**slot)) {
                let near = self.near(*slot);
                if worst(&best).is_none_or(|worst| near > worst) {
                    ahead.push(near);
                    keep(near, &mut best);
                }
            }
        }
        best.into_iter().map(|Reverse(near)| near).collect()
    }
}
