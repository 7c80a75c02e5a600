//! Reads an encoder's weights, by the names that its family gives them, and packs them.

use std::sync::Arc;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device};
use rayon::prelude::*;

use super::super::kernels::Precision;
use super::super::product::Weights;
use super::anatomy::{Anatomy, Family, NormKind};

/// What follows a sum or goes before a product; `bias` is empty where there is none.
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// One layer. Families put norms before a part, after it, or after its sum with what went in.
pub(super) struct Layer {
    pub(super) before_attention: Option<Norm>,
    /// Questions, keys and values in one product.
    pub(super) questions_keys_values: Arc<Weights>,
    pub(super) question_norm: Option<Norm>,
    pub(super) key_norm: Option<Norm>,
    pub(super) attended: Arc<Weights>,
    pub(super) after_attention: Option<Norm>,
    pub(super) attention_sum: Option<Norm>,
    pub(super) before_feed: Option<Norm>,
    /// In gated layers, what is activated comes before what it is multiplied with.
    pub(super) up: Arc<Weights>,
    pub(super) down: Arc<Weights>,
    pub(super) after_feed: Option<Norm>,
    pub(super) feed_sum: Option<Norm>,
}

/// What tokens begin as.
pub(super) struct Embeddings {
    pub(super) tokens: Rows,
    pub(super) positions: Option<Rows>,
    /// The row of the only kind of text there is, and nothing in families without kinds.
    pub(super) kind: Vec<f32>,
    pub(super) norm: Option<Norm>,
}

/// Rows of numbers, in 16 bits where the file keeps them so: a vocabulary's rows are many.
pub(super) struct Rows {
    numbers: Numbers,
    width: usize,
}

enum Numbers {
    F32(Vec<f32>),
    /// The upper halves of 32 bits.
    Bf16(Vec<u16>),
}

impl Rows {
    /// Adds row `at`, times `scale`; nothing when there is no such row.
    pub(super) fn add(&self, at: usize, scale: f32, row: &mut [f32]) {
        let range = at * self.width..(at + 1) * self.width;
        match &self.numbers {
            Numbers::F32(numbers) => {
                let numbers = numbers.get(range).unwrap_or_default();
                row.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number * scale);
            }
            Numbers::Bf16(numbers) => {
                let numbers = numbers.get(range).unwrap_or_default();
                row.iter_mut().zip(numbers).for_each(|(sum, half)| *sum += f32::from_bits(u32::from(*half) << 16) * scale);
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let numbers = match &self.numbers {
            Numbers::F32(numbers) => numbers.len(),
            Numbers::Bf16(numbers) => numbers.len(),
        };
        numbers / self.width.max(1)
    }
}

/// A file of weights, its tensors found by name.
pub(in crate::embed) struct File<'a> {
    tensors: SliceSafetensors<'a>,
    raw: safetensors::SafeTensors<'a>,
    prefix: String,
}

impl<'a> File<'a> {
    /// An encoder's file. Some folders put the family's name before all tensors' names.
    pub(in crate::embed) fn of_encoder(bytes: &'a [u8], family: Family) -> Result<Self, String> {
        let (prefixes, known) = known(family);
        Self::of(bytes, prefixes, known)
    }

    /// A file that holds the tensor `known`, under one of `prefixes`.
    pub(in crate::embed) fn of(bytes: &'a [u8], prefixes: &[&str], known: &str) -> Result<Self, String> {
        let tensors = SliceSafetensors::new(bytes).map_err(|error| error.to_string())?;
        let raw = safetensors::SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let found = prefixes.iter().find(|prefix| raw.tensor(&format!("{prefix}{known}")).is_ok());
        let prefix = (*found.ok_or_else(|| format!("it holds no tensor `{known}`"))?).to_owned();
        Ok(Self { tensors, raw, prefix })
    }

    /// The same file without the prefix: heads stand beside the encoder.
    pub(in crate::embed) fn unprefixed(self) -> Self {
        Self { prefix: String::new(), ..self }
    }

    fn has(&self, name: &str) -> bool {
        self.raw.tensor(&format!("{}{name}", self.prefix)).is_ok()
    }

    /// A tensor's numbers, `count` of them.
    fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>, String> {
        let name = format!("{}{name}", self.prefix);
        let read = || self.tensors.load(&name, &Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
        let numbers = read().map_err(|error| format!("`{name}`: {error}"))?;
        if numbers.len() != count {
            return Err(format!("`{name}` holds {} numbers, and the configuration says {count}", numbers.len()));
        }
        if let Some(odd) = numbers.iter().find(|number| !number.is_finite()) {
            return Err(format!("`{name}` holds {odd}, which is no number"));
        }
        Ok(numbers)
    }

    /// The numbers of a tensor of one row.
    pub(in crate::embed) fn vector(&self, name: &str, width: usize) -> Result<Vec<f32>, String> {
        self.numbers(name, width)
    }

    fn rows(&self, name: &str, width: usize) -> Result<Rows, String> {
        let named = format!("{}{name}", self.prefix);
        let tensor = self.raw.tensor(&named).map_err(|error| format!("`{named}`: {error}"))?;
        let &[count, found] = tensor.shape() else { return Err(format!("`{named}` is no matrix: {:?}", tensor.shape())) };
        if found != width {
            return Err(format!("`{named}` has rows of {found} numbers, and the configuration says {width}"));
        }
        let numbers = if tensor.dtype() == safetensors::Dtype::BF16 {
            Numbers::Bf16(tensor.data().as_chunks::<2>().0.iter().map(|half| u16::from_le_bytes(*half)).collect())
        } else {
            Numbers::F32(self.numbers(name, count * width)?)
        };
        Ok(Rows { numbers, width })
    }

    /// Weights under one or several names, their outputs one after another: name and outputs of each.
    pub(in crate::embed) fn weights(
        &self,
        precision: Precision,
        inputs: usize,
        names: &[(String, usize)],
    ) -> Result<Arc<Weights>, String> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for (name, outputs) in names {
            rows.extend(self.numbers(&format!("{name}.weight"), inputs * outputs)?);
            let added = format!("{name}.bias");
            bias.extend(if self.has(&added) { self.numbers(&added, *outputs)? } else { vec![0.0; *outputs] });
        }
        Ok(Arc::new(Weights::of(precision, inputs, &rows, Some(&bias))))
    }

    /// A norm, `None` where the file has none of that name; `offset` is added to its weights.
    fn norm(&self, name: &str, width: usize, offset: f32) -> Result<Option<Norm>, String> {
        // BERT's first files name them after the letters of the paper.
        let named = |ends: [&str; 2]| ends.into_iter().map(|end| format!("{name}.{end}")).find(|name| self.has(name));
        let Some(weight) = named(["weight", "gamma"]) else { return Ok(None) };
        let weight = self.numbers(&weight, width)?.into_iter().map(|number| number + offset).collect();
        let bias = named(["bias", "beta"]).map(|bias| self.numbers(&bias, width)).transpose()?.unwrap_or_default();
        Ok(Some(Norm { weight, bias }))
    }
}

/// Names of an encoder's tensors.
struct Names<'a> {
    file: &'a File<'a>,
    anatomy: &'a Anatomy,
    precision: Precision,
}

/// The tensor that every file of a family has, by which its prefix is known.
fn known(family: Family) -> (&'static [&'static str], &'static str) {
    match family {
        Family::Bert => (&["", "bert."], "embeddings.word_embeddings.weight"),
        Family::XlmRoberta => (&["", "roberta."], "embeddings.word_embeddings.weight"),
        Family::ModernBert => (&["", "model."], "embeddings.tok_embeddings.weight"),
        Family::Qwen3 | Family::Gemma3 => (&["", "model."], "embed_tokens.weight"),
    }
}

/// All of an encoder but its walk: embeddings, layers, and the norm behind the last.
pub(super) fn read(
    file: &File<'_>,
    anatomy: &Anatomy,
    precision: Precision,
) -> Result<(Embeddings, Vec<Layer>, Option<Norm>), String> {
    let names = Names { file, anatomy, precision };
    let layers: Result<Vec<Layer>, String> = (0..anatomy.layers.len()).into_par_iter().map(|layer| names.layer(layer)).collect();
    let last = match anatomy.family {
        Family::Bert | Family::XlmRoberta => None,
        Family::ModernBert => names.norm("final_norm")?,
        Family::Qwen3 | Family::Gemma3 => names.norm("norm")?,
    };
    Ok((names.embeddings()?, layers?, last))
}

impl Names<'_> {
    fn embeddings(&self) -> Result<Embeddings, String> {
        let hidden = self.anatomy.hidden;
        let rows = |name: &str| self.file.rows(name, hidden);
        match self.anatomy.family {
            Family::Bert | Family::XlmRoberta => {
                let mut kind = vec![0.0; hidden];
                rows("embeddings.token_type_embeddings.weight")?.add(0, 1.0, &mut kind);
                let (tokens, positions) =
                    (rows("embeddings.word_embeddings.weight")?, Some(rows("embeddings.position_embeddings.weight")?));
                Ok(Embeddings { tokens, positions, kind, norm: self.norm("embeddings.LayerNorm")? })
            }
            Family::ModernBert => {
                let tokens = rows("embeddings.tok_embeddings.weight")?;
                Ok(Embeddings { tokens, positions: None, kind: vec![], norm: self.norm("embeddings.norm")? })
            }
            Family::Qwen3 | Family::Gemma3 => {
                Ok(Embeddings { tokens: rows("embed_tokens.weight")?, positions: None, kind: vec![], norm: None })
            }
        }
    }

    fn norm(&self, name: &str) -> Result<Option<Norm>, String> {
        self.norm_of(name, self.anatomy.hidden)
    }

    fn norm_of(&self, name: &str, width: usize) -> Result<Option<Norm>, String> {
        let offset = match self.anatomy.norm {
            NormKind::Layer => 0.0,
            NormKind::Root { offset } => offset,
        };
        self.file.norm(name, width, offset)
    }

    fn weights(&self, inputs: usize, names: &[(String, usize)]) -> Result<Arc<Weights>, String> {
        self.file.weights(self.precision, inputs, names)
    }

    fn layer(&self, layer: usize) -> Result<Layer, String> {
        match self.anatomy.family {
            Family::Bert | Family::XlmRoberta => self.bert_layer(&format!("encoder.layer.{layer}")),
            Family::ModernBert => self.modern_bert_layer(&format!("layers.{layer}")),
            Family::Qwen3 | Family::Gemma3 => self.decoder_layer(&format!("layers.{layer}")),
        }
    }

    /// Outputs of the product named: the file says, for configurations name it differently.
    fn outputs(&self, name: &str) -> Result<usize, String> {
        let name = format!("{}{name}.weight", self.file.prefix);
        let tensor = self.file.raw.tensor(&name).map_err(|error| format!("`{name}`: {error}"))?;
        tensor.shape().first().copied().ok_or_else(|| format!("`{name}` has no outputs"))
    }

    fn bert_layer(&self, name: &str) -> Result<Layer, String> {
        let hidden = self.anatomy.hidden;
        let part = |part: &str| (format!("{name}.attention.self.{part}"), hidden);
        let up = format!("{name}.intermediate.dense");
        let inner = self.outputs(&up)?;
        Ok(Layer {
            before_attention: None,
            questions_keys_values: self.weights(hidden, &[part("query"), part("key"), part("value")])?,
            question_norm: None,
            key_norm: None,
            attended: self.weights(hidden, &[(format!("{name}.attention.output.dense"), hidden)])?,
            after_attention: None,
            attention_sum: self.norm(&format!("{name}.attention.output.LayerNorm"))?,
            before_feed: None,
            up: self.weights(hidden, &[(up, inner)])?,
            down: self.weights(inner, &[(format!("{name}.output.dense"), hidden)])?,
            after_feed: None,
            feed_sum: self.norm(&format!("{name}.output.LayerNorm"))?,
        })
    }

    fn modern_bert_layer(&self, name: &str) -> Result<Layer, String> {
        let hidden = self.anatomy.hidden;
        let up = format!("{name}.mlp.Wi");
        let inner = self.outputs(&up)?;
        Ok(Layer {
            // The first layer has none: the embeddings are brought to length already.
            before_attention: self.norm(&format!("{name}.attn_norm"))?,
            questions_keys_values: self.weights(hidden, &[(format!("{name}.attn.Wqkv"), 3 * hidden)])?,
            question_norm: None,
            key_norm: None,
            attended: self.weights(hidden, &[(format!("{name}.attn.Wo"), hidden)])?,
            after_attention: None,
            attention_sum: None,
            before_feed: self.norm(&format!("{name}.mlp_norm"))?,
            up: self.weights(hidden, &[(up, inner)])?,
            down: self.weights(inner / 2, &[(format!("{name}.mlp.Wo"), hidden)])?,
            after_feed: None,
            feed_sum: None,
        })
    }

    /// Qwen3 and Gemma3, which has norms on both sides.
    fn decoder_layer(&self, name: &str) -> Result<Layer, String> {
        let Anatomy { hidden, heads, key_heads, head, family, .. } = *self.anatomy;
        let part = |part: &str, heads: usize| (format!("{name}.self_attn.{part}_proj"), heads * head);
        let up = format!("{name}.mlp.up_proj");
        let inner = self.outputs(&up)?;
        let norm = |named: &str| self.norm(&format!("{name}.{named}layernorm"));
        let after = norm("post_attention_")?;
        let (after_attention, before_feed) =
            if family == Family::Gemma3 { (after, norm("pre_feedforward_")?) } else { (None, after) };
        Ok(Layer {
            before_attention: norm("input_")?,
            questions_keys_values: self.weights(hidden, &[part("q", heads), part("k", key_heads), part("v", key_heads)])?,
            question_norm: self.norm_of(&format!("{name}.self_attn.q_norm"), head)?,
            key_norm: self.norm_of(&format!("{name}.self_attn.k_norm"), head)?,
            attended: self.weights(heads * head, &[(format!("{name}.self_attn.o_proj"), hidden)])?,
            after_attention,
            attention_sum: None,
            before_feed,
            up: self.weights(hidden, &[(format!("{name}.mlp.gate_proj"), inner), (up, inner)])?,
            down: self.weights(inner, &[(format!("{name}.mlp.down_proj"), hidden)])?,
            after_feed: norm("post_feedforward_")?,
            feed_sum: None,
        })
    }
}
