//! The fields of `config.json`, under all the names that the families give them.

use serde::Deserialize;
use serde_json::Value;

use super::AttentionWindow;
use crate::embed::defect::ModelDefect;
use crate::embed::kernels::activation::Activation;

/// Fields of all families; each reads its own.
#[derive(Deserialize)]
pub(super) struct RawConfig {
    pub(super) hidden_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    pub(super) max_position_embeddings: usize,
    pub(super) num_key_value_heads: Option<usize>,
    pub(super) head_dim: Option<usize>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    pub(super) layer_norm_eps: Option<f32>,
    pub(super) norm_eps: Option<f32>,
    pub(super) rms_norm_eps: Option<f32>,
    pub(super) pad_token_id: Option<usize>,
    pub(super) position_embedding_type: Option<String>,
    layer_types: Option<Vec<String>>,
    pub(super) global_attn_every_n_layers: Option<usize>,
    pub(super) local_attention: Option<usize>,
    pub(super) sliding_window: Option<usize>,
    sliding_window_pattern: Option<usize>,
    #[serde(rename = "_sliding_window_pattern")]
    own_sliding_window_pattern: Option<usize>,
    pub(super) use_sliding_window: Option<bool>,
    pub(super) use_bidirectional_attention: Option<bool>,
    pub(super) query_pre_attn_scalar: Option<f32>,
    pub(super) attn_logit_softcapping: Option<f32>,
    rope_theta: Option<f64>,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    rope_local_base_freq: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
}

impl RawConfig {
    /// The activation of the feed-forward layers.
    pub(super) fn activation(&self, default: &str) -> Result<Activation, ModelDefect> {
        let name = self.hidden_activation.as_deref().or(self.hidden_act.as_deref()).unwrap_or(default);
        match name {
            "gelu" => Ok(Activation::Gelu),
            // As BERT's configurations, PyTorch and Candle name it.
            "gelu_new" | "gelu_pytorch_tanh" | "geluapproximate" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            "silu" | "swish" => Ok(Activation::Silu),
            other => Err(ModelDefect::unsupported("hidden_act", other, "gelu, gelu_new, gelu_pytorch_tanh, relu, silu, swish")),
        }
    }

    /// The rotary base of layers of `kind`: newer configurations keep it in one table.
    pub(super) fn theta(&self, kind: &str, default: f64) -> f64 {
        let parameters = self.rope_parameters.as_ref();
        let found = parameters.and_then(|table| table.get(kind).unwrap_or(table).get("rope_theta")?.as_f64());
        let older = match kind {
            "sliding_attention" => self.local_rope_theta.or(self.rope_local_base_freq),
            _ => self.global_rope_theta.or(self.rope_theta),
        };
        found.or(older).unwrap_or(default)
    }

    /// Refuses scaled rotary embeddings, which are not built: the vectors would be wrong without a word.
    pub(super) fn check_rope_type(&self) -> Result<(), ModelDefect> {
        let mut tables = self
            .rope_parameters
            .iter()
            .chain(&self.rope_scaling)
            .flat_map(|table| std::iter::once(table).chain(table.as_object().into_iter().flat_map(serde_json::Map::values)));
        let kind =
            tables.find_map(|table| table.get("rope_type").or(table.get("type"))?.as_str().filter(|kind| *kind != "default"));
        kind.map_or(Ok(()), |kind| Err(ModelDefect::unsupported("rope_type", kind, "default")))
    }

    /// Layers from one with global attention to the next, where the pattern is regular.
    pub(super) fn global_every(&self) -> Option<usize> {
        self.sliding_window_pattern.or(self.own_sliding_window_pattern)
    }

    /// One window a layer, of `distance` where the configuration or else `is_local` says so; `thetas` are the rotary
    /// bases of global and of local layers.
    pub(super) fn windows(&self, distance: usize, thetas: (f64, f64), is_local: impl Fn(usize) -> bool) -> Vec<AttentionWindow> {
        let listed = |layer: usize| {
            self.layer_types.as_ref().map(|types| types.get(layer).is_some_and(|kind| kind == "sliding_attention"))
        };
        let local = AttentionWindow { distance: Some(distance), theta: thetas.1 };
        let global = AttentionWindow { distance: None, theta: thetas.0 };
        let window = |layer| if listed(layer).unwrap_or_else(|| is_local(layer)) { local } else { global };
        (0..self.num_hidden_layers).map(window).collect()
    }
}
