//! Why a file of keys cannot be used, or be written.

use std::io;
use std::path::{Path, PathBuf};

use crate::http::auth::rights::ScopeError;

/// What is wrong with a file of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there, may not be read, or is not UTF-8.
    #[error("cannot read keys `{}`: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is read again and again, and may not be long.
    #[error("keys `{}` have more than {limit} bytes", file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
        /// Bytes that it may have.
        limit: u64,
    },
    /// A line of it is no key.
    #[error("`{}` line {number}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line's number, from 1.
        number: usize,
        /// What is wrong with it.
        reason: KeyLineError,
    },
    /// Another command could not be kept from changing it meanwhile.
    #[error("cannot lock folder `{}`: {source}", folder.display())]
    Lock {
        /// The folder that is locked.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It could not be written.
    #[error("cannot write keys `{}`: {source}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyLineError {
    /// It has too few parts or too many.
    #[error("a name, scopes, a checksum and perhaps a last day are needed, and nothing more")]
    Parts,
    /// One of its scopes is none.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// Its checksum is none.
    #[error("the checksum is not 64 hexadecimal digits")]
    Checksum,
    /// Its last day is none.
    #[error("`{}` is no day: write YYYY-MM-DD", .0.escape_debug())]
    LastDay(String),
    /// Two lines for one key could say different things of it.
    #[error("the key of another line")]
    Repeated,
}

impl KeyFileError {
    /// What keeps `file` from being written, as an error of its own.
    pub(in crate::http) fn write(file: &Path) -> impl Fn(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Write { file: file.clone(), source }
    }
}
