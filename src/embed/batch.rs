//! Some texts packed one after another, without padding, and the buffers of their forward pass.

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};

use super::config::EncoderConfig;
use super::kernels::product::{Cores, PackedActivations};

/// What an encoder is given of one text.
#[derive(Debug, Clone, Default)]
pub(super) struct EncoderInput {
    /// Token ids, special ones included.
    pub(super) ids: Vec<u32>,
    /// A type for each token (BERT's segments); tokens beyond are of type 0.
    pub(super) token_types: Vec<u32>,
}

impl From<Vec<u32>> for EncoderInput {
    fn from(ids: Vec<u32>) -> Self {
        Self { ids, ..Self::default() }
    }
}

/// Buffers that are reused from layer to layer and from pass to pass: fresh memory costs page faults.
#[derive(Default)]
pub(super) struct Scratch {
    /// Storage of the hidden states, `[values]`.
    states: Vec<Tensor>,
    pub(super) rows: Arc<PackedActivations>,
    pub(super) wide: Vec<f32>,
    pub(super) narrow: Vec<f32>,
}

impl Scratch {
    /// A tensor `[tokens, width]` in the `at`th storage, which grows and never shrinks.
    fn state(&mut self, at: usize, tokens: usize, width: usize) -> Result<Tensor> {
        let count = tokens * width;
        if self.states.get(at).is_none_or(|state| state.elem_count() < count) {
            self.states.truncate(at);
            self.states.push(Tensor::zeros(count, DType::F32, &Device::Cpu)?);
        }
        self.states[at].narrow(0, 0, count)?.reshape((tokens, width))
    }
}

/// The first `count` values of a buffer that grows and never shrinks: growing it again would clear it again.
pub(super) fn scratch_slice(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    buffer.resize(buffer.len().max(count), 0.0);
    &mut buffer[..count]
}

/// Texts that go through an encoder together.
pub(super) struct PackedBatch<'a> {
    /// `[tokens]`, text after text.
    pub(super) input_ids: Tensor,
    /// `[tokens]`, each token's place in its text.
    pub(super) positions: Tensor,
    /// `[tokens]`.
    pub(super) token_types: Tensor,
    /// Tokens of each text.
    pub(super) lengths: Arc<[usize]>,
    pub(super) cores: Cores<'a>,
    pub(super) scratch: RefCell<Scratch>,
    /// Two tensors `[tokens, hidden]` in the scratch's storage: one is read while the other is written.
    states: [Tensor; 2],
}

impl<'a> PackedBatch<'a> {
    /// Packs `texts`, each cut to the positions that the encoder has.
    pub(super) fn new(texts: &[EncoderInput], config: &EncoderConfig, cores: Cores<'a>, mut scratch: Scratch) -> Result<Self> {
        let lengths: Arc<[usize]> = texts.iter().map(|text| text.ids.len().min(config.max_positions)).collect();
        let cut = || texts.iter().zip(&*lengths);
        let tokens = lengths.iter().sum::<usize>();
        let tensor = |numbers: Vec<u32>| Tensor::from_vec(numbers, tokens, &Device::Cpu);
        let ids = cut().flat_map(|(text, length)| text.ids[..*length].iter().copied()).collect();
        let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let positions = lengths.iter().flat_map(|length| (0..*length).map(place)).collect();
        let kinds = |(text, length): (&EncoderInput, &usize)| {
            (0..*length).map(|at| text.token_types.get(at).copied().unwrap_or(0)).collect::<Vec<u32>>()
        };
        let states = [scratch.state(0, tokens, config.hidden_size)?, scratch.state(1, tokens, config.hidden_size)?];
        Ok(Self {
            states,
            input_ids: tensor(ids)?,
            positions: tensor(positions)?,
            token_types: tensor(cut().flat_map(kinds).collect())?,
            lengths,
            cores,
            scratch: RefCell::new(scratch),
        })
    }

    /// A tensor `[tokens, hidden]` to be written to while `hidden` is read; what it held is gone.
    pub(super) fn spare(&self, hidden: Option<&Tensor>) -> Tensor {
        let [first, second] = &self.states;
        if hidden.is_some_and(|hidden| hidden.id() == first.id()) { second.clone() } else { first.clone() }
    }
}
