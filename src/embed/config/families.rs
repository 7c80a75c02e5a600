//! What each family makes of its `config.json`, with the defaults of its reference implementation.

use serde_json::Value;

use super::raw::RawConfig;
use super::{EncoderConfig, Family, NormKind, Positions};
use crate::embed::defect::ModelDefect;

impl EncoderConfig {
    /// Reads a family's `config.json`.
    pub(in crate::embed) fn of(family: Family, config: Value) -> Result<Self, ModelDefect> {
        let raw: RawConfig = serde_json::from_value(config)?;
        let heads = raw.num_attention_heads;
        if heads == 0 || raw.hidden_size == 0 {
            let what = format!("`num_attention_heads` of a `hidden_size` of {}", raw.hidden_size);
            return Err(ModelDefect::size(what, heads, "both at least 1"));
        }
        raw.check_rope_type()?;
        let head_dim = raw.head_dim.unwrap_or(raw.hidden_size / heads);
        let plain = Self {
            family,
            hidden_size: raw.hidden_size,
            num_heads: heads,
            num_key_value_heads: heads,
            head_dim,
            layers: raw.windows(0, (0.0, 0.0), |_| false),
            norm: NormKind::LayerNorm,
            norm_eps: raw.layer_norm_eps.unwrap_or(1e-12),
            activation: raw.activation("gelu")?,
            causal: false,
            positions: Positions::Rotary,
            #[expect(clippy::cast_precision_loss, reason = "the width of a head")]
            attention_scale: (head_dim as f32).sqrt().recip(),
            embedding_scale: 1.0,
            max_positions: raw.max_position_embeddings,
        };
        let config = match family {
            Family::Bert | Family::XlmRoberta => plain.with_learned_positions(&raw)?,
            Family::ModernBert => plain.modernbert(&raw),
            Family::Qwen3 => plain.qwen3(&raw)?,
            Family::Gemma3 => plain.gemma3(&raw)?,
        };
        let (key_heads, head_dim) = (config.num_key_value_heads, config.head_dim);
        if !config.num_heads.is_multiple_of(key_heads.max(1)) || !head_dim.is_multiple_of(2) {
            let what = format!("{heads} heads of {head_dim} values each, `num_key_value_heads`");
            return Err(ModelDefect::size(what, key_heads, "a divisor of the heads, which have an even number of values"));
        }
        Ok(config)
    }

    fn with_learned_positions(self, raw: &RawConfig) -> Result<Self, ModelDefect> {
        if let Some(kind) = raw.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
            return Err(ModelDefect::unsupported("position_embedding_type", kind, "absolute"));
        }
        // XLM-RoBERTa does not use the rows up to the padding's.
        let first = if self.family == Family::XlmRoberta { raw.pad_token_id.unwrap_or(1) + 1 } else { 0 };
        Ok(Self { positions: Positions::Learned { first }, max_positions: self.max_positions.saturating_sub(first), ..self })
    }

    fn modernbert(self, raw: &RawConfig) -> Self {
        let every = raw.global_attn_every_n_layers.unwrap_or(3).max(1);
        let thetas = (raw.theta("full_attention", 160_000.0), raw.theta("sliding_attention", 10_000.0));
        // The configured window is the sum of both sides.
        let distance = raw.local_attention.unwrap_or(128) / 2;
        Self { layers: raw.windows(distance, thetas, |layer| layer % every != 0), norm_eps: raw.norm_eps.unwrap_or(1e-5), ..self }
    }

    fn qwen3(self, raw: &RawConfig) -> Result<Self, ModelDefect> {
        if raw.use_sliding_window == Some(true) {
            return Err(ModelDefect::unsupported("use_sliding_window", &true, "false"));
        }
        let theta = raw.theta("full_attention", 1_000_000.0);
        Ok(Self {
            num_key_value_heads: raw.num_key_value_heads.unwrap_or(self.num_heads),
            layers: raw.windows(0, (theta, theta), |_| false),
            norm: NormKind::RmsNorm { offset: 0.0 },
            norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
            activation: raw.activation("silu")?,
            causal: true,
            ..self
        })
    }

    fn gemma3(self, raw: &RawConfig) -> Result<Self, ModelDefect> {
        if let Some(cap) = raw.attn_logit_softcapping {
            return Err(ModelDefect::unsupported("attn_logit_softcapping", &cap, "null"));
        }
        let every = raw.global_every().unwrap_or(6).max(1);
        let thetas = (raw.theta("full_attention", 1_000_000.0), raw.theta("sliding_attention", 10_000.0));
        let bidirectional = raw.use_bidirectional_attention == Some(true);
        let window = raw.sliding_window.unwrap_or(512);
        // Configurations give the whole window; the reference halves it where attention is bidirectional.
        let distance = if bidirectional { window / 2 } else { window.saturating_sub(1) };
        #[expect(clippy::cast_precision_loss, reason = "the width of a row")]
        let embedding_scale = (self.hidden_size as f32).sqrt();
        Ok(Self {
            num_key_value_heads: raw.num_key_value_heads.unwrap_or(1),
            layers: raw.windows(distance, thetas, |layer| (layer + 1) % every != 0),
            norm: NormKind::RmsNorm { offset: 1.0 },
            norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
            activation: raw.activation("gelu_pytorch_tanh")?,
            causal: !bidirectional,
            attention_scale: raw.query_pre_attn_scalar.unwrap_or(256.0).sqrt().recip(),
            embedding_scale,
            ..self
        })
    }
}
