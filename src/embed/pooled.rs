//! The rows of a text's tokens → one vector: pooling, and the products behind it that some models have.

use std::sync::Arc;

use super::UnitVector;
use super::encoder::{Anatomy, Encoder, File};
use super::folder::{Files, Pooling};
use super::kernels::Precision;
use super::kernels::rows::add;
use super::product::{Rows, Weights, product};

/// A product behind pooling.
pub(super) struct Dense {
    weights: Arc<Weights>,
    inputs: usize,
    tanh: bool,
}

/// An encoder with what makes one vector of a text.
pub(super) struct Pooled {
    encoder: Encoder,
    pooling: Pooling,
    dense: Vec<Dense>,
    /// Numbers that are kept of a vector.
    dimension: usize,
}

/// What a folder says of a product behind pooling.
pub(super) struct DenseLayout {
    pub(super) file: String,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) tanh: bool,
}

impl Dense {
    /// The product that `layout` describes. It is small, and stays exact.
    pub(super) fn load(files: &Files, layout: &DenseLayout) -> Result<Self, super::Error> {
        let bytes = files.read(&layout.file)?;
        let read = || {
            let file = File::of(&bytes, &[""], "linear.weight")?;
            file.weights(Precision::F32, layout.inputs, &[("linear".to_owned(), layout.outputs)])
        };
        let weights = read().map_err(|reason| files.broken(&layout.file, reason))?;
        Ok(Self { weights, inputs: layout.inputs, tanh: layout.tanh })
    }

    fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let mut made = product(&Rows::of(&self.weights, vector, self.inputs), &self.weights);
        if self.tanh {
            for number in &mut made {
                *number = number.tanh();
            }
        }
        made
    }
}

impl Pooled {
    /// Joins the parts, which must fit; `dimension` cuts vectors short, for models that were trained for it.
    pub(super) fn of(encoder: Encoder, pooling: Pooling, dense: Vec<Dense>, dimension: Option<usize>) -> Result<Self, String> {
        let mut width = encoder.anatomy().hidden;
        for layer in &dense {
            if layer.inputs != width {
                return Err(format!("a dense layer takes {} numbers, and gets {width}", layer.inputs));
            }
            width = layer.weights.outputs();
        }
        let dimension = dimension.unwrap_or(width);
        if dimension == 0 || dimension > width {
            return Err(format!("its vectors have {width} numbers, and {dimension} are asked for"));
        }
        Ok(Self { encoder, pooling, dense, dimension })
    }

    pub(super) fn anatomy(&self) -> &Anatomy {
        self.encoder.anatomy()
    }

    /// Numbers in a vector.
    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Vectors of token lists; an empty list has none.
    pub(super) fn vectors(&self, texts: &[Vec<u32>]) -> Vec<Option<UnitVector>> {
        self.encoder.run(texts, |rows| {
            let mut vector = self.pooling.pool(rows, self.anatomy().hidden)?;
            for layer in &self.dense {
                vector = layer.apply(&vector);
            }
            vector.truncate(self.dimension);
            UnitVector::of(vector)
        })
    }
}

impl Pooling {
    /// One row of a text's rows.
    fn pool(self, rows: &[f32], width: usize) -> Option<Vec<f32>> {
        let mut rows = rows.chunks_exact(width);
        match self {
            Self::Cls => rows.next().map(<[f32]>::to_vec),
            Self::Last => rows.next_back().map(<[f32]>::to_vec),
            Self::Mean => {
                #[expect(clippy::cast_precision_loss, reason = "tokens of a text")]
                let share = 1.0 / rows.len().max(1) as f32;
                let mut sum = rows.next()?.to_vec();
                rows.for_each(|row| add(&mut sum, row));
                for number in &mut sum {
                    *number *= share;
                }
                Some(sum)
            }
        }
    }
}
