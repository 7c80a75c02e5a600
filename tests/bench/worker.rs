//! What the benchmarks run of ibid itself: one task a call, its figures as one line of JSON.
//!
//! ```text
//! worker encode MODEL TEXTS PRECISION INSTRUCTIONS    passages a second, and a lone question's milliseconds
//! worker vectors TEXTS OUT                            the bundled model's vectors, 32-bit numbers row after row
//! worker search VECTORS DIMENSION ASKED CONNECTIONS BUILD EFFORT…      a graph of all rows but the last ASKED, which then ask
//! ```
//!
//! TEXTS is a JSON list of texts. `bench.py` beside this file calls it and its peers in turn.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::Path;
use std::time::Instant;

use ibid::embed::{Choices, Embedder, Instructions, Precision, UnitVector, limit_instructions};
use ibid::settings::Search;
use ibid::shelf::vectors::{PassageSet, VectorIndex};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let figures = match arguments.as_slice() {
        ["encode", model, texts, precision, instructions] => encode(model, texts, precision, instructions),
        ["vectors", texts, out] => vectors(texts, out),
        ["search", vectors, dimension, asked, connections, build, efforts @ ..] => {
            let efforts: Vec<usize> = efforts.iter().map(|effort| number(effort)).collect();
            search(vectors, number(dimension), number(asked), (number(connections), number(build)), &efforts)
        }
        _ => json!({ "tasks": ["encode", "vectors", "search"] }),
    };
    println!("{figures}");
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn texts(path: &str) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The middle of the times that `task` takes, in seconds.
fn median(rounds: usize, mut task: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let begun = Instant::now();
            task();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[rounds / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn encode(model: &str, texts_at: &str, precision: &str, instructions: &str) -> Value {
    limit_instructions(match instructions {
        "avx512" => Instructions::Avx512,
        "avx2" => Instructions::Avx2,
        _ => Instructions::Portable,
    });
    let precision = Precision::ALL.into_iter().find(|known| known.name() == precision);
    let choices = Choices { precision, ..Choices::default() };
    let embedder = Embedder::load_with(Path::new(model), &choices).unwrap_or_else(|error| panic!("{error}"));
    let texts = texts(texts_at);
    let passages = median(3, || assert!(embedder.passages(&texts)[0].is_some()));
    let mut turn = 0;
    let lone = median(200, || {
        turn += 1;
        assert!(embedder.question(&format!("who runs the night market by the river in {turn} and why")).is_some());
    });
    json!({ "passages_per_second": texts.len() as f64 / passages, "lone_ms": lone * 1e3 })
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn vectors(texts_at: &str, out: &str) -> Value {
    let embedder = Embedder::bundled().unwrap_or_else(|error| panic!("{error}"));
    let texts = texts(texts_at);
    let begun = Instant::now();
    let made: Vec<UnitVector> = embedder.passages(&texts).into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    let bytes: Vec<u8> = made.iter().flat_map(UnitVector::to_bytes).collect();
    std::fs::write(out, bytes).unwrap_or_else(|error| panic!("{out}: {error}"));
    json!({ "vectors": made.len(), "dimension": embedder.info().dimension, "passages_per_second": texts.len() as f64 / seconds })
}

/// Memory that this process holds, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<usize>().ok()).unwrap_or(0) * 1024
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
fn search(
    path: &str,
    dimension: usize,
    asked: usize,
    (graph_connections, graph_build): (usize, usize),
    efforts: &[usize],
) -> Value {
    const NEAREST: usize = 10;
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let rows = bytes.len() / (4 * dimension);
    let vector = |row: usize| UnitVector::from_bytes(&bytes[row * 4 * dimension..][..4 * dimension], dimension);
    let before = memory();
    let settings = |effort| Search { candidates: 60, exact_below: 5000, graph_connections, graph_build, graph_search: effort };
    let mut index = VectorIndex::new(dimension, &settings(0));
    let count = rows - asked;
    for row in 0..count {
        index.push(u32::try_from(row).expect("rows are counted in 32 bits"), vector(row).as_ref());
    }
    let live: PassageSet = (0..).take(count).collect();
    let begun = Instant::now();
    while let Some(range) = index.wanting(&live) {
        index = index.build(range, &live, &|| true).into_iter().fold(index.clone(), VectorIndex::with_segment);
    }
    let build = begun.elapsed().as_secs_f64();
    let held = memory() - before;
    let questions: Vec<UnitVector> = (count..rows).filter_map(vector).collect();
    let truth: Vec<Vec<u32>> = questions.iter().map(|question| ids(&index.scan(question, NEAREST, &live))).collect();
    let scan = median(20, || assert!(!index.scan(&questions[0], NEAREST, &live).is_empty()));
    let curve: Vec<Value> = efforts
        .iter()
        .map(|effort| {
            index.set_effort(*effort);
            let hits: usize = questions.iter().zip(&truth).map(|(question, truth)| hits(&index, question, truth, &live)).sum();
            let seconds = median(3, || questions.iter().for_each(|question| assert!(!index.nearest(question, NEAREST, &live).is_empty())));
            json!({ "effort": effort, "recall@10": hits as f64 / (NEAREST * questions.len()) as f64, "per_second": questions.len() as f64 / seconds })
        })
        .collect();
    // The last effort again, through filters.
    let filtered: Vec<Value> = [2, 20, 200]
        .iter()
        .map(|one_in| {
            let allowed: PassageSet = live.within(0, u32::MAX).filter(|id| id % one_in == 0).collect();
            let some = &questions[..questions.len().min(500)];
            let found = |question| hits(&index, question, &ids(&index.scan(question, NEAREST, &allowed)), &allowed);
            let hits: usize = some.iter().map(found).sum();
            json!({ "one_in": one_in, "recall@10": hits as f64 / (NEAREST * some.len()) as f64 })
        })
        .collect();
    let graphs: usize = index.segments().iter().map(|segment| segment.bytes()).sum();
    json!({ "rows": count, "build_seconds": build, "memory_bytes": held, "graph_bytes": graphs, "graphs": index.segments().len(), "scan_ms": scan * 1e3, "curve": curve, "filtered": filtered })
}

/// How many of `truth` are among the nearest ten that the index finds.
fn hits(index: &VectorIndex, question: &UnitVector, truth: &[u32], allowed: &PassageSet) -> usize {
    index.nearest(question, truth.len().max(1), allowed).iter().filter(|near| truth.contains(&near.passage)).count()
}

fn ids(found: &[ibid::shelf::Neighbor]) -> Vec<u32> {
    found.iter().map(|near| near.passage).collect()
}
