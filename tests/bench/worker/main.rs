//! What the benchmarks run of ibid itself: one task a call, its figures as one line of JSON.
//!
//! ```text
//! worker encode MODEL TEXTS PRECISION INSTRUCTIONS    passages a second, and a lone question's milliseconds
//! worker candle MODEL TEXTS                           the same by candle-transformers' own BERT
//! worker vectors TEXTS OUT                            the bundled model's vectors, 32-bit numbers row after row
//! worker search VECTORS DIMENSION ASKED EFFORT…       a graph of all rows but the last ASKED, which then ask
//! worker read FILE                                    a file into its articles: seconds, pages, memory
//! ```
//!
//! TEXTS is a JSON list of texts. `bench.py` calls this and the peers in turn.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod encoder;
mod index;
mod reading;

use std::time::Instant;

use serde_json::json;

/// What a lone question is, but for its number.
const QUESTION: &str = "who runs the night market by the river in 1984 and why";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let figures = match arguments.as_slice() {
        ["encode", model, texts, precision, instructions] => encoder::ours(model, texts, precision, instructions),
        ["candle", model, texts] => encoder::candle(model, texts),
        ["vectors", texts, out] => index::vectors(texts, out),
        ["search", vectors, dimension, asked, efforts @ ..] => {
            let efforts: Vec<usize> = efforts.iter().map(|effort| number(effort)).collect();
            index::search(vectors, number(dimension), number(asked), &efforts)
        }
        ["read", file] => reading::read(file),
        _ => json!({ "tasks": ["encode", "candle", "vectors", "search", "read"] }),
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
