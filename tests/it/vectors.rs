//! The index of vectors: what it finds against a scan of all, through filters, removals and growth.

use ibid::embed::UnitVector;
use ibid::settings::Search;
use ibid::shelf::vectors::{PassageSet, VectorIndex};

const DIMENSION: usize = 64;
const COUNT: u32 = 8000;

/// Vectors in heaps, and questions near them.
fn vectors(count: usize) -> Vec<UnitVector> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut around = |centre: &[f32], spread: f32| -> Vec<f32> {
        centre.iter().map(|number| number + spread * (random.f32() - 0.5)).collect()
    };
    let centres: Vec<Vec<f32>> = (0..40).map(|_| around(&[0.0; DIMENSION], 2.0)).collect();
    let unit = |vector: Vec<f32>| {
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        let bytes: Vec<u8> = vector.iter().flat_map(|number| (number / length).to_le_bytes()).collect();
        UnitVector::from_bytes(&bytes, DIMENSION).unwrap()
    };
    (0..count).map(|n| unit(around(&centres[n % 40], 1.2))).collect()
}

fn index(vectors: &[UnitVector], exact_below: usize) -> VectorIndex {
    let search = Search { candidates: 60, exact_below, graph_connections: 16, graph_build: 80, graph_search: 120 };
    let mut index = VectorIndex::new(DIMENSION, &search);
    for (id, vector) in (0..).zip(vectors) {
        index.push(id, Some(vector));
    }
    index
}

fn settled(mut index: VectorIndex, live: &PassageSet) -> VectorIndex {
    while let Some(range) = index.wanting(live) {
        index = index.build(range, live, &|| true).into_iter().fold(index.clone(), VectorIndex::with_segment);
    }
    index
}

/// Hits of the index among the truly nearest ten, and how many there are of those.
fn recall(index: &VectorIndex, questions: &[UnitVector], allowed: &PassageSet) -> (usize, usize) {
    let (mut hits, mut all) = (0, 0);
    for question in questions {
        let truth = index.scan(question, 10, allowed);
        let found = index.nearest(question, 10, allowed);
        assert!(found.iter().all(|near| allowed.contains(near.passage)), "only what is allowed is found");
        hits += truth.iter().filter(|near| found.contains(near)).count();
        all += truth.len();
    }
    (hits, all)
}

#[test]
fn a_filter_of_any_width_costs_no_recall() {
    let all = vectors(COUNT as usize + 100);
    let (kept, questions) = all.split_at(COUNT as usize);
    let live: PassageSet = (0..COUNT).collect();
    // Below a twentieth all are compared; the walk has the wider ones.
    let index = settled(index(kept, COUNT as usize / 20), &live);
    assert_eq!(index.segments().len(), 1);
    for one_in in [1, 2, 5, 10, 20, 200] {
        let allowed: PassageSet = (0..COUNT).filter(|id| id % one_in == one_in / 2).collect();
        let (hits, all) = recall(&index, questions, &allowed);
        assert!(hits * 100 >= all * 99, "one in {one_in}: {hits} of {all}");
    }
    // Filters that go with the matter: a few heaps of forty.
    let matter: PassageSet = (0..COUNT).filter(|id| id % 40 < 4).collect();
    let (hits, all) = recall(&index, questions, &matter);
    assert!(hits * 100 >= all * 99, "four heaps: {hits} of {all}");
}

#[test]
fn what_grows_and_shrinks_for_long_is_found_as_by_a_scan() {
    let all = vectors(COUNT as usize + 50);
    let (kept, questions) = all.split_at(COUNT as usize);
    let mut random = fastrand::Rng::with_seed(3);
    let mut index = index(&[], 400);
    let mut live = PassageSet::default();
    for (id, vector) in (0..).zip(kept) {
        index.push(id, Some(vector));
        live.insert(id);
        if id % 3 == 0 {
            live.remove(random.u32(0..=id));
        }
        if id % 500 == 499 {
            let before = recall(&index, questions, &live);
            index = settled(index, &live);
            for (hits, all) in [before, recall(&index, questions, &live)] {
                assert!(hits * 100 >= all * 98, "after {id}: {hits} of {all}");
            }
        }
    }
    let covers: Vec<(u32, u32)> = index.segments().iter().map(|segment| (segment.first(), segment.end())).collect();
    assert!(covers.is_sorted_by(|a, b| a.1 <= b.0), "no passage is in two graphs: {covers:?}");
    assert!(covers.len() < 8, "small graphs go into greater ones: {covers:?}");
}

#[test]
fn a_graph_that_is_told_to_stop_is_not_built() {
    let kept = vectors(3000);
    let live: PassageSet = (0..3000).collect();
    let index = index(&kept, 100);
    let range = index.wanting(&live).unwrap();
    let asked = std::cell::Cell::new(0);
    let going = || {
        asked.set(asked.get() + 1);
        asked.get() < 2
    };
    assert!(index.build(range, &live, &going).is_none());
    assert_eq!(asked.get(), 2);
}
