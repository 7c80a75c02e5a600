//! Connections that read: a pool, as many as read at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, ErrorCode};

#[cfg(test)]
use super::between::Between;
use super::{database, held};
use crate::deadline;
use crate::shelf::Error;

/// The pool of one shelf.
pub(super) struct Readers {
    folder: PathBuf,
    idle: Mutex<Vec<Connection>>,
    #[cfg(test)]
    pub(super) between: Between,
}

/// A connection of the pool, back in it when this is dropped.
pub(super) struct Reader {
    pool: Arc<Readers>,
    /// `None` only while this is dropped.
    connection: Option<Connection>,
}

impl Readers {
    pub(super) fn of(folder: &Path) -> Arc<Self> {
        Arc::new(Self {
            folder: folder.to_owned(),
            idle: Mutex::default(),
            #[cfg(test)]
            between: Between::default(),
        })
    }

    /// A connection for whoever asks, alone.
    ///
    /// # Errors
    /// [`Error::Late`] when the deadline has passed; else when the database cannot be opened.
    pub(super) fn take(self: &Arc<Self>) -> Result<Reader, Error> {
        if deadline::has_passed() {
            return Err(Error::Late);
        }
        let idle = held(&self.idle).pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        Ok(Reader { pool: Arc::clone(self), connection: Some(connection) })
    }

    /// A connection that gives up a statement when the deadline of whoever runs it has passed.
    fn connect(&self) -> Result<Connection, Error> {
        /// Steps of SQLite's machine between two looks at the clock: some hundred microseconds.
        const STEPS: i32 = 10_000;
        let connection = database::connect(&self.folder)?;
        connection.progress_handler(STEPS, Some(deadline::has_passed))?;
        Ok(connection)
    }
}

impl Reader {
    /// A read of a question begins: a test may do something first.
    #[cfg(test)]
    pub(super) fn begins(&self) {
        self.pool.between.read_begins();
    }

    /// What `with` reads.
    ///
    /// # Errors
    /// [`Error::Late`] where it was given up because the deadline has passed.
    pub(super) fn read<T, E>(&self, with: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        if deadline::has_passed() {
            return Err(Error::Late);
        }
        let connection = self.connection.as_ref().expect("it is there until this is dropped");
        match with(connection).map_err(Error::from) {
            Err(Error::Database(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Err(Error::Late),
            result => result,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !connection.is_autocommit() {
            // What fails leaves it in the transaction, where it would show that state for ever: it is closed below.
            drop(connection.execute_batch("ROLLBACK"));
        }
        if connection.is_autocommit() {
            held(&self.pool.idle).push(connection);
        }
    }
}
