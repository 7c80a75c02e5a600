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
const ROOMS: [(&str, &[&str]); 13] = [
    ("background", &[]),
    ("deadline", &[]),
    ("article", &[]),
    ("chunk", &["article"]),
    ("read", &["article", "chunk"]),
    ("page", &["article", "chunk", "read"]),
    ("embed", &["background", "read"]),
    ("shelf", &["article", "background", "chunk", "deadline", "embed", "page", "read", "settings"]),
    ("retrieve", &["article", "chunk", "deadline", "embed", "read", "shelf"]),
    ("generate", &["deadline", "settings"]),
    ("answer", &["article", "chunk", "embed", "generate", "read", "retrieve", "settings", "shelf"]),
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
            "page",
            "read",
            "retrieve",
            "settings",
            "shelf",
        ],
    ),
    ("settings", &[]),
];

/// Crates that only these rooms name.
const CRATES: [(&str, &[&str]); 18] = [
    ("axum", &["http"]),
    ("tokio", &["http", "cli"]),
    ("candle", &["embed"]),
    ("tokenizers::", &["embed"]),
    ("hnsw_rs", &["shelf/vectors/build"]),
    ("tantivy::", &["shelf/embedded/words", "shelf"]),
    ("rusqlite", &["shelf"]),
    ("clap", &["cli"]),
    ("ureq", &["embed/hub", "generate/client"]),
    ("rmcp", &["http/mcp"]),
    ("utoipa", &["http"]),
    ("prometheus_client", &["http/metrics"]),
    ("hayagriva", &["http/export"]),
    ("rustix", &["background", "cli/setup"]),
    ("whatlang", &["read/language"]),
    ("hayro_interpret", &["read/pdf"]),
    ("quick_xml", &["read/xml"]),
    ("zip::", &["read/archive"]),
];

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
    for (name, text) in sources() {
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
