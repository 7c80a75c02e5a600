//! JSON Lines: one article a line.

use serde::Deserialize;

use super::columns::{Fields, names};
use super::{Decoded, Error};
use crate::article::Article;

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "_id")]
    id: Option<Text>,
    #[serde(default)]
    title: Option<String>,
    text: String,
    #[serde(default, alias = "author")]
    authors: Option<Authors>,
    #[serde(default, alias = "date")]
    published: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(i64),
}

/// Authors as a list, or as one text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Authors {
    /// A list.
    List(Vec<String>),
    /// One name, or several with separators.
    One(String),
}

impl Authors {
    /// The names, trimmed, none empty.
    pub(super) fn names(self) -> Vec<String> {
        let names = match self {
            Self::List(names) => names,
            Self::One(text) => names(&text),
        };
        names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

/// The articles, and an error for each line that is none.
pub(super) fn articles(decoded: &Decoded) -> (Vec<Article>, Vec<Error>) {
    let (mut articles, mut errors) = (Vec::new(), Vec::new());
    for (line, text) in (1_u32..).zip(decoded.text.split('\n')) {
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Line>(text) {
            Ok(parsed) if parsed.text.trim().is_empty() => {
                errors.push(Error::Line { line, reason: "`text` is empty".to_owned() });
            }
            Ok(parsed) => articles.push(article(parsed, line, decoded.encoding)),
            Err(error) => errors.push(Error::Line { line, reason: error.to_string() }),
        }
    }
    (articles, errors)
}

fn article(parsed: Line, line: u32, encoding: &str) -> Article {
    let Line { id, title, text, authors, published, url } = parsed;
    let key = id.map(|id| match id {
        Text::Text(text) => text,
        Text::Number(number) => number.to_string(),
    });
    let authors = authors.map(Authors::names).unwrap_or_default();
    Fields { key, title, text, authors, published, url }.article(line, encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_named_and_the_rest_is_read() {
        let text = "{\"id\":7,\"title\":\"甲\",\"text\":\"一。\",\"authors\":\"李明、王芳\",\"published\":\"2024-02-30\"}\n\
                    {\"text\":\n\n{\"text\":\" \"}\n{\"_id\":\"x\",\"text\":\"two\\nlines\"}\n";
        let decoded = Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] };
        let (articles, errors) = articles(&decoded);
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(shown[0].starts_with("line 2: ") && shown[1] == "line 4: `text` is empty", "{shown:?}");
        assert_eq!(articles[0].record.key.as_deref(), Some("7"));
        assert_eq!(articles[0].record.authors, ["李明", "王芳"]);
        assert_eq!(articles[0].record.notes, ["`published` is no date: `2024-02-30`"]);
        assert_eq!(articles[1].text, "two\nlines");
    }
}
