//! TREC folders: `topics.txt` (SGML or `id<TAB>words`), `qrels.txt` (`qid 0 docid grade`),
//! and the documents in `corpus.jsonl` or beside.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::Sha256;

use super::{Dataset, Query, documents, sha256, text};

pub(super) fn read(folder: &Path, corpus: Option<&Path>) -> anyhow::Result<Dataset> {
    let (topics, qrels) = (folder.join("topics.txt"), folder.join("qrels.txt"));
    anyhow::ensure!(
        topics.is_file() && qrels.is_file(),
        "`{}` is no set that ibid reads: it has neither queries.jsonl (BEIR) nor topics.txt and qrels.txt (TREC)",
        folder.display()
    );
    let documents = documents(folder, corpus)?;
    let mut digest = <Sha256 as sha2::Digest>::new();
    let asked = parse_topics(&text(&topics, &mut digest)?);
    let mut relevant: HashMap<String, BTreeMap<String, u32>> = HashMap::new();
    for (number, line) in (1..).zip(text(&qrels, &mut digest)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [query, _, document, grade] = fields[..] else {
            anyhow::bail!("{}:{number}: not `query 0 document grade`: `{line}`", qrels.display());
        };
        let Ok(grade) = grade.parse::<i64>() else {
            anyhow::bail!("{}:{number}: the grade `{grade}` is no number", qrels.display());
        };
        if let Some(grade) = u32::try_from(grade).ok().filter(|grade| *grade > 0) {
            relevant.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        }
    }
    let query = |(id, words): (String, String)| {
        let relevant = relevant.remove(&id).unwrap_or_default();
        Query { id, text: words, answerable: !relevant.is_empty(), relevant, ..Query::default() }
    };
    let queries = asked.into_iter().map(query).collect();
    Ok(Dataset { name: String::new(), sha256: sha256(digest), documents, queries, has_answers: false, notes: vec![] })
}

/// Ids and words: `<num>` and `<title>` of each `<top>`, or two columns.
fn parse_topics(text: &str) -> Vec<(String, String)> {
    if !text.contains("<top>") {
        let columns = text.lines().filter_map(|line| line.split_once('\t'));
        return columns.map(|(id, words)| (id.trim().to_owned(), words.trim().to_owned())).collect();
    }
    let topics = text.split("<top>").skip(1);
    topics
        .filter_map(|topic| Some((field(topic, "<num>")?.replace("Number:", "").trim().to_owned(), field(topic, "<title>")?)))
        .collect()
}

/// What stands after a tag, up to the next one.
fn field(topic: &str, tag: &str) -> Option<String> {
    let rest = &topic[topic.find(tag)? + tag.len()..];
    let words = rest.split('<').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_in_both_forms() {
        let expected = vec![("301".to_owned(), "night market".to_owned()), ("302".to_owned(), "夜市".to_owned())];
        assert_eq!(parse_topics("301\tnight market\n302\t夜市\n"), expected);
        let sgml =
            "<top>\n<num> Number: 301\n<title> night\n market\n<desc> x\n</top>\n<top><num>302</num><title>夜市</title></top>";
        assert_eq!(parse_topics(sgml), expected);
    }
}
