//! The hidden states of a text's tokens → one vector of length one: pooling, and the dense layers that some models have
//! behind it (Reimers & Gurevych 2019, "Sentence-BERT").

use candle_core::{Result, Tensor};

use super::dense::Dense;
use crate::embed::batch::EncoderInput;
use crate::embed::config::EncoderConfig;
use crate::embed::defect::ModelDefect;
use crate::embed::encoder::Encoder;
use crate::embed::folder::Pooling;
use crate::embed::kernels::rows::add;
use crate::embed::layers::with_values;
use crate::embed::{Embedded, UnitVector};

/// An encoder with what makes one vector of a text.
pub(in crate::embed) struct PooledEncoder {
    encoder: Encoder,
    pooling: Pooling,
    dense: Vec<Dense>,
    /// Values that are kept of a vector.
    dimension: usize,
}

impl PooledEncoder {
    /// Joins the parts, which must fit; `dimension` cuts vectors short, for models that were trained for it
    /// (Kusupati et al. 2022, "Matryoshka").
    ///
    /// # Errors
    /// When a dense layer takes another width than it gets, or `dimension` is more than there is.
    pub(in crate::embed) fn new(
        encoder: Encoder,
        pooling: Pooling,
        dense: Vec<Dense>,
        dimension: Option<usize>,
    ) -> std::result::Result<Self, ModelDefect> {
        let mut width = encoder.config().hidden_size;
        for layer in &dense {
            if layer.inputs != width {
                return Err(ModelDefect::size("`in_features` of a dense layer", layer.inputs, &width));
            }
            width = layer.outputs;
        }
        let dimension = dimension.unwrap_or(width);
        if dimension == 0 || dimension > width {
            return Err(ModelDefect::size("`model.dimension`", dimension, &format!("1 to {width}")));
        }
        Ok(Self { encoder, pooling, dense, dimension })
    }

    pub(in crate::embed) fn config(&self) -> &EncoderConfig {
        self.encoder.config()
    }

    pub(in crate::embed) fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Values in a vector.
    pub(in crate::embed) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Vectors of texts; a text without tokens has none.
    pub(in crate::embed) fn vectors(&self, texts: &[EncoderInput]) -> Vec<Option<UnitVector>> {
        self.run(texts, |_, rows| self.vector(self.pooling.pool(rows, self.config().hidden_size)))
    }

    /// Vectors of texts and of their sentences: `sentences` says of each text which tokens each of its sentences has.
    /// A sentence's vector is the mean of its tokens' hidden states.
    pub(in crate::embed) fn with_sentences(&self, texts: &[EncoderInput], sentences: &[Vec<Vec<usize>>]) -> Vec<Embedded> {
        let width = self.config().hidden_size;
        self.run(texts, |at, rows| {
            let row = |token: &usize| rows.get(token * width..(token + 1) * width);
            let sentence = |tokens: &Vec<usize>| self.vector(mean(tokens.iter().filter_map(row)));
            let sentences: Result<_> = sentences[at].iter().map(sentence).collect();
            Ok(Embedded { vector: self.vector(self.pooling.pool(rows, width))?, sentences: sentences? })
        })
    }

    fn run<T: Send>(&self, texts: &[EncoderInput], head: impl Fn(usize, &[f32]) -> Result<T> + Sync) -> Vec<T> {
        let run = self.encoder.run(texts, |at, hidden: &Tensor| with_values(hidden, |rows| head(at, rows)));
        run.expect("shapes were compared when the model was loaded")
    }

    /// What the dense layers make of a pooled vector.
    fn vector(&self, pooled: Option<Vec<f32>>) -> Result<Option<UnitVector>> {
        let Some(pooled) = pooled else { return Ok(None) };
        let mut vector = self.dense.iter().try_fold(pooled, |vector, layer| layer.apply(vector))?;
        vector.truncate(self.dimension);
        Ok(UnitVector::of(vector))
    }
}

impl Pooling {
    /// One vector of a text's hidden states, `[tokens, width]`.
    fn pool(self, rows: &[f32], width: usize) -> Option<Vec<f32>> {
        let mut rows = rows.chunks_exact(width);
        match self {
            Self::Cls => rows.next().map(<[f32]>::to_vec),
            Self::Last => rows.next_back().map(<[f32]>::to_vec),
            Self::Mean => mean(rows),
        }
    }
}

/// The mean of some rows; of none there is none.
fn mean<'a>(mut rows: impl Iterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut sum = rows.next()?.to_vec();
    let mut count = 1.0_f32;
    for row in rows {
        add(&mut sum, row);
        count += 1.0;
    }
    for number in &mut sum {
        *number /= count;
    }
    Some(sum)
}
