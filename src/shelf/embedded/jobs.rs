//! Jobs: sources that were taken in to be read later, kept until they are.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::Shelf;
use super::rows::to_json;
use crate::article::Source;
use crate::shelf::{Error, Job, JobState, Tally};

/// A source stays here until what it holds is committed.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, created INTEGER NOT NULL, state TEXT NOT NULL, failure TEXT, sources INTEGER NOT NULL,
  done INTEGER NOT NULL, tally TEXT NOT NULL, bytes INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_sources (
  job TEXT NOT NULL, ordinal INTEGER NOT NULL, path TEXT NOT NULL, location TEXT NOT NULL, sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL, PRIMARY KEY (job, ordinal));
";
/// The same in formats 3 to 5.
pub(super) const SCHEMA_OF_5: &str = "
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, created INTEGER NOT NULL, state TEXT NOT NULL, failure TEXT, sources INTEGER NOT NULL,
  done INTEGER NOT NULL, tally TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_sources (
  job TEXT NOT NULL, ordinal INTEGER NOT NULL, path TEXT NOT NULL, location TEXT NOT NULL, sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL, PRIMARY KEY (job, ordinal));
";
/// Ended jobs that are remembered.
const REMEMBERED: usize = 1000;

/// A tally as it is kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct TallyRow {
    added: usize,
    replaced: usize,
    unchanged: usize,
    passages: usize,
    unusable_in_all: usize,
    unusable: Vec<(String, String)>,
}

fn tally_to_json(tally: &Tally) -> String {
    let Tally { added, replaced, unchanged, passages, unusable_in_all, unusable } = tally.clone();
    to_json(&TallyRow { added, replaced, unchanged, passages, unusable_in_all, unusable })
}

fn tally_from_json(text: &str) -> Tally {
    let row: TallyRow = serde_json::from_str(text).unwrap_or_default();
    let TallyRow { added, replaced, unchanged, passages, unusable_in_all, unusable } = row;
    Tally { added, replaced, unchanged, passages, unusable_in_all, unusable }
}

const JOB: &str = "SELECT id, created, state, failure, sources, done, tally FROM jobs";

fn name(state: &JobState) -> &'static str {
    match state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Cancelled => "cancelled",
        JobState::Failed(_) => "failed",
    }
}

fn job_from(row: &Row<'_>) -> rusqlite::Result<Job> {
    let state = match row.get::<_, String>(2)?.as_str() {
        "waiting" => JobState::Waiting,
        "running" => JobState::Running,
        "done" => JobState::Done,
        "cancelled" => JobState::Cancelled,
        _ => JobState::Failed(row.get::<_, Option<String>>(3)?.unwrap_or_default()),
    };
    let tally = tally_from_json(&row.get::<_, String>(6)?);
    Ok(Job { id: row.get(0)?, created: row.get(1)?, state, sources: row.get(4)?, done: row.get(5)?, tally })
}

/// How many jobs may wait, and how many bytes of sources.
#[derive(Debug, Clone, Copy)]
pub struct JobLimits {
    /// Jobs that have not ended.
    pub jobs: u64,
    /// Bytes of their sources, those included that were read already.
    pub bytes: u64,
}

impl JobLimits {
    /// Refuses a job of `bytes` more where it would be too many.
    fn admit(self, connection: &Connection, bytes: u64) -> Result<(), Error> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM jobs WHERE state IN ('waiting', 'running')";
        let (jobs, waiting): (u64, u64) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (what, waiting, limit) in
            [("jobs", jobs.saturating_add(1), self.jobs), ("bytes of jobs", waiting.saturating_add(bytes), self.bytes)]
        {
            if waiting > limit {
                return Err(Error::TooManyJobs { what, waiting, limit });
            }
        }
        Ok(())
    }
}

/// Keeps `sources` as job `id`, whole or not at all.
pub(super) fn add(
    connection: &mut Connection,
    (id, created): (&str, i64),
    sources: &[Source],
    limits: JobLimits,
) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let bytes = sources.iter().map(|source| source.bytes.len() as u64).sum();
    limits.admit(&transaction, bytes)?;
    transaction.execute(
        "INSERT INTO jobs (id, created, state, sources, done, tally, bytes) VALUES (?1, ?2, 'waiting', ?3, 0, '{}', ?4)",
        params![id, created, sources.len(), bytes],
    )?;
    {
        let mut insert = transaction.prepare("INSERT INTO job_sources VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for (ordinal, Source { path, location, sha256, bytes, .. }) in sources.iter().enumerate() {
            insert.execute(params![id, ordinal, path, location, sha256, bytes])?;
        }
    }
    transaction.execute(
        "DELETE FROM jobs WHERE state NOT IN ('waiting', 'running') AND id NOT IN (SELECT id FROM jobs ORDER BY id DESC LIMIT ?1)",
        [REMEMBERED],
    )?;
    Ok(transaction.commit()?)
}

/// The job of this id.
pub(super) fn one(connection: &Connection, id: &str) -> rusqlite::Result<Option<Job>> {
    connection.prepare_cached(&format!("{JOB} WHERE id = ?1"))?.query_row([id], job_from).optional()
}

/// The latest jobs, the last begun first.
pub(super) fn latest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Job>> {
    let mut statement = connection.prepare_cached(&format!("{JOB} ORDER BY id DESC LIMIT ?1"))?;
    let rows = statement.query_map([limit], job_from)?;
    rows.collect()
}

/// The first job that has not ended.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<Job>> {
    let sql = format!("{JOB} WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([], job_from).optional()
}

/// The first source of a job that has not been read.
pub(super) fn source(connection: &Connection, job: &str) -> rusqlite::Result<Option<(usize, Source)>> {
    let mut statement = connection.prepare_cached(
        "SELECT ordinal, path, location, sha256, bytes FROM job_sources WHERE job = ?1 ORDER BY ordinal LIMIT 1",
    )?;
    let found = statement.query_row([job], |row| {
        let source = Source { path: row.get(1)?, location: row.get(2)?, sha256: row.get(3)?, bytes: Arc::new(row.get(4)?) };
        Ok((row.get(0)?, source))
    });
    found.optional()
}

/// Writes down how far `job` has come; the source that was read last is let go.
/// A job that has ended stays as it ended: whoever cancelled it was told so.
pub(super) fn note(connection: &mut Connection, job: &Job, read: Option<usize>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let failure = if let JobState::Failed(reason) = &job.state { Some(reason) } else { None };
    transaction.execute(
        "UPDATE jobs SET done = ?3, tally = ?5, state = iif(state IN ('waiting', 'running'), ?2, state), failure = ?4 WHERE id = ?1",
        params![job.id, name(&job.state), job.done, failure, tally_to_json(&job.tally)],
    )?;
    match read {
        Some(ordinal) => {
            transaction.execute("DELETE FROM job_sources WHERE job = ?1 AND ordinal = ?2", params![job.id, ordinal])?
        }
        None if job.state.has_ended() => transaction.execute("DELETE FROM job_sources WHERE job = ?1", [&job.id])?,
        None => 0,
    };
    transaction.commit()
}

/// Ends a job that has not ended; `false` when there is none such.
pub(super) fn cancel(connection: &mut Connection, id: &str) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let ended =
        transaction.execute("UPDATE jobs SET state = 'cancelled' WHERE id = ?1 AND state IN ('waiting', 'running')", [id])?;
    if ended > 0 {
        transaction.execute("DELETE FROM job_sources WHERE job = ?1", [id])?;
    }
    transaction.commit()?;
    Ok(ended > 0)
}

impl Shelf {
    /// Keeps `sources` as job `id`, whole or not at all.
    ///
    /// # Errors
    /// [`Error::TooManyJobs`] where more would wait than may.
    pub fn add_job(&self, id: &str, created: i64, sources: &[Source], limits: JobLimits) -> Result<(), Error> {
        add(&mut self.writer(), (id, created), sources, limits)
    }

    /// Writes down how far `job` has come, and lets go of the source of it that was `read`.
    pub fn note_job(&self, job: &Job, read: Option<usize>) -> Result<(), Error> {
        Ok(note(&mut self.writer(), job, read)?)
    }

    /// Ends a job that has not ended; `false` when there is none such.
    pub fn cancel_job(&self, id: &str) -> Result<bool, Error> {
        Ok(cancel(&mut self.writer(), id)?)
    }

    /// The job of this id.
    pub fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        self.read(|connection| one(connection, id))
    }

    /// The latest jobs, the last begun first.
    pub fn jobs(&self, limit: usize) -> Result<Vec<Job>, Error> {
        self.read(|connection| latest(connection, limit))
    }

    /// The first job that has not ended.
    pub fn next_job(&self) -> Result<Option<Job>, Error> {
        self.read(next)
    }

    /// The first source of a job that has not been read, and its place.
    pub fn job_source(&self, job: &str) -> Result<Option<(usize, Source)>, Error> {
        self.read(|connection| source(connection, job))
    }
}
