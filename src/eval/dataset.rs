//! Benchmark sets: documents, questions, and what is known of the answers.
//!
//! A folder in BEIR's layout or with TREC's topics and qrels, a JSON file as `SQuAD`,
//! CMRC, DRCD and `XQuAD` have it, or a question set of our own beside its articles.

mod beir;
mod questions;
mod squad;
mod trec;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::text::hex;

/// A set of questions over a set of documents.
#[derive(Debug)]
pub struct Dataset {
    /// The file's or folder's name.
    pub name: String,
    /// SHA-256 of questions, judgements and documents, hexadecimal.
    pub sha256: String,
    /// The documents.
    pub documents: Documents,
    /// The questions, in the file's order.
    pub queries: Vec<Query>,
    /// Whether any question carries answers or says that it has none.
    pub has_answers: bool,
    /// What was odd about it and did not stop it.
    pub notes: Vec<String>,
}

/// Where a set's documents are.
#[derive(Debug)]
pub enum Documents {
    /// In files: JSON Lines with `_id`, or articles of any kind.
    Files(Vec<PathBuf>),
    /// In the set itself; each is one line of JSON.
    Lines(Vec<String>),
}

/// A question and what is known of its answer.
#[derive(Debug, Default)]
pub struct Query {
    /// Its id.
    pub id: String,
    /// Its words.
    pub text: String,
    /// Its language, where the set says it.
    pub lang: Option<String>,
    /// Gold answers: a quote that answers holds one of them.
    pub answers: Vec<String>,
    /// Gold sentences: a quote that answers holds one, or two thirds of it in one run.
    pub evidence: Vec<String>,
    /// Whether the documents answer it; where nothing is said, whether a document is relevant.
    pub answerable: bool,
    /// Relevant documents and their grades.
    pub relevant: BTreeMap<String, u32>,
}

impl Dataset {
    /// Reads the set at `path`; `corpus` holds the articles of a set that brings none.
    pub fn read(path: &Path, corpus: Option<&Path>) -> anyhow::Result<Self> {
        let extension = path.extension().unwrap_or_default();
        let mut set = if path.is_dir() && path.join("queries.jsonl").is_file() {
            beir::read(path, corpus)?
        } else if path.is_dir() {
            trec::read(path, corpus)?
        } else if extension == "json" {
            squad::read(path)?
        } else if extension == "jsonl" {
            questions::read(path, corpus)?
        } else {
            anyhow::bail!(
                "`{}` is no set that ibid reads\nhint: name a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv), a TREC folder \
                 (topics.txt, qrels.txt, corpus.jsonl), a SQuAD .json file or a question set .jsonl with --corpus",
                path.display()
            );
        };
        anyhow::ensure!(!set.queries.is_empty(), "`{}` holds no question", path.display());
        let mut ids: Vec<&str> = set.queries.iter().map(|query| query.id.as_str()).collect();
        ids.sort_unstable();
        if let Some([twice, _]) = ids.array_windows().find(|[one, next]| one == next) {
            anyhow::bail!("`{}` has two questions with the id `{}`", path.display(), twice);
        }
        set.sha256 = with_documents(&set)?;
        set.name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(set)
    }
}

/// The text of a file of the set, which `digest` takes in too.
fn text(file: &Path, digest: &mut Sha256) -> anyhow::Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("reading `{}`", file.display()))?;
    digest.update(&bytes);
    String::from_utf8(bytes).with_context(|| format!("`{}` is not UTF-8", file.display()))
}

fn sha256(digest: Sha256) -> String {
    hex(&digest.finalize())
}

/// The set's digest with that of its documents.
fn with_documents(set: &Dataset) -> anyhow::Result<String> {
    let mut digest = Sha256::new();
    digest.update(&set.sha256);
    let Documents::Files(files) = &set.documents else { return Ok(sha256(digest)) };
    for file in files {
        for entry in WalkDir::new(file).sort_by_file_name() {
            let entry = entry.with_context(|| format!("reading `{}`", file.display()))?;
            if entry.file_type().is_file() {
                let mut opened =
                    std::fs::File::open(entry.path()).with_context(|| format!("reading `{}`", entry.path().display()))?;
                let mut block = vec![0; 1 << 16];
                while let read @ 1.. = opened.read(&mut block).with_context(|| format!("reading `{}`", entry.path().display()))? {
                    digest.update(&block[..read]);
                }
            }
        }
    }
    Ok(sha256(digest))
}

/// The articles beside a set: the ones named, or `corpus.jsonl` in its folder.
fn documents(folder: &Path, corpus: Option<&Path>) -> anyhow::Result<Documents> {
    let file = corpus.map_or_else(|| folder.join("corpus.jsonl"), Path::to_path_buf);
    anyhow::ensure!(
        file.exists(),
        "`{}` brings no articles: there is no `{}`\nhint: name them with --corpus",
        folder.display(),
        file.display()
    );
    Ok(Documents::Files(vec![file]))
}
