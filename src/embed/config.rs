//! What an encoder is built of: its family, and the sizes and switches of its `config.json`.
//!
//! `config.json` is read by `raw`, for each family keeps other names and defaults; the models see only
//! [`EncoderConfig`].

mod families;
mod raw;

use super::kernels::activation::Activation;

/// Architectures that are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Devlin et al. 2019.
    Bert,
    /// Conneau et al. 2020: BERT's layers, with positions that begin behind the padding's.
    XlmRoberta,
    /// Warner et al. 2024.
    ModernBert,
    /// Qwen Team 2025, as an embedder.
    Qwen3,
    /// Gemma Team 2025, as an embedder.
    Gemma3,
}

impl Family {
    /// The family that `model_type` names.
    pub(super) fn of(model_type: &str) -> Option<Self> {
        match model_type {
            "bert" => Some(Self::Bert),
            "xlm-roberta" => Some(Self::XlmRoberta),
            "modernbert" => Some(Self::ModernBert),
            "qwen3" => Some(Self::Qwen3),
            "gemma3_text" => Some(Self::Gemma3),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::XlmRoberta => "xlm-roberta",
            Self::ModernBert => "modernbert",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }
}

/// The normalisation that a family uses throughout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NormKind {
    /// Mean 0, variance 1 (Ba et al. 2016).
    LayerNorm,
    /// Mean square 1 (Zhang & Sennrich 2019); `offset` is added to the weights.
    RmsNorm { offset: f32 },
}

/// How a token's position enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Positions {
    /// A learned row is added to the embedding; the first token takes row `first`.
    Learned { first: usize },
    /// Rotary embeddings of queries and keys (Su et al. 2021).
    Rotary,
}

/// A layer's attention window, in tokens to each side, and the base of its rotary embeddings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AttentionWindow {
    /// `None` for global attention.
    pub(super) distance: Option<usize>,
    /// Base (theta) of the rotary frequencies.
    pub(super) theta: f64,
}

/// The sizes and switches of an encoder.
#[derive(Debug, Clone)]
pub(super) struct EncoderConfig {
    pub(super) family: Family,
    /// Width of the residual stream.
    pub(super) hidden_size: usize,
    /// Attention heads.
    pub(super) num_heads: usize,
    /// Heads of keys and values; several query heads share one (grouped-query attention, Ainslie et al. 2023).
    pub(super) num_key_value_heads: usize,
    /// Width of a head.
    pub(super) head_dim: usize,
    /// One window a layer.
    pub(super) layers: Vec<AttentionWindow>,
    pub(super) norm: NormKind,
    pub(super) norm_eps: f32,
    pub(super) activation: Activation,
    /// Whether a token sees only those before it.
    pub(super) causal: bool,
    pub(super) positions: Positions,
    /// Factor of `q·k` before the softmax.
    pub(super) attention_scale: f32,
    /// Factor of the word embeddings.
    pub(super) embedding_scale: f32,
    /// Tokens that fit, special ones included.
    pub(super) max_positions: usize,
}
