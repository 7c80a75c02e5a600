//! Vectors equal those of the reference implementations.
//!
//! The golden files were written by Python: the static model's by its tokenizer
//! and the mean of its rows, the tiny encoder's by transformers.

use std::path::Path;

use ibid::embed::Embedder;
use serde_json::Value;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn check_parity(embedder: &Embedder, golden: &str) {
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(fixtures().join(golden)).unwrap()).unwrap();
    let texts: Vec<String> = rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    let together = embedder.passages(&texts);
    for ((text, row), vector) in texts.iter().zip(&rows).zip(&together) {
        let expected: Vec<f64> = row["vector"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let vector = vector.as_ref().unwrap();
        let cosine: f64 = vector.as_slice().iter().zip(&expected).map(|(a, b)| f64::from(*a) * b).sum();
        assert!(cosine >= 0.9999, "{cosine} for `{text}`");
        let alone = embedder.passages(std::slice::from_ref(text)).pop().flatten().unwrap();
        assert!(alone.dot(vector) >= 0.9999, "`{text}` alone is not as in a batch");
    }
}

#[test]
fn the_bundled_model_gives_the_reference_vectors() {
    check_parity(&Embedder::bundled().unwrap(), "static-multilingual.golden.json");
}

#[test]
fn a_bert_folder_gives_the_reference_vectors() {
    check_parity(&Embedder::load(&fixtures().join("tiny-bert")).unwrap(), "tiny-bert.golden.json");
}

#[test]
fn a_text_without_a_token_has_no_vector() {
    let embedder = Embedder::bundled().unwrap();
    assert_eq!(embedder.passages(&[String::new()]), [None]);
    assert_eq!(embedder.question(""), None);
}

#[test]
fn a_broken_model_folder_is_named_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let load = || Embedder::load(folder.path()).err().unwrap().to_string();
    assert!(load().contains("cannot read `config.json`"), "{}", load());
    std::fs::write(folder.path().join("config.json"), r#"{"model_type":"t5"}"#).unwrap();
    assert!(load().contains("architecture `t5`"), "{}", load());
    std::fs::write(folder.path().join("config.json"), r#"{"model_type":"model2vec"}"#).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), b"\xff\xff\xff\xff\xff\xff\xff\xffno").unwrap();
    std::fs::copy(fixtures().join("tiny-bert/tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    assert!(load().contains("`model.safetensors` of model"), "{}", load());
}
