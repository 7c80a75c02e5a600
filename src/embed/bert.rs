//! BERT encoders, run by Candle.

use candle_core::{DType, Device, IndexOp as _, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

use super::UnitVector;
use super::folder::Pooling;

/// Tokens in a batch, padding included: Candle is fastest on small ones.
const BATCH_TOKENS: usize = 1024;

/// A loaded encoder.
pub(super) struct Bert {
    model: BertModel,
    pooling: Pooling,
    dimension: usize,
    window: usize,
}

impl Bert {
    /// The encoder whose weights are the bytes of a safetensors file.
    pub(super) fn load(bytes: &[u8], config: &Config, pooling: Pooling) -> std::result::Result<Self, String> {
        let load = || {
            let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
            // Some folders name the tensors `bert.embeddings…`, others `embeddings…`.
            let prefixed = tensors.keys().any(|name| name.starts_with("bert."));
            let variables = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
            BertModel::load(if prefixed { variables.pp("bert") } else { variables }, config)
        };
        let model = load().map_err(|error: candle_core::Error| error.to_string())?;
        Ok(Self { model, pooling, dimension: config.hidden_size, window: config.max_position_embeddings })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Tokens that fit, the special ones included.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// Vectors of token lists: texts of like length share a batch.
    pub(super) fn vectors(&self, texts: &[Vec<u32>]) -> Vec<Option<UnitVector>> {
        let mut order: Vec<usize> = (0..texts.len()).filter(|at| !texts[*at].is_empty()).collect();
        order.sort_by_key(|at| texts[*at].len());
        let mut vectors = vec![None; texts.len()];
        let mut rest = order.as_slice();
        while let Some(shortest) = rest.first() {
            let room = |count: &usize| count * texts[rest[count - 1]].len() <= BATCH_TOKENS;
            let size = (1..=rest.len()).take_while(room).last().unwrap_or(1);
            let batch: Vec<&[u32]> = rest[..size].iter().map(|at| texts[*at].as_slice()).collect();
            match self.forward(&batch) {
                Ok(rows) => rows.into_iter().zip(&rest[..size]).for_each(|(row, at)| vectors[*at] = UnitVector::of(row)),
                Err(error) => tracing::error!(%error, tokens = texts[*shortest].len(), "a batch could not be embedded"),
            }
            rest = &rest[size..];
        }
        vectors
    }

    fn forward(&self, batch: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        let longest = batch.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let padded = |fill: &dyn Fn(&[u32], usize) -> u32| -> Result<Tensor> {
            let values: Vec<u32> = batch.iter().flat_map(|ids| (0..longest).map(|at| fill(ids, at))).collect();
            Tensor::from_vec(values, (batch.len(), longest), &Device::Cpu)
        };
        let ids = padded(&|ids, at| ids.get(at).copied().unwrap_or(0))?;
        let mask = padded(&|ids, at| u32::from(at < ids.len()))?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let pooled = match self.pooling {
            Pooling::Cls => hidden.i((.., 0))?,
            Pooling::Mean => {
                let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
                let sum = hidden.broadcast_mul(&mask)?.sum(1)?;
                sum.broadcast_div(&mask.sum(1)?)?
            }
        };
        pooled.to_vec2()
    }
}
