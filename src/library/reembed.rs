//! Another model, or other chunk rules: all passages made anew beside those that answer.
//!
//! A service may answer from the library meanwhile. What is made is kept, so that an interrupted run
//! goes on where it was; the last step needs the library for itself, for a moment.

use super::{Library, Progress, identity, ingest};
use crate::embed::Embedder;
use crate::settings::Settings;
use crate::shelf::embedded::beside::{Beside, Embedded};
use crate::shelf::embedded::inspect::Inspection;
use crate::shelf::{Error, Identity, Shelf, StoredArticle};

/// Articles that are kept at once.
const BATCH: usize = 64;

impl Library {
    /// Makes all passages of the library that `settings` name with `embedder`, and hands it over.
    ///
    /// # Errors
    /// [`Error::Held`], after everything was made, when another process uses the library: run again
    /// once it has ended, only the last step is left.
    pub fn reembed(settings: Settings, embedder: Embedder, progress: &dyn Fn(Progress<'_>)) -> Result<Self, Error> {
        let identity = identity(&settings, &embedder);
        let maker = Maker { settings: &settings, embedder: &embedder, progress };
        let folder = &settings.library.data;
        let shelf = match open(&settings, &identity) {
            Err(Error::Held { .. }) => {
                let inspection = Inspection::open(folder)?;
                let all = inspection.counts()?.articles;
                let mut beside = Beside::open(folder, &identity)?;
                maker.make(&mut beside, all, &|offset| inspection.current(offset, BATCH))?;
                drop((beside, inspection));
                open(&settings, &identity)?
            }
            opened => opened?,
        };
        let mut beside = Beside::open(folder, &identity)?;
        let all = shelf.counts()?.articles;
        maker.make(&mut beside, all, &|offset| shelf.articles(offset, BATCH))?;
        shelf.replace_passages(&mut |id, version| beside.passages(id, version))?;
        drop(shelf);
        beside.remove()?;
        // The caches hold what was; opening again brings them up to what is.
        Self::open(settings, embedder)
    }
}

fn open(settings: &Settings, identity: &Identity) -> Result<Shelf, Error> {
    Shelf::open_for_reembedding(&settings.library.data, identity.clone(), &settings.search)
}

struct Maker<'a> {
    settings: &'a Settings,
    embedder: &'a Embedder,
    progress: &'a dyn Fn(Progress<'_>),
}

impl Maker<'_> {
    /// Makes what `beside` lacks of `all` articles, which come in batches.
    fn make(
        &self,
        beside: &mut Beside,
        all: usize,
        articles: &dyn Fn(usize) -> Result<Vec<StoredArticle>, Error>,
    ) -> Result<(), Error> {
        let (mut done, mut passages) = (0, 0);
        loop {
            let batch = articles(done)?;
            if batch.is_empty() {
                (self.progress)(Progress { done, all: done, passages, path: "" });
                return Ok(());
            }
            let mut made: Vec<Embedded> = Vec::with_capacity(batch.len());
            for stored in batch {
                (self.progress)(Progress { done, all: all.max(done), passages, path: &stored.article.record.title });
                done += 1;
                if !beside.holds(&stored.id, stored.version)? {
                    let content = ingest::content(self.settings, self.embedder, stored.article);
                    passages += content.passages.len();
                    made.push((stored.id, stored.version, content.passages));
                }
            }
            beside.keep(&made)?;
        }
    }
}
