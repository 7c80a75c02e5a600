//! JSON: a list of articles by named fields, or an object that holds one; a JSON Feed too.

use serde_json::{Deserializer, Map, Value};

use super::columns::{self, Field, Fields, names};
use super::html_blocks;
use super::line_starts::LineStarts;
use super::{Decoded, Error};
use crate::article::Article;

/// The field of an object that holds its articles.
const LISTS: [&str; 7] = ["articles", "items", "entries", "posts", "documents", "data", "results"];

/// The articles, and an error for each entry that is none.
///
/// # Errors
/// When no entry has a text: then it is JSON of another kind.
pub(super) fn articles(decoded: &Decoded) -> Result<(Vec<Article>, Vec<Error>), Error> {
    let text = &decoded.text;
    let starts = LineStarts::of(text);
    let (mut articles, mut errors) = (Vec::new(), Vec::new());
    for (at, value) in values(text).map_err(|(at, reason)| Error::Line { line: starts.line(at), reason })? {
        let line = starts.line(at);
        let Value::Object(object) = value else {
            errors.push(Error::Line { line, reason: "is no object".to_owned() });
            continue;
        };
        match fields(&object) {
            Some(fields) if !fields.text.trim().is_empty() => articles.push(fields.article(line, decoded.encoding)),
            _ => errors.push(Error::Line { line, reason: "has no text".to_owned() }),
        }
    }
    if articles.is_empty() { Err(Error::NoArticles) } else { Ok((articles, errors)) }
}

/// A value, and the byte at which it begins.
type Placed = (usize, Value);
/// What is no JSON, from which byte on.
type Broken = (usize, String);

/// The entries of the outermost list, or of the list in the outermost object, or that object.
fn values(text: &str) -> Result<Vec<Placed>, Broken> {
    let start = skipped(text, 0);
    if text[start..].starts_with('[') {
        return list(text, start);
    }
    // Field by field, so that entries are known by their places.
    let whole = one(text, start)?.0;
    let Value::Object(object) = &whole else { return Ok(vec![(start, whole)]) };
    let Some(name) = LISTS.into_iter().find(|name| object.get(*name).is_some_and(Value::is_array)) else {
        return Ok(vec![(start, whole)]);
    };
    let mut at = start + 1;
    loop {
        at = skipped(text, at);
        let (key, end) = one(text, at)?;
        at = skipped(text, end);
        if key == name {
            return list(text, at);
        }
        at = skipped(text, one(text, at)?.1);
    }
}

/// The entries of the list that begins at byte `start`.
fn list(text: &str, start: usize) -> Result<Vec<Placed>, Broken> {
    let mut found = Vec::new();
    let mut at = skipped(text, start + 1);
    while !text[at..].starts_with(']') {
        let (value, end) = one(text, at)?;
        found.push((at, value));
        at = skipped(text, end);
    }
    Ok(found)
}

/// The value that begins at byte `at`, and the byte after it.
fn one(text: &str, at: usize) -> Result<(Value, usize), Broken> {
    let mut stream = Deserializer::from_str(&text[at..]).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => Ok((value, at + stream.byte_offset())),
        Some(Err(error)) => Err((at, error.to_string())),
        None => Err((at, "ends too early".to_owned())),
    }
}

/// The next byte from `at` on that is no space, comma or colon.
fn skipped(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']).len())
}

fn fields(object: &Map<String, Value>) -> Option<Fields> {
    let value = |field| columns::find(field, &object.keys().map(String::as_str)).and_then(|name| object.get(name));
    let text = |field| value(field).and_then(plain);
    let html = || object.get("content_html").and_then(Value::as_str).map(of_html);
    Some(Fields {
        key: text(Field::Key),
        title: text(Field::Title),
        text: text(Field::Text).or_else(html)?,
        authors: value(Field::Authors).map(authors).unwrap_or_default(),
        published: text(Field::Published),
        url: text(Field::Url),
    })
}

/// A list of names, or one text; each may be an object with its `name`.
fn authors(value: &Value) -> Vec<String> {
    let named = |author: &Value| author.get("name").and_then(plain).or_else(|| plain(author));
    match value.as_array() {
        // Names in a list may hold commas.
        Some(all) => all.iter().filter_map(named).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
        None => named(value).map(|text| names(&text)).unwrap_or_default(),
    }
}

fn of_html(html: &str) -> String {
    html_blocks::blocks(html).blocks.iter().map(html_blocks::Block::text).collect::<Vec<_>>().join("\n")
}

/// A text or a number, as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<Article>, Vec<Error>), Error> {
        articles(&Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] })
    }

    #[test]
    fn entries_of_a_list_are_articles_by_their_fields_and_know_their_lines() {
        let text = "{\"version\": [1, {\"a\": 2}],\n\"items\": [\n {\"id\": 7, \"Title\": \"甲\", \"body\": \"一。\", \"author\": {\"name\": \"李明\"}},\n {\"x\": 1},\n {\"content_html\": \"<p>a<p>b\"}]}";
        let (articles, errors) = read(text).unwrap();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["line 4: has no text"]);
        let record = &articles[0].record;
        assert_eq!((record.key.as_deref(), record.title.as_str(), record.authors.join("/").as_str()), (Some("7"), "甲", "李明"));
        assert_eq!((articles[0].lines.runs()[0].1, articles[1].lines.runs()[0].1, articles[1].text.as_str()), (3, 5, "a\nb"));
    }

    #[test]
    fn what_holds_no_articles_says_so_and_what_is_broken_where() {
        for text in ["{\"name\": \"package\"}", "[]", "[1, 2]", "3", "{\"items\": []}"] {
            assert!(matches!(read(text), Err(Error::NoArticles)), "{text}");
        }
        for text in ["[{\"text\": \"a\"}\n,{oops", "{\"items\":[", "[", "\"", "{\"a\" 1}", "[{\"text\":\"a\"} \n"] {
            assert!(matches!(read(text), Err(Error::Line { .. })), "{text}: {:?}", read(text));
        }
    }
}
