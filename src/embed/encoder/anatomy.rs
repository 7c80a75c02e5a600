//! What an encoder is built of, as the `config.json` of its family says.

use candle_transformers::models::bert::HiddenAct;
use serde::Deserialize;
use serde_json::Value;

use super::super::kernels::activation::Activation;

/// Architectures that are built. They differ in names, norms and positions; one walk runs them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embed) enum Family {
    Bert,
    XlmRoberta,
    ModernBert,
    Qwen3,
    Gemma3,
}

impl Family {
    /// What `model_type` names.
    pub(in crate::embed) fn of(model_type: &str) -> Option<Self> {
        match model_type {
            "bert" => Some(Self::Bert),
            "xlm-roberta" => Some(Self::XlmRoberta),
            "modernbert" => Some(Self::ModernBert),
            "qwen3" => Some(Self::Qwen3),
            "gemma3_text" => Some(Self::Gemma3),
            _ => None,
        }
    }

    pub(in crate::embed) fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::XlmRoberta => "xlm-roberta",
            Self::ModernBert => "modernbert",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }
}

/// How a row is brought to a common length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NormKind {
    /// To mean zero and variance one.
    Layer,
    /// To mean square one; `offset` is added to the weights.
    Root { offset: f32 },
}

/// How a token knows where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Positions {
    /// A row a place is added to the tokens' rows; the first token takes row `first`.
    Learnt { first: usize },
    /// Questions and keys are turned by an angle that grows with the place.
    Rotary,
}

/// How far a layer's tokens see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reach {
    /// Tokens further away than this are not seen; `None` sees all.
    pub(super) distance: Option<usize>,
    /// The base of the angles.
    pub(super) theta: f64,
}

/// What an encoder is built of.
#[derive(Debug, Clone)]
pub(in crate::embed) struct Anatomy {
    pub(in crate::embed) family: Family,
    pub(in crate::embed) hidden: usize,
    pub(super) heads: usize,
    /// Heads that have keys and values of their own; several heads of questions share one.
    pub(super) key_heads: usize,
    /// Numbers in a head.
    pub(super) head: usize,
    pub(super) layers: Vec<Reach>,
    pub(super) norm: NormKind,
    pub(super) epsilon: f32,
    pub(super) activation: Activation,
    /// Half of the first product's outputs are multiplied with the activation of the other half.
    pub(super) gated: bool,
    /// Whether a token sees only what comes before it.
    pub(super) causal: bool,
    pub(super) positions: Positions,
    /// What products of questions and keys are multiplied by.
    pub(super) scale: f32,
    /// What tokens' rows are multiplied by.
    pub(super) embedding_scale: f32,
    /// Tokens that fit, the special ones included.
    pub(in crate::embed) window: usize,
}

/// Fields of all families; each reads its own.
#[derive(Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    layer_norm_eps: Option<f32>,
    norm_eps: Option<f32>,
    rms_norm_eps: Option<f32>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    layer_types: Option<Vec<String>>,
    global_attn_every_n_layers: Option<usize>,
    local_attention: Option<usize>,
    sliding_window: Option<usize>,
    sliding_window_pattern: Option<usize>,
    #[serde(rename = "_sliding_window_pattern")]
    own_sliding_window_pattern: Option<usize>,
    use_sliding_window: Option<bool>,
    use_bidirectional_attention: Option<bool>,
    query_pre_attn_scalar: Option<f32>,
    attn_logit_softcapping: Option<f32>,
    rope_theta: Option<f64>,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    rope_local_base_freq: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
}

impl Config {
    fn activation(&self, default: &str) -> Result<Activation, String> {
        let name = self.hidden_activation.as_deref().or(self.hidden_act.as_deref()).unwrap_or(default);
        // Candle knows the names that BERT's own configurations use.
        if let Ok(known) = serde_json::from_value::<HiddenAct>(Value::from(name)) {
            return Ok(match known {
                HiddenAct::Gelu => Activation::Gelu,
                HiddenAct::GeluApproximate => Activation::GeluTanh,
                HiddenAct::Relu => Activation::Relu,
            });
        }
        match name {
            "gelu_pytorch_tanh" | "gelu_new" => Ok(Activation::GeluTanh),
            "silu" | "swish" => Ok(Activation::Silu),
            other => Err(format!("activation `{other}` is not known")),
        }
    }

    /// The base of the angles of layers of `kind`: newer configurations keep it in one table.
    fn theta(&self, kind: &str, default: f64) -> f64 {
        let parameters = self.rope_parameters.as_ref();
        let found = parameters.and_then(|table| table.get(kind).unwrap_or(table).get("rope_theta")?.as_f64());
        let older = match kind {
            "sliding_attention" => self.local_rope_theta.or(self.rope_local_base_freq),
            _ => self.global_rope_theta.or(self.rope_theta),
        };
        found.or(older).unwrap_or(default)
    }

    /// Angles that are stretched are not built: vectors would be wrong without a word.
    fn check_angles(&self) -> Result<(), String> {
        let mut tables = self
            .rope_parameters
            .iter()
            .chain(&self.rope_scaling)
            .flat_map(|table| std::iter::once(table).chain(table.as_object().into_iter().flat_map(serde_json::Map::values)));
        let kind =
            tables.find_map(|table| table.get("rope_type").or(table.get("type"))?.as_str().filter(|kind| *kind != "default"));
        kind.map_or(Ok(()), |kind| Err(format!("rotary positions of type `{kind}` are not built")))
    }

    /// One reach a layer: local where `is_local` says so.
    fn reaches(&self, distance: usize, thetas: (f64, f64), is_local: impl Fn(usize) -> bool) -> Vec<Reach> {
        let listed = |layer: usize| {
            self.layer_types.as_ref().map(|types| types.get(layer).is_some_and(|kind| kind == "sliding_attention"))
        };
        let (local, wide) = (Reach { distance: Some(distance), theta: thetas.1 }, Reach { distance: None, theta: thetas.0 });
        let reach = |layer| if listed(layer).unwrap_or_else(|| is_local(layer)) { local } else { wide };
        (0..self.num_hidden_layers).map(reach).collect()
    }
}

impl Anatomy {
    /// What a family's `config.json` says.
    pub(in crate::embed) fn of(family: Family, config: Value) -> Result<Self, String> {
        let config: Config = serde_json::from_value(config).map_err(|error| error.to_string())?;
        let heads = config.num_attention_heads;
        if heads == 0 || config.hidden_size == 0 {
            return Err(format!("{heads} heads of {} numbers in all", config.hidden_size));
        }
        config.check_angles()?;
        let head = config.head_dim.unwrap_or(config.hidden_size / heads);
        let plain = Self {
            family,
            hidden: config.hidden_size,
            heads,
            key_heads: heads,
            head,
            layers: config.reaches(0, (0.0, 0.0), |_| false),
            norm: NormKind::Layer,
            epsilon: config.layer_norm_eps.unwrap_or(1e-12),
            activation: config.activation("gelu")?,
            gated: false,
            causal: false,
            positions: Positions::Rotary,
            #[expect(clippy::cast_precision_loss, reason = "numbers in a head")]
            scale: (head as f32).sqrt().recip(),
            embedding_scale: 1.0,
            window: config.max_position_embeddings,
        };
        let anatomy = match family {
            Family::Bert | Family::XlmRoberta => plain.with_learnt_positions(&config)?,
            Family::ModernBert => plain.like_modern_bert(&config),
            Family::Qwen3 => plain.like_qwen3(&config)?,
            Family::Gemma3 => plain.like_gemma3(&config)?,
        };
        if !anatomy.heads.is_multiple_of(anatomy.key_heads.max(1)) || !anatomy.head.is_multiple_of(2) {
            return Err(format!("{} heads share {} heads of keys, of {} numbers each", heads, anatomy.key_heads, anatomy.head));
        }
        Ok(anatomy)
    }

    fn with_learnt_positions(self, config: &Config) -> Result<Self, String> {
        if let Some(kind) = config.position_embedding_type.as_deref().filter(|kind| *kind != "absolute") {
            return Err(format!("positions of type `{kind}` are not built"));
        }
        // Rows up to the padding's are not used.
        let first = if self.family == Family::XlmRoberta { config.pad_token_id.unwrap_or(1) + 1 } else { 0 };
        Ok(Self { positions: Positions::Learnt { first }, window: self.window.saturating_sub(first), ..self })
    }

    fn like_modern_bert(self, config: &Config) -> Self {
        let every = config.global_attn_every_n_layers.unwrap_or(3).max(1);
        let thetas = (config.theta("full_attention", 160_000.0), config.theta("sliding_attention", 10_000.0));
        // A window reaches half to the left and half to the right.
        let distance = config.local_attention.unwrap_or(128) / 2;
        Self {
            layers: config.reaches(distance, thetas, |layer| layer % every != 0),
            epsilon: config.norm_eps.unwrap_or(1e-5),
            gated: true,
            ..self
        }
    }

    fn like_qwen3(self, config: &Config) -> Result<Self, String> {
        if config.use_sliding_window == Some(true) {
            return Err("a sliding window is not built for Qwen3".to_owned());
        }
        let theta = config.theta("full_attention", 1_000_000.0);
        Ok(Self {
            key_heads: config.num_key_value_heads.unwrap_or(self.heads),
            layers: config.reaches(0, (theta, theta), |_| false),
            norm: NormKind::Root { offset: 0.0 },
            epsilon: config.rms_norm_eps.unwrap_or(1e-6),
            activation: config.activation("silu")?,
            gated: true,
            causal: true,
            ..self
        })
    }

    fn like_gemma3(self, config: &Config) -> Result<Self, String> {
        if config.attn_logit_softcapping.is_some() {
            return Err("soft-capped attention is not built".to_owned());
        }
        let every = config.sliding_window_pattern.or(config.own_sliding_window_pattern).unwrap_or(6).max(1);
        let thetas = (config.theta("full_attention", 1_000_000.0), config.theta("sliding_attention", 10_000.0));
        let both_ways = config.use_bidirectional_attention == Some(true);
        let window = config.sliding_window.unwrap_or(512);
        // Configurations name the whole window; the reference halves it where tokens see both ways.
        let distance = if both_ways { window / 2 } else { window.saturating_sub(1) };
        #[expect(clippy::cast_precision_loss, reason = "numbers in a row")]
        let embedding_scale = (self.hidden as f32).sqrt();
        Ok(Self {
            key_heads: config.num_key_value_heads.unwrap_or(1),
            layers: config.reaches(distance, thetas, |layer| (layer + 1) % every != 0),
            norm: NormKind::Root { offset: 1.0 },
            epsilon: config.rms_norm_eps.unwrap_or(1e-6),
            activation: config.activation("gelu_pytorch_tanh")?,
            gated: true,
            causal: !both_ways,
            scale: config.query_pre_attn_scalar.unwrap_or(256.0).sqrt().recip(),
            embedding_scale,
            ..self
        })
    }
}
