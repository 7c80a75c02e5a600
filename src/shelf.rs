//! Where articles, passages and vectors are kept and searched.
//!
//! There is one shelf, [`Shelf`], kept in a folder: SQLite holds the truth, and the
//! vectors with their graphs ([`vectors`]) and the index of words are caches of it ([`embedded`]). A trait
//! will stand here when a second shelf does.

pub mod embedded;
mod sentences;
pub mod vectors;

pub(crate) use embedded::staged;
pub use embedded::{JobLimits, Retention, Shelf, Snapshot};
pub use sentences::SentenceVectors;

use crate::article::{Article, ArticleId, LineRange, Passage, Record};
use crate::chunk::context;
use crate::embed::{ModelInfo, UnitVector};
use crate::newspaper::LeftOut;

pub use crate::text::terms;

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

/// What vectors and passages depend on; a shelf opens only with what filled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The embedding model.
    pub model: ModelInfo,
    /// [`crate::chunk::Rules::fingerprint`].
    pub chunk_rules: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let model = &self.model;
        let prefixes = format!("{:?}/{:?}", model.question_prefix, model.passage_prefix);
        write!(
            f,
            "model `{}` (weights {}, {} dimensions, {} pooling, prefixes {prefixes}) and chunk rules {}",
            model.id,
            model.sha256.get(..16).unwrap_or(&model.sha256),
            model.dimension,
            model.pooling,
            self.chunk_rules
        )
    }
}

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

/// Which articles may answer. Empty parts allow all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these is among the authors.
    pub authors: Vec<String>,
    /// Published on this day or later, `YYYY-MM-DD`; undated articles fall out.
    pub published_from: Option<String>,
    /// Published on this day or earlier.
    pub published_to: Option<String>,
    /// One of these is the article.
    pub articles: Vec<String>,
    /// One of these is the source's path.
    pub sources: Vec<String>,
    /// One of these is the language, or what its tag begins with: `zh` allows `zh-Hant`.
    pub languages: Vec<String>,
}

impl Filter {
    /// Whether it allows all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Sources that were taken in to be read later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id; later jobs have greater ones.
    pub id: String,
    /// When it was begun, in seconds since 1970.
    pub created: i64,
    /// How it stands.
    pub state: JobState,
    /// Sources in all.
    pub sources: usize,
    /// Sources that were read.
    pub done: usize,
    /// What came of them.
    pub tally: Tally,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Nothing of it was read.
    Waiting,
    /// It is being read.
    Running,
    /// All was read.
    Done,
    /// Somebody ended it; what was read is kept.
    Cancelled,
    /// It cannot go on, and why.
    Failed(String),
}

impl JobState {
    /// Whether it stays as it is.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed(_))
    }
}

/// What came of a job's sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Articles that are new.
    pub added: usize,
    /// Articles that are a new version.
    pub replaced: usize,
    /// Articles that were known.
    pub unchanged: usize,
    /// Passages embedded.
    pub passages: usize,
    /// Sources, or parts of them, that could not be used.
    pub unusable_in_all: usize,
    /// The first [`Self::UNUSABLE`] of them: path and reason.
    pub unusable: Vec<(String, String)>,
}

impl Tally {
    /// Reasons that are kept.
    pub const UNUSABLE: usize = 100;
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

/// Why a shelf cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("data folder `{folder}` is in use by {holder}\nhint: stop that process, or name another folder with --data")]
    Held {
        /// The folder.
        folder: String,
        /// `process 4711`, as the lock file says.
        holder: String,
    },
    /// It was filled by another model or by other chunk rules.
    #[error(
        "data folder `{folder}` was filled with {filled}, and this is {now}\nhint: start with that model, or run `ibid reembed --data {folder}` with the new one"
    )]
    OtherModel {
        /// The folder.
        folder: String,
        /// What filled it.
        filled: String,
        /// What is running.
        now: String,
    },
    /// The folder cannot be used.
    #[error("cannot use data folder `{folder}`: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// Something would have to be written over.
    #[error("`{path}` {reason}, and nothing is written over")]
    Occupied {
        /// The file or folder.
        path: String,
        /// Why it is no place for this.
        reason: String,
    },
    /// The database is damaged.
    #[error("`{file}` cannot be used: {reason}\nhint: restore it from a backup, or move the folder away and ingest again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The database was written by another version of ibid, which knows more.
    #[error(
        "`{file}` has format `{format}`, and this version of ibid reads up to `{known}`\nhint: use the version that wrote it, or a later one"
    )]
    OtherFormat {
        /// The file.
        file: String,
        /// Its format.
        format: String,
        /// The newest that is known.
        known: &'static str,
    },
    /// It took longer than it may, or nobody waits for it any more.
    #[error("it took longer than it may, and was given up")]
    Late,
    /// As many jobs, or bytes of them, wait as may.
    #[error("{waiting} {what} wait to be read, and {limit} may\nhint: send it again when some of them have ended")]
    TooManyJobs {
        /// `jobs`, or `bytes of jobs`.
        what: &'static str,
        /// How many would wait.
        waiting: u64,
        /// How many may.
        limit: u64,
    },
    /// What was purged is removed, and its bytes are still in a file.
    #[error(
        "the article is removed, and somebody still reads the state before: its bytes are in `ibid.sqlite-wal`\nhint: send it again; when it is unknown then, its bytes are gone"
    )]
    StillRead,
    /// It has been filled anew, and another shelf answers from the folder.
    #[error("the library has just been made anew\nhint: send it again")]
    Replaced,
    /// A service did not take over what was made for its library.
    #[error("{holder} uses data folder `{folder}` and cannot take over what was made: {reason}")]
    NotTakenOver {
        /// The folder.
        folder: String,
        /// Who has it.
        holder: String,
        /// Its words.
        reason: String,
    },
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The index of words refused.
    #[error("index of words: {0}")]
    Words(#[from] tantivy::TantivyError),
    /// Files of a cache could not be written.
    #[error("writing to the data folder: {0}")]
    Write(#[from] std::io::Error),
}

impl Error {
    /// Whether the disk is full: what was kept is whole, and writing works again when there is room.
    pub fn is_no_room(&self) -> bool {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        match self {
            Self::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Write(error) => full(error),
            Self::Words(tantivy::TantivyError::IoError(error)) => full(error),
            Self::Held { .. }
            | Self::Occupied { .. }
            | Self::OtherModel { .. }
            | Self::Folder { .. }
            | Self::Damaged { .. }
            | Self::OtherFormat { .. }
            | Self::Replaced
            | Self::StillRead
            | Self::TooManyJobs { .. }
            | Self::Late
            | Self::NotTakenOver { .. }
            | Self::Words(_) => false,
        }
    }
}
