//! `ibid eval`: sets in every format, the folder it leaves, and that it repeats itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn sets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sets")
}

fn ibid(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ibid")).arg("eval").args(arguments).output().unwrap()
}

fn figures(arguments: &[&str]) -> Value {
    let output = ibid(&[arguments, &["--json", "-", "--quiet"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_same_seed_leaves_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let out = folder.path().join(name);
        let beir = sets().join("beir");
        assert!(ibid(&[path(&beir), "--mode", "hybrid,dense,lexical", "--out", path(&out), "--quiet"]).status.success());
        let read = |file: &str| std::fs::read_to_string(out.join(file)).unwrap();
        let mut metrics: Value = serde_json::from_str(&read("metrics.json")).unwrap();
        for section in metrics.as_object_mut().unwrap().values_mut() {
            section["speed"].take();
            section["metrics"]
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !name.contains("_ms_") && !name.ends_with("_mb") && name != "passages_per_second");
        }
        (
            metrics,
            ["per_query.jsonl", "contexts.jsonl", "runs/beir.hybrid.trec", "runs/beir.dense.trec"].map(read),
            read("report.html"),
        )
    };
    let (first, second) = (run("a"), run("b"));
    assert!(first.0 == second.0 && first.1 == second.1, "two runs of one seed differ");
    let hybrid = &first.0["beir (hybrid)"];
    assert_eq!(hybrid["questions"], 10);
    assert_eq!(hybrid["metrics"]["citations_held"], 1.0);
    for figure in
        ["ndcg@10", "recall@100", "mrr@10", "map", "evidence@1", "em", "f1", "auroc", "refused", "answered", "ann_recall@10"]
    {
        assert!(hybrid["metrics"][figure].is_number() && hybrid["intervals"][figure].is_array(), "{figure}: {hybrid}");
    }
    // What questions and titles say is text: only the report's own elements are markup.
    assert!(!first.2.contains("<script") && first.2.contains("&lt;？！&gt;"), "markup in the report");
    assert!(!first.2.contains("http://") && !first.2.contains("https://"));
}

#[test]
fn a_question_that_finds_nothing_counts_as_zero() {
    let folder = tempfile::tempdir().unwrap();
    assert!(ibid(&[path(&sets().join("beir")), "--mode", "lexical", "--out", path(folder.path()), "--quiet"]).status.success());
    let text = std::fs::read_to_string(folder.path().join("per_query.jsonl")).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wordless = records.iter().find(|record| record["id"] == "q8").unwrap();
    assert_eq!((&wordless["ranking"], &wordless["figures"]["recall@100"]), (&serde_json::json!([]), &serde_json::json!(0.0)));
    let judged: Vec<f64> = records.iter().filter_map(|record| record["figures"]["recall@100"].as_f64()).collect();
    let metrics: Value = serde_json::from_slice(&std::fs::read(folder.path().join("metrics.json")).unwrap()).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "eight questions")]
    let mean = judged.iter().sum::<f64>() / judged.len() as f64;
    assert_eq!(judged.len(), 8);
    assert!((metrics["beir"]["metrics"]["recall@100"].as_f64().unwrap() - mean).abs() < 1e-12);
}

#[test]
fn squad_trec_and_question_sets_are_read() {
    let squad = figures(&[path(&sets().join("squad.json"))]);
    assert_eq!(squad["squad"]["passages"], 12);
    assert!(squad["squad"]["metrics"]["recall@1"].as_f64() > Some(0.8), "{squad}");
    assert!(squad["squad"]["notes"][0].as_str().unwrap().starts_with("1 answers do not stand"), "{squad}");
    let trec = figures(&[path(&sets().join("trec"))]);
    assert_eq!(trec["trec"]["questions"], 6);
    assert!(trec["trec"]["metrics"]["ndcg@10"].as_f64() > Some(0.8), "{trec}");
    let (ours, corpus) = (sets().join("ours.jsonl"), sets().join("beir/corpus.jsonl"));
    let ours = figures(&[path(&ours), "--corpus", path(&corpus)]);
    assert_eq!(
        (&ours["ours"]["metrics"]["evidence@1"], &ours["ours"]["metrics"]["refused"]),
        (&1.0.into(), &1.0.into()),
        "{ours}"
    );
}

#[test]
fn an_interrupted_run_goes_on_and_an_index_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (out, index, beir, squad) =
        (folder.path().join("out"), folder.path().join("index"), sets().join("beir"), sets().join("squad.json"));
    let arguments = [path(&beir), path(&squad), "--out", path(&out), "--index", path(&index), "--json", "-", "--quiet"];
    // A finished part of an earlier run: what it says is taken, as its fingerprint fits.
    assert!(ibid(&arguments).status.success());
    assert!(!out.join("parts").exists());
    let kept = std::fs::read_dir(&index).unwrap().count();
    assert_eq!(kept, 2);
    let again: Value = serde_json::from_slice(&ibid(&arguments).stdout).unwrap();
    assert!(again["beir"]["metrics"].get("passages_per_second").is_none(), "nothing was read again: {again}");
    // A part of another model is not.
    std::fs::create_dir_all(out.join("parts")).unwrap();
    std::fs::write(out.join("parts/beir.hybrid.json"), r#"{"fingerprint":"other","passages":1,"speed":{},"records":[]}"#)
        .unwrap();
    let fresh: Value = serde_json::from_slice(&ibid(&arguments).stdout).unwrap();
    assert_eq!(fresh["beir"]["metrics"]["ndcg@10"], again["beir"]["metrics"]["ndcg@10"]);
}

#[test]
fn two_runs_are_compared_question_by_question() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b, beir) = (folder.path().join("a"), folder.path().join("b"), sets().join("beir"));
    assert!(ibid(&[path(&beir), "--out", path(&a), "--quiet"]).status.success());
    std::fs::create_dir_all(&b).unwrap();
    let lines = std::fs::read_to_string(a.join("per_query.jsonl")).unwrap();
    let worse = lines.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["id"] == "q1" {
            record["figures"]["ndcg@10"] = 0.0.into();
            record["figures"]["evidence@1"] = 0.0.into();
        }
        record.to_string() + "\n"
    });
    std::fs::write(b.join("per_query.jsonl"), worse.collect::<String>()).unwrap();
    let output = ibid(&["compare", path(&a), path(&b)]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("| beir (hybrid) | ndcg@10 | 8 |") && text.contains("Losses of B: 1") && text.contains("南门夜市几点开门"),
        "{text}"
    );
    let missing = ibid(&["compare", path(&a), path(folder.path())]);
    assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("per_query.jsonl"));
}

#[test]
fn gates_close_and_wrong_sets_are_named() {
    let beir = sets().join("beir");
    let closed = ibid(&[path(&beir), "--fail-under", "ndcg@10=1.1", "--quiet"]);
    assert_eq!(closed.status.code(), Some(1));
    let unknown = ibid(&[path(&beir), "--fail-under", "ndgc@10=0.1", "--quiet"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no set has a figure `ndgc@10`"));
    for (set, said) in [("nowhere", "nowhere"), ("ours.jsonl", "--corpus"), ("", "topics.txt")] {
        let output = ibid(&[path(&sets().join(set))]);
        assert!(!output.status.success());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn candidates_and_their_features_are_written_to_learn_from() {
    let folder = tempfile::tempdir().unwrap();
    let (out, file, beir) = (folder.path().join("out"), folder.path().join("features.jsonl"), sets().join("beir"));
    assert!(ibid(&[path(&beir), "--features", path(&file), "--out", path(&out), "--quiet"]).status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // One of the ten holds no word.
    assert_eq!(lines.len(), 9, "{text}");
    for line in &lines {
        let candidates = line["candidates"].as_array().unwrap();
        assert!(candidates.len() > 1 && line["same_language"].is_number(), "{line}");
        for feature in ["meaning", "sentence", "words"] {
            assert!(candidates.iter().all(|candidate| candidate[feature].is_number()), "{feature}: {line}");
        }
        let sentences = candidates[0]["sentences"].as_array().unwrap();
        assert!(sentences.iter().all(|sentence| sentence["meaning"].is_number() && sentence["gold"].is_boolean()));
    }
    let relevant = |line: &Value| line["candidates"].as_array().unwrap().iter().any(|candidate| candidate["relevant"] == true);
    let gold = |line: &Value| line["candidates"][0]["sentences"].as_array().unwrap().iter().any(|one| one["gold"] == true);
    assert!(lines.iter().filter(|line| relevant(line)).count() >= 7 && lines.iter().any(gold));
    let records = std::fs::read_to_string(out.join("per_query.jsonl")).unwrap();
    let first: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    assert!(first["given"]["measures"]["lead"].is_number(), "{first}");
    let manifest: Value = serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["parameters_sha256"].as_str().unwrap().len(), 64);
}
