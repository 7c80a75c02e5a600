//! Opening a shelf: its caches are verified and brought up to date, and nothing is served from a damaged file.
//!
//! Whether the database is sound takes as long to find out as its vectors take to load. Both go on at once; what
//! was loaded is used once the database is known to be sound.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use rusqlite::Connection;

use super::grow::Growing;
use super::readers::Readers;
use super::words::{self, Words};
use super::{Caches, Retention, Shelf, View, WORDS, caches, database, lock};
use crate::settings;
use crate::shelf::vectors::{PassageSet, VectorIndex};
use crate::shelf::{Error, Identity};

/// What was read of a database that may yet turn out to be damaged.
struct Loaded {
    words: Words,
    vectors: VectorIndex,
    live: PassageSet,
    change: u64,
}

/// Makes `folder` and takes its lock.
fn locked(folder: &Path) -> Result<Arc<lock::Lock>, Error> {
    super::make_private(folder).map_err(|reason| Error::Folder { folder: folder.display().to_string(), reason })?;
    lock::Lock::take(folder).map(Arc::new)
}

/// Does both at once, or one after the other where no thread is to be had.
fn both<A, B: Send>(here: impl FnOnce() -> A, beside: impl Fn() -> B + Sync) -> (A, B) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("check".to_owned()).spawn_scoped(scope, &beside);
        let done = here();
        let other =
            thread.map_or_else(|_| beside(), |thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (done, other)
    })
}

impl Shelf {
    /// Opens the shelf in `folder`, or begins one; its caches are verified and brought up to date.
    pub fn open(folder: &Path, identity: Identity, search: &settings::Search) -> Result<Self, Error> {
        Self::open_with(locked(folder)?, folder, identity, search, database::claim)
    }

    /// Opens a shelf that another model filled, to fill it anew.
    pub fn open_for_reembedding(folder: &Path, identity: Identity, search: &settings::Search) -> Result<Self, Error> {
        Self::open_with(locked(folder)?, folder, identity, search, |_, _, _| Ok(()))
    }

    /// Opens a second shelf in this one's folder, which [`Self::replace_passages`] has given `identity`. This one
    /// goes on answering with what it has in memory, and must not be written any more.
    pub fn reopened(&self, identity: Identity, search: &settings::Search) -> Result<Self, Error> {
        self.growing.close();
        let opened = Self::open_with(Arc::clone(&self.lock), self.folder(), identity, search, database::claim)?;
        Ok(opened.with_retention(self.retention))
    }

    fn open_with(
        lock: Arc<lock::Lock>,
        folder: &Path,
        identity: Identity,
        search: &settings::Search,
        claim: impl Fn(&Connection, &Identity, &Path) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        // The dictionary takes a moment to load; the first question shall not wait for it.
        std::thread::spawn(|| crate::text::terms::terms("词典"));
        let writer = database::open(folder, |connection| claim(connection, &identity, folder))?;
        let load = || {
            claim(&writer, &identity, folder)?;
            load(&writer, folder, VectorIndex::new(identity.model.dimension, search))
        };
        let (loaded, sound) = both(load, || database::sound(folder));
        // What is damaged says more than what stumbled over it.
        sound?;
        let Loaded { words, vectors, live, change } = loaded?;
        database::add_indexes(&writer);
        let view = View { change, vectors, live: Arc::new(live), words: words.searcher() };
        let growing = Growing {
            folder: folder.to_owned(),
            view: RwLock::new(Arc::new(view)),
            building: Mutex::default(),
            waiting: AtomicBool::default(),
            closing: AtomicBool::default(),
        };
        let shelf = Self {
            identity,
            writer: Mutex::new(writer),
            readers: Readers::of(folder),
            words: Mutex::new(words),
            caches: Mutex::new(Caches::Ours),
            growing: Arc::new(growing),
            lock,
            retention: Retention::default(),
            counted: Mutex::default(),
        };
        shelf.catch_up_words()?;
        Ok(shelf)
    }
}

/// Reads what is kept in memory.
fn load(connection: &Connection, folder: &Path, mut vectors: VectorIndex) -> Result<Loaded, Error> {
    let change = database::last_change(connection)?;
    if let Some(seen) = words::reached_in(&folder.join(WORDS)).filter(|seen| *seen > change) {
        // Caches follow what is safely on the disk: the database has lost what they have seen.
        let reason = format!("it ends at change {change}, and change {seen} was made: this is an older state of it");
        return Err(Error::Damaged { file: folder.join(database::FILE).display().to_string(), reason });
    }
    let words = Words::open(&folder.join(WORDS))?;
    let live = caches::load_vectors(connection, folder, 0, &mut vectors)?.into_iter().collect();
    vectors.load(folder, change);
    Ok(Loaded { words, vectors, live, change })
}
