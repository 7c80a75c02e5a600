//! Files and folders that appear whole under their names, or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::shelf::Error;

/// Where what becomes `target` is made.
pub(crate) fn part_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Refuses a place where something is.
pub(crate) fn refuse_existing(place: &Path) -> Result<(), Error> {
    if !place.exists() {
        return Ok(());
    }
    Err(Error::Occupied { path: place.display().to_string(), reason: "is there already".to_owned() })
}

/// Moves what was made to its place beside it, in one step that a loss of power does not undo.
pub(crate) fn place(made: &Path, target: &Path) -> io::Result<()> {
    File::open(made)?.sync_all()?;
    fs::rename(made, target)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

/// Clears a folder away, if it is there.
pub(crate) fn clear_folder(folder: &Path) -> io::Result<()> {
    absent_is_well(fs::remove_dir_all(folder))
}

/// Removes a file, if it is there.
pub(crate) fn clear_file(file: &Path) -> io::Result<()> {
    absent_is_well(fs::remove_file(file))
}

fn absent_is_well(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
