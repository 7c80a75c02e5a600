//! Who may know whom.

use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All files of the library: their names below `src`, without `.rs`, and their texts.
fn sources() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let name = |file: &PathBuf| file.strip_prefix(&source).unwrap().with_extension("").to_string_lossy().into_owned();
    all.iter().map(|file| (name(file), std::fs::read_to_string(file).unwrap())).collect()
}

/// Each room, and the rooms that it may know.
const ROOMS: [(&str, &[&str]); 14] = [
    ("background", &[]),
    ("deadline", &[]),
    ("article", &[]),
    ("text", &["article"]),
    ("chunk", &["article", "text"]),
    ("read", &["article", "text"]),
    ("newspaper", &["article", "read", "text"]),
    ("embed", &["background", "text"]),
    ("shelf", &["article", "background", "chunk", "deadline", "embed", "newspaper", "settings", "text"]),
    ("retrieve", &["article", "deadline", "embed", "shelf", "text"]),
    ("generate", &["deadline", "settings"]),
    ("answer", &["article", "embed", "generate", "retrieve", "settings", "shelf", "text"]),
    (
        "library",
        &[
            "answer",
            "article",
            "background",
            "chunk",
            "deadline",
            "embed",
            "generate",
            "newspaper",
            "read",
            "retrieve",
            "settings",
            "shelf",
            "text",
        ],
    ),
    ("settings", &[]),
];

/// The same inside `http`: each folder, and those that it may know.
const HTTP: [(&str, &[&str]); 7] = [
    ("dto", &[]),
    ("auth", &["dto"]),
    ("server", &["auth", "dto"]),
    ("compat", &["auth", "dto", "server"]),
    ("middleware", &["auth", "compat", "dto", "server"]),
    ("ui", &["dto"]),
    ("routes", &["auth", "compat", "dto", "middleware", "server", "ui"]),
];

/// Crates that only these rooms name.
const CRATES: [(&str, &[&str]); 20] = [
    ("axum", &["http"]),
    ("tokio", &["http", "cli"]),
    ("candle", &["embed"]),
    ("tokenizers::", &["embed"]),
    ("hnsw_rs", &["shelf/vectors/build"]),
    ("tantivy::", &["shelf/embedded/words", "shelf"]),
    ("rusqlite", &["shelf"]),
    ("clap", &["cli"]),
    ("ureq", &["embed/hub", "generate/client"]),
    ("rmcp", &["http/compat/mcp"]),
    ("utoipa", &["http"]),
    ("prometheus_client", &["http/server/metrics"]),
    ("hayagriva", &["http/dto/export"]),
    ("rustix", &["background", "cli/setup"]),
    ("jieba_rs", &["text/terms"]),
    ("unicode_segmentation", &["text/sentences"]),
    ("whatlang", &["text/language"]),
    ("hayro_interpret", &["read/pdf"]),
    ("quick_xml", &["read/xml"]),
    ("zip::", &["read/archive"]),
];

/// Files that only tests are made of.
const TEST_ONLY: [&str; 4] = ["growth", "library/one_state", "shelf/embedded/between", "shelf/embedded/simulation"];

/// Files that may turn types into text and back: the wire, and stored forms.
const SERIALISERS: [&str; 14] = [
    "http",
    "cli",
    "eval",
    "settings",
    "read/jsonl",
    "read/front_matter",
    "embed/config",
    "embed/folder",
    "embed/heads/reader",
    "embed/heads/reranker",
    "embed/hub",
    "embed/parameters",
    "shelf/embedded/jobs",
    "shelf/embedded/rows",
];

#[test]
fn domain_types_are_not_serialised() {
    for (name, text) in sources() {
        assert!(!text.contains("serde::") || SERIALISERS.iter().any(|allowed| name.starts_with(allowed)), "{name} names serde");
    }
}

#[test]
fn rooms_look_down_and_foreign_crates_stay_in_theirs() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !TEST_ONLY.contains(&name.as_str())) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let room = name.split('/').next().unwrap_or_default();
        if let Some((_, known)) = ROOMS.iter().find(|(name, _)| *name == room) {
            for (other, _) in ROOMS.iter().chain(&[("http", [].as_slice()), ("cli", [].as_slice())]) {
                let names = code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};"));
                if *other != room && names && !known.contains(other) {
                    wrong.push(format!("{name} knows {other}"));
                }
            }
        }
        for (foreign, rooms) in CRATES {
            let names = code.contains(&format!("use {foreign}")) || code.contains(&format!(" {foreign}::"));
            if names && !rooms.iter().any(|allowed| name.starts_with(allowed)) {
                wrong.push(format!("{name} names {foreign}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn folders_of_http_look_down() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let Some(folder) = name.strip_prefix("http/").and_then(|below| below.split('/').next()) else { continue };
        let known = HTTP.iter().find(|(name, _)| *name == folder).map(|(_, known)| *known);
        let known = known.unwrap_or_else(|| panic!("`{name}` is in no folder of http"));
        // What a folder's own file calls `super` is http.
        let own_file = name == format!("http/{folder}");
        for (other, _) in HTTP.iter().filter(|(other, _)| *other != folder && !known.contains(other)) {
            let beside = own_file && code.contains(&format!("super::{other}"));
            if code.contains(&format!("crate::http::{other}")) || beside {
                wrong.push(format!("{name} knows {other}"));
            }
        }
        if code.contains("crate::http::{") || code.contains("super::super::super") {
            wrong.push(format!("{name} names a folder in a way that this test does not read"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn unsafe_code_stays_in_the_kernels() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let is_unsafe = |line: &str| ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|form| line.contains(form));
        if !name.starts_with("embed/kernels") && code.any(is_unsafe) {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
