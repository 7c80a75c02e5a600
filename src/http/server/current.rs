//! The library of one app, which may be put in another's place while it answers.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::http::dto::error::Problem;
use crate::library::Library;
use crate::{deadline, shelf};

/// The library that answers now: none before it is open, another after another model has made it anew.
#[derive(Default)]
pub(in crate::http) struct Current {
    library: RwLock<Option<Arc<Library>>>,
    /// Shared by those who write; held alone by whoever puts another library in its place.
    replacing: RwLock<()>,
}

impl Current {
    pub(in crate::http) fn get(&self) -> Option<Arc<Library>> {
        self.library.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::http) fn set(&self, library: Library) {
        // Whoever asks the one that was has it until he is done.
        self.put_back(Arc::new(library));
    }

    /// Takes the library away; whoever uses it has it until he is done.
    pub(in crate::http) fn take(&self) -> Option<Arc<Library>> {
        self.library.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(in crate::http) fn put_back(&self, library: Arc<Library>) {
        *self.library.write().unwrap_or_else(PoisonError::into_inner) = Some(library);
    }

    /// Has `work` write into the library of this moment, beside others who write, and returns when questions see it.
    pub(in crate::http) fn write<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<T, Problem> {
        let shared = || self.replacing.read().unwrap_or_else(PoisonError::into_inner);
        let (library, done) = {
            let _shared = shared();
            self.written(work)?
        };
        self.show(&library, done, shared)
    }

    /// As [`Self::write`], with nobody else: `work` puts something in a library's place.
    pub(in crate::http) fn write_alone<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<T, Problem> {
        let (library, done) = {
            let _alone = self.replacing.write().unwrap_or_else(PoisonError::into_inner);
            self.written(work)?
        };
        self.show(&library, done, || self.replacing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What `work` does, and in which library.
    fn written<T>(&self, work: impl FnOnce(&Library) -> Result<T, Problem>) -> Result<Written<T>, Problem> {
        if deadline::has_passed() {
            // Its client has been told that it was given up.
            return Err(Problem::late(None));
        }
        let library = self.get().ok_or_else(Problem::not_ready)?;
        let done = work(&library);
        Ok((library, done))
    }

    /// What was `done`, once questions see it.
    fn show<'a, T>(
        &'a self,
        library: &Arc<Library>,
        done: Result<T, Problem>,
        shared: impl FnOnce() -> RwLockReadGuard<'a, ()>,
    ) -> Result<T, Problem> {
        // Also where it failed: a part of it may have been committed.
        // Also where time is over: what is kept has to be found.
        let shown = deadline::unlimited(|| library.shelf().refresh());
        if matches!(shown, Err(shelf::Error::Replaced)) {
            // What takes its place knows what was written before, and answers once it is there.
            let _shared = shared();
            if self.get().is_some_and(|now| !Arc::ptr_eq(&now, library)) {
                return done;
            }
        }
        shown?;
        done
    }
}

/// What was done, and in which library.
type Written<T> = (Arc<Library>, Result<T, Problem>);
