//! Where articles, passages and vectors are kept and searched.
//!
//! There is one shelf, [`Shelf`], kept in a folder: SQLite holds the truth, and the
//! vectors with their graphs ([`vectors`]) and the index of words are caches of it ([`embedded`]). A trait
//! will stand here when a second shelf does.

pub mod embedded;
mod error;
mod filter;
mod identity;
mod incoming;
mod jobs;
mod sentences;
mod stored;
pub mod vectors;

pub(crate) use embedded::staged;
pub use embedded::{JobLimits, Retention, Shelf, Snapshot};
pub use error::Error;
pub use filter::Filter;
pub use identity::Identity;
pub use incoming::{Change, Content, Incoming, KnownArticle, KnownSource, NewPassage};
pub use jobs::{Job, JobState, Tally};
pub use sentences::SentenceVectors;
pub use stored::{ArticleOutline, Counts, Described, StoredArticle, StoredPassage};

/// A passage's number: dense, stable, never used again.
pub type PassageId = u32;

/// A passage that a search found, and how it scored there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Which passage.
    pub passage: PassageId,
    /// Cosine similarity, or the word index's own score.
    pub score: f32,
}
