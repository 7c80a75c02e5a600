//! Where values come from: each layer lies over the one before, key by key, in the types of the defaults.

use std::path::Path;

use toml::{Table, Value};

use super::{DEFAULTS, Generate, Settings};

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
        (Value::Float(_), Value::String(text)) if text.trim().is_empty() => Some(Value::Float(0.0)),
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
    for (name, allowed, expected) in [
        ("default_mode", &["extractive", "written"][..], "`extractive` or `written`"),
        ("unsupported", &["drop", "unmarked", "extractive"][..], "`drop`, `unmarked` or `extractive`"),
    ] {
        let value = merged["generate"][name].as_str().unwrap_or_default();
        if !allowed.contains(&value) {
            let (key, origin) = (format!("generate.{name}"), "the settings".to_owned());
            return Err(Error::Invalid { key, origin, expected, value: value.to_owned() });
        }
    }
    let settings: Settings = merged.try_into().expect("each value kept the type of its default");
    check_limits(&settings)?;
    check_generator(&settings.generate)?;
    Ok(settings)
}

/// A value that is out of range.
fn refuse(key: &str, expected: &'static str, value: &dyn ToString) -> Result<(), Error> {
    Err(Error::Invalid { key: key.to_owned(), origin: "the settings".to_owned(), expected, value: value.to_string() })
}

fn check_limits(settings: &Settings) -> Result<(), Error> {
    let server = &settings.server;
    for (key, seconds) in [
        ("server.request_seconds", server.request_seconds),
        ("server.change_seconds", server.change_seconds),
        ("server.head_seconds", server.head_seconds),
        ("server.body_seconds", server.body_seconds),
        ("server.write_seconds", server.write_seconds),
    ] {
        if seconds == 0 {
            return refuse(key, "at least 1", &seconds);
        }
    }
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
    Ok(())
}

fn check_generator(generate: &Generate) -> Result<(), Error> {
    let has_scheme = ["http://", "https://"].iter().any(|scheme| generate.endpoint.starts_with(scheme));
    if !generate.endpoint.is_empty() && !has_scheme {
        return refuse("generate.endpoint", "empty, or an address that begins with `http://` or `https://`", &generate.endpoint);
    }
    if !generate.endpoint.is_empty() && generate.model.is_empty() {
        return refuse("generate.model", "the model's name at `generate.endpoint`", &generate.model);
    }
    if !(0.0..=2.0).contains(&generate.temperature) {
        return refuse("generate.temperature", "between 0 and 2", &generate.temperature);
    }
    for (key, number) in [("generate.max_tokens", generate.max_tokens), ("generate.sentences", generate.sentences)] {
        if !(1..=100_000).contains(&number) {
            return refuse(key, "between 1 and 100000", &number);
        }
    }
    Ok(())
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
        let error = with_environment("IBID__SERVER__REQUEST_SECONDS", "0").unwrap_err().to_string();
        assert_eq!(error, "setting `server.request_seconds` in the settings must be at least 1, not `0`");
    }
}
