//! Whether a model's files are what they were when it was made or fetched.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::defect::ModelDefect;
use super::folder::{Error, Files};
use crate::text::hex;

/// The list that a model folder carries, as `sha256sum` writes it.
pub const LIST: &str = "SHA256SUMS";

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name, below the folder.
    pub file: String,
    /// SHA-256 that the list gives.
    pub expected: String,
    /// SHA-256 of what is there; `None` where nothing can be read.
    pub found: Option<String>,
}

impl Checked {
    /// Whether it is what it was.
    pub fn holds(&self) -> bool {
        self.found.as_ref() == Some(&self.expected)
    }
}

/// Compares the files of the model at `path` (the bundled one, if `None`) with its list.
///
/// # Errors
/// When the folder has no list, or one that is not as `sha256sum` writes it.
pub fn verify(path: Option<&Path>) -> Result<Vec<Checked>, Error> {
    let files = path.map_or(Files::Bundled, |path| Files::Folder(path.to_owned()));
    let list = files.read(LIST)?;
    let list = std::str::from_utf8(&list).map_err(|error| files.broken(LIST, error))?;
    let entry = |line: &str| {
        let (expected, file) =
            line.split_once("  ").ok_or_else(|| files.broken(LIST, ModelDefect::Missing(format!("the checksum in `{line}`"))))?;
        let found = files.read(file).ok().map(|bytes| hex(&Sha256::digest(&bytes)));
        Ok(Checked { file: file.to_owned(), expected: expected.to_owned(), found })
    };
    list.lines().filter(|line| !line.trim().is_empty()).map(entry).collect()
}
