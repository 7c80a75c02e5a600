//! The block between `---` lines at the head of a Markdown file.

use serde::Deserialize;

use super::jsonl::Authors;
use super::{Error, date};
use crate::article::Record;

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    title: Option<String>,
    #[serde(default, alias = "author")]
    authors: Option<Authors>,
    #[serde(default)]
    affiliation: Option<String>,
    #[serde(default, alias = "published")]
    date: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

/// Splits `text` into its front matter, if it has any, and the byte at which the rest begins.
pub(super) fn split(text: &str) -> (Option<&str>, usize) {
    let Some(inner) = text.strip_prefix("---\n") else { return (None, 0) };
    let mut at = 0;
    for line in inner.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return (Some(&inner[..at]), "---\n".len() + at + line.len());
        }
        at += line.len();
    }
    (None, 0)
}

/// Lays the fields of `block` over `record`.
pub(super) fn apply(block: &str, record: &mut Record) -> Result<(), Error> {
    if block.trim().is_empty() {
        return Ok(());
    }
    let fields: Fields = serde_saphyr::from_str(block)
        .map_err(|error| Error::FrontMatter(error.to_string().lines().next().unwrap_or_default().to_owned()))?;
    record.title = fields.title.map(|title| title.trim().to_owned()).unwrap_or_default();
    record.authors = fields.authors.map(Authors::names).unwrap_or_default();
    record.affiliation = fields.affiliation.filter(|text| !text.trim().is_empty());
    record.url = fields.url;
    if let Some(text) = fields.date {
        record.published = date(&text);
        if record.published.is_none() {
            record.notes.push(format!("`date` is no date: `{text}`"));
        }
    }
    Ok(())
}
