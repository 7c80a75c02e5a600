//! Finding and opening source files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use super::{Error, Format};
use crate::article::Source;

/// A file that is to be read.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is.
    pub file: PathBuf,
    /// What readers are shown: the path below the folder that was named.
    pub path: String,
}

/// The files below `root`, by name, and what could not be looked into.
///
/// A file is taken whatever it is called; in a folder, hidden files, links and
/// kinds that are not read are passed over.
pub fn walk(root: &Path) -> (Vec<Found>, Vec<(String, Error)>) {
    if root.is_file() {
        let name = root.file_name().unwrap_or(root.as_os_str());
        return (vec![Found { file: root.to_owned(), path: name.to_string_lossy().into_owned() }], vec![]);
    }
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    let visible = |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
                let path = below.to_string_lossy().replace('\\', "/");
                if Format::of(&path).is_some() {
                    found.push(Found { file: entry.into_path(), path });
                }
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(root).display().to_string();
                broken.push((path, Error::Io(error.into())));
            }
        }
    }
    (found, broken)
}

/// Reads a file of at most `limit` bytes.
pub fn open(found: &Found, limit: u64) -> Result<Source, Error> {
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

/// A source of bytes that are at hand.
pub fn source(path: String, location: String, bytes: Vec<u8>) -> Source {
    let sha256 = hex(&Sha256::digest(&bytes));
    Source { path, location, bytes, sha256 }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
