//! Jobs, and what could not be used of them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::shelf::{Job, JobState};

/// What could not be used, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Unused {
    pub(in crate::http) path: String,
    pub(in crate::http) reason: String,
}

/// A job, as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub(in crate::http) struct JobBody {
    id: String,
    /// Seconds since 1970.
    created: i64,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    state: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// Sources in all.
    sources: usize,
    /// Sources that were read; what they hold is kept, and found by the next question two seconds later.
    done: usize,
    /// Articles that are new.
    added: usize,
    /// Articles that are a new version.
    replaced: usize,
    /// Articles that were known.
    unchanged: usize,
    /// Passages embedded.
    passages: usize,
    /// Sources, or parts of them, that could not be used.
    unusable_in_all: usize,
    /// The first hundred of them.
    unusable: Vec<Unused>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        let (state, failure) = match job.state {
            JobState::Waiting => ("waiting", None),
            JobState::Running => ("running", None),
            JobState::Done => ("done", None),
            JobState::Cancelled => ("cancelled", None),
            JobState::Failed(reason) => ("failed", Some(reason)),
        };
        let tally = job.tally;
        let unusable = tally.unusable.into_iter().map(|(path, reason)| Unused { path, reason }).collect();
        Self {
            id: job.id,
            created: job.created,
            state,
            failure,
            sources: job.sources,
            done: job.done,
            added: tally.added,
            replaced: tally.replaced,
            unchanged: tally.unchanged,
            passages: tally.passages,
            unusable_in_all: tally.unusable_in_all,
            unusable,
        }
    }
}

/// Jobs, the last begun first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobList)]
pub(in crate::http) struct JobListBody {
    pub(in crate::http) jobs: Vec<JobBody>,
}
