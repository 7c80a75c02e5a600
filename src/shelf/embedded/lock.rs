//! One process at a time uses a data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::shelf::Error;

/// The lock, held until it is dropped; the system frees it when the process dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`, or says who has it.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let refuse = |reason| Error::Folder { folder: folder.display().to_string(), reason };
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join("LOCK"));
        let mut file = options.map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy; that it is held is certain.
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
                return Err(Error::Held { folder: folder.display().to_string(), holder: holder.to_owned() });
            }
            Err(TryLockError::Error(reason)) => return Err(refuse(reason)),
        }
        let name = format!("process {}\n", std::process::id());
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes())).map_err(refuse)?;
        Ok(Self { _file: file })
    }
}
