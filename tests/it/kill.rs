//! Killed at any moment: what was acknowledged is there, and nothing is half there.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use ibid::chunk::Rules;
use ibid::embed::Embedder;
use ibid::shelf::{Identity, Shelf};
use serde_json::json;

use crate::service::{IBID, settings};

const ROUNDS: u64 = 100;
const SOURCES: u64 = 4;
const ARTICLES: u64 = 6;

/// A number that looks random and is the same in every run.
fn scattered(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

#[test]
fn a_hundred_kills_lose_nothing_acknowledged_and_leave_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let (data, corpus) = (folder.path().join("data"), folder.path().join("corpus"));
    std::fs::create_dir(&corpus).unwrap();
    let settings = settings(&data);
    let model = Embedder::bundled().unwrap().info().clone();
    let rules = Rules { target_tokens: settings.chunk.target_tokens, max_tokens: settings.chunk.max_tokens };
    let identity = Identity { model, chunk_rules: rules.fingerprint() };
    // What each source must say at least: the round of its last acknowledged state.
    let mut acknowledged: BTreeMap<String, u64> = BTreeMap::new();
    let mut killed = 0;
    for round in 1..=ROUNDS {
        for source in 0..SOURCES {
            let line = |article| json!({ "id": article, "title": format!("{source}/{article}"), "text": format!("第{round}轮写下的第{article}篇。").repeat(8) });
            let lines: String = (0..ARTICLES).map(|article| format!("{}\n", line(article))).collect();
            std::fs::write(corpus.join(format!("{source}.jsonl")), lines).unwrap();
        }
        let mut child = Command::new(IBID)
            .args(["ingest", "--quiet", "--data", data.to_str().unwrap(), corpus.to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From before the library is open until after the ingest has ended.
        std::thread::sleep(Duration::from_millis(120 + scattered(round) % 500));
        let finished = child.try_wait().unwrap();
        if finished.is_none() {
            killed += 1;
            child.kill().unwrap();
        }
        child.wait().unwrap();
        let shelf = Shelf::open(&data, identity.clone(), &settings.search).unwrap();
        if finished.is_some_and(|status| status.success()) {
            acknowledged.extend((0..SOURCES).map(|source| (format!("{source}.jsonl"), round)));
        }
        check(&shelf, &mut acknowledged);
    }
    assert!(killed >= 10, "only {killed} of {ROUNDS} rounds were killed in time");
}

/// Each source holds all articles of one round, which is none before the acknowledged one.
fn check(shelf: &Shelf, acknowledged: &mut BTreeMap<String, u64>) {
    let mut states: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for stored in shelf.articles(0, 1000).unwrap() {
        let text = stored.article.text;
        let round: u64 = text.trim_start_matches('第').split('轮').next().unwrap().parse().unwrap();
        states.entry(stored.source_path).or_default().push(round);
    }
    for (source, rounds) in &states {
        assert_eq!(rounds.len() as u64, ARTICLES, "{source} is half there");
        assert!(rounds.iter().all(|round| *round == rounds[0]), "{source} mixes rounds: {rounds:?}");
        let least = acknowledged.get(source).copied().unwrap_or(0);
        assert!(rounds[0] >= least, "{source} fell back from round {least} to {}", rounds[0]);
        // What has been seen once must not be lost either.
        acknowledged.insert(source.clone(), rounds[0]);
        let found = shelf
            .snapshot()
            .unwrap()
            .search(&format!("第{}轮", rounds[0]), None, 100, &ibid::shelf::Filter::default())
            .unwrap()
            .1;
        assert!(!found.is_empty(), "the words of {source} are not found");
    }
    for source in acknowledged.keys() {
        assert!(states.contains_key(source), "{source} is lost");
    }
    let counts = shelf.counts().unwrap();
    assert_eq!(counts.articles, states.values().map(Vec::len).sum::<usize>());
}
