//! A loaded encoder: which texts are computed together, and by whom.
//!
//! Texts in groups of some hundred tokens go to the cores, a group each; a lone group, such as a question, is shared
//! by a team.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::batch::{EncoderInput, PackedBatch, Scratch};
use super::config::EncoderConfig;
use super::kernels::Precision;
use super::kernels::product::Cores;
use super::kernels::team::Team;
use super::models::Model;

/// Tokens of a group: enough to fill the products, few enough for the cache.
const GROUP_TOKENS: usize = 256;

/// A loaded encoder.
pub(super) struct Encoder {
    config: EncoderConfig,
    model: Model,
    /// Buffers of passes that have ended.
    scratch: Mutex<Vec<Scratch>>,
}

impl Encoder {
    /// The encoder that `config` describes, from the weights in `vb`.
    pub(super) fn load(vb: &VarBuilder<'_>, config: EncoderConfig, precision: Precision) -> Result<Self> {
        let model = Model::load(vb, &config, precision)?;
        Ok(Self::of(model, config))
    }

    /// The encoder that runs `model`.
    pub(super) fn of(model: Model, mut config: EncoderConfig) -> Self {
        config.max_positions = model.max_positions(&config);
        Team::warm_up();
        Self { config, model, scratch: Mutex::default() }
    }

    pub(super) fn config(&self) -> &EncoderConfig {
        &self.config
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// What `head` makes of the last hidden states, `[tokens, hidden]`, of each of `texts`; it is told which text it is.
    pub(super) fn run<T: Send>(
        &self,
        texts: &[EncoderInput],
        head: impl Fn(usize, &Tensor) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let groups = groups(texts);
        let group = |group: &Range<usize>, cores| {
            let head = |at, hidden: &Tensor| head(group.start + at, hidden);
            self.forward(&texts[group.clone()], cores, head)
        };
        if let [only] = groups.as_slice() {
            // Helpers are woken for it, but no thread of the pool.
            let team = Team::gather();
            return group(only, team.as_ref().map_or(Cores::One, Cores::Team));
        }
        let made: Result<Vec<Vec<T>>> = groups.par_iter().map(|one| group(one, Cores::One)).collect();
        Ok(made?.into_iter().flatten().collect())
    }

    /// A forward pass over one group.
    fn forward<T>(&self, texts: &[EncoderInput], cores: Cores<'_>, head: impl Fn(usize, &Tensor) -> Result<T>) -> Result<Vec<T>> {
        let kept = self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let batch = PackedBatch::new(texts, &self.config, cores, kept.unwrap_or_default())?;
        let hidden = self.model.forward(&batch)?;
        let mut first = 0;
        let made = batch.lengths.iter().enumerate().map(|(at, length)| {
            let of_text = hidden.narrow(0, first, *length)?;
            first += length;
            head(at, &of_text)
        });
        let made = made.collect();
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(batch.scratch.into_inner());
        made
    }
}

/// Texts that are computed together, in their order.
fn groups(texts: &[EncoderInput]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut first, mut tokens) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        tokens += text.ids.len();
        if tokens >= GROUP_TOKENS || at + 1 == texts.len() {
            groups.push(first..at + 1);
            (first, tokens) = (at + 1, 0);
        }
    }
    groups
}
