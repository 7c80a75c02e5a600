//! Finding and opening source files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::{Bundle, Error, Format, INSIDE};
use crate::article::Source;
use crate::text::hex;

/// A file that is to be read.
#[derive(Debug, Clone)]
pub struct FoundFile {
    /// Where it is.
    pub file: PathBuf,
    /// What readers are shown: the path below the folder that was named.
    pub path: String,
    /// It was named itself, and not met in a folder.
    pub named: bool,
}

/// Why something in a folder was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// Its type is not supported.
    Unsupported,
    /// Its name begins with a dot; of a folder, nothing below it was looked at.
    Hidden,
    /// It is a symbolic link; none is followed.
    Link,
    /// It is a device, a socket or a pipe.
    Special,
    /// It is JSON or XML, and holds no articles.
    NoArticles,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Unsupported => "of an unsupported type",
            Self::Hidden => "hidden",
            Self::Link => "a symbolic link",
            Self::Special => "not an ordinary file",
            Self::NoArticles => "without articles",
        })
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files that are to be read, by name.
    pub found: Vec<FoundFile>,
    /// What is not opened, by name.
    pub skipped: Vec<(String, Skipped)>,
    /// What could not be looked into.
    pub broken: Vec<(String, Error)>,
}

/// All that is below `root`: nothing is passed over without a word.
///
/// A file is taken whatever it is called; in a folder, hidden files, links and types that are not supported are
/// skipped.
pub fn walk(root: &Path) -> Walk {
    let mut walk = Walk::default();
    if root.is_file() {
        let name = root.file_name().unwrap_or(root.as_os_str());
        walk.found.push(FoundFile { file: root.to_owned(), path: name.to_string_lossy().into_owned(), named: true });
        return walk;
    }
    let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) if entry.depth() == 0 && entry.file_type().is_dir() => continue,
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).display().to_string();
                walk.broken.push((path, Error::Io(error.into())));
                continue;
            }
        };
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let path = below.to_string_lossy().replace('\\', "/");
        match skipped(&entry, &path) {
            Some(reason) => {
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
                walk.skipped.push((path, reason));
            }
            None if entry.file_type().is_file() => walk.found.push(FoundFile { file: entry.into_path(), path, named: false }),
            None => {}
        }
    }
    walk
}

fn skipped(entry: &walkdir::DirEntry, path: &str) -> Option<Skipped> {
    let kind = entry.file_type();
    if entry.file_name().to_string_lossy().starts_with('.') {
        Some(Skipped::Hidden)
    } else if kind.is_symlink() {
        Some(Skipped::Link)
    } else if kind.is_file() {
        Format::of(path).is_none().then_some(Skipped::Unsupported)
    } else {
        (!kind.is_dir()).then_some(Skipped::Special)
    }
}

/// Reads a file of at most `limit` bytes.
pub fn open(found: &FoundFile, limit: u64) -> Result<Source, Error> {
    let about = std::fs::metadata(&found.file)?;
    if !about.is_file() {
        return Err(Error::NotAFile);
    }
    if about.len() > limit {
        return Err(Error::TooLarge { size: about.len(), limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
    // The file may grow while it is read; the limit holds all the same.
    File::open(&found.file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { size: bytes.len() as u64, limit });
    }
    let location = std::fs::canonicalize(&found.file)?.to_string_lossy().into_owned();
    Ok(source(found.path.clone(), location, bytes))
}

/// The source at `location`, a file or a file in an archive, if it is there and can be read.
pub fn again(location: &str, limit: u64) -> Option<Source> {
    let (file, inside) = location.split_once(INSIDE).map_or((location, None), |(file, name)| (file, Some(name)));
    // What was sent has a location, and no file.
    let file = Path::new(file).is_absolute().then(|| PathBuf::from(file))?;
    let found = FoundFile { path: file.to_string_lossy().into_owned(), file, named: true };
    let source = open(&found, limit).ok()?;
    match inside {
        None => Some(source),
        Some(name) => Bundle::open(&source, limit).ok()?.named(name),
    }
}

/// A source of bytes that are at hand.
pub fn source(path: String, location: String, bytes: Vec<u8>) -> Source {
    let sha256 = hex(&Sha256::digest(&bytes));
    Source { path, location, bytes: Arc::new(bytes), sha256 }
}
