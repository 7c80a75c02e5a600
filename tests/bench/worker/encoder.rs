//! Encoders: ours, and BERT as candle-transformers has it.

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use ibid::embed::{Choices, Embedder, Instructions, Precision, limit_instructions};
use serde_json::{Value, json};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

use crate::{QUESTION, median, texts};

/// Ours, in `precision` and with no more than `instructions`.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn ours(model: &str, texts_at: &str, precision: &str, instructions: &str) -> Value {
    limit_instructions(match instructions {
        "widest" => Instructions::Amx,
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
        // One that was asked before is not embedded again.
        assert!(embedder.question(&QUESTION.replace("1984", &turn.to_string())).is_some());
    });
    json!({ "passages_per_second": texts.len() as f64 / passages, "lone_ms": lone * 1e3 })
}

/// The crate's own BERT, with the batch that suits it best.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub(crate) fn candle(model: &str, texts_at: &str) -> Value {
    const BATCH: usize = 8;
    let plain = Plain::load(Path::new(model)).unwrap_or_else(|error| panic!("{model}: {error}"));
    let mut texts = texts(texts_at);
    // Texts of a length share a batch, so that little is padded.
    texts.sort_by_key(|text| plain.tokenizer.encode(text.as_str(), true).map_or(0, |encoding| encoding.len()));
    let passages = median(3, || {
        for batch in texts.chunks(BATCH) {
            plain.embed(batch).unwrap_or_else(|error| panic!("{error}"));
        }
    });
    let lone = median(200, || {
        plain.embed(&[QUESTION.to_owned()]).unwrap_or_else(|error| panic!("{error}"));
    });
    json!({ "passages_per_second": texts.len() as f64 / passages, "lone_ms": lone * 1e3 })
}

struct Plain {
    model: BertModel,
    tokenizer: Tokenizer,
}

impl Plain {
    fn load(folder: &Path) -> Result<Self> {
        let config: Config =
            serde_json::from_slice(&std::fs::read(folder.join("config.json"))?).map_err(candle_core::Error::wrap)?;
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).map_err(candle_core::Error::msg)?;
        let longest = TruncationParams { max_length: 256, ..TruncationParams::default() };
        tokenizer.with_padding(Some(PaddingParams::default())).with_truncation(Some(longest)).map_err(candle_core::Error::msg)?;
        Ok(Self { model: BertModel::load(weights, &config)?, tokenizer })
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let encoded = self.tokenizer.encode_batch(texts.to_vec(), true).map_err(candle_core::Error::msg)?;
        let rows = |of: fn(&tokenizers::Encoding) -> &[u32]| -> Result<Tensor> {
            Tensor::new(encoded.iter().map(|one| of(one).to_vec()).collect::<Vec<_>>(), &Device::Cpu)
        };
        let (ids, mask) = (rows(tokenizers::Encoding::get_ids)?, rows(tokenizers::Encoding::get_attention_mask)?);
        let states = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sums = states.broadcast_mul(&mask)?.sum(1)?;
        let means = sums.broadcast_div(&mask.sum(1)?)?;
        let lengths = means.sqr()?.sum_keepdim(1)?.sqrt()?;
        means.broadcast_div(&lengths)?.to_vec2()
    }
}
