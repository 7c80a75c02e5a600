//! Why a shelf cannot be opened, read or written.

/// Why a shelf cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("data folder `{folder}` is in use by {holder}\nhint: stop that process, or name another folder with --data")]
    Held {
        /// The folder.
        folder: String,
        /// `process 4711`, as the lock file says.
        holder: String,
    },
    /// It was filled by another model or by other chunk rules.
    #[error(
        "data folder `{folder}` was filled with {filled}, and this is {now}\nhint: start with that model, or run `ibid reembed --data {folder}` with the new one"
    )]
    OtherModel {
        /// The folder.
        folder: String,
        /// What filled it.
        filled: String,
        /// What is running.
        now: String,
    },
    /// The folder cannot be used.
    #[error("cannot use data folder `{folder}`: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// Something would have to be written over.
    #[error("`{path}` {reason}, and nothing is written over")]
    Occupied {
        /// The file or folder.
        path: String,
        /// Why it is no place for this.
        reason: String,
    },
    /// The database is damaged.
    #[error("`{file}` cannot be used: {reason}\nhint: restore it from a backup, or move the folder away and ingest again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The database was written by another version of ibid, which knows more.
    #[error(
        "`{file}` has format `{format}`, and this version of ibid reads up to `{known}`\nhint: use the version that wrote it, or a later one"
    )]
    OtherFormat {
        /// The file.
        file: String,
        /// Its format.
        format: String,
        /// The newest that is known.
        known: &'static str,
    },
    /// It took longer than it may, or nobody waits for it any more.
    #[error("it took longer than it may, and was given up")]
    Late,
    /// As many jobs, or bytes of them, wait as may.
    #[error("{waiting} {what} wait to be read, and {limit} may\nhint: send it again when some of them have ended")]
    TooManyJobs {
        /// `jobs`, or `bytes of jobs`.
        what: &'static str,
        /// How many would wait.
        waiting: u64,
        /// How many may.
        limit: u64,
    },
    /// What was purged is removed, and its bytes are still in a file.
    #[error(
        "the article is removed, and somebody still reads the state before: its bytes are in `ibid.sqlite-wal`\nhint: send it again; when it is unknown then, its bytes are gone"
    )]
    StillRead,
    /// It has been filled anew, and another shelf answers from the folder.
    #[error("the library has just been made anew\nhint: send it again")]
    Replaced,
    /// A service did not take over what was made for its library.
    #[error("{holder} uses data folder `{folder}` and cannot take over what was made: {reason}")]
    NotTakenOver {
        /// The folder.
        folder: String,
        /// Who has it.
        holder: String,
        /// Its words.
        reason: String,
    },
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The index of words refused.
    #[error("index of words: {0}")]
    Words(#[from] tantivy::TantivyError),
    /// Files of a cache could not be written.
    #[error("writing to the data folder: {0}")]
    Write(#[from] std::io::Error),
}

impl Error {
    /// Whether the disk is full: what was kept is whole, and writing works again when there is room.
    pub fn is_no_room(&self) -> bool {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        match self {
            Self::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Write(error) => full(error),
            Self::Words(tantivy::TantivyError::IoError(error)) => full(error),
            Self::Held { .. }
            | Self::Occupied { .. }
            | Self::OtherModel { .. }
            | Self::Folder { .. }
            | Self::Damaged { .. }
            | Self::OtherFormat { .. }
            | Self::Replaced
            | Self::StillRead
            | Self::TooManyJobs { .. }
            | Self::Late
            | Self::NotTakenOver { .. }
            | Self::Words(_) => false,
        }
    }
}
