//! What is kept, as it is read.

use super::PassageId;
use crate::article::{Article, ArticleId, LineRange, Passage, Record};
use crate::chunk::context;

/// An article as kept.
#[derive(Debug, Clone)]
pub struct StoredArticle {
    /// Its id.
    pub id: ArticleId,
    /// Its version, from 1.
    pub version: u32,
    /// Whether a later version or a removal has superseded it.
    pub superseded: bool,
    /// SHA-256 of all that readers see of it.
    pub sha256: String,
    /// The source's path as readers are shown it.
    pub source_path: String,
    /// SHA-256 of the source's bytes at the last reading.
    pub source_sha256: String,
    /// The article itself.
    pub article: Article,
}

/// What is told of an article in a list: all but its text.
#[derive(Debug, Clone)]
pub struct ArticleOutline {
    /// Its id.
    pub id: ArticleId,
    /// Its version, from 1.
    pub version: u32,
    /// Whether a later version or a removal has superseded it.
    pub superseded: bool,
    /// What is known of it beside its text.
    pub record: Record,
    /// The source's path as readers are shown it.
    pub source_path: String,
    /// SHA-256 of the source's bytes at the last reading.
    pub source_sha256: String,
    /// SHA-256 of its text.
    pub text_sha256: String,
    /// Code points in its text.
    pub length: usize,
    /// Its headings' words.
    pub headings: Vec<String>,
    /// The lines of its source that hold it.
    pub lines: Option<LineRange>,
    /// The first and the last page that it is printed on, from 1; of sources that have pages.
    pub pages: Option<[u32; 2]>,
}

/// A passage as kept, with its words.
#[derive(Debug, Clone)]
pub struct StoredPassage {
    /// Its number.
    pub id: PassageId,
    /// Its article.
    pub article: ArticleId,
    /// The article's version.
    pub version: u32,
    /// Where it stands.
    pub passage: Passage,
    /// Its words.
    pub text: String,
    /// Its article's title.
    pub title: String,
    /// Its article's authors.
    pub authors: Vec<String>,
    /// The language of its article, as a BCP 47 tag.
    pub language: Option<String>,
}

impl StoredPassage {
    /// What helps to find the passage and is not in it.
    pub fn context(&self) -> String {
        context(&self.title, &self.authors, self.passage.section.as_deref())
    }
}

/// What an article can be chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its authors.
    pub authors: Vec<String>,
    /// Where these work.
    pub affiliation: Option<String>,
    /// When it was published, `YYYY-MM-DD`.
    pub published: Option<String>,
    /// The language of its text, as a BCP 47 tag.
    pub language: Option<String>,
    /// Its source's path.
    pub source_path: String,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Sources.
    pub sources: usize,
    /// Articles, current versions.
    pub articles: usize,
    /// Passages of current versions.
    pub passages: usize,
}
