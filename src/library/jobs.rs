//! Jobs: many sources, acknowledged at once and read one after the other.
//!
//! A job is kept with its sources before it is acknowledged, so that a killed process takes it up
//! where it was. Each source is its own transaction, and reading one twice changes nothing.

use std::time::{Duration, Instant};

use super::{IngestReport, Library, Outcome};
use crate::article::Source;
use crate::shelf::{Error, Job, JobLimits, JobState, Tally};

/// How long what was read may wait before questions find it.
const UNSEEN: Duration = Duration::from_secs(2);

impl Library {
    /// Keeps `sources` to be read by [`Self::work_off`].
    ///
    /// # Errors
    /// [`Error::TooManyJobs`] where as many wait as the settings allow.
    pub fn begin_job(&self, sources: &[Source]) -> Result<Job, Error> {
        let now = jiff::Timestamp::now().as_second();
        let id = format!("job_{}", ulid::Ulid::generate());
        let server = &self.settings.server;
        self.shelf.add_job(&id, now, sources, JobLimits { jobs: server.max_jobs, bytes: server.max_job_bytes })?;
        Ok(Job { id, created: now, state: JobState::Waiting, sources: sources.len(), done: 0, tally: Tally::default() })
    }

    /// Reads the sources of `job` until none is left or somebody cancels it.
    ///
    /// # Errors
    /// When a source cannot be kept. The job stays, and can be worked off later.
    pub fn work_off(&self, mut job: Job) -> Result<Job, Error> {
        job.state = JobState::Running;
        self.shelf.note_job(&job, None)?;
        let mut seen = Instant::now();
        while let Some((ordinal, source)) = self.shelf.job_source(&job.id)? {
            let mut report = IngestReport::default();
            self.take_sent(&source, &mut report)?;
            if seen.elapsed() > UNSEEN {
                self.shelf.refresh()?;
                seen = Instant::now();
            }
            count(&mut job, &report);
            self.shelf.note_job(&job, Some(ordinal))?;
        }
        self.shelf.refresh()?;
        job.state = JobState::Done;
        self.shelf.note_job(&job, None)?;
        Ok(self.shelf.job(&job.id)?.unwrap_or(job))
    }
}

fn count(job: &mut Job, report: &IngestReport) {
    job.done += 1;
    let tally = &mut job.tally;
    let of = |wanted| report.kept.iter().filter(|(_, outcome)| *outcome == wanted).count();
    tally.added += of(Outcome::Added);
    tally.replaced += of(Outcome::Replaced);
    tally.unchanged += of(Outcome::Unchanged);
    tally.passages += report.passages;
    tally.unusable_in_all += report.unusable.len();
    let room = Tally::UNUSABLE.saturating_sub(tally.unusable.len());
    let told = report.unusable.iter().take(room).map(|one| (one.path.clone(), one.reason.to_string()));
    tally.unusable.extend(told);
}
