//! How long versions that were superseded are kept, and how the room that they took comes back.
//!
//! What is due goes with the write that makes it so, and some of what has become due by its age with each. The numbers
//! of passages stay taken, so that none that was cited ever names another text.

use rusqlite::{Connection, params};

use crate::article::ArticleId;

/// Which superseded versions are kept. Zero keeps all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Versions of an article, the current one among them.
    pub versions: usize,
    /// Days after one was superseded.
    pub days: u64,
}

/// Versions that go by their age with one write.
const AT_ONCE: usize = 64;
/// Free pages that stay in the file, for what is written next.
const SPARE: i64 = 4096;
/// Pages that are given back with one write: some milliseconds.
const GIVEN_BACK: i64 = 2048;
const DAY: i64 = 24 * 60 * 60;

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl Retention {
    /// Removes versions of article `id` that are too many.
    pub(super) fn cut(self, connection: &Connection, id: &ArticleId) -> rusqlite::Result<()> {
        if self.versions == 0 {
            return Ok(());
        }
        let mut due =
            connection.prepare_cached("SELECT version FROM outlines WHERE id = ?1 ORDER BY version DESC LIMIT -1 OFFSET ?2")?;
        let due: Vec<u32> = due.query_map(params![id.0, self.versions], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        due.into_iter().try_for_each(|version| forget(connection, &id.0, version))
    }

    /// Removes some of the versions that are too old.
    pub(super) fn expire(self, connection: &Connection) -> rusqlite::Result<()> {
        let days = i64::try_from(self.days).unwrap_or(i64::MAX);
        if days == 0 {
            return Ok(());
        }
        let oldest = now().saturating_sub(days.saturating_mul(DAY));
        let mut due = connection.prepare_cached("SELECT id, version FROM outlines WHERE ended < ?1 ORDER BY ended LIMIT ?2")?;
        let due = due.query_map(params![oldest, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let due: Vec<(String, u32)> = due.collect::<rusqlite::Result<_>>()?;
        due.iter().try_for_each(|(id, version)| forget(connection, id, *version))
    }
}

/// Removes a version that is superseded.
fn forget(connection: &Connection, id: &str, version: u32) -> rusqlite::Result<()> {
    for sql in [
        "UPDATE passages SET section = NULL, start = 0, stop = 0 WHERE article = ?1 AND version = ?2 AND removed IS NOT NULL",
        "DELETE FROM outlines WHERE id = ?1 AND version = ?2 AND ended IS NOT NULL",
        "DELETE FROM articles WHERE id = ?1 AND version = ?2 AND superseded IS NOT NULL",
    ] {
        connection.prepare_cached(sql)?.execute(params![id, version])?;
    }
    Ok(())
}

/// Gives some of the file's free pages back to the disk, where there are many.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (free, all) = (pragma("freelist_count")?, pragma("page_count")?);
    if free > SPARE.max(all / 4) {
        let mut statement = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::embedded::database;

    #[test]
    fn what_is_free_goes_back_to_the_disk_a_part_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database::open(folder.path(), |_| Ok(())).unwrap();
        let pages = || connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)).unwrap();
        let bytes = vec![7_u8; 1 << 20];
        for ordinal in 0..40 {
            let values = params![ordinal, bytes];
            connection.execute("INSERT INTO job_sources VALUES ('job', ?1, 'a', 'a', '', ?2)", values).unwrap();
        }
        let full = pages();
        connection.execute("DELETE FROM job_sources", []).unwrap();
        give_back(&connection).unwrap();
        assert!(pages() < full && pages() > full - 2 * GIVEN_BACK, "{full} pages, then {}", pages());
        for _ in 0..20 {
            give_back(&connection).unwrap();
        }
        assert!(pages() <= SPARE + 100, "{full} pages, then {}", pages());
    }
}
