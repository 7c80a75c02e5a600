//! Copies of a library with its collections, and their way back.
//!
//! A library alone is copied into one file; one with collections into a folder that is laid out as a data
//! folder is. Each library is copied as it stands at one moment, one after the other.

use std::path::Path;

use super::collections::{FIRST, folder, names};
use crate::shelf::embedded::placing::{clear_folder, part_of, place, refuse_existing};
use crate::shelf::embedded::{self, DATABASE, make_private};
use crate::shelf::{Counts, Error};

/// A library that was copied: its name, and how much it holds.
pub type Copied = (String, Counts);

/// Copies the library in `data`, and its collections, into `target`, which must not be there. It appears whole and
/// verified, or not at all.
///
/// # Errors
/// When `target` is there, when it cannot be written, or when one of the libraries is damaged.
pub fn backup(data: &Path, target: &Path) -> Result<Vec<Copied>, Error> {
    let names = names(data)?;
    if names.is_empty() {
        return Ok(vec![(FIRST.to_owned(), embedded::backup(data, target)?)]);
    }
    refuse_existing(target)?;
    let part = part_of(target);
    clear_folder(&part)?;
    let copied = all(data, &names, &part).and_then(|copied| {
        place(&part, target)?;
        Ok(copied)
    });
    if copied.is_err() {
        // What was begun is of no use to anybody.
        let _ = clear_folder(&part);
    }
    copied
}

fn all(data: &Path, names: &[String], target: &Path) -> Result<Vec<Copied>, Error> {
    make_private(target)?;
    let mut copied = vec![(FIRST.to_owned(), embedded::backup(data, &target.join(DATABASE))?)];
    for name in names {
        let into = folder(target, name);
        make_private(&into)?;
        copied.push((name.clone(), embedded::backup(&folder(data, name), &into.join(DATABASE))?));
    }
    Ok(copied)
}

/// Puts what [`backup`] wrote into `data`, which holds no library. The first library comes last: without it
/// there is none there, and it can be begun again.
///
/// # Errors
/// When `data` holds a library, when a copy is damaged, or when it cannot be written.
pub fn restore(copy: &Path, data: &Path) -> Result<Vec<Copied>, Error> {
    if !copy.is_dir() {
        return Ok(vec![(FIRST.to_owned(), embedded::restore(copy, data)?)]);
    }
    refuse_existing(&data.join(DATABASE))?;
    let mut restored = Vec::new();
    for name in names(copy)? {
        let counts = embedded::restore(&folder(copy, &name).join(DATABASE), &folder(data, &name))?;
        restored.push((name, counts));
    }
    restored.insert(0, (FIRST.to_owned(), embedded::restore(&copy.join(DATABASE), data)?));
    Ok(restored)
}
