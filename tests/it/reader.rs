//! 8-bit weights, sentences' vectors and the reader give what the reference computes from the same weights
//! (`tests/peers/tiny_reader.py`).

use std::ops::Range;
use std::path::{Path, PathBuf};

use ibid::embed::{Choices, Embedder, PassageText, Precision, ReaderInput, UnitVector};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read(fixtures().join("tiny-reader.golden.json")).unwrap()).unwrap()
}

fn embedder(precision: Option<Precision>) -> Embedder {
    Embedder::load_with(&fixtures().join("tiny-reader"), &Choices { precision, ..Choices::default() }).unwrap()
}

fn range(value: &Value) -> Range<usize> {
    let at = |at: usize| usize::try_from(value[at].as_u64().unwrap()).unwrap();
    at(0)..at(1)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn passages(golden: &Value) -> Vec<PassageText> {
    let passage = |value: &Value| PassageText {
        context: value["context"].as_str().unwrap().to_owned(),
        text: value["text"].as_str().unwrap().to_owned(),
        sentences: value["ranges"].as_array().unwrap().iter().map(range).collect(),
    };
    golden["passages"].as_array().unwrap().iter().map(passage).collect()
}

#[track_caller]
fn check_vector(found: Option<&UnitVector>, expected: &Value, least: f64) {
    let Some(expected) = expected.as_array() else { return assert_eq!(found, None) };
    let cosine: f64 = found.unwrap().as_slice().iter().zip(expected).map(|(a, b)| f64::from(*a) * number(b)).sum();
    assert!(cosine >= least, "{cosine}");
}

/// The precisions, and how close to the reference in 32 bits they are: in 8 bits activations are rounded too.
const PRECISIONS: [(Precision, f64, f64); 3] =
    [(Precision::F32, 0.9999, 1e-3), (Precision::Bf16, 0.999, 0.1), (Precision::Int8, 0.995, 0.25)];

#[test]
fn passages_and_their_sentences_have_the_reference_vectors() {
    let golden = golden();
    let passages = passages(&golden);
    for (precision, least, _) in PRECISIONS {
        let embedder = embedder(Some(precision));
        let together = embedder.embed(&passages);
        for ((passage, expected), embedded) in passages.iter().zip(golden["passages"].as_array().unwrap()).zip(&together) {
            check_vector(embedded.vector.as_ref(), &expected["vector"], least);
            let sentences = expected["sentences"].as_array().unwrap();
            assert_eq!(embedded.sentences.len(), sentences.len());
            for (found, expected) in embedded.sentences.iter().zip(sentences) {
                check_vector(found.as_ref(), expected, least);
            }
            let whole = if passage.context.is_empty() { String::new() } else { format!("{}\n", passage.context) };
            let alone = embedder.passages(&[whole + &passage.text]).pop().flatten().unwrap();
            assert!(alone.dot(embedded.vector.as_ref().unwrap()) > 0.9999, "{precision:?}: {passage:?}");
        }
    }
}

#[test]
fn the_reader_says_what_the_reference_says() {
    let golden = golden();
    let passages = passages(&golden);
    let inputs: Vec<ReaderInput<'_>> = passages
        .iter()
        .map(|passage| ReaderInput { context: &passage.context, text: &passage.text, sentences: &passage.sentences })
        .collect();
    for (precision, _, tolerance) in PRECISIONS {
        let embedder = embedder(Some(precision));
        let close = |found: f32, expected: &Value| {
            assert!((f64::from(found) - number(expected)).abs() <= tolerance, "{precision:?}: {found} for {expected}");
        };
        for row in golden["readings"].as_array().unwrap() {
            let readings = embedder.reader().unwrap().read(row["question"].as_str().unwrap(), &inputs);
            for ((reading, expected), passage) in readings.iter().zip(row["passages"].as_array().unwrap()).zip(&passages) {
                close(reading.answerable, &expected["answerable"]);
                close(reading.no_span, &expected["no_span"]);
                close(reading.coverage, &expected["coverage"]);
                let sentences = expected["sentences"].as_array().unwrap();
                assert_eq!(reading.sentences.len(), sentences.len());
                for ((found, expected), bytes) in reading.sentences.iter().zip(sentences).zip(&passage.sentences) {
                    if expected.is_null() {
                        assert_eq!((found.logit, found.span_logit), (f32::NEG_INFINITY, f32::NEG_INFINITY));
                        assert!(found.span.is_empty());
                        continue;
                    }
                    close(found.logit, &expected["logit"]);
                    close(found.span_logit, &expected["span_logit"]);
                    close(found.coverage, &expected["coverage"]);
                    assert!(bytes.start <= found.span.start && found.span.end <= bytes.end && !found.span.is_empty());
                    if precision == Precision::F32 {
                        assert_eq!(found.span, range(&expected["span"]));
                    }
                }
            }
        }
    }
    assert_eq!(embedder(None).reader().unwrap().read("a", &[]), []);
}

#[test]
fn weights_in_8_bits_run_in_8_bits_unless_told_otherwise() {
    let text = ["The night market by the river".to_owned()];
    let vector = |precision| embedder(precision).passages(&text).remove(0).unwrap();
    assert_eq!(vector(None), vector(Some(Precision::Int8)));
    assert_ne!(vector(None), vector(Some(Precision::F32)));
}

#[test]
fn a_static_models_sentences_have_the_mean_of_their_rows() {
    let embedder = Embedder::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/static-multilingual")).unwrap();
    let text = "The night market closes at ten. A fee is due.".to_owned();
    let passage = PassageText { context: String::new(), sentences: vec![0..32, 32..45, 45..45], text: text.clone() };
    let made = embedder.embed(&[passage]).remove(0);
    assert_eq!(made.vector, embedder.passages(std::slice::from_ref(&text)).remove(0));
    for (sentence, range) in made.sentences.iter().zip([0..32, 32..45]) {
        let alone = embedder.passages(&[text[range].to_owned()]).remove(0).unwrap();
        assert!(alone.dot(sentence.as_ref().unwrap()) > 0.999);
    }
    assert_eq!(made.sentences[2], None);
    assert!(embedder.reader().is_none());
}

#[test]
fn a_reader_that_does_not_fit_is_named_and_a_folder_without_one_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let model = fixtures().join("tiny-reader");
    std::fs::create_dir(folder.path().join("reader")).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors", "reader/model.safetensors"] {
        std::fs::copy(model.join(file), folder.path().join(file)).unwrap();
    }
    assert!(Embedder::load(folder.path()).unwrap().reader().is_none());
    let config = std::fs::read_to_string(model.join("reader/config.json")).unwrap();
    for (from, to, said) in [
        ("\"passage_tokens\": 48", "\"passage_tokens\": 480", "up to 497"),
        ("\"question_tokens\": 8,", "", "question_tokens"),
        ("\"hidden_size\": 32", "\"hidden_size\": 64", "reader/model.safetensors"),
    ] {
        assert!(config.contains(from), "{from}");
        std::fs::write(folder.path().join("reader/config.json"), config.replace(from, to)).unwrap();
        let error = Embedder::load(folder.path()).err().unwrap().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_reader_reads_on_where_the_encoder_cuts() {
    let (golden, folder, model) = (golden(), tempfile::tempdir().unwrap(), fixtures().join("tiny-reader"));
    std::fs::create_dir(folder.path().join("reader")).unwrap();
    let both = ["reader/config.json", "reader/model.safetensors"];
    for file in ["config.json", "tokenizer.json", "model.safetensors"].into_iter().chain(both) {
        std::fs::copy(model.join(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length":6}"#).unwrap();
    let (short, whole) = (Embedder::load(folder.path()).unwrap(), embedder(None));
    let passage = &passages(&golden)[1];
    let input = [ReaderInput { context: "", text: &passage.text, sentences: &passage.sentences }];
    let read = |embedder: &Embedder| embedder.reader().unwrap().read("Who?", &input);
    assert_eq!(read(&short), read(&whole));
    assert!(read(&short)[0].sentences.iter().all(|sentence| sentence.logit.is_finite()));
    assert!(short.embed(std::slice::from_ref(passage))[0].sentences.contains(&None));
}
