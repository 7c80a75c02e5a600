//! The file of keys: what a line says, and how lines are added and removed.
//!
//! One key a line: `NAME SCOPES SHA256 [LAST-DAY]`; empty lines and lines that begin with `#` say nothing.
//! A file is taken whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{KeyFileError, KeyLineError};
use crate::http::auth::rights::Granted;
use crate::text::hex;

/// What every key begins with, so that it is known for one where it leaks.
const PREFIX: &str = "ibid_";
/// Longest file, in bytes: it is read again and again.
const LONGEST: u64 = 1 << 20;

/// A key, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub name: String,
    /// As they are written, with commas.
    pub scopes: String,
    /// The last day on which it is taken.
    pub last_day: Option<jiff::civil::Date>,
    pub(in crate::http) granted: Vec<Granted>,
    pub(in crate::http) sha256: Vec<u8>,
}

/// A new key: what its owner is given, and the line that is kept.
pub struct NewKey {
    /// Shown once.
    pub key: String,
    /// For the file.
    pub line: String,
}

impl NewKey {
    /// Makes a key from 32 random bytes.
    pub fn of(random: &[u8; 32], name: &str, scopes: &[String]) -> Self {
        let key = format!("{PREFIX}{}", hex(random));
        let line = format!("{name} {} {}", scopes.join(","), hex(&Sha256::digest(&key)));
        Self { key, line }
    }
}

fn line(text: &str) -> Result<Kept, KeyLineError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (name, scopes, sha256, last_day) = match words.as_slice() {
        [name, scopes, sha256] => (name, scopes, sha256, None),
        [name, scopes, sha256, last_day] => (name, scopes, sha256, Some(last_day)),
        _ => return Err(KeyLineError::Parts),
    };
    let granted = scopes.split(',').map(Granted::parse).collect::<Result<_, _>>()?;
    let bytes =
        (0..sha256.len()).step_by(2).map(|at| sha256.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()));
    let bytes: Option<Vec<u8>> = bytes.collect();
    let sha256 = bytes.filter(|bytes| bytes.len() == 32).ok_or(KeyLineError::Checksum)?;
    let last_day = last_day.map(|day| day.parse().map_err(|_| KeyLineError::LastDay((*day).to_owned()))).transpose()?;
    Ok(Kept { name: (*name).to_owned(), scopes: (*scopes).to_owned(), last_day, granted, sha256 })
}

/// The lines of `text` that hold a key, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// The keys in the text of `file`.
///
/// # Errors
/// When a line is no key, or a key stands twice: two lines for one key could say different things of it.
pub(in crate::http) fn parse(file: &Path, text: &str) -> Result<Vec<Kept>, KeyFileError> {
    let wrong = |number, reason| KeyFileError::Line { file: file.to_owned(), number, reason };
    let mut keys: Vec<Kept> = Vec::new();
    for (number, text) in lines(text) {
        let kept = line(text).map_err(|reason| wrong(number, reason))?;
        if keys.iter().any(|other| other.sha256 == kept.sha256) {
            return Err(wrong(number, KeyLineError::Repeated));
        }
        keys.push(kept);
    }
    Ok(keys)
}

/// The text of `file`.
///
/// # Errors
/// When it cannot be read, is longer than 1 MiB, or is not UTF-8.
pub(in crate::http) fn text(file: &Path) -> Result<String, KeyFileError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    read.map_err(|source| KeyFileError::Unreadable { file: file.to_owned(), source })?;
    if text.len() as u64 > LONGEST {
        return Err(KeyFileError::TooLong { file: file.to_owned(), limit: LONGEST });
    }
    Ok(text)
}

/// The keys that `file` holds.
///
/// # Errors
/// When the file cannot be read, or a line of it is no key.
pub fn listed(file: &Path) -> Result<Vec<Kept>, KeyFileError> {
    parse(file, &text(file)?)
}

/// Held while lines are added or removed, so that two commands at once lose none: a lock on the folder.
fn alone(file: &Path) -> Result<File, KeyFileError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let opened = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    opened.map_err(|source| KeyFileError::Lock { folder: folder.to_owned(), source })
}

/// Adds the line of a key to `file`, which is made when it is not there, for its owner alone.
///
/// # Errors
/// When the file cannot be written, or a line of it is no key already.
pub fn add(file: &Path, key: &NewKey) -> Result<(), KeyFileError> {
    let _alone = alone(file)?;
    let known = if file.exists() { text(file)? } else { String::new() };
    parse(file, &known)?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut keys = options.open(file).map_err(KeyFileError::write(file))?;
    // A last line without an end would run into the new one.
    let end = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    let written = keys.write_all(format!("{end}{}\n", key.line).as_bytes()).and_then(|()| keys.sync_all());
    written.map_err(KeyFileError::write(file))
}

/// Removes all keys of `name` from `file`, in one step, and says how many there were.
///
/// # Errors
/// When the file cannot be written, or a line of it is no key.
pub fn remove(file: &Path, name: &str) -> Result<usize, KeyFileError> {
    let _alone = alone(file)?;
    let known = text(file)?;
    parse(file, &known)?;
    let gone: Vec<usize> =
        lines(&known).filter(|(_, line)| line.split_whitespace().next() == Some(name)).map(|(number, _)| number).collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let kept = (1..).zip(known.lines()).filter(|(number, _)| !gone.contains(number));
    let kept: String = kept.flat_map(|(_, line)| [line, "\n"]).collect();
    // What a link leads to is replaced, not the link.
    let target: PathBuf = std::fs::canonicalize(file).map_err(KeyFileError::write(file))?;
    let folder = target.parent().unwrap_or_else(|| Path::new("/"));
    let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(KeyFileError::write(file))?;
    let access = std::fs::metadata(&target).map_err(KeyFileError::write(file))?.permissions();
    let written = fresh.write_all(kept.as_bytes()).and_then(|()| fresh.as_file().set_permissions(access));
    written.and_then(|()| fresh.as_file().sync_all()).map_err(KeyFileError::write(file))?;
    fresh.persist(&target).map_err(|error| KeyFileError::write(file)(error.error))?;
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_whole_or_not_at_all() {
        let sum = "0f".repeat(32);
        let check = |text: &str| parse(Path::new("keys"), text);
        let good = format!("# ours\n\n  desk read,write@news {sum}\nnight read {} 2026-01-31\n", "1f".repeat(32));
        assert_eq!(check(&good).unwrap().iter().map(|kept| kept.name.as_str()).collect::<Vec<_>>(), ["desk", "night"]);
        for wrong in [
            "desk".to_owned(),
            format!("desk rule {sum}"),
            format!("desk read@UP {sum}"),
            format!("desk read {}", &sum[2..]),
            format!("desk read {sum} tomorrow"),
            format!("desk read {sum} 2026-01-31 again"),
            format!("desk read {sum}\nnight write {sum}"),
        ] {
            let refused = check(&format!("night read {}\n{wrong}\n", "2f".repeat(32))).unwrap_err();
            assert!(matches!(refused, KeyFileError::Line { number: 2 | 3, .. }), "{wrong}: {refused}");
            assert!(refused.to_string().contains("`keys` line "), "{wrong}: {refused}");
        }
    }

    #[test]
    fn lines_are_added_and_removed_and_the_rest_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, format!("# ours\nold read {}", "2f".repeat(32))).unwrap();
        for (name, byte) in [("desk", 1), ("night", 2), ("desk", 3)] {
            add(&file, &NewKey::of(&[byte; 32], name, &["read".to_owned()])).unwrap();
        }
        assert_eq!(listed(&file).unwrap().len(), 4);
        assert_eq!((remove(&file, "desk").unwrap(), remove(&file, "desk").unwrap()), (2, 0));
        let names: Vec<String> = listed(&file).unwrap().into_iter().map(|kept| kept.name).collect();
        assert_eq!(names, ["old", "night"]);
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("# ours\nold "));
    }
}
