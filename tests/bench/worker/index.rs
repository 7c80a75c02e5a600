//! Vectors of the bundled model, and searching among many.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::time::Instant;

use ibid::embed::{Embedder, UnitVector};
use ibid::settings::{self, Search};
use ibid::shelf::vectors::{PassageSet, VectorIndex};
use serde_json::{Value, json};

use crate::{median, texts};

const NEAREST: usize = 10;

/// Writes the vectors of texts, row after row.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn vectors(texts_at: &str, out: &str) -> Value {
    let embedder = Embedder::bundled().unwrap_or_else(|error| panic!("{error}"));
    let texts = texts(texts_at);
    let begun = Instant::now();
    let made: Vec<UnitVector> = embedder.passages(&texts).into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    let bytes: Vec<u8> = made.iter().flat_map(UnitVector::to_bytes).collect();
    std::fs::write(out, bytes).unwrap_or_else(|error| panic!("{out}: {error}"));
    json!({ "vectors": made.len(), "dimension": embedder.info().dimension, "passages_per_second": texts.len() as f64 / seconds })
}

/// Memory that this process holds now, and held at most, in bytes.
fn memory() -> [usize; 2] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["VmRSS:", "VmHWM:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<usize>().ok()).unwrap_or(0) * 1024
    })
}

/// Rows of 32-bit numbers in a file, one after the other.
struct Rows {
    file: BufReader<File>,
    dimension: usize,
}

impl Rows {
    fn open(path: &str, dimension: usize) -> (Self, usize) {
        let file = File::open(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let bytes = file.metadata().unwrap_or_else(|error| panic!("{path}: {error}")).len();
        let rows = usize::try_from(bytes).unwrap_or(usize::MAX) / (4 * dimension);
        (Self { file: BufReader::new(file), dimension }, rows)
    }
}

impl Iterator for Rows {
    type Item = UnitVector;

    fn next(&mut self) -> Option<UnitVector> {
        let mut bytes = vec![0; 4 * self.dimension];
        self.file.read_exact(&mut bytes).ok()?;
        UnitVector::from_bytes(&bytes, self.dimension)
    }
}

/// Builds the index of all rows of `path` but the last `asked`, with the settings that ibid ships, and asks it with those.
pub(crate) fn search(path: &str, dimension: usize, asked: usize, efforts: &[usize]) -> Value {
    let shipped = settings::resolve(None, std::env::vars(), vec![]).unwrap_or_else(|error| panic!("{error}")).search;
    let (mut rows, count) = Rows::open(path, dimension);
    let count = count - asked;
    let [before, _] = memory();
    // Few of these are so few that a scan would do, but for the narrowest filters.
    let mut index = VectorIndex::new(dimension, &Search { exact_below: count / 20, ..shipped });
    for (id, vector) in (0..).zip(rows.by_ref().take(count)) {
        index.push(id, Some(&vector));
    }
    let live: PassageSet = (0..).take(count).collect();
    let [vectors, _] = memory();
    let begun = Instant::now();
    while let Some(range) = index.wanting(&live) {
        index = index.build(range, &live, &|| true).into_iter().fold(index.clone(), VectorIndex::with_segment);
    }
    let build = begun.elapsed().as_secs_f64();
    let questions: Vec<UnitVector> = rows.collect();
    let (mut truth, mut scans) = (vec![], vec![]);
    for question in &questions {
        let begun = Instant::now();
        truth.push(ids(&index.scan(question, NEAREST, &live)));
        scans.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let curve: Vec<Value> = efforts.iter().map(|effort| at_effort(&mut index, *effort, &questions, &truth, &live)).collect();
    // By now the allocator has given back what building took.
    let [held, most] = memory();
    let graphs: usize = index.segments().iter().map(|segment| segment.bytes()).sum();
    json!({
        "rows": count, "build_seconds": build, "graphs": index.segments().len(), "graph_bytes": graphs,
        "vector_bytes": vectors - before, "held_bytes": held - before, "peak_bytes": most,
        "scan_ms": middle(&mut scans), "curve": curve, "filtered": filtered(&index, &questions, &live),
    })
}

fn middle(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Recall and speed of one thread with `effort` candidates.
#[expect(clippy::cast_precision_loss, reason = "counts of hits")]
fn at_effort(index: &mut VectorIndex, effort: usize, questions: &[UnitVector], truth: &[Vec<u32>], live: &PassageSet) -> Value {
    index.set_effort(effort);
    let hits: usize = questions.iter().zip(truth).map(|(question, truth)| hits(index, question, truth, live)).sum();
    let mut times: Vec<f64> = Vec::with_capacity(questions.len());
    let seconds = median(3, || {
        times.clear();
        for question in questions {
            let begun = Instant::now();
            assert!(!index.nearest(question, NEAREST, live).is_empty());
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    });
    let recall = hits as f64 / (NEAREST * questions.len()) as f64;
    let p50 = middle(&mut times);
    let p99 = times[times.len() * 99 / 100];
    json!({ "effort": effort, "recall@10": recall, "per_second": questions.len() as f64 / seconds, "p50_ms": p50, "p99_ms": p99 })
}

/// Recall through filters that let one in so many pass, with the last effort.
#[expect(clippy::cast_precision_loss, reason = "counts of hits")]
fn filtered(index: &VectorIndex, questions: &[UnitVector], live: &PassageSet) -> Vec<Value> {
    let some = &questions[..questions.len().min(500)];
    let through = |one_in: &u32| {
        let allowed: PassageSet = live.within(0, u32::MAX).filter(|id| id % one_in == 0).collect();
        let found = |question| hits(index, question, &ids(&index.scan(question, NEAREST, &allowed)), &allowed);
        let hits: usize = some.iter().map(found).sum();
        json!({ "one_in": one_in, "recall@10": hits as f64 / (NEAREST * some.len()) as f64 })
    };
    [2, 20, 200].iter().map(through).collect()
}

/// How many of `truth` are among as many that the index finds.
fn hits(index: &VectorIndex, question: &UnitVector, truth: &[u32], allowed: &PassageSet) -> usize {
    index.nearest(question, truth.len().max(1), allowed).iter().filter(|near| truth.contains(&near.passage)).count()
}

fn ids(found: &[ibid::shelf::Neighbor]) -> Vec<u32> {
    found.iter().map(|near| near.passage).collect()
}
