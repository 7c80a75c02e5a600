//! A cross-encoder: reads a question and a text together and says how well the text answers.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use tokenizers::Tokenizer;

use super::encoder::{Anatomy, Encoder, Family, File};
use super::folder::{Error, Files, longest};
use super::kernels::Precision;
use super::product::{Rows, Weights, product};

/// A loaded cross-encoder of XLM-RoBERTa's kind.
pub struct Reranker {
    tokenizer: Tokenizer,
    encoder: Encoder,
    dense: Arc<Weights>,
    out: Arc<Weights>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    model_type: String,
    #[serde(default)]
    architectures: Vec<String>,
}

impl Reranker {
    /// The cross-encoder in folder `path`.
    pub fn load(path: &Path, precision: Option<Precision>) -> Result<Self, Error> {
        const CONFIG: &str = "config.json";
        const WEIGHTS: &str = "model.safetensors";
        let files = Files::Folder(path.to_owned());
        let value = files.json(CONFIG)?;
        let config: Config = serde_json::from_value(value.clone()).map_err(|error| files.broken(CONFIG, error.to_string()))?;
        let classifies = config.architectures.iter().any(|name| name == "XLMRobertaForSequenceClassification");
        if config.model_type != "xlm-roberta" || !classifies {
            let reason = format!(
                "it is a `{}` of {:?}, and no XLMRobertaForSequenceClassification",
                config.model_type, config.architectures
            );
            return Err(files.broken(CONFIG, reason));
        }
        let anatomy = Anatomy::of(Family::XlmRoberta, value).map_err(|reason| files.broken(CONFIG, reason))?;
        let (width, bytes) = (anatomy.hidden, files.read(WEIGHTS)?);
        let load = || {
            let file = File::of_encoder(&bytes, Family::XlmRoberta)?;
            let encoder = Encoder::load(&file, anatomy, precision.unwrap_or_else(Precision::fastest_exact))?;
            let head = file.unprefixed();
            let weights = |name: &str, outputs| head.weights(Precision::F32, width, &[(format!("classifier.{name}"), outputs)]);
            Ok((encoder, weights("dense", width)?, weights("out_proj", 1)?))
        };
        let (encoder, dense, out) = load().map_err(|reason: String| files.broken(WEIGHTS, reason))?;
        let mut tokenizer = super::tokenizer(&files, "tokenizer.json")?;
        let said = longest(&files, "sentence_bert_config.json", "tokenizer_config.json").unwrap_or(usize::MAX);
        let window = tokenizers::TruncationParams { max_length: said.min(encoder.anatomy().window), ..Default::default() };
        tokenizer
            .with_padding(None)
            .with_truncation(Some(window))
            .map_err(|error| files.broken("tokenizer.json", error.to_string()))?;
        Ok(Self { tokenizer, encoder, dense, out })
    }

    /// How well each of `texts` answers `question`, 0 to 1.
    pub fn scores(&self, question: &str, texts: &[&str]) -> Vec<f32> {
        let pairs = texts.iter().map(|text| {
            let encoding = self.tokenizer.encode_fast((question, *text), true);
            encoding.map_or_else(|_| vec![], |encoding| encoding.get_ids().to_vec())
        });
        self.encoder.run(&pairs.collect::<Vec<_>>(), |rows| self.score(rows))
    }

    /// The first token's row goes through two products.
    fn score(&self, rows: &[f32]) -> f32 {
        let width = self.encoder.anatomy().hidden;
        let Some(first) = rows.get(..width) else { return 0.0 };
        let mut inner = product(&Rows::of(&self.dense, first, width), &self.dense);
        for number in &mut inner {
            *number = number.tanh();
        }
        let out = product(&Rows::of(&self.out, &inner, width), &self.out);
        1.0 / (1.0 + (-out[0]).exp())
    }
}
