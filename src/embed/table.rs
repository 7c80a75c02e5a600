//! Static models: a table of token vectors.
//!
//! A table in 8 bits stays as it lies in the file (or in the binary): a row is its
//! bytes times its token's weight. Other tables are kept as 32-bit numbers.

use std::borrow::Cow;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};

use super::UnitVector;
use super::comparison::Comparison;
use super::kernels::codes::CodeProduct;
use super::kernels::{add_bytes, dot};

enum Rows {
    Floats(Vec<f32>),
    /// The whole file, and where the rows begin in it.
    Bytes {
        file: Cow<'static, [u8]>,
        start: usize,
    },
}

pub(super) enum Row<'a> {
    Floats(&'a [f32]),
    /// With their sum.
    Bytes(&'a [u8], i32),
}

/// One row a token.
pub(super) struct Table {
    rows: Rows,
    dimension: usize,
    /// What each row is multiplied by.
    weights: Vec<f32>,
    /// Length of each row before that.
    lengths: Vec<f32>,
    /// Sum of each row of bytes.
    sums: Vec<i32>,
    product: CodeProduct,
}

/// A token of a text: its row, the row's length, and its weight.
pub(super) struct Token<'a> {
    row: Row<'a>,
    length: f32,
    weight: f32,
}

impl Token<'_> {
    /// What the model learnt of how much the token says.
    pub(super) fn importance(&self) -> f32 {
        self.weight * self.length
    }

    /// Adds the token's row, brought to length one, to `sum`; what it says.
    pub(super) fn add_unit(&self, sum: &mut [f32]) -> f32 {
        if self.length > 0.0 {
            self.row.add(self.length.recip(), sum);
        }
        self.importance()
    }
}

impl Table {
    /// The table in the bytes of a safetensors file: `embedding.weight`, or Model2Vec's
    /// `embeddings` with a number a token in `weights`, where it has them.
    pub(super) fn load(file: Cow<'static, [u8]>) -> Result<Self, String> {
        let Parts { rows, tokens, dimension, weights } = Parts::of(file)?;
        let weights = weights.unwrap_or_else(|| vec![1.0; tokens]);
        if weights.len() != tokens || dimension == 0 {
            return Err(format!("{tokens} rows of {dimension} numbers, and {} weights", weights.len()));
        }
        let product = CodeProduct::fastest();
        let mut table = Self { rows, dimension, weights, lengths: vec![], sums: vec![], product };
        table.sums = (0..tokens).into_par_iter().map(|token| table.row(token).map_or(0, |row| row.sum())).collect();
        let length = |token| table.row(token).map_or(0.0, |row| table.dot(&row, &row).sqrt());
        table.lengths = (0..tokens).into_par_iter().map(length).collect();
        if table.lengths.iter().chain(&table.weights).any(|value| !value.is_finite()) {
            return Err("the table holds values that are no numbers".to_owned());
        }
        Ok(table)
    }

    /// Tokens that have a row.
    pub(super) fn tokens(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn row(&self, token: usize) -> Option<Row<'_>> {
        let from = token.checked_mul(self.dimension)?;
        match &self.rows {
            Rows::Floats(rows) => rows.get(from..from + self.dimension).map(Row::Floats),
            Rows::Bytes { file, start } => {
                let sum = self.sums.get(token).copied().unwrap_or(0);
                file.get(start + from..start + from + self.dimension).map(|bytes| Row::Bytes(bytes, sum))
            }
        }
    }

    /// Sums of bytes are exact up to 2^24, and rows of a thousand numbers stay below; beyond, the last bits do not count.
    #[expect(clippy::cast_precision_loss, reason = "as said")]
    fn dot(&self, a: &Row<'_>, b: &Row<'_>) -> f32 {
        match (a, b) {
            (Row::Floats(a), Row::Floats(b)) => dot(a, b),
            (Row::Bytes(a, _), Row::Bytes(b, sum)) => self.product.of(a, b, *sum) as f32,
            _ => 0.0,
        }
    }

    pub(super) fn cosine(&self, a: &Token<'_>, b: &Token<'_>) -> f32 {
        self.dot(&a.row, &b.row) / (a.length * b.length).max(1e-9)
    }

    pub(super) fn token(&self, id: u32) -> Option<Token<'_>> {
        let token = usize::try_from(id).ok()?;
        Some(Token { length: *self.lengths.get(token)?, weight: *self.weights.get(token)?, row: self.row(token)? })
    }

    /// What a token says on average, of those that say anything.
    #[expect(clippy::cast_precision_loss, reason = "tokens of a vocabulary")]
    pub(super) fn usual(&self) -> f32 {
        let said = self.weights.iter().zip(&self.lengths).map(|(weight, length)| weight * length);
        let said: Vec<f32> = said.filter(|says| *says > 0.0).collect();
        if said.is_empty() { 1.0 } else { said.iter().sum::<f32>() / said.len() as f32 }
    }

    /// The mean of the tokens' rows, scaled to length one.
    pub(super) fn mean(&self, ids: &[u32]) -> Option<UnitVector> {
        let mut sum = vec![0.0_f32; self.dimension];
        for token in ids.iter().filter_map(|id| self.token(*id)) {
            token.row.add(token.weight, &mut sum);
        }
        UnitVector::of(sum)
    }

    /// A comparison of `question` with texts, token by token.
    pub(super) fn comparison(&self, question: &[u32]) -> Comparison<'_> {
        Comparison::of(self, question.iter().filter_map(|id| self.token(*id)).collect())
    }
}

impl Row<'_> {
    fn sum(&self) -> i32 {
        match self {
            Self::Floats(_) => 0,
            Self::Bytes(row, _) => row.iter().map(|byte| i32::from(byte.cast_signed())).sum(),
        }
    }

    fn add(&self, weight: f32, sum: &mut [f32]) {
        match self {
            Self::Floats(row) => sum.iter_mut().zip(*row).for_each(|(sum, value)| *sum += weight * value),
            Self::Bytes(row, _) => add_bytes(row, weight, sum),
        }
    }
}

/// What a safetensors file holds of a table.
struct Parts {
    rows: Rows,
    tokens: usize,
    dimension: usize,
    weights: Option<Vec<f32>>,
}

impl Parts {
    fn of(file: Cow<'static, [u8]>) -> Result<Self, String> {
        let (header, metadata) = SafeTensors::read_metadata(&file).map_err(|error| error.to_string())?;
        if metadata.info("mapping").is_some() {
            return Err("its rows are shared by a `mapping`, which ibid does not read".to_owned());
        }
        let named = ["embedding.weight", "embeddings"].into_iter().find_map(|name| Some((name, metadata.info(name)?)));
        let (name, info) = named.ok_or("no tensor `embedding.weight` or `embeddings`")?;
        let [tokens, dimension] = info.shape[..] else { return Err(format!("`{name}` is no matrix: {:?}", info.shape)) };
        let in_bytes = info.dtype == Dtype::I8;
        // Eight bytes say how long the header is.
        let start = 8 + header + info.data_offsets.0;
        let weights = metadata.info("weights").map(|_| floats(&file, "weights")).transpose()?;
        let rows = if in_bytes { None } else { Some(floats(&file, name)?) };
        let rows = rows.map_or(Rows::Bytes { file, start }, Rows::Floats);
        Ok(Self { rows, tokens, dimension, weights })
    }
}

/// One tensor as 32-bit numbers.
fn floats(file: &[u8], name: &str) -> Result<Vec<f32>, String> {
    let read = || SliceSafetensors::new(file)?.load(name, &Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1();
    read().map_err(|error| error.to_string())
}
