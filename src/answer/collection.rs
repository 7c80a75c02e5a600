//! Questions about the collection: what is asked for, what of the records the question names, and the answer's words.
//!
//! Which kind a question is of is told by a classifier on its vector ([`crate::embed::CollectionClassifier`]); what it
//! names is looked up in the records themselves (`named`), and what is left is its topic (`topic`).

mod named;
mod period;
mod phrases;
mod topic;

pub use named::{Named, with_known_titles};
pub use period::Period;
pub use phrases::{count, described};
pub use topic::topic;

/// What is asked for of the collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionKind {
    /// Articles about a topic.
    Topic,
    /// Articles by an author.
    ByAuthor,
    /// Articles from an institution.
    FromInstitution,
    /// Articles of a time.
    InTime,
    /// Articles from a source.
    InSource,
    /// The author of an article.
    WhoWrote,
    /// How many articles there are of any of these.
    HowMany,
    /// The latest article.
    Newest,
    /// The earliest.
    Oldest,
    /// The headings of an article.
    Contents,
    /// What an article says in short.
    Summary,
    /// What two authors say about one thing.
    Compare,
    /// What there is.
    Holdings,
}

impl CollectionKind {
    /// By the name that the classifier has for it; `None` for what is not about the collection.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "topic" => Self::Topic,
            "by_author" => Self::ByAuthor,
            "from_institution" => Self::FromInstitution,
            "in_time" => Self::InTime,
            "in_source" => Self::InSource,
            "who_wrote" => Self::WhoWrote,
            "how_many" => Self::HowMany,
            "newest" => Self::Newest,
            "oldest" => Self::Oldest,
            "contents" => Self::Contents,
            "summary" => Self::Summary,
            "compare" => Self::Compare,
            "holdings" => Self::Holdings,
            _ => return None,
        })
    }
}
