//! A reader: a few layers of attention over a question and a passage together.
//!
//! A table's rows know nothing of what stands beside them. The reader begins with the rows of both texts, tells
//! each token what it has found on the other side, and gives every token of the passage a score; what the question
//! asks for is where these are high. Its folder lies in the model's: an encoder of ModernBERT's family, whose
//! two tokens are the two texts.

use candle_core::{Device, Module as _, Tensor};
use rayon::prelude::*;

use super::batch::EncoderInput;
use super::comparison::Comparison;
use super::config::{EncoderConfig, Family};
use super::encoder::Encoder;
use super::folder::{Error, Files};
use super::kernels::{Precision, dot};
use super::layers::packed_linear::PackedLinear;
use super::layers::with_values;
use super::table::Table;
use super::weights::{floats, var_builder};

const CONFIG: &str = "reader/config.json";
const WEIGHTS: &str = "reader/model.safetensors";

/// The two texts, as the encoder numbers them.
const QUESTION: u32 = 0;
const TEXT: u32 = 1;

/// Tokens of each that are read.
const QUESTION_TOKENS: usize = 48;
const TEXT_TOKENS: usize = 320;

/// What is told of a token beside its row; the reader was trained with these.
const FEATURES: usize = 6;
/// A cosine that only the same token has.
const SAME: f32 = 0.98;
/// What a question's token weighs is told as a multiple of this share, up to the most.
const USUAL_SHARE: f32 = 1.0 / 12.0;
const MOST_SHARES: f32 = 3.0;
/// How much rare tokens of the question outweigh common ones, as a power.
const RARITY: f32 = 0.5;

/// A loaded reader.
pub(super) struct Reader {
    encoder: Encoder,
    /// From a row and the features beside it to what a token begins as.
    begin: PackedLinear,
    /// From what a token ends as to its score.
    score: Vec<f32>,
    /// What a token of the table says on average.
    usual: f32,
}

impl Reader {
    /// The reader in the folder of `table`'s model; `None` where it has none.
    pub(super) fn of(files: &Files, table: &Table) -> Result<Option<Self>, Error> {
        if !files.exists(CONFIG) {
            return Ok(None);
        }
        let config = EncoderConfig::of(Family::ModernBert, files.json(CONFIG)?).map_err(|reason| files.broken(CONFIG, reason))?;
        // What does not fit would be cut, and each score would stand with another token.
        let longest = QUESTION_TOKENS + TEXT_TOKENS;
        if config.max_positions < longest {
            let reason = format!("it reads {} tokens, and a question with a passage has up to {longest}", config.max_positions);
            return Err(files.broken(CONFIG, reason));
        }
        let bytes = files.read(WEIGHTS)?;
        let load = || {
            let (width, precision) = (config.hidden_size, Precision::fastest_exact());
            let vb = var_builder(&bytes)?;
            let begin = PackedLinear::load(&vb, precision, table.dimension() + FEATURES, &[("begin", Some(width))])?;
            let score = vb.get_unchecked("score.weight")?.shape().clone();
            let score = floats(&vb, score, "score.weight")?;
            Ok(Self { encoder: Encoder::load(&vb, config, precision)?, begin, score, usual: table.usual() })
        };
        load().map(Some).map_err(|error: candle_core::Error| files.broken(WEIGHTS, error.to_string()))
    }

    /// What it makes of each of `texts`, in tokens: the higher, the likelier it answers the question of `comparison`.
    /// The logarithm of the odds, up to a constant.
    pub(super) fn scores(&self, comparison: &mut Comparison<'_>, texts: &[Vec<u32>]) -> Vec<f32> {
        let texts: Vec<&[u32]> = texts.iter().map(|text| &text[..text.len().min(TEXT_TOKENS)]).collect();
        comparison.learn(texts.iter().copied());
        let comparison = &*comparison;
        let nearest: Vec<Vec<f32>> = texts.iter().map(|text| comparison.nearest(text)).collect();
        let shares = comparison.rarity(&nearest, RARITY);
        let shares: Vec<f32> = shares.into_iter().map(|share| (share / USUAL_SHARE).min(MOST_SHARES)).collect();
        let begun: Vec<Vec<f32>> =
            texts.par_iter().zip(&nearest).map(|(text, nearest)| self.begun(comparison, text, nearest, &shares)).collect();
        let asked = comparison.asked().min(QUESTION_TOKENS);
        let input = |(text, inputs_embeds): (&&[u32], Vec<f32>)| EncoderInput {
            ids: [vec![QUESTION; asked], vec![TEXT; text.len()]].concat(),
            inputs_embeds,
            ..EncoderInput::default()
        };
        let inputs: Vec<EncoderInput> = texts.iter().zip(begun).map(input).collect();
        let of_tokens = |rows: &[f32]| Ok(rows.chunks_exact(self.score.len()).map(|row| dot(row, &self.score)).collect());
        let scores = self.encoder.run(&inputs, |_, hidden| with_values(hidden, of_tokens));
        let scores: Vec<Vec<f32>> = scores.expect("shapes were compared when the model was loaded");
        scores.iter().map(|scores| log_sum(&scores[asked..])).collect()
    }

    /// What the tokens of the question and of `text` begin as. Each token of the question has found its nearest there,
    /// and weighs its share.
    fn begun(&self, comparison: &Comparison<'_>, text: &[u32], nearest: &[f32], shares: &[f32]) -> Vec<f32> {
        let exact = |cosine: f32| if cosine > SAME { 1.0 } else { 0.0 };
        let width = comparison.dimension() + FEATURES;
        let asked = comparison.asked().min(QUESTION_TOKENS);
        let mut rows = vec![0.0_f32; (asked + text.len()) * width];
        let (of_question, of_text) = rows.split_at_mut(asked * width);
        for (place, row) in of_question.chunks_exact_mut(width).enumerate() {
            let (row, features) = row.split_at_mut(width - FEATURES);
            let says = comparison.add_asked(place, row) / self.usual;
            features.copy_from_slice(&[nearest[place], says, shares[place], exact(nearest[place]), 0.0, 1.0]);
        }
        for (token, row) in text.iter().zip(of_text.chunks_exact_mut(width)) {
            let (row, features) = row.split_at_mut(width - FEATURES);
            let says = comparison.add(*token, row) / self.usual;
            let cosines = comparison.cosines(*token);
            let best = cosines.iter().copied().fold(0.0, f32::max);
            let weighed = cosines.iter().zip(shares).map(|(cosine, share)| cosine * share).fold(0.0, f32::max);
            features.copy_from_slice(&[best, says, 0.0, exact(best), weighed, 0.0]);
        }
        let begun = Tensor::from_vec(rows, ((), width), &Device::Cpu).and_then(|rows| self.begin.forward(&rows));
        begun.and_then(|rows| rows.flatten_all()?.to_vec1()).expect("shapes were compared when the model was loaded")
    }
}

/// The logarithm of the scores' powers summed: about the highest.
fn log_sum(scores: &[f32]) -> f32 {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most.is_finite() { most + scores.iter().map(|score| (score - most).exp()).sum::<f32>().ln() } else { f32::MIN }
}
