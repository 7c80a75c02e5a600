//! Bringing the caches up to the last change: vectors in memory, and the index of words.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::words::{self, Words};
use super::{Shelf, View, WORDS, database, held, rows, sums};
use crate::embed::UnitVector;
use crate::shelf::vectors::{PassageSet, VectorIndex};
use crate::shelf::{Error, PassageId};

/// Passages that are read from the database at once.
const ROWS: usize = 1024;

impl Shelf {
    /// Brings the caches up to the last change and swaps in a view of it.
    pub fn refresh(&self) -> Result<(), Error> {
        let writer = held(&self.writer);
        let newest = database::last_change(&writer)?;
        let old = self.view();
        if old.change == newest && newest > 0 {
            return Ok(());
        }
        let words = self.update_words(&writer, newest)?;
        let mut vectors = old.vectors.clone();
        let added = self.load_vectors(&writer, old.change, &mut vectors)?;
        let mut live = PassageSet::clone(&old.live);
        for id in added {
            live.insert(id);
        }
        for id in removed_since(&writer, old.change)? {
            live.remove(id);
        }
        if old.change == 0 {
            vectors.load(&self.growing.folder, newest);
        }
        let live = Arc::new(live);
        // Graphs may have been built since: they are of the view that there is now.
        self.growing.swap(|now| {
            let vectors = if old.change == 0 { vectors } else { vectors.with_segments_of(&now.vectors) };
            View { change: newest, vectors, live, words }
        });
        self.settle_behind();
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

    /// Takes the vectors of passages added after `change`, and gives the numbers of those that are current.
    fn load_vectors(&self, connection: &Connection, change: u64, vectors: &mut VectorIndex) -> Result<Vec<PassageId>, Error> {
        let dimension = self.identity.model.dimension;
        let sql = format!("SELECT id, vector, removed, sum IS {} FROM passages WHERE added > ?1 ORDER BY id", sums::PASSAGE);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([change])?;
        let mut added = Vec::new();
        while let Some(row) = rows.next()? {
            let id: PassageId = row.get(0)?;
            let bytes = row.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
            vectors.push(id, bytes.and_then(|bytes| UnitVector::from_bytes(bytes, dimension)).as_ref());
            if row.get::<_, Option<i64>>(2)?.is_none() {
                if !row.get::<_, bool>(3)? {
                    let file = self.growing.folder.join(database::FILE).display().to_string();
                    return Err(Error::Damaged { file, reason: format!("passage {id} is not as it was written") });
                }
                added.push(id);
            }
        }
        Ok(added)
    }
}

fn removed_since(connection: &Connection, change: u64) -> rusqlite::Result<Vec<PassageId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM passages WHERE removed > ?1")?;
    let rows = statement.query_map([change], |row| row.get(0))?;
    rows.collect()
}

/// Replays into the index of words what it has not seen.
fn replay(connection: &Connection, words: &Words, newest: u64) -> Result<(), Error> {
    let reached = words.reached();
    if reached == newest {
        return Ok(());
    }
    let mut statement = connection.prepare("SELECT id FROM passages WHERE added > ?1 AND removed IS NULL ORDER BY id")?;
    let added: Vec<PassageId> = statement.query_map(params![reached], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut passages = added.chunks(ROWS).flat_map(|ids| match rows::passages(connection, ids) {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    words.update(&mut passages, &removed_since(connection, reached)?, newest)
}
