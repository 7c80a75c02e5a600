//! Building graphs: the only file that knows `hnsw_rs`.
//!
//! The builder is given the numbers of passages and asks here how near they are, so that vectors are
//! kept once and compared by their high bytes. What it has built becomes a [`Segment`], and goes.

use std::collections::HashMap;
use std::ops::Range;

use hnsw_rs::anndists::dist::Distance;
use hnsw_rs::hnsw::Hnsw;

use super::codes::Codes;
use super::segment::Segment;
use crate::background;
use crate::shelf::PassageId;

/// How a graph is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Connections a passage keeps; on the ground, twice as many.
    pub(super) connections: usize,
    /// Candidates held while building.
    pub(super) build: usize,
}

/// `1 - cosine`, never below zero: the crate asserts that.
#[derive(Clone)]
struct CodeDistance(Codes);

impl Distance<PassageId> for CodeDistance {
    fn eval(&self, a: &[PassageId], b: &[PassageId]) -> f32 {
        (1.0 - self.0.between(a[0], b[0])).max(0.0)
    }
}

/// Builds a graph of `passages`, which lie in `range`, on all cores. `going` is asked now and then
/// whether to go on; `None` when it said no, or when there are no threads to be had.
pub(super) fn build(
    codes: &Codes,
    shape: Shape,
    range: Range<PassageId>,
    passages: &[PassageId],
    going: &dyn Fn() -> bool,
) -> Option<Segment> {
    const LAYERS: usize = 16;
    const AT_ONCE: usize = 1024;
    let Range { start: first, end } = range;
    // Threads of its own: a question would wait in the common ones until a round of inserting is done.
    let threads = background::threads("graph")?;
    let hnsw = Hnsw::new(shape.connections, passages.len().max(1), LAYERS, shape.build, CodeDistance(codes.clone()));
    for some in passages.chunks(AT_ONCE) {
        if !going() {
            return None;
        }
        let rows = some.iter().map(|id| (std::slice::from_ref(id), (id - first) as usize));
        let rows = rows.collect();
        threads.install(|| hnsw.parallel_insert_slice(&rows));
    }
    Some(flattened(&hnsw, first, end))
}

/// The segment of a built graph.
fn flattened(hnsw: &Hnsw<'_, PassageId, CodeDistance>, first: PassageId, end: PassageId) -> Segment {
    let index = hnsw.get_point_indexation();
    let slot = |id: usize| u32::try_from(id).expect("passages are counted in 32 bits");
    let mut ground = vec![vec![]; (end - first) as usize];
    let (mut upper, mut entry, mut points): (Vec<HashMap<u32, Vec<u32>>>, u32, usize) = (vec![], 0, 0);
    for point in (0..=usize::from(index.get_max_level_observed())).flat_map(|layer| index.get_layer_iterator(layer)) {
        let at = slot(point.get_origin_id());
        points += 1;
        for (layer, neighbours) in point.get_neighborhood_id().into_iter().enumerate() {
            let links: Vec<u32> = neighbours.iter().map(|neighbour| slot(neighbour.d_id)).collect();
            if layer == 0 {
                ground[at as usize] = links;
            } else if !links.is_empty() {
                if upper.len() < layer {
                    upper.resize_with(layer, HashMap::new);
                    entry = at;
                }
                upper[layer - 1].insert(at, links);
            }
        }
        // A graph of one layer, and of one passage, begins somewhere too.
        if points == 1 {
            entry = at;
        }
    }
    let ends = ground.iter().scan(0, |sum, links| {
        *sum += links.len();
        Some(slot(*sum))
    });
    Segment { first, starts: std::iter::once(0).chain(ends).collect(), links: ground.concat(), upper, entry, points }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::UnitVector;
    use crate::shelf::vectors::VectorIndex;
    use crate::shelf::vectors::codes::QueryVector;
    use crate::shelf::vectors::set::PassageSet;

    /// Vectors in a few heaps, as texts on a few matters are.
    fn heaps(count: usize, dimension: usize) -> Vec<UnitVector> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut around = |centre: &[f32], spread: f32| -> Vec<f32> {
            centre.iter().map(|number| number + spread * (random.f32() - 0.5)).collect()
        };
        let centres: Vec<Vec<f32>> = (0..20).map(|_| around(&vec![0.0; dimension], 2.0)).collect();
        let unit = |vector: Vec<f32>| {
            let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
            let bytes: Vec<u8> = vector.iter().flat_map(|number| (number / length).to_le_bytes()).collect();
            UnitVector::from_bytes(&bytes, dimension).expect("it has its length")
        };
        (0..count).map(|n| unit(around(&centres[n % 20], 1.0))).collect()
    }

    #[test]
    fn vectors_of_what_is_gone_take_no_memory_unless_a_graph_leads_through_them() {
        let vectors = heaps(5000, 32);
        let shape = Shape { connections: 8, build: 30 };
        let mut index = VectorIndex { codes: Codes::new(32), segments: vec![], shape, exact_below: 10, effort: 60 };
        // Removed ones come without a vector when a library is opened.
        (0..).zip(&vectors).for_each(|(id, vector)| index.push(id, (id >= 2048).then_some(vector)));
        assert_eq!(index.codes.held(), 3);
        let late: PassageSet = (3072..4000).collect();
        let found = |index: &VectorIndex| index.scan(&vectors[3500], 10, &late);
        let before = found(&index);
        let middle: Vec<PassageId> = (2048..3000).collect();
        let segment = build(&index.codes, shape, 0..3000, &middle, &|| true).unwrap();
        let mut walked = index.clone().with_segment(segment);
        walked.forget(&late);
        assert_eq!(walked.codes.held(), 3);
        index.forget(&late);
        // One full chunk of three, and the last, which is not full.
        assert_eq!(index.codes.held(), 2);
        assert_eq!((found(&index), found(&walked)), (before.clone(), before));
        assert_eq!(index.similarities(vectors[2500].as_slice(), &[2500, 5]), [0.0, 0.0]);
    }

    #[test]
    fn the_flat_graph_finds_what_the_built_one_does() {
        const COUNT: u32 = 3000;
        const ASKED: u32 = 100;
        let vectors = heaps((COUNT + ASKED) as usize, 48);
        let mut codes = Codes::new(48);
        for (id, vector) in (0..).zip(&vectors) {
            codes.push(id, Some(vector));
        }
        let hnsw = Hnsw::new(12, COUNT as usize, 16, 60, CodeDistance(codes.clone()));
        let live: PassageSet = (0..COUNT).collect();
        let passages: Vec<PassageId> = (0..COUNT).collect();
        hnsw.parallel_insert_slice(&passages.iter().map(|id| (std::slice::from_ref(id), *id as usize)).collect());
        let flat = flattened(&hnsw, 0, COUNT);
        assert_eq!((flat.points, flat.end()), (passages.len(), COUNT));
        assert!(flat.links.iter().all(|slot| *slot < COUNT) && flat.starts.is_sorted());
        let (mut by_flat, mut by_built) = (0, 0);
        for question in COUNT..COUNT + ASKED {
            let mut truth = passages.clone();
            truth.sort_by(|a, b| codes.between(*b, question).total_cmp(&codes.between(*a, question)));
            let found = flat.nearest(&codes, &QueryVector::of(&vectors[question as usize]), 60, &live);
            let built = hnsw.search(&[question], 60, 60);
            by_flat += truth[..10].iter().filter(|id| found.contains(id)).count();
            by_built += truth[..10].iter().filter(|id| built.iter().any(|near| near.d_id == **id as usize)).count();
        }
        assert!(by_flat + 5 >= by_built && by_flat >= 970, "{by_flat} and {by_built} of 1000");
    }
}
