//! A cross-encoder: reads a question and a text together and says how well the text answers (Nogueira & Cho 2019).

use std::path::Path;

use candle_core::{Module as _, Result as CandleResult, Tensor};
use candle_nn::{Linear, linear, ops::sigmoid};
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::embed::batch::EncoderInput;
use crate::embed::config::{EncoderConfig, Family};
use crate::embed::defect::ModelDefect;
use crate::embed::encoder::Encoder;
use crate::embed::folder::{Error, Files, longest};
use crate::embed::kernels::Precision;
use crate::embed::weights::{has_int8_layers, var_builder};

/// A loaded cross-encoder of XLM-RoBERTa's kind.
pub struct Reranker {
    tokenizer: Tokenizer,
    encoder: Encoder,
    dense: Linear,
    out_proj: Linear,
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
    ///
    /// # Errors
    /// When the folder holds none, or not all of its parts.
    pub fn load(path: &Path, precision: Option<Precision>) -> Result<Self, Error> {
        const CONFIG: &str = "config.json";
        const WEIGHTS: &str = "model.safetensors";
        let files = Files::Folder(path.to_owned());
        let value = files.json(CONFIG)?;
        let config: Config = serde_json::from_value(value.clone()).map_err(|error| files.broken(CONFIG, error))?;
        let classifies = config.architectures.iter().any(|name| name == "XLMRobertaForSequenceClassification");
        if config.model_type != "xlm-roberta" || !classifies {
            let found = format!("{} ({})", config.architectures.join(", "), config.model_type);
            let defect = ModelDefect::unsupported("architectures", &found, "XLMRobertaForSequenceClassification");
            return Err(files.broken(CONFIG, defect));
        }
        let config = EncoderConfig::of(Family::XlmRoberta, value).map_err(|reason| files.broken(CONFIG, reason))?;
        let (hidden, bytes) = (config.hidden_size, files.read(WEIGHTS)?);
        let precision = precision.unwrap_or_else(|| Precision::fastest_for(has_int8_layers(&bytes)));
        let load = || -> CandleResult<_> {
            let vb = var_builder(&bytes)?;
            let head = vb.pp("classifier");
            let (dense, out_proj) = (linear(hidden, hidden, head.pp("dense"))?, linear(hidden, 1, head.pp("out_proj"))?);
            Ok((Encoder::load(&vb, config, precision)?, dense, out_proj))
        };
        let (encoder, dense, out_proj) = load().map_err(|error| files.broken(WEIGHTS, error))?;
        let mut tokenizer = crate::embed::load::tokenizer(&files, "tokenizer.json")?;
        let said = longest(&files, "sentence_bert_config.json", "tokenizer_config.json").unwrap_or(usize::MAX);
        let max_length = said.min(encoder.config().max_positions);
        tokenizer
            .with_padding(None)
            .with_truncation(Some(tokenizers::TruncationParams { max_length, ..Default::default() }))
            .map_err(|error| files.broken("tokenizer.json", error))?;
        Ok(Self { tokenizer, encoder, dense, out_proj })
    }

    /// How well each of `texts` answers `question`, 0 to 1.
    pub fn scores(&self, question: &str, texts: &[&str]) -> Vec<f32> {
        let pair = |text: &&str| {
            let encoding = self.tokenizer.encode_fast((question, *text), true);
            EncoderInput::from(encoding.map_or_else(|_| vec![], |encoding| encoding.get_ids().to_vec()))
        };
        let pairs: Vec<EncoderInput> = texts.iter().map(pair).collect();
        let scores = self.encoder.run(&pairs, |_, hidden| self.score(hidden));
        scores.expect("shapes were compared when the model was loaded")
    }

    /// `sigmoid(out_proj(tanh(dense(first token))))`.
    fn score(&self, hidden: &Tensor) -> CandleResult<f32> {
        if hidden.dim(0)? == 0 {
            return Ok(0.0);
        }
        let first = self.dense.forward(&hidden.narrow(0, 0, 1)?)?.tanh()?;
        sigmoid(&self.out_proj.forward(&first)?)?.flatten_all()?.get(0)?.to_scalar()
    }
}
