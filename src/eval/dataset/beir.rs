//! BEIR folders: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv` or `qrels/test.tsv`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use sha2::Sha256;

use super::{Dataset, Query, documents, sha256, text};

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    text: String,
    lang: Option<String>,
    #[serde(default)]
    answers: Vec<String>,
    answerable: Option<bool>,
}

pub(super) fn read(folder: &Path, corpus: Option<&Path>) -> anyhow::Result<Dataset> {
    let documents = documents(folder, corpus)?;
    let mut digest = <Sha256 as sha2::Digest>::new();
    let mut relevant = qrels(folder, &mut digest)?;
    let file = folder.join("queries.jsonl");
    let mut queries = Vec::new();
    let mut has_answers = false;
    for (number, line) in (1..).zip(text(&file, &mut digest)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let Line { id, text, lang, answers, answerable } =
            serde_json::from_str(line).with_context(|| format!("{}:{number}", file.display()))?;
        has_answers |= answerable.is_some() || !answers.is_empty();
        let relevant = relevant.remove(&id).unwrap_or_default();
        let answerable = answerable.unwrap_or(!relevant.is_empty());
        queries.push(Query { id, text, lang, answers, evidence: vec![], answerable, relevant });
    }
    let notes = match relevant.len() {
        0 => vec![],
        strangers => vec![format!("{strangers} questions of the qrels are not among the queries")],
    };
    Ok(Dataset { name: String::new(), sha256: sha256(digest), documents, queries, has_answers, notes })
}

fn qrels(folder: &Path, digest: &mut Sha256) -> anyhow::Result<HashMap<String, BTreeMap<String, u32>>> {
    let plain = folder.join("qrels.tsv");
    let file = if plain.is_file() { plain } else { folder.join("qrels/test.tsv") };
    let mut relevant: HashMap<String, BTreeMap<String, u32>> = HashMap::new();
    for (number, line) in (1..).zip(text(&file, digest)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let graded = match fields.as_slice() {
            [query, document, grade] => grade.trim().parse().ok().map(|grade: i64| (query, document, grade)),
            _ => None,
        };
        match graded {
            Some((query, document, grade)) => {
                if let Some(grade) = u32::try_from(grade).ok().filter(|grade| *grade > 0) {
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
