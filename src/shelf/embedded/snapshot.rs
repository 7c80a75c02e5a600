//! One state of the shelf, pinned: what a question is answered from.
//!
//! A snapshot is a [`View`] (vectors, the index of words) and a read transaction of the database at the same change,
//! whatever is written meanwhile. Where more has been committed than the view holds, as in the middle of a large job, it
//! is brought up to the transaction first. The transaction ends with the snapshot, so that the database's log can begin
//! anew: nobody keeps one while a language model writes.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::readers::Reader;
use super::stages::staged;
use super::{Caches, Shelf, View, database, filter, held, rows};
use crate::deadline;
use crate::embed::UnitVector;
use crate::shelf::vectors::PassageSet;
use crate::shelf::{Described, Error, Filter, Neighbor, PassageId, StoredArticle, StoredPassage};

/// A state of the shelf: all its reads give what was there when it was pinned.
#[derive(Clone)]
pub struct Snapshot {
    view: Arc<View>,
    /// In a read transaction at the view's change.
    reader: Arc<Mutex<Reader>>,
}

impl Shelf {
    /// Pins the state of this moment.
    ///
    /// # Errors
    /// When the database cannot be read; [`Error::Late`] when the deadline has passed.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        #[cfg(test)]
        self.readers.between.read_begins();
        let (reader, change) = self.pinned()?;
        #[cfg(test)]
        reader.begins();
        let view = self.view();
        if view.change == change {
            return Ok(Snapshot::of(view, reader));
        }
        drop(reader);
        self.caught_up(&held(&self.caches))
    }

    /// Pins a state after the view has caught up with the database. While the lock is held, no view of another change
    /// is swapped in.
    pub(super) fn caught_up(&self, caches: &Caches) -> Result<Snapshot, Error> {
        if let Caches::Handed(last) = caches {
            return Ok(last.clone());
        }
        let (reader, change) = self.pinned()?;
        if self.view().change < change {
            // Half of it would be made again from the beginning: it goes on to its end.
            match deadline::unlimited(|| reader.read(|connection| self.swap_in(connection))) {
                Ok(()) => self.settle_behind(),
                // As where the disk is full: what is not in the caches is not found, and all else is answered.
                Err(error) => tracing::warn!(%error, "questions do not see the latest changes"),
            }
        }
        Ok(Snapshot::of(self.view(), reader))
    }

    /// A connection in a read transaction, and the last change that it sees.
    fn pinned(&self) -> Result<(Reader, u64), Error> {
        let reader = self.readers.take()?;
        let change = reader.read(|connection| {
            connection.execute_batch("BEGIN")?;
            // The first read decides which state it sees.
            database::last_change(connection)
        })?;
        Ok((reader, change))
    }
}

impl Snapshot {
    fn of(view: Arc<View>, reader: Reader) -> Self {
        Self { view, reader: Arc::new(Mutex::new(reader)) }
    }

    fn read<T, E>(&self, with: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        let reader = held(&self.reader);
        #[cfg(test)]
        reader.begins();
        reader.read(with)
    }

    /// The passages nearest in meaning (by cosine, -1 to 1), and those whose words fit best (by BM25), each best first.
    ///
    /// # Errors
    /// When the index of words or the database cannot be read; [`Error::Late`] when the deadline has passed.
    pub fn search(
        &self,
        question: &str,
        vector: Option<&UnitVector>,
        count: usize,
        filter: &Filter,
    ) -> Result<(Vec<Neighbor>, Vec<Neighbor>), Error> {
        let view = &self.view;
        let allowed = if filter.is_empty() { None } else { Some(Arc::new(self.allowed(filter)?)) };
        let near = || vector.map(|vector| view.nearest(vector, count, allowed.as_deref())).unwrap_or_default();
        let words = || view.words(question, count, allowed.clone());
        let (near, words) = rayon::join(|| staged("nearest", near), || staged("words", words));
        Ok((near, words?))
    }

    fn allowed(&self, wanted: &Filter) -> Result<PassageSet, Error> {
        let ids = self.read(|connection| filter::allowed(connection, wanted))?;
        Ok(ids.into_iter().filter(|id| self.view.live.contains(*id)).collect())
    }

    /// The passages truly nearest to `vector`, by comparing all: what the graph is measured against.
    pub fn scan(&self, vector: &UnitVector, count: usize) -> Vec<Neighbor> {
        self.view.scan(vector, count)
    }

    /// Cosine similarity of each of `passages` with `vector`.
    pub fn similarities(&self, vector: &UnitVector, passages: &[PassageId]) -> Vec<f32> {
        self.view.vectors.similarities(vector.as_slice(), passages)
    }

    /// Cosine similarity of each of `passages` with `one`.
    pub fn cosines(&self, one: PassageId, passages: &[PassageId]) -> Vec<f32> {
        self.view.vectors.cosines(one, passages)
    }

    /// Cosine similarity of `question` with each sentence of passages, in the order asked for; none for a passage that
    /// is gone.
    pub fn sentence_cosines(&self, question: &UnitVector, ids: &[PassageId]) -> Result<Vec<Vec<f32>>, Error> {
        self.read(|connection| rows::sentence_cosines(connection, question, ids))
    }

    /// Passages with their words, in the order asked for.
    pub fn passages(&self, ids: &[PassageId]) -> Result<Vec<StoredPassage>, Error> {
        self.read(|connection| rows::passages(connection, ids))
    }

    /// The passages of a version of an article, in reading order.
    pub fn passages_of(&self, id: &str, version: u32) -> Result<Vec<StoredPassage>, Error> {
        self.read(|connection| rows::passages(connection, &rows::of_article(connection, id, version)?))
    }

    /// An article, in the version asked for or the latest.
    pub fn article(&self, id: &str, version: Option<u32>) -> Result<Option<StoredArticle>, Error> {
        self.read(|connection| rows::article(connection, id, version))
    }

    /// What current articles can be chosen by, a part at a time: those after row `after`, and the row to go on from.
    pub fn described(&self, after: i64, limit: usize) -> Result<(Vec<Described>, i64), Error> {
        self.read(|connection| filter::described(connection, after, limit))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::simulation::{numbered, open};
    use super::*;
    use crate::deadline::Deadline;
    use crate::shelf::embedded::DATABASE;

    /// Numbers of the texts that a search for each of them finds, and the version of their article.
    fn seen(snapshot: &Snapshot) -> (Vec<u32>, u32) {
        let finds = |number: &u32| {
            let (_, words) = snapshot.search(&format!("w{number}"), None, 9, &Filter::default()).unwrap();
            let ids: Vec<PassageId> = words.iter().map(|one| one.passage).collect();
            snapshot.passages(&ids).unwrap().iter().any(|passage| passage.text.contains(&format!("w{number} ")))
        };
        let version = snapshot.article(&numbered(1).1.0, None).unwrap().map_or(0, |stored| stored.version);
        ((1..=3).filter(finds).collect(), version)
    }

    #[test]
    fn a_snapshot_shows_one_state_and_lets_the_log_be_cut_when_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = open(folder.path());
        let other = Connection::open(folder.path().join(DATABASE)).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        let is_held = || other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0)).unwrap();
        shelf.commit(&numbered(1).0).unwrap();
        let first = shelf.snapshot().unwrap();
        assert_eq!(seen(&first), (vec![1], 1), "what is committed is found, although nobody has refreshed");
        shelf.commit(&numbered(2).0).unwrap();
        shelf.refresh().unwrap();
        shelf.commit(&numbered(3).0).unwrap();
        let last = shelf.snapshot().unwrap();
        assert_eq!((seen(&first), seen(&last)), ((vec![1], 1), (vec![3], 3)));
        assert!(is_held());
        drop((first, last));
        assert!(!is_held());
    }

    #[test]
    fn a_shelf_whose_folder_was_filled_anew_answers_from_its_last_state() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = open(folder.path());
        shelf.commit(&numbered(1).0).unwrap();
        shelf.replace_passages(shelf.identity(), &mut |_, _| Ok(vec![])).unwrap();
        assert_eq!(seen(&shelf.snapshot().unwrap()), (vec![1], 1));
        assert!(matches!(shelf.refresh(), Err(Error::Replaced)));
    }

    #[test]
    fn a_snapshot_whose_time_is_over_reads_nothing_and_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = open(folder.path());
        shelf.commit(&numbered(1).0).unwrap();
        let snapshot = shelf.snapshot().unwrap();
        Deadline::within(Duration::ZERO).apply(|| {
            assert!(matches!(shelf.snapshot().map(drop), Err(Error::Late)));
            assert!(matches!(snapshot.passages(&[0]), Err(Error::Late)));
            drop(snapshot);
        });
        shelf.commit(&numbered(2).0).unwrap();
        assert_eq!(seen(&shelf.snapshot().unwrap()), (vec![2], 2), "its connection reads what is there now");
        assert!(shelf.purge_article(&numbered(1).1).unwrap(), "nobody reads any more");
    }
}
