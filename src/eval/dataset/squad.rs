//! `SQuAD`'s JSON, in which CMRC 2018, DRCD and `XQuAD` are written too: paragraphs with
//! their questions. Each paragraph is a document.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::{Dataset, Documents, Query, sha256, text};

#[derive(Deserialize)]
struct File {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<SquadQuestion>,
}

#[derive(Deserialize)]
struct SquadQuestion {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<Gold>,
    /// `SQuAD` 2.0: the paragraph does not answer.
    #[serde(default)]
    is_impossible: bool,
}

#[derive(Deserialize)]
struct Gold {
    text: String,
    /// In code points; minus one where nobody knows.
    #[serde(default)]
    answer_start: i64,
}

pub(super) fn read(file: &Path) -> anyhow::Result<Dataset> {
    let mut digest = <Sha256 as sha2::Digest>::new();
    let parsed: File =
        serde_json::from_str(&text(file, &mut digest)?).with_context(|| format!("`{}` is no SQuAD file", file.display()))?;
    let (mut lines, mut queries, mut misplaced) = (Vec::new(), Vec::new(), 0_usize);
    for (place, article) in parsed.data.into_iter().enumerate() {
        for (number, Paragraph { context, qas }) in article.paragraphs.into_iter().enumerate() {
            let document = format!("{place}-{number}");
            for asked in qas {
                misplaced += asked.answers.iter().filter(|gold| !stands(&context, gold)).count();
                queries.push(query(asked, &document));
            }
            lines.push(json!({ "_id": document, "title": article.title, "text": context }).to_string());
        }
    }
    let notes = match misplaced {
        0 => vec![],
        misplaced => vec![format!("{misplaced} answers do not stand where `answer_start` says; their words are used")],
    };
    Ok(Dataset {
        name: String::new(),
        sha256: sha256(digest),
        documents: Documents::Lines(lines),
        queries,
        has_answers: true,
        notes,
    })
}

fn stands(context: &str, gold: &Gold) -> bool {
    let Ok(start) = usize::try_from(gold.answer_start) else { return true };
    let rest = context.char_indices().nth(start).map(|(at, _)| &context[at..]);
    rest.is_some_and(|rest| rest.starts_with(&gold.text))
}

fn query(asked: SquadQuestion, document: &str) -> Query {
    let answerable = !asked.is_impossible;
    let mut answers: Vec<String> = asked.answers.into_iter().map(|gold| gold.text).collect();
    answers.dedup();
    let relevant = answerable.then(|| (document.to_owned(), 1)).into_iter().collect();
    Query { id: asked.id, text: asked.question, lang: None, answers, evidence: vec![], answerable, relevant }
}
