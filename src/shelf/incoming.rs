//! What is known of a source, and what is to be kept of it.

use super::SentenceVectors;
use crate::article::{Article, ArticleId, Passage};
use crate::embed::UnitVector;
use crate::newspaper::LeftOut;

/// A source as the shelf knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// The shelf's number for it.
    pub id: i64,
    /// Where it was read from.
    pub location: String,
    /// What readers are shown.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What could not be used of it, and why.
    pub broken: Vec<String>,
    /// Its articles, current versions, in order.
    pub articles: Vec<KnownArticle>,
}

/// As much of a kept article as it takes to recognise it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownArticle {
    /// Its id.
    pub id: ArticleId,
    /// Its version.
    pub version: u32,
    /// The source's own name for it.
    pub key: Option<String>,
    /// Its title.
    pub title: String,
    /// Its authors.
    pub authors: Vec<String>,
    /// SHA-256 of all that readers see of it.
    pub sha256: String,
}

/// One source's articles as they shall be: written whole or not at all.
#[derive(Debug)]
pub struct Change {
    /// Path, location and checksum of the source.
    pub path: String,
    /// Where it is.
    pub location: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Lines of it that are in no article.
    pub left_out: Vec<LeftOut>,
    /// What could not be used of it, and why: it is said again when the source is met unchanged.
    pub broken: Vec<String>,
    /// Its articles, in order. Those that the shelf has and this list has not are removed.
    pub articles: Vec<Incoming>,
}

/// An article on its way to the shelf.
#[derive(Debug)]
pub struct Incoming {
    /// Its id.
    pub id: ArticleId,
    /// SHA-256 of all that readers see of it.
    pub sha256: String,
    /// What is new; `None` when the kept version is the same.
    pub content: Option<Content>,
}

/// An article with its passages, embedded.
#[derive(Debug)]
pub struct Content {
    /// The article.
    pub article: Article,
    /// Its passages.
    pub passages: Vec<NewPassage>,
}

/// A passage on its way to the shelf.
#[derive(Debug)]
pub struct NewPassage {
    /// Where it stands.
    pub passage: Passage,
    /// Its vector; `None` when it holds no known token.
    pub vector: Option<UnitVector>,
    /// Vectors of its sentences, as [`crate::text::sentences_of`] finds them.
    pub sentences: SentenceVectors,
}
