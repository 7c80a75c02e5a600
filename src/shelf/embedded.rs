//! The shelf in a folder: SQLite, and two caches of it.
//!
//! [`Shelf::commit`] writes one source in one transaction; once it returns, nothing
//! short of a broken disk loses it. [`Shelf::refresh`] brings the vectors in memory and the
//! index of words up to the last change and swaps in a new [`View`]. Opening does
//! the same, so that a killed process leaves nothing behind that matters. Graphs grow beside.

mod backup;
pub mod beside;
#[cfg(test)]
pub(crate) mod between;
mod caches;
mod changes;
mod database;
mod filter;
mod grow;
pub mod inspect;
mod jobs;
mod lock;
mod open;
mod outlines;
mod places;
pub(crate) mod placing;
mod readers;
mod retention;
mod rows;
mod schema;
#[cfg(test)]
mod simulation;
mod snapshot;
mod stages;
mod sums;
mod view;
mod words;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use self::grow::Growing;
use self::inspect::Versions;
use self::readers::Readers;
use self::words::Words;
use super::{ArticleOutline, Change, Counts, Described, Error, Identity, Incoming, KnownSource, NewPassage, StoredArticle};
use crate::article::ArticleId;

pub use self::backup::{backup, restore};
pub use self::jobs::JobLimits;
pub use self::retention::Retention;
pub use self::snapshot::Snapshot;
pub(crate) use self::stages::staged;
pub use self::view::View;

/// The file of the truth, in the data folder.
pub const DATABASE: &str = database::FILE;
/// The folder of the index of words, below the data folder.
const WORDS: &str = "words";

/// The new passages of a version of an article.
pub type Passages<'a> = dyn FnMut(&ArticleId, u32) -> Result<Vec<NewPassage>, Error> + 'a;

/// A shelf, open.
pub struct Shelf {
    identity: Identity,
    writer: Mutex<Connection>,
    readers: Arc<Readers>,
    words: Mutex<Words>,
    /// Held while the caches are brought up to a change.
    caches: Mutex<Caches>,
    growing: Arc<Growing>,
    lock: Arc<lock::Lock>,
    retention: Retention,
    /// What was counted last, and at which change.
    counted: Mutex<Option<(u64, Counts)>>,
}

/// Whose the caches in the folder are.
enum Caches {
    /// This shelf's.
    Ours,
    /// Another shelf's, which was filled anew: this one answers from its last state, and writes no more.
    Handed(Snapshot),
}

/// Makes `folder`, and what is missing above it, for its owner alone. One that is there stays as it is.
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Poison means that a thread panicked; what these locks guard is whole at every moment.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// What the shelf was filled with.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The same, keeping superseded versions as `retention` says.
    #[must_use]
    pub fn with_retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// The folder that holds it.
    pub fn folder(&self) -> &Path {
        &self.growing.folder
    }

    /// Writes `change` whole or not at all. It survives whatever comes; questions see it after [`Self::refresh`].
    pub fn commit(&self, change: &Change) -> Result<(), Error> {
        let writer = &mut self.writer();
        changes::commit(writer, change, self.retention)?;
        Ok(retention::give_back(writer)?)
    }

    /// Makes a new version of an article, in the source that it is in.
    pub fn amend(&self, incoming: &Incoming) -> Result<(), Error> {
        let writer = &mut self.writer();
        changes::amend(writer, incoming, self.retention)?;
        Ok(retention::give_back(writer)?)
    }

    /// Removes an article; `false` when there is none. Questions do not see it after [`Self::refresh`].
    pub fn remove_article(&self, id: &ArticleId) -> Result<bool, Error> {
        Ok(changes::remove_article(&mut self.writer(), id, false)?)
    }

    /// Removes an article with all its versions; `false` when there is none. Once this returns, no file of the
    /// folder holds any of its words.
    ///
    /// # Errors
    /// [`Error::StillRead`] when it is removed and a reader keeps its bytes a little longer: called again, it goes on.
    pub fn purge_article(&self, id: &ArticleId) -> Result<bool, Error> {
        let known = changes::remove_article(&mut self.writer(), id, true)?;
        self.refresh()?;
        self.forget_words()?;
        if changes::erase(&self.writer())? { Ok(known) } else { Err(Error::StillRead) }
    }

    /// Removes a source and its articles. Questions do not see them after [`Self::refresh`].
    pub fn remove(&self, location: &str) -> Result<(), Error> {
        changes::remove(&mut self.writer(), location)?;
        Ok(())
    }

    /// Replaces all passages: the folder is of `identity` afterwards, and this shelf only reads from then on; or it is
    /// wholly as it was.
    pub fn replace_passages(&self, identity: &Identity, made: &mut Passages<'_>) -> Result<(), Error> {
        let mut caches = held(&self.caches);
        let last = self.caught_up(&caches)?;
        changes::replace_passages(&mut self.writer(), identity, made)?;
        *caches = Caches::Handed(last);
        Ok(())
    }

    /// The state that questions see.
    pub fn view(&self) -> Arc<View> {
        self.growing.view()
    }

    fn read<T, E>(&self, with: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        let reader = self.readers.take()?;
        #[cfg(test)]
        reader.begins();
        reader.read(with)
    }

    /// The connection that writes, outside of any transaction. A transaction that was interrupted right at its beginning
    /// is begun for SQLite, and nobody's to end.
    fn writer(&self) -> MutexGuard<'_, Connection> {
        let writer = held(&self.writer);
        if !writer.is_autocommit()
            && let Err(error) = writer.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction that was given up cannot be ended");
        }
        writer
    }

    /// Does `act` before each read from now on.
    #[cfg(test)]
    pub(crate) fn between_reads(&self, act: Option<between::Act>) {
        self.readers.between.set(act);
    }

    /// How much is kept. Counted once for each change, however many ask.
    pub fn counts(&self) -> Result<Counts, Error> {
        let mut counted = held(&self.counted);
        self.read(|connection| {
            let change = database::last_change(connection)?;
            match *counted {
                Some((known, counts)) if known == change => Ok(counts),
                _ => {
                    let counts = database::counts(connection)?;
                    *counted = Some((change, counts));
                    Ok::<_, rusqlite::Error>(counts)
                }
            }
        })
    }

    /// All sources.
    pub fn sources(&self) -> Result<Vec<KnownSource>, Error> {
        self.read(database::sources)
    }

    /// One source, by its location.
    pub fn source(&self, location: &str) -> Result<Option<KnownSource>, Error> {
        self.read(|connection| database::source(connection, location))
    }

    /// Where the source of an article was read from.
    pub fn location(&self, article: &str, version: u32) -> Result<Option<String>, Error> {
        self.read(|connection| database::location(connection, article, version))
    }

    /// An article, in the version asked for or the latest.
    pub fn article(&self, id: &str, version: Option<u32>) -> Result<Option<StoredArticle>, Error> {
        self.read(|connection| rows::article(connection, id, version))
    }

    /// Current articles, in the order of their sources.
    pub fn articles(&self, offset: usize, limit: usize) -> Result<Vec<StoredArticle>, Error> {
        self.read(|connection| rows::articles(connection, offset, limit))
    }

    /// What is told of current articles in a list, in the order of their sources. No text is read.
    pub fn outlines(&self, offset: usize, limit: usize) -> Result<Vec<ArticleOutline>, Error> {
        self.read(|connection| outlines::listed(connection, offset, limit))
    }

    /// Versions of articles, a part at a time: those after row `after`, and the row to go on from.
    pub fn versions(&self, which: Versions, after: i64, limit: usize) -> Result<(Vec<StoredArticle>, i64), Error> {
        self.read(|connection| rows::versions(connection, which, after, limit))
    }

    /// What current articles can be chosen by, a part at a time: those after row `after`, and the row to go on from.
    pub fn described(&self, after: i64, limit: usize) -> Result<(Vec<Described>, i64), Error> {
        self.read(|connection| filter::described(connection, after, limit))
    }

    /// Lines of a source that are in no article: line, text, reason.
    pub fn left_out(&self, path: &str) -> Result<Vec<(u32, String, String)>, Error> {
        self.read(|connection| rows::left_out(connection, path))
    }
}
