//! Our own question sets: JSON Lines with `question`, `evidence`, `answer`, `answerable`.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use sha2::Sha256;

use super::{Dataset, Query, documents, sha256, text};

#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    question: String,
    lang: Option<String>,
    #[serde(default)]
    evidence: Vec<String>,
    answer: Option<String>,
    #[serde(default = "yes")]
    answerable: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn read(file: &Path, corpus: Option<&Path>) -> anyhow::Result<Dataset> {
    let corpus = corpus.ok_or_else(|| {
        anyhow::anyhow!("`{}` is a question set, which brings no articles\nhint: name them with --corpus", file.display())
    })?;
    let mut digest = <Sha256 as sha2::Digest>::new();
    let mut queries = Vec::new();
    for (number, line) in (1..).zip(text(file, &mut digest)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let Line { id, question, lang, evidence, answer, answerable } =
            serde_json::from_str(line).with_context(|| format!("{}:{number}", file.display()))?;
        let answers = if evidence.is_empty() { answer.into_iter().collect() } else { vec![] };
        let id = id.unwrap_or_else(|| number.to_string());
        queries.push(Query { id, text: question, lang, answers, evidence, answerable, ..Query::default() });
    }
    let documents = documents(file, Some(corpus))?;
    Ok(Dataset { name: String::new(), sha256: sha256(digest), documents, queries, has_answers: true, notes: vec![] })
}
