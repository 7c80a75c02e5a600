//! Settings: defaults ← file ← `IBID__…` environment ← flags.
//!
//! The defaults are `config/ibid.toml`, compiled in, which also says which keys
//! exist and of what type they are: a key that is not there is an error that
//! names the nearest one. Each room is handed only its own section.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// The commented default file, as shipped.
pub const DEFAULTS: &str = include_str!("../config/ibid.toml");

/// All sections, resolved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The HTTP service.
    pub server: Server,
    /// Where the library is and what it is filled from.
    pub library: Library,
    /// Reading sources.
    pub read: Read,
    /// The embedding model.
    pub model: Model,
    /// Cutting articles into passages.
    pub chunk: Chunk,
    /// Finding passages.
    pub search: Search,
    /// Answering.
    pub answer: Answer,
    /// What is logged.
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

section!(
    /// `[server]`
    Server {
        /// Address and port.
        listen: String,
        /// Address for links, empty for `listen`.
        public_url: String,
        /// File of keys, empty for none.
        keys: PathBuf,
        /// Questions at once, 0 for one a core.
        workers: usize,
        /// Questions that may wait.
        queue: usize,
        /// Bytes a request's body may have.
        max_body_bytes: usize,
        /// Requests a minute for each key, 0 for no limit.
        requests_per_minute: u32,
        /// Requests a day for each key, 0 for no limit.
        requests_per_day: u32,
        /// Connections at once.
        max_connections: usize,
        /// Seconds for a request's head.
        head_seconds: u64,
        /// Seconds for each 16 KiB of a body.
        body_seconds: u64,
        /// Seconds for a client that does not read.
        write_seconds: u64,
        /// Seconds to finish in after the signal to stop.
        drain_seconds: u64,
    }
);
section!(
    /// `[library]`
    Library {
        /// Data folder.
        data: PathBuf,
        /// Files and folders to read.
        corpus: Vec<PathBuf>,
    }
);
section!(
    /// `[read]`
    Read {
        /// Largest source, in bytes.
        max_source_bytes: u64,
    }
);
section!(
    /// `[model]`
    Model {
        /// Model folder, empty for the bundled one.
        path: PathBuf,
        /// `auto`, `f32`, `bf16` or `int8`.
        precision: String,
        /// Numbers kept of a vector, 0 for all.
        dimension: usize,
        /// What is put before a question; empty for what the folder says.
        question_prefix: String,
        /// What is put before a passage; empty for what the folder says.
        passage_prefix: String,
        /// Folder of a cross-encoder, empty for none.
        reranker: PathBuf,
    }
);
section!(
    /// `[chunk]`
    Chunk {
        /// Tokens after which a passage is closed.
        target_tokens: usize,
        /// Tokens that a sentence may have undivided.
        max_tokens: usize,
    }
);
section!(
    /// `[search]`
    Search {
        /// Passages that each leg hands on.
        candidates: usize,
        /// Passages below which all vectors are compared.
        exact_below: usize,
        /// Connections a passage keeps in the graph.
        graph_connections: usize,
        /// Candidates held while building.
        graph_build: usize,
        /// Candidates held while searching.
        graph_search: usize,
    }
);
section!(
    /// `[answer]`
    Answer {
        /// Longest question, in characters.
        max_question_chars: usize,
        /// Sentences in an answer.
        max_sentences: usize,
        /// Confidence below which an answer is refused.
        min_confidence: f32,
    }
);
section!(
    /// `[log]`
    Log {
        /// Filter directive.
        filter: String,
        /// `text` or `json`.
        format: String,
    }
);

/// How passages are made, as one process tells another.
#[derive(Serialize, Deserialize)]
struct Making {
    model: Model,
    chunk: Chunk,
}

impl Settings {
    /// The sections that decide how passages are made, for [`Self::made_as`]; paths hold from any folder.
    pub fn making(&self) -> String {
        let mut making = Making { model: self.model.clone(), chunk: self.chunk.clone() };
        for path in [&mut making.model.path, &mut making.model.reranker] {
            // An empty path has a meaning of its own, and stays.
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        serde_json::to_string(&making).expect("texts and numbers")
    }

    /// These settings, with passages made as `making` says.
    ///
    /// # Errors
    /// When it says something else.
    pub fn made_as(&self, making: &str) -> Result<Self, serde_json::Error> {
        let Making { model, chunk } = serde_json::from_str(making)?;
        Ok(Self { model, chunk, ..self.clone() })
    }
}

/// Why settings were refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read settings file `{path}`: {reason}")]
    Unreadable {
        /// Path as given.
        path: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// The file is no TOML.
    #[error("settings file `{path}` is not TOML: {reason}")]
    Syntax {
        /// Path as given.
        path: String,
        /// The parser's words, with the line.
        reason: toml::de::Error,
    },
    /// A key that does not exist.
    #[error("unknown setting `{key}` in {origin}{hint}")]
    Unknown {
        /// The key, with its section.
        key: String,
        /// Where it stood.
        origin: String,
        /// `\nhint: …`, or nothing.
        hint: String,
    },
    /// A value of the wrong type or out of range.
    #[error("setting `{key}` in {origin} must be {expected}, not `{value}`")]
    Invalid {
        /// The key, with its section.
        key: String,
        /// Where it stood.
        origin: String,
        /// What is wanted.
        expected: &'static str,
        /// What was given.
        value: String,
    },
}

/// One value that lies over the defaults: from a flag.
pub struct Override {
    /// Section and key, `server.listen`.
    pub key: &'static str,
    /// The value.
    pub value: Value,
    /// The flag, for messages.
    pub flag: &'static str,
}

/// Resolves all layers. `environment` holds variables as the process has them.
pub fn resolve(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    overrides: Vec<Override>,
) -> Result<Settings, Error> {
    let mut merged: Table = DEFAULTS.parse().expect("the shipped defaults are TOML, a test holds it");
    if let Some(path) = file {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|reason| Error::Unreadable { path: shown.clone(), reason })?;
        let table: Table = text.parse().map_err(|reason| Error::Syntax { path: shown.clone(), reason })?;
        for (key, value) in flatten(table) {
            set(&mut merged, &key, &value, &format!("`{shown}`"))?;
        }
    }
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix("IBID__") else { continue };
        let key = rest.to_lowercase().replace("__", ".");
        set(&mut merged, &key, &Value::String(text), &format!("environment variable `{name}`"))?;
    }
    for Override { key, value, flag } in overrides {
        set(&mut merged, key, &value, &format!("`{flag}`"))?;
    }
    check(merged)
}

fn flatten(table: Table) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (section, value) in table {
        if let Value::Table(inner) = value {
            flat.extend(inner.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
        } else {
            flat.push((section, value));
        }
    }
    flat
}

fn set(merged: &mut Table, key: &str, value: &Value, origin: &str) -> Result<(), Error> {
    let known = key.split_once('.').and_then(|(section, name)| merged.get_mut(section)?.as_table_mut()?.get_mut(name));
    let Some(slot) = known else {
        return Err(Error::Unknown { key: key.to_owned(), origin: origin.to_owned(), hint: nearest(key, merged) });
    };
    *slot = like(slot, value.clone()).ok_or_else(|| Error::Invalid {
        key: key.to_owned(),
        origin: origin.to_owned(),
        expected: type_name(slot),
        value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    })?;
    Ok(())
}

/// `value` in the type that the default has; text is parsed, as the environment knows no other type.
fn like(default: &Value, value: Value) -> Option<Value> {
    match (default, value) {
        (Value::String(_), Value::String(text)) => Some(Value::String(text)),
        (Value::Integer(_), Value::Integer(number)) if number >= 0 => Some(Value::Integer(number)),
        (Value::Integer(_), Value::String(text)) => {
            text.trim().parse::<u32>().ok().map(|number| Value::Integer(i64::from(number)))
        }
        (Value::Float(_), Value::Float(number)) => Some(Value::Float(number)),
        #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
        (Value::Float(_), Value::Integer(number)) => Some(Value::Float(number as f64)),
        (Value::Float(_), Value::String(text)) => text.trim().parse().ok().map(Value::Float),
        (Value::Array(_), Value::Array(items)) if items.iter().all(Value::is_str) => Some(Value::Array(items)),
        (Value::Array(_), Value::String(text)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => None,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number, 0 or more",
        Value::Float(_) => "a number",
        Value::Array(_) => "a list of texts",
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => "a text",
    }
}

fn nearest(key: &str, known: &Table) -> String {
    let keys = flatten(known.clone());
    let distance = |name: &str| {
        let bare = name.split_once('.').map_or(name, |(_, bare)| bare);
        strsim::damerau_levenshtein(key, name).min(strsim::damerau_levenshtein(key, bare))
    };
    let best = keys.iter().min_by_key(|(name, _)| distance(name));
    match best {
        Some((name, _)) if distance(name) <= key.len() / 2 => format!("\nhint: did you mean `{name}`?"),
        _ => "\nhint: `ibid settings` prints every setting with its default".to_owned(),
    }
}

fn check(merged: Table) -> Result<Settings, Error> {
    let settings: Settings = merged.try_into().expect("each value kept the type of its default");
    let refuse = |key: &str, expected, value: &dyn ToString| {
        Err(Error::Invalid { key: key.to_owned(), origin: "the settings".to_owned(), expected, value: value.to_string() })
    };
    let search = &settings.search;
    // hnsw_rs ends the whole process beyond 256 connections.
    if !(2..=200).contains(&search.graph_connections) {
        return refuse("search.graph_connections", "between 2 and 200", &search.graph_connections);
    }
    if search.candidates == 0 {
        return refuse("search.candidates", "at least 1", &search.candidates);
    }
    if !(0.0..=1.0).contains(&settings.answer.min_confidence) {
        return refuse("answer.min_confidence", "between 0 and 1", &settings.answer.min_confidence);
    }
    if settings.answer.max_sentences == 0 {
        return refuse("answer.max_sentences", "at least 1", &settings.answer.max_sentences);
    }
    if settings.chunk.target_tokens == 0 || settings.chunk.max_tokens < settings.chunk.target_tokens {
        return refuse("chunk.max_tokens", "at least `chunk.target_tokens`, which is at least 1", &settings.chunk.max_tokens);
    }
    if !["auto", "f32", "bf16", "int8"].contains(&settings.model.precision.as_str()) {
        return refuse("model.precision", "`auto`, `f32`, `bf16` or `int8`", &settings.model.precision);
    }
    if !["text", "json"].contains(&settings.log.format.as_str()) {
        return refuse("log.format", "`text` or `json`", &settings.log.format);
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_environment(name: &str, value: &str) -> Result<Settings, Error> {
        resolve(None, [(name.to_owned(), value.to_owned())].into_iter(), vec![])
    }

    #[test]
    fn the_shipped_defaults_are_complete() {
        let settings = resolve(None, std::iter::empty(), vec![]).unwrap();
        assert_eq!(settings.server.listen, "127.0.0.1:8080");
    }

    #[test]
    fn later_layers_lie_over_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ibid.toml");
        std::fs::write(&file, "[server]\nqueue = 3\nlisten = \"a:1\"\nworkers = 9\n").unwrap();
        let environment = [("IBID__SERVER__QUEUE", "4"), ("IBID__SERVER__LISTEN", "b:2")];
        let flag = Override { key: "server.listen", value: Value::String("c:3".into()), flag: "--listen" };
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = resolve(Some(&file), environment.into_iter(), vec![flag]).unwrap().server;
        assert_eq!((settings.workers, settings.queue, settings.listen.as_str()), (9, 4, "c:3"));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_suggests_the_near_one() {
        let error = with_environment("IBID__SERVER__LISTN", "x").unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown setting `server.listn` in environment variable `IBID__SERVER__LISTN`\n\
             hint: did you mean `server.listen`?"
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        let error = with_environment("IBID__SERVER__QUEUE", "many").unwrap_err().to_string();
        assert!(error.contains("`server.queue`") && error.contains("`many`"), "{error}");
        assert!(with_environment("IBID__SEARCH__GRAPH_CONNECTIONS", "300").is_err());
    }
}
