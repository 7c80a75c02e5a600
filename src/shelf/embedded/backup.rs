//! Copies of the truth: taken while others ask and write, and put back into an empty folder.
//!
//! Only the database is copied. The caches are built again when the library is opened.

use std::fs;
use std::path::Path;

use super::placing::{clear_file, part_of, place, refuse_existing};
use super::{database, inspect, lock};
use crate::shelf::{Counts, Error};

/// Writes the library in `folder` into `file`, as it stands at one moment, and verifies the copy.
///
/// # Errors
/// When `file` is there already, when it cannot be written, or when the library is damaged.
pub fn backup(folder: &Path, file: &Path) -> Result<Counts, Error> {
    refuse_existing(file)?;
    let part = part_of(file);
    let copied = (|| {
        clear_file(&part)?;
        let connection = inspect::connect(&folder.join(database::FILE))?;
        connection.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
        drop(connection);
        let counts = verified(&part)?;
        place(&part, file)?;
        Ok(counts)
    })();
    if copied.is_err() {
        // What was begun is of no use to anybody.
        let _ = clear_file(&part);
    }
    copied
}

/// Puts the copy in `file` into `folder`, which holds no library.
///
/// # Errors
/// When `folder` holds a library, when the copy is damaged, or when it cannot be written.
pub fn restore(file: &Path, folder: &Path) -> Result<Counts, Error> {
    verified(file)?;
    super::make_private(folder).map_err(|reason| Error::Folder { folder: folder.display().to_string(), reason })?;
    let _lock = lock::Lock::take(folder)?;
    let target = folder.join(database::FILE);
    refuse_existing(&target)?;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        // Libraries of other names may have been put below it already.
        if name != "LOCK" && name != "ibid.sqlite.part" && name != "collections" {
            let reason = format!("holds `{}`", name.display());
            return Err(Error::Occupied { path: folder.display().to_string(), reason });
        }
    }
    let part = part_of(&target);
    fs::copy(file, &part)?;
    // The copy may have been open to others.
    #[cfg(unix)]
    fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let counts = verified(&part)?;
    place(&part, &target)?;
    Ok(counts)
}

/// What a copy holds, when it is sound to the last row.
fn verified(file: &Path) -> Result<Counts, Error> {
    let connection = inspect::connect(file)?;
    match inspect::damage(&connection, true)?.into_iter().next() {
        Some(reason) => Err(Error::Damaged { file: file.display().to_string(), reason }),
        None => Ok(database::counts(&connection)?),
    }
}
