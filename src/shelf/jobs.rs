//! Jobs, as they are kept.

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
