//! Hidden states are those of candle-transformers' own models, from the same weights.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{bert, modernbert, qwen3, xlm_roberta};
use serde_json::{Value, json};

use crate::embed::batch::EncoderInput;
use crate::embed::config::{EncoderConfig, Family};
use crate::embed::encoder::Encoder;
use crate::embed::kernels::Precision;
use crate::embed::weights::var_builder;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn config(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder(name).join("config.json")).unwrap()).unwrap()
}

/// Some texts of the tiny models' vocabularies; what is longer than a head's panel, and a single token.
fn texts(vocabulary: u32, type_1_from: Option<usize>) -> Vec<EncoderInput> {
    let mut random = fastrand::Rng::with_seed(17);
    let mut text = |length: usize| EncoderInput {
        ids: (0..length).map(|_| random.u32(4..vocabulary)).collect(),
        token_types: (0..length).map(|at| u32::from(type_1_from.is_some_and(|from| at >= from))).collect(),
    };
    [1, 5, 33, 60].map(&mut text).to_vec()
}

/// Compares the hidden states of all tokens with what `reference` makes of `[1, tokens]` ids and types.
fn compare(name: &str, family: Family, inputs: &[EncoderInput], reference: impl Fn(VarBuilder<'_>, &Tensor, &Tensor) -> Tensor) {
    let bytes = std::fs::read(folder(name).join("model.safetensors")).unwrap();
    let config = EncoderConfig::of(family, config(name)).unwrap();
    let encoder = Encoder::load(&var_builder(&bytes).unwrap(), config, Precision::F32).unwrap();
    let states = encoder.run(inputs, |_, hidden| hidden.to_vec2::<f32>()).unwrap();
    for (input, states) in inputs.iter().zip(states) {
        let ids = Tensor::new(input.ids.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let types = Tensor::new(input.token_types.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let expected = reference(var_builder(&bytes).unwrap(), &ids, &types).squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        for (at, (row, expected)) in states.iter().zip(&expected).enumerate() {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let cosine = dot(row, expected) / (dot(row, row) * dot(expected, expected)).sqrt();
            assert!(cosine >= 0.9999, "{name}, {} tokens: {cosine} at {at}", states.len());
        }
    }
}

#[test]
fn bert_is_candles_with_token_types_and_8_bit_weights() {
    for (name, type_1_from) in [("tiny-bert", None), ("tiny-bert", Some(3)), ("tiny-reader", Some(2))] {
        let mut value = config(name);
        for (key, number) in [("hidden_dropout_prob", 0.0), ("initializer_range", 0.02)] {
            value.as_object_mut().unwrap().insert(key.to_owned(), json!(number));
        }
        compare(name, Family::Bert, &texts(80, type_1_from), |vb, ids, types| {
            let config: bert::Config = serde_json::from_value(value.clone()).unwrap();
            bert::BertModel::load(vb, &config).unwrap().forward(ids, types, None).unwrap()
        });
    }
}

#[test]
fn xlm_roberta_is_candles() {
    let mut value = config("tiny-xlm-roberta");
    value.as_object_mut().unwrap().insert("position_embedding_type".to_owned(), json!("absolute"));
    compare("tiny-xlm-roberta", Family::XlmRoberta, &texts(400, None), |vb, ids, types| {
        let config: xlm_roberta::Config = serde_json::from_value(value.clone()).unwrap();
        let mask = ids.ones_like().unwrap();
        xlm_roberta::XLMRobertaModel::new(&config, vb).unwrap().forward(ids, &mask, types, None, None, None).unwrap()
    });
}

#[test]
fn modernbert_is_candles() {
    let mut value = config("tiny-modernbert");
    for (key, number) in [("layer_norm_eps", 1e-5), ("global_rope_theta", 160_000.0), ("local_rope_theta", 10_000.0)] {
        value.as_object_mut().unwrap().insert(key.to_owned(), json!(number));
    }
    compare("tiny-modernbert", Family::ModernBert, &texts(400, None), |vb, ids, _| {
        let config: modernbert::Config = serde_json::from_value(value.clone()).unwrap();
        let vb = vb.rename_f(|name| name.trim_start_matches("model.").to_owned());
        modernbert::ModernBert::load(vb, &config).unwrap().forward(ids, &ids.ones_like().unwrap()).unwrap()
    });
}

#[test]
fn qwen3_is_candles() {
    let mut value = config("tiny-qwen3");
    value.as_object_mut().unwrap().insert("rope_theta".to_owned(), json!(10_000.0));
    compare("tiny-qwen3", Family::Qwen3, &texts(400, None), |vb, ids, _| {
        let config: qwen3::Config = serde_json::from_value(value.clone()).unwrap();
        let vb = vb.rename_f(|name| name.trim_start_matches("model.").to_owned());
        qwen3::Model::new(&config, vb).unwrap().forward(ids, 0).unwrap()
    });
}
