//! A model folder: which files it has and what they say of the model.

use std::borrow::Cow;
use std::path::PathBuf;

use candle_transformers::models::bert;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::Value;

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models/static-multilingual");

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
        reason: String,
    },
    /// An architecture that is not built.
    #[error(
        "model `{model}` has architecture `{found}`, which ibid does not run\nhint: it runs sentence-transformers' StaticEmbedding, Model2Vec and BERT"
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
            Self::Bundled => super::BUNDLED.to_owned(),
            Self::Folder(path) => path.display().to_string(),
        }
    }

    /// The bytes of `file`.
    pub(super) fn read(&self, file: &str) -> Result<Cow<'static, [u8]>, Error> {
        let read = match self {
            Self::Bundled => {
                BUNDLED.get_file(file).map(|found| Cow::Borrowed(found.contents())).ok_or(std::io::ErrorKind::NotFound.into())
            }
            Self::Folder(path) => std::fs::read(path.join(file)).map(Cow::Owned),
        };
        read.map_err(|reason| Error::Unreadable { file: file.to_owned(), model: self.name(), reason })
    }

    fn exists(&self, file: &str) -> bool {
        match self {
            Self::Bundled => BUNDLED.get_file(file).is_some(),
            Self::Folder(path) => path.join(file).is_file(),
        }
    }

    fn json(&self, file: &str) -> Result<Value, Error> {
        serde_json::from_slice(&self.read(file)?).map_err(|reason| self.broken(file, reason.to_string()))
    }

    /// The error of a file that makes no sense.
    pub(super) fn broken(&self, file: &str, reason: String) -> Error {
        Error::Broken { file: file.to_owned(), model: self.name(), reason }
    }
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    Mean,
    Cls,
}

impl Pooling {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
        }
    }
}

/// Which code runs the model.
pub(super) enum Architecture {
    Static,
    Bert(Box<bert::Config>),
}

/// What the folder says of the model.
pub(super) struct Layout {
    pub(super) architecture: Architecture,
    pub(super) weights: String,
    pub(super) tokenizer: String,
    pub(super) pooling: Pooling,
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

impl Layout {
    /// Reads `modules.json` and `config.json`.
    pub(super) fn of(files: &Files) -> Result<Self, Error> {
        let modules: Vec<Module> = if files.exists("modules.json") {
            serde_json::from_value(files.json("modules.json")?)
                .map_err(|reason| files.broken("modules.json", reason.to_string()))?
        } else {
            vec![]
        };
        let path = |kind: &str| modules.iter().find(|module| module.kind.ends_with(kind)).map(|module| module.path.as_str());
        let is_static = path(".StaticEmbedding").is_some();
        let folder = path(".StaticEmbedding").or(path(".Transformer")).unwrap_or_default();
        let within = |file: &str| if matches!(folder, "" | ".") { file.to_owned() } else { format!("{folder}/{file}") };
        let architecture = if is_static { Architecture::Static } else { architecture(files, &within("config.json"))? };
        let pooling = match path(".Pooling") {
            Some(folder) => pooling(files, &format!("{folder}/config.json"))?,
            None => Pooling::Mean,
        };
        let (question_prefix, passage_prefix) = prompts(files)?;
        Ok(Self {
            architecture,
            weights: within("model.safetensors"),
            tokenizer: within("tokenizer.json"),
            pooling,
            question_prefix,
            passage_prefix,
        })
    }
}

fn architecture(files: &Files, file: &str) -> Result<Architecture, Error> {
    let config = files.json(file)?;
    match config.get("model_type").and_then(Value::as_str) {
        Some("model2vec") => Ok(Architecture::Static),
        Some("bert") => {
            let config = serde_json::from_value(config).map_err(|reason| files.broken(file, reason.to_string()))?;
            Ok(Architecture::Bert(Box::new(config)))
        }
        other => Err(Error::Architecture { model: files.name(), found: other.unwrap_or("none").to_owned() }),
    }
}

fn pooling(files: &Files, file: &str) -> Result<Pooling, Error> {
    let config = files.json(file)?;
    let chosen = |key: &str| config.get(key).and_then(Value::as_bool) == Some(true);
    if chosen("pooling_mode_cls_token") {
        Ok(Pooling::Cls)
    } else if chosen("pooling_mode_mean_tokens") {
        Ok(Pooling::Mean)
    } else {
        Err(files.broken(file, "pooling is neither `mean` nor `cls`".to_owned()))
    }
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
