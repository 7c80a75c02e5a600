//! A model folder: which files it has and what they say of the model.

use std::borrow::Cow;
use std::path::PathBuf;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::Value;

use super::config::{EncoderConfig, Family};
use super::defect::ModelDefect;
use super::heads::dense::DenseLayout;

/// The name of the model in the binary, and its folder: these two lines choose it.
pub const BUNDLED: &str = "contextual-multilingual";
static BUNDLED_FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models/contextual-multilingual");

/// Why a model cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing or cannot be read.
    #[error(
        "cannot read `{file}` of model `{model}`: {reason}\nhint: a model folder holds `config.json` or `modules.json`, `tokenizer.json` and `model.safetensors`"
    )]
    Unreadable {
        /// The file, below the folder.
        file: String,
        /// The folder.
        model: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("`{file}` of model `{model}` is unusable: {reason}")]
    Broken {
        /// The file, below the folder.
        file: String,
        /// The folder.
        model: String,
        /// What is wrong.
        #[source]
        reason: Box<ModelDefect>,
    },
    /// An architecture that is not built.
    #[error(
        "model `{model}` has architecture `{found}`, which ibid does not run\nhint: it runs sentence-transformers' StaticEmbedding, Model2Vec, BERT, XLM-RoBERTa, ModernBERT, Qwen3 and Gemma3"
    )]
    Architecture {
        /// The folder.
        model: String,
        /// What its configuration says.
        found: String,
    },
}

/// Where a model's files are.
pub(super) enum Files {
    /// In the binary.
    Bundled,
    /// In a folder.
    Folder(PathBuf),
}

impl Files {
    fn name(&self) -> String {
        match self {
            Self::Bundled => BUNDLED.to_owned(),
            Self::Folder(path) => path.display().to_string(),
        }
    }

    /// The bytes of `file`.
    pub(super) fn read(&self, file: &str) -> Result<Cow<'static, [u8]>, Error> {
        let read = match self {
            Self::Bundled => BUNDLED_FILES
                .get_file(file)
                .map(|found| Cow::Borrowed(found.contents()))
                .ok_or(std::io::ErrorKind::NotFound.into()),
            Self::Folder(path) => std::fs::read(path.join(file)).map(Cow::Owned),
        };
        read.map_err(|reason| Error::Unreadable { file: file.to_owned(), model: self.name(), reason })
    }

    pub(super) fn exists(&self, file: &str) -> bool {
        match self {
            Self::Bundled => BUNDLED_FILES.get_file(file).is_some(),
            Self::Folder(path) => path.join(file).is_file(),
        }
    }

    /// What `file` says.
    pub(super) fn json(&self, file: &str) -> Result<Value, Error> {
        serde_json::from_slice(&self.read(file)?).map_err(|reason| self.broken(file, reason))
    }

    /// The error of a file that makes no sense.
    pub(super) fn broken(&self, file: &str, reason: impl Into<ModelDefect>) -> Error {
        Error::Broken { file: file.to_owned(), model: self.name(), reason: Box::new(reason.into()) }
    }
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    /// The first token's.
    Cls,
    /// The last token's.
    Last,
}

impl Pooling {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Last => "last",
        }
    }
}

/// Which code runs the model.
pub(super) enum Architecture {
    Static,
    Encoder(Box<EncoderConfig>),
}

/// What the folder says of the model.
pub(super) struct ModelLayout {
    pub(super) architecture: Architecture,
    pub(super) weights: String,
    pub(super) tokenizer: String,
    /// Tokens of a text that are read, where the folder says so.
    pub(super) longest: Option<usize>,
    pub(super) pooling: Pooling,
    pub(super) dense: Vec<DenseLayout>,
    pub(super) question_prefix: String,
    pub(super) passage_prefix: String,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What sentence-transformers writes of a product behind pooling.
#[derive(Deserialize)]
struct DenseConfig {
    in_features: usize,
    out_features: usize,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

impl ModelLayout {
    /// Reads `modules.json` and `config.json`.
    pub(super) fn of(files: &Files) -> Result<Self, Error> {
        const MODULES: &str = "modules.json";
        const KNOWN: [&str; 5] = [".StaticEmbedding", ".Transformer", ".Pooling", ".Dense", ".Normalize"];
        let modules: Vec<Module> = if files.exists(MODULES) {
            serde_json::from_value(files.json(MODULES)?).map_err(|reason| files.broken(MODULES, reason))?
        } else {
            vec![]
        };
        if let Some(odd) = modules.iter().find(|module| !KNOWN.iter().any(|known| module.kind.ends_with(known))) {
            let supported = "StaticEmbedding, Transformer, Pooling, Dense, Normalize";
            return Err(files.broken(MODULES, ModelDefect::unsupported("module", &odd.kind, supported)));
        }
        let path = |kind: &str| modules.iter().find(|module| module.kind.ends_with(kind)).map(|module| module.path.as_str());
        let is_static = path(".StaticEmbedding").is_some();
        let folder = path(".StaticEmbedding").or(path(".Transformer")).unwrap_or_default();
        let within = |file: &str| if matches!(folder, "" | ".") { file.to_owned() } else { format!("{folder}/{file}") };
        let architecture = if is_static { Architecture::Static } else { architecture(files, &within("config.json"))? };
        let pooling = match path(".Pooling") {
            Some(folder) => pooling(files, &format!("{folder}/config.json"))?,
            None => Pooling::Mean,
        };
        let dense = modules.iter().filter(|module| module.kind.ends_with(".Dense")).map(|module| dense(files, &module.path));
        let (question_prefix, passage_prefix) = prompts(files)?;
        Ok(Self {
            architecture,
            weights: within("model.safetensors"),
            tokenizer: within("tokenizer.json"),
            longest: longest(files, &within("sentence_bert_config.json"), &within("tokenizer_config.json")),
            pooling,
            dense: dense.collect::<Result<_, _>>()?,
            question_prefix,
            passage_prefix,
        })
    }
}

fn architecture(files: &Files, file: &str) -> Result<Architecture, Error> {
    let config = files.json(file)?;
    let kind = config.get("model_type").and_then(Value::as_str).unwrap_or("none").to_owned();
    if kind == "model2vec" {
        return Ok(Architecture::Static);
    }
    let family = Family::of(&kind).ok_or_else(|| Error::Architecture { model: files.name(), found: kind })?;
    let config = EncoderConfig::of(family, config).map_err(|reason| files.broken(file, reason))?;
    Ok(Architecture::Encoder(Box::new(config)))
}

/// Older folders keep one switch a kind, newer ones a name.
fn pooling(files: &Files, file: &str) -> Result<Pooling, Error> {
    let config = files.json(file)?;
    let switches =
        [("pooling_mode_cls_token", "cls"), ("pooling_mode_mean_tokens", "mean"), ("pooling_mode_lasttoken", "lasttoken")];
    let chosen = switches.into_iter().find(|(key, _)| config.get(*key).and_then(Value::as_bool) == Some(true));
    let named = config.get("pooling_mode").and_then(Value::as_str);
    match named.or(chosen.map(|(_, name)| name)) {
        Some("cls") => Ok(Pooling::Cls),
        Some("mean") => Ok(Pooling::Mean),
        Some("lasttoken") => Ok(Pooling::Last),
        other => {
            let defect = ModelDefect::unsupported("pooling", other.unwrap_or("none"), "mean, cls, lasttoken");
            Err(files.broken(file, defect))
        }
    }
}

fn dense(files: &Files, folder: &str) -> Result<DenseLayout, Error> {
    let file = format!("{folder}/config.json");
    let config: DenseConfig = serde_json::from_value(files.json(&file)?).map_err(|reason| files.broken(&file, reason))?;
    let activation = config.activation_function.as_deref().unwrap_or("Identity");
    let tanh = match activation.rsplit('.').next() {
        Some("Identity") if !config.use_residual => false,
        Some("Tanh") if !config.use_residual => true,
        _ => {
            let defect = ModelDefect::unsupported("activation_function", activation, "Identity, Tanh; without a residual");
            return Err(files.broken(&file, defect));
        }
    };
    Ok(DenseLayout {
        file: format!("{folder}/model.safetensors"),
        inputs: config.in_features,
        outputs: config.out_features,
        tanh,
    })
}

/// Tokens of a text that are read: the least of what the two files allow; files that are not there allow all.
pub(super) fn longest(files: &Files, sentences: &str, tokenizer: &str) -> Option<usize> {
    let said = |file: &str, key: &str| files.json(file).ok()?.get(key)?.as_u64();
    let limits = [said(sentences, "max_seq_length"), said(tokenizer, "model_max_length")];
    limits.into_iter().flatten().filter_map(|limit| usize::try_from(limit).ok()).min()
}

/// What sentence-transformers puts before questions and passages.
fn prompts(files: &Files) -> Result<(String, String), Error> {
    const FILE: &str = "config_sentence_transformers.json";
    if !files.exists(FILE) {
        return Ok((String::new(), String::new()));
    }
    let config = files.json(FILE)?;
    let prompt = |names: &[&str]| {
        let found = names.iter().find_map(|name| config.get("prompts")?.get(*name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    Ok((prompt(&["query", "question"]), prompt(&["document", "passage"])))
}
