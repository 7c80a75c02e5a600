//! How a process that has made all passages anew has them taken over by the one that uses the library.
//!
//! It asks by a file in the data folder that says how they were made, and keeps that file locked while it
//! waits: a request that nobody waits for any more is none. Who uses the library takes the file away when
//! it is done; when it cannot be done, another file says why.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

const ASKED: &str = "reembed.json";
const REFUSED: &str = "reembed.refused";

/// A request; dropped, it is withdrawn.
pub(super) struct Request {
    folder: PathBuf,
    _locked: File,
}

/// How a request stands.
pub(super) enum Answer {
    Waiting,
    Done,
    Refused(String),
}

impl Request {
    /// Asks in `folder` for passages to be taken over that were made as `making` says.
    pub(super) fn make(folder: &Path, making: &str) -> io::Result<Self> {
        remove(&folder.join(REFUSED))?;
        // It is locked before it is there.
        let locked = written(&folder.join(ASKED), making)?;
        Ok(Self { folder: folder.to_owned(), _locked: locked })
    }

    pub(super) fn answer(&self) -> Answer {
        if self.folder.join(ASKED).exists() {
            return Answer::Waiting;
        }
        fs::read_to_string(self.folder.join(REFUSED)).map_or(Answer::Done, Answer::Refused)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // One that stays is known for one that nobody waits for.
        let _ = remove(&self.folder.join(ASKED)).and_then(|()| remove(&self.folder.join(REFUSED)));
    }
}

/// How the passages were made that somebody waits to have taken over in `folder`.
pub(super) fn asked(folder: &Path) -> io::Result<Option<String>> {
    let path = folder.join(ASKED);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => io::read_to_string(file).map(Some),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => {
            remove(&path)?;
            Ok(None)
        }
    }
}

/// Says that it was done.
pub(super) fn done(folder: &Path) -> io::Result<()> {
    remove(&folder.join(ASKED))
}

/// Says that it cannot be done, and why.
pub(super) fn refuse(folder: &Path, reason: &str) -> io::Result<()> {
    written(&folder.join(REFUSED), reason)?;
    remove(&folder.join(ASKED))
}

/// Writes a file that is whole, and locked, from the moment it is there.
fn written(path: &Path, text: &str) -> io::Result<File> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.lock()?;
    file.write_all(text.as_bytes())?;
    fs::rename(&temporary, path)?;
    Ok(file)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_while_somebody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(asked(folder).unwrap(), None);
        let request = Request::make(folder, "{}").unwrap();
        assert_eq!(asked(folder).unwrap().as_deref(), Some("{}"));
        assert!(matches!(request.answer(), Answer::Waiting));
        refuse(folder, "no room").unwrap();
        assert!(matches!(request.answer(), Answer::Refused(reason) if reason == "no room"));
        drop(request);
        // A process that was killed leaves the file, and not its lock.
        fs::write(folder.join(ASKED), "{}").unwrap();
        assert_eq!(asked(folder).unwrap(), None);
        assert!(!folder.join(ASKED).exists() && !folder.join(REFUSED).exists());
        let request = Request::make(folder, "{}").unwrap();
        done(folder).unwrap();
        assert!(matches!(request.answer(), Answer::Done));
    }
}
