//! Bringing the caches up to the last change: vectors in memory, and the index of words.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::words::{self, Words};
use super::{Caches, Shelf, View, WORDS, database, held, rows, sums};
use crate::embed::UnitVector;
use crate::shelf::vectors::{PassageSet, VectorIndex};
use crate::shelf::{Error, PassageId};

/// Passages that are read from the database at once.
const ROWS: usize = 1024;

impl Shelf {
    /// Brings the caches up to the last change and swaps in a view of it. Others write meanwhile, and what all of them
    /// wrote is seen by the next refresh: as many writes as come during one share another.
    ///
    /// # Errors
    /// When a cache cannot be brought up to it; [`Error::Replaced`] once another shelf has the folder.
    pub fn refresh(&self) -> Result<(), Error> {
        let written = self.read(database::last_change)?;
        let caches = held(&self.caches);
        if self.view().change >= written {
            return Ok(());
        }
        caches.are_ours()?;
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            self.swap_in(&snapshot)
        })?;
        self.settle_behind();
        Ok(())
    }

    /// Swaps in a view of what `snapshot` shows: one state of the database, whatever is written meanwhile.
    pub(super) fn swap_in(&self, snapshot: &Connection) -> Result<(), Error> {
        let newest = database::last_change(snapshot)?;
        let old = self.view();
        let words = self.update_words(snapshot, newest)?;
        let mut vectors = old.vectors.clone();
        let added = load_vectors(snapshot, &self.growing.folder, old.change, &mut vectors)?;
        let mut live = PassageSet::clone(&old.live);
        for id in added {
            live.insert(id);
        }
        for id in removed_since(snapshot, old.change)? {
            live.remove(id);
        }
        let live = Arc::new(live);
        // A graph that is being built leads through what was current when that began.
        let still = self.growing.building.try_lock();
        // Graphs may have been built since: they are of the view that there is now.
        self.growing.swap(|now| {
            let mut vectors = vectors.with_segments_of(&now.vectors);
            if still.is_ok() {
                vectors.forget(&live);
            }
            View { change: newest, vectors, live, words }
        });
        drop(still);
        Ok(())
    }

    /// Brings the index of words up to the change that the view has reached, as when a shelf is opened.
    pub(super) fn catch_up_words(&self) -> Result<(), Error> {
        let words = self.update_words(&self.writer(), self.view().change)?;
        self.growing.swap(|view| View { words, ..view.clone() });
        self.settle_behind();
        Ok(())
    }

    /// Leaves no word of removed passages in the files of the index.
    pub(super) fn forget_words(&self) -> Result<(), Error> {
        let caches = held(&self.caches);
        caches.are_ours()?;
        let words = held(&self.words);
        words.forget_removed()?;
        let words = words.searcher();
        self.growing.swap(|view| View { words, ..view.clone() });
        Ok(())
    }

    /// Brings the index of words up to `newest`. A killed process can leave files in
    /// it that stand in the way of the next commit; it is a cache, and built anew.
    fn update_words(&self, connection: &Connection, newest: u64) -> Result<words::WordSearcher, Error> {
        let mut words = held(&self.words);
        if let Err(error) = replay(connection, &words, newest) {
            tracing::warn!(%error, "the index of words is built again");
            *words = Words::anew(&self.growing.folder.join(WORDS))?;
            replay(connection, &words, newest)?;
        }
        Ok(words.searcher())
    }
}

impl Caches {
    fn are_ours(&self) -> Result<(), Error> {
        match self {
            Self::Ours => Ok(()),
            Self::Handed(_) => Err(Error::Replaced),
        }
    }
}

/// Takes the vectors of passages added after `change`, and gives the numbers of those that are current.
pub(super) fn load_vectors(
    connection: &Connection,
    folder: &Path,
    change: u64,
    vectors: &mut VectorIndex,
) -> Result<Vec<PassageId>, Error> {
    let dimension = vectors.dimension();
    let columns = format!("id, vector, removed, sum IS {}", sums::PASSAGE);
    let mut statement = connection.prepare_cached(&added_after(change, &columns))?;
    let mut rows = statement.query([change])?;
    let mut added = Vec::new();
    while let Some(row) = rows.next()? {
        let id: PassageId = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        vectors.push(id, bytes.and_then(|bytes| UnitVector::from_bytes(bytes, dimension)).as_ref());
        if row.get::<_, Option<i64>>(2)?.is_none() {
            if !row.get::<_, bool>(3)? {
                let file = folder.join(database::FILE).display().to_string();
                return Err(Error::Damaged { file, reason: format!("passage {id} is not as it was written") });
            }
            added.push(id);
        }
    }
    Ok(added)
}

/// Reads `columns` of the passages added after a change, in their order. All of them are read as they lie, the last
/// few by their index: left to choose, SQLite reads all for the sake of the order.
fn added_after(change: u64, columns: &str) -> String {
    let by = if change == 0 { "NOT INDEXED" } else { "INDEXED BY passages_added" };
    format!("SELECT {columns} FROM passages {by} WHERE added > ?1 ORDER BY id")
}

/// Passages removed after a change.
const REMOVED: &str = "SELECT id FROM passages INDEXED BY passages_removed WHERE removed > ?1";

fn removed_since(connection: &Connection, change: u64) -> rusqlite::Result<Vec<PassageId>> {
    let mut statement = connection.prepare_cached(REMOVED)?;
    let rows = statement.query_map([change], |row| row.get(0))?;
    rows.collect()
}

/// Replays into the index of words what it has not seen.
fn replay(connection: &Connection, words: &Words, newest: u64) -> Result<(), Error> {
    let reached = words.reached();
    if reached == newest {
        return Ok(());
    }
    let mut statement = connection.prepare(&added_after(reached, "id, removed IS NULL"))?;
    let rows = statement.query_map([reached], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(PassageId, bool)> = rows.collect::<rusqlite::Result<_>>()?;
    let added: Vec<PassageId> = rows.into_iter().filter(|(_, current)| *current).map(|(id, _)| id).collect();
    let mut passages = added.chunks(ROWS).flat_map(|ids| match rows::passages(connection, ids) {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    words.update(&mut passages, &removed_since(connection, reached)?, newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_reads_only_the_passages_that_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database::open(folder.path(), |_| Ok(())).unwrap();
        let plan = |sql: &str| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let given = &[7][..statement.parameter_count()];
            let steps = statement.query_map(rusqlite::params_from_iter(given), |row| row.get::<_, String>(3)).unwrap();
            steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        };
        assert!(plan(&added_after(6, "id, vector")).starts_with("SEARCH passages USING INDEX passages_added"));
        assert_eq!(plan(&added_after(0, "id, vector")), "SCAN passages");
        assert!(plan(REMOVED).starts_with("SEARCH passages USING COVERING INDEX"));
        // Neither does a count read any row.
        for count in [database::ARTICLES, database::PASSAGES] {
            let plan = plan(count);
            let mut tables = plan.split("; ").filter(|step| step.contains("passages") || step.contains("articles"));
            assert!(tables.all(|step| step.contains("COVERING INDEX")), "{plan}");
        }
    }
}
