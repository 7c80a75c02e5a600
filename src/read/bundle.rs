//! A zip archive of files: each is a source of its own, named by the archive and its name inside.

use std::sync::Arc;

use super::archive::Archive;
use super::files::{self, Skipped};
use super::{Error, Format, guard};
use crate::article::Source;

/// What stands between an archive's location and the name of a file inside.
pub const INSIDE: &str = "!/";

/// An archive whose files are read one after the other.
pub struct Bundle {
    path: String,
    location: String,
    archive: Archive,
    names: std::vec::IntoIter<String>,
    longest: u64,
}

/// What a file in an archive is.
pub enum Inside {
    /// It is to be read.
    Source(Source),
    /// It is passed over, with its path.
    Skipped(String, Skipped),
    /// It cannot be unpacked, with its path.
    Broken(String, Error),
}

impl Bundle {
    /// Whether `source` is an archive.
    pub fn is_one(source: &Source) -> bool {
        Format::of(&source.path) == Some(Format::Zip)
    }

    /// Opens the archive that `source` is; no file in it may have more than `longest` bytes.
    ///
    /// # Errors
    /// When it is no archive, is broken, or holds too many files.
    pub fn open(source: &Source, longest: u64) -> Result<Self, Error> {
        let bytes = Arc::clone(&source.bytes);
        let archive = guard::bounded(move || Archive::open(&bytes))??;
        let names = archive.names().into_iter();
        Ok(Self { path: source.path.clone(), location: source.location.clone(), archive, names, longest })
    }
}

impl Bundle {
    /// The source that the file `name` is, if it is inside and can be unpacked.
    pub(super) fn named(mut self, name: &str) -> Option<Source> {
        let bytes = self.archive.bytes(name, self.longest).ok()??;
        Some(files::source(format!("{}/{name}", self.path), format!("{}{INSIDE}{name}", self.location), bytes))
    }
}

impl Iterator for Bundle {
    type Item = Inside;

    fn next(&mut self) -> Option<Inside> {
        let name = self.names.next()?;
        // It is shown, and never used as a path.
        let path = format!("{}/{}", self.path, crate::article::one_line(&name));
        let hidden =
            name.split('/').any(|part| !part.trim_matches('.').is_empty() && part.starts_with('.') || part == "__MACOSX");
        let skipped = match Format::of(&name) {
            _ if hidden => Some(Skipped::Hidden),
            None => Some(Skipped::Unsupported),
            Some(_) => None,
        };
        if let Some(reason) = skipped {
            return Some(Inside::Skipped(path, reason));
        }
        Some(match self.archive.bytes(&name, self.longest) {
            Ok(Some(bytes)) => Inside::Source(files::source(path, format!("{}{INSIDE}{name}", self.location), bytes)),
            Ok(None) => Inside::Broken(path, Error::Damaged("it is not in the archive".to_owned())),
            Err(error) => {
                // What is unpacked in all is bounded: nothing more comes.
                if matches!(error, Error::Unpacked { .. }) {
                    self.names = Vec::new().into_iter();
                }
                Inside::Broken(path, error)
            }
        })
    }
}
