//! Collections: further libraries below the data folder of the first, each in a folder of its name.
//!
//! A collection is made, renamed and removed in one step: it is there whole under its name, or not at all. What a
//! killed process leaves half done has a name that no collection can have, and is cleared away later.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Library;
use crate::embed::Embedder;
use crate::settings::Settings;
use crate::shelf::Error;
use crate::shelf::embedded::placing::{clear_folder, place, refuse_existing};

/// The name of the library that is there without being made.
pub const FIRST: &str = "default";
/// The folder of collections, below the data folder.
pub const FOLDER: &str = "collections";
/// What the folder of one begins with that is being made.
const MAKING: &str = ".making-";
/// What the folder of one begins with that is being removed.
const REMOVED: &str = ".removed-";

/// Whether `name` is one that a collection can have: it is a folder and part of addresses.
pub fn is_name(name: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(inside) && !name.starts_with('-') && name != FIRST
}

/// The folder of collection `name`, below the data folder of the first library.
pub fn folder(data: &Path, name: &str) -> PathBuf {
    data.join(FOLDER).join(name)
}

/// The settings of collection `name`: those of the first library, in another folder.
pub fn settings(first: &Settings, name: &str) -> Settings {
    let mut settings = first.clone();
    settings.library.data = folder(&first.library.data, name);
    settings
}

/// The names of the collections below `data`, in order.
///
/// # Errors
/// When the folder cannot be read.
pub fn names(data: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(data.join(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        names.extend(entry.file_name().into_string().ok().filter(|name| is_name(name) && entry.path().is_dir()));
    }
    names.sort();
    Ok(names)
}

/// The library that `first` names, and its collections: the name and the settings of each.
///
/// # Errors
/// When the folder of collections cannot be read.
pub fn all(first: &Settings) -> Result<Vec<(String, Settings)>, Error> {
    let data = &first.library.data;
    let unreadable = |reason| Error::Folder { folder: data.join(FOLDER).display().to_string(), reason };
    let names = names(data).map_err(unreadable)?;
    let others = names.into_iter().map(|name| {
        let settings = settings(first, &name);
        (name, settings)
    });
    Ok(std::iter::once((FIRST.to_owned(), first.clone())).chain(others).collect())
}

/// Makes collection `name`, empty, and opens it.
///
/// # Errors
/// [`Error::Occupied`] when there is one of this name; whatever keeps a library from being opened.
pub fn make(first: &Settings, embedder: Arc<Embedder>, name: &str) -> Result<Library, Error> {
    let (data, settings) = (&first.library.data, settings(first, name));
    refuse_existing(&settings.library.data)?;
    let beside = data.join(FOLDER).join(format!("{MAKING}{name}"));
    clear_folder(&beside)?;
    let mut begun = settings.clone();
    begun.library.data.clone_from(&beside);
    drop(Library::open(begun, Arc::clone(&embedder))?);
    place(&beside, &settings.library.data)?;
    Library::open(settings, embedder)
}

/// Gives collection `from` the name `to`. It must not be open.
///
/// # Errors
/// [`Error::Occupied`] when there is one of that name; when the folder cannot be moved.
pub fn rename(data: &Path, from: &str, to: &str) -> Result<(), Error> {
    refuse_existing(&folder(data, to))?;
    Ok(place(&folder(data, from), &folder(data, to))?)
}

/// Removes collection `name` with all that it holds.
///
/// # Errors
/// When there is none, or its folder cannot be moved: then all of it is still there.
pub fn remove(data: &Path, name: &str) -> Result<(), Error> {
    let gone = data.join(FOLDER).join(format!("{REMOVED}{name}"));
    clear_folder(&gone)?;
    place(&folder(data, name), &gone)?;
    // From here on there is no such collection; what cannot be cleared away now is at the next start.
    if let Err(error) = clear_folder(&gone) {
        tracing::warn!(collection = name, %error, "what a removed collection held could not be cleared away yet");
    }
    Ok(())
}

/// Clears away what was being made or removed when a process ended.
pub fn clear(data: &Path) {
    let Ok(entries) = fs::read_dir(data.join(FOLDER)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let half_done = [MAKING, REMOVED].iter().any(|begin| name.as_encoded_bytes().starts_with(begin.as_bytes()));
        if half_done && let Err(error) = clear_folder(&entry.path()) {
            tracing::warn!(folder = ?entry.path(), %error, "what was left half done could not be cleared away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folders_and_parts_of_addresses() {
        assert!(is_name("a-1") && !is_name("") && !is_name("../x") && !is_name("A") && !is_name(FIRST) && !is_name("-x"));
        assert!(!is_name(&format!("{MAKING}a")) && !is_name(&format!("{REMOVED}a")) && !is_name(&"a".repeat(65)));
    }

    #[test]
    fn what_was_left_half_done_is_no_collection_and_is_cleared_away() {
        let data = tempfile::tempdir().unwrap();
        for name in ["news", ".making-news", ".removed-old"] {
            fs::create_dir_all(folder(data.path(), name).join("words")).unwrap();
        }
        fs::write(folder(data.path(), "note"), "a file is no collection").unwrap();
        assert_eq!(names(data.path()).unwrap(), ["news"]);
        clear(data.path());
        let left: Vec<_> = fs::read_dir(data.path().join(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        remove(data.path(), "news").unwrap();
        assert!(names(data.path()).unwrap().is_empty() && remove(data.path(), "news").is_err());
    }
}
