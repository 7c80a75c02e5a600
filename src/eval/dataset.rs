//! Benchmark sets: BEIR folders, with answers where the questions carry them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

/// A set of questions over a set of documents.
#[derive(Debug)]
pub struct Dataset {
    /// The folder's name.
    pub name: String,
    /// The documents: JSON Lines.
    pub corpus: PathBuf,
    /// The questions, in the file's order.
    pub queries: Vec<Query>,
    /// Whether any question carries answers or says that it has none.
    pub has_answers: bool,
}

/// A question and what is known of its answer.
#[derive(Debug)]
pub struct Query {
    /// Its id.
    pub id: String,
    /// Its words.
    pub text: String,
    /// Gold answers.
    pub answers: Vec<String>,
    /// Whether the documents answer it; where nothing is said, whether a document is relevant.
    pub answerable: bool,
    /// Relevant documents and their grades.
    pub relevant: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    text: String,
    #[serde(default)]
    answers: Vec<String>,
    answerable: Option<bool>,
}

impl Dataset {
    /// Reads the BEIR folder `folder`: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv` or `qrels/test.tsv`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let corpus = folder.join("corpus.jsonl");
        anyhow::ensure!(
            corpus.is_file(),
            "`{}` is no BEIR folder: it has no corpus.jsonl\nhint: name a folder with corpus.jsonl, queries.jsonl and qrels.tsv",
            folder.display()
        );
        let mut relevant = qrels(folder)?;
        let file = folder.join("queries.jsonl");
        let text = read(&file)?;
        let mut queries = Vec::new();
        let mut has_answers = false;
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let line: Line = serde_json::from_str(line).with_context(|| format!("{}:{number}", file.display()))?;
            has_answers |= line.answerable.is_some() || !line.answers.is_empty();
            let relevant = relevant.remove(&line.id).unwrap_or_default();
            let answerable = line.answerable.unwrap_or(!relevant.is_empty());
            queries.push(Query { id: line.id, text: line.text, answers: line.answers, answerable, relevant });
        }
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, corpus, queries, has_answers })
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("reading `{}`", file.display()))
}

fn qrels(folder: &Path) -> anyhow::Result<HashMap<String, HashMap<String, u32>>> {
    let plain = folder.join("qrels.tsv");
    let file = if plain.is_file() { plain } else { folder.join("qrels/test.tsv") };
    let mut relevant: HashMap<String, HashMap<String, u32>> = HashMap::new();
    for (number, line) in (1..).zip(read(&file)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let graded = match fields.as_slice() {
            [query, document, grade] => grade.trim().parse().ok().map(|grade: u32| (query, document, grade)),
            _ => None,
        };
        match graded {
            Some((query, document, grade)) => {
                if grade > 0 {
                    relevant.entry((*query).to_owned()).or_default().insert((*document).to_owned(), grade);
                }
            }
            // The first line names the columns.
            None if number == 1 => {}
            None => anyhow::bail!("{}:{number}: not `query-id<TAB>corpus-id<TAB>score`: `{line}`", file.display()),
        }
    }
    Ok(relevant)
}

/// Text without what differs between two writings of the same answer: case, spaces, punctuation.
pub fn flat(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
