//! The shelf in a folder: SQLite, and two caches of it.
//!
//! [`Shelf::commit`] writes one source in one transaction; once it returns, nothing
//! short of a broken disk loses it. [`Shelf::refresh`] brings the vectors in memory and the
//! index of words up to the last change and swaps in a new [`View`]. Opening does
//! the same, so that a killed process leaves nothing behind that matters. Graphs grow beside.

mod backup;
pub mod beside;
mod caches;
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
mod retention;
mod rows;
mod schema;
mod search;
#[cfg(test)]
mod simulation;
mod sums;
mod view;
mod words;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode};

use self::grow::Growing;
use self::inspect::Versions;
use self::words::Words;
use super::{
    ArticleOutline, Change, Counts, Described, Error, Identity, Incoming, KnownSource, NewPassage, PassageId, StoredArticle,
    StoredPassage,
};
use crate::article::ArticleId;
use crate::deadline;
use crate::embed::UnitVector;

pub use self::backup::{backup, restore};
pub use self::jobs::JobLimits;
pub use self::retention::Retention;
pub(crate) use self::search::staged;
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
    readers: Mutex<Vec<Connection>>,
    words: Mutex<Words>,
    /// Held while the caches are brought up to a change; `false` once they are another shelf's.
    refreshing: Mutex<bool>,
    growing: Arc<Growing>,
    lock: Arc<lock::Lock>,
    retention: Retention,
    /// What was counted last, and at which change.
    counted: Mutex<Option<(u64, Counts)>>,
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
        database::commit(writer, change, self.retention)?;
        Ok(retention::give_back(writer)?)
    }

    /// Makes a new version of an article, in the source that it is in.
    pub fn amend(&self, incoming: &Incoming) -> Result<(), Error> {
        let writer = &mut self.writer();
        database::amend(writer, incoming, self.retention)?;
        Ok(retention::give_back(writer)?)
    }

    /// Removes an article; `false` when there is none. Questions do not see it after [`Self::refresh`].
    pub fn remove_article(&self, id: &ArticleId) -> Result<bool, Error> {
        Ok(database::remove_article(&mut self.writer(), id, false)?)
    }

    /// Removes an article with all its versions; `false` when there is none. Once this returns, no file of the
    /// folder holds any of its words.
    ///
    /// # Errors
    /// [`Error::StillRead`] when it is removed and a reader keeps its bytes a little longer: called again, it goes on.
    pub fn purge_article(&self, id: &ArticleId) -> Result<bool, Error> {
        let known = database::remove_article(&mut self.writer(), id, true)?;
        self.refresh()?;
        self.forget_words()?;
        if database::erase(&self.writer())? { Ok(known) } else { Err(Error::StillRead) }
    }

    /// Removes a source and its articles. Questions do not see them after [`Self::refresh`].
    pub fn remove(&self, location: &str) -> Result<(), Error> {
        database::remove(&mut self.writer(), location)?;
        Ok(())
    }

    /// Replaces all passages: the folder is of `identity` afterwards, and this shelf only reads from then on; or it is
    /// wholly as it was.
    pub fn replace_passages(&self, identity: &Identity, made: &mut Passages<'_>) -> Result<(), Error> {
        let mut ours = held(&self.refreshing);
        database::replace_passages(&mut self.writer(), identity, made)?;
        *ours = false;
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
        if deadline::has_passed() {
            return Err(Error::Late);
        }
        let idle = held(&self.readers).pop();
        let connection = idle.map_or_else(|| self.reader(), Ok)?;
        let result = with(&connection).map_err(Error::from);
        // One that was given up within a transaction would show that state for ever.
        if connection.is_autocommit() {
            held(&self.readers).push(connection);
        }
        match result {
            Err(Error::Database(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Err(Error::Late),
            result => result,
        }
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

    /// A connection that gives up a statement when the deadline of whoever runs it has passed.
    fn reader(&self) -> Result<Connection, Error> {
        /// Steps of SQLite's machine between two looks at the clock: some hundred microseconds.
        const STEPS: i32 = 10_000;
        let connection = database::connect(&self.growing.folder)?;
        connection.progress_handler(STEPS, Some(deadline::has_passed))?;
        Ok(connection)
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

    /// Cosine similarity of `question` with each sentence of passages, in the order asked for; none for a passage that
    /// is gone.
    pub fn sentence_cosines(&self, question: &UnitVector, ids: &[PassageId]) -> Result<Vec<Vec<f32>>, Error> {
        self.read(|connection| rows::sentence_cosines(connection, question, ids))
    }

    /// The passages of a version of an article, in reading order.
    pub fn passages_of(&self, id: &str, version: u32) -> Result<Vec<StoredPassage>, Error> {
        self.read(|connection| rows::passages(connection, &rows::of_article(connection, id, version)?))
    }

    /// Passages with their words, in the order asked for.
    pub fn passages(&self, ids: &[PassageId]) -> Result<Vec<StoredPassage>, Error> {
        self.read(|connection| rows::passages(connection, ids))
    }
}
