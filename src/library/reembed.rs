//! Another model, or other chunk rules: all passages made anew beside those that answer.
//!
//! A service may answer from the library meanwhile. What is made is kept, so that an interrupted run
//! goes on where it was. Whoever has the library takes it over in one step, and answers before, during and after.

use std::sync::Arc;
use std::time::Duration;

use super::hand_over::{self, Answer, Request};
use super::{Library, Progress, embedder, identity, making};
use crate::embed::Embedder;
use crate::settings::Settings;
use crate::shelf::embedded::beside::{Beside, Embedded};
use crate::shelf::embedded::inspect::{Inspection, Versions};
use crate::shelf::{Counts, Error, Identity, Shelf, StoredArticle};

/// Articles that are kept at once.
const BATCH: usize = 64;
/// How often it is looked whether a service has taken over what was made.
const LOOK: Duration = Duration::from_millis(200);

/// Where the passages are that were made anew.
pub enum Reembedded {
    /// In this library.
    Here(Box<Library>),
    /// In one that this process answers from; how much it holds.
    There(String, Counts),
}

impl Library {
    /// Makes all passages of the library that `settings` name with `embedder`. Where another process uses the
    /// library, `waits` hears which, when all is made and that process is to take it over or to end.
    ///
    /// # Errors
    /// [`Error::NotTakenOver`], with the words of that process. What was made is kept.
    pub fn reembed(
        settings: Settings,
        embedder: impl Into<Arc<Embedder>>,
        progress: &dyn Fn(Progress<'_>),
        waits: &dyn Fn(&str),
    ) -> Result<Reembedded, Error> {
        let embedder = embedder.into();
        let identity = identity(&settings, &embedder);
        let maker = Maker { settings: &settings, embedder: &embedder, progress };
        let folder = &settings.library.data;
        let shelf = match open(&settings, &identity) {
            Err(Error::Held { holder, .. }) => {
                let inspection = Inspection::open(folder)?;
                let all = inspection.counts()?.articles;
                let mut beside = Beside::open(folder, &identity)?;
                maker.make(&mut beside, all, &|after| inspection.versions(Versions::Current, after, BATCH))?;
                drop(beside);
                waits(&holder);
                match freed_or_taken_over(&settings, &identity, &holder)? {
                    Some(shelf) => shelf,
                    None => return Ok(Reembedded::There(holder, inspection.counts()?)),
                }
            }
            opened => opened?,
        };
        maker.replace(&shelf, &identity)?;
        drop(shelf);
        // The caches hold what was; opening again brings them up to what is.
        Self::open(settings, embedder).map(|library| Reembedded::Here(Box::new(library)))
    }

    /// Whether somebody waits for [`Self::taken_over`], or it was begun and could not be ended.
    pub fn is_to_be_taken_over(&self) -> bool {
        self.replaced.get().is_some() || hand_over::asked(&self.settings.library.data).is_ok_and(|asked| asked.is_some())
    }

    /// Takes over what [`Self::reembed`] has made in another process: the library that answers from now on. This one
    /// answers until then, and is not written any more. `None` when it is not to be taken over.
    ///
    /// # Errors
    /// When it cannot be done; whoever waits is told, unless it is half done: then it is gone on with at the next
    /// call, whether anybody still waits or not.
    pub fn taken_over(&self) -> Result<Option<Self>, Error> {
        let folder = &self.settings.library.data;
        let begun = self.replaced.get().cloned();
        let Some(making) = begun.map_or_else(|| hand_over::asked(folder), |making| Ok(Some(making)))? else { return Ok(None) };
        let taken = self.made_as(&making);
        match &taken {
            // Who waits for something else meanwhile goes on waiting.
            Ok(_) if hand_over::asked(folder)?.is_some_and(|asked| asked == making) => hand_over::done(folder)?,
            Ok(_) => {}
            Err(_) if self.replaced.get().is_some() => {}
            Err(error) => hand_over::refuse(folder, &error.to_string())?,
        }
        taken.map(Some)
    }

    fn made_as(&self, making: &str) -> Result<Self, Error> {
        let unusable = |reason: String| Error::Folder {
            folder: self.settings.library.data.display().to_string(),
            reason: std::io::Error::other(reason),
        };
        let settings = self.settings.made_as(making).map_err(|error| unusable(error.to_string()))?;
        let embedder = embedder(&settings.model).map_err(|error| unusable(error.to_string()))?;
        let identity = identity(&settings, &embedder);
        let _turn = self.turn();
        if self.replaced.get().is_none() {
            // What has changed since it was made is made now.
            Maker { settings: &settings, embedder: &embedder, progress: &|_| () }.replace(&self.shelf, &identity)?;
            self.replaced.get_or_init(|| making.to_owned());
        }
        let reopened = self.shelf.reopened(identity, &settings.search)?;
        Ok(Self::on(reopened, Arc::new(embedder), settings).sharing_generator(self))
    }
}

/// Waits until the process that uses the library has taken over what was made, or has ended: then the shelf is ours.
fn freed_or_taken_over(settings: &Settings, identity: &Identity, holder: &str) -> Result<Option<Shelf>, Error> {
    let folder = &settings.library.data;
    let request = Request::make(folder, &settings.making())?;
    loop {
        match request.answer() {
            Answer::Done => return Ok(None),
            Answer::Refused(reason) => {
                let folder = folder.display().to_string();
                return Err(Error::NotTakenOver { folder, holder: holder.to_owned(), reason });
            }
            Answer::Waiting => {}
        }
        match open(settings, identity) {
            Err(Error::Held { .. }) => std::thread::sleep(LOOK),
            opened => return opened.map(Some),
        }
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
    /// Makes what is not made yet, and gives the shelf's folder over to it.
    fn replace(&self, kept: &Shelf, identity: &Identity) -> Result<(), Error> {
        let mut beside = Beside::open(&self.settings.library.data, identity)?;
        let all = kept.counts()?.articles;
        self.make(&mut beside, all, &|after| kept.versions(Versions::Current, after, BATCH))?;
        kept.replace_passages(identity, &mut |id, version| beside.passages(id, version))?;
        if let Err(error) = beside.remove() {
            tracing::warn!(%error, "what was made beside the library could not be removed");
        }
        Ok(())
    }

    /// Makes what `beside` lacks of `all` articles, which come in batches.
    fn make(
        &self,
        beside: &mut Beside,
        all: usize,
        articles: &dyn Fn(i64) -> Result<(Vec<StoredArticle>, i64), Error>,
    ) -> Result<(), Error> {
        let (mut done, mut passages, mut after) = (0, 0, 0);
        loop {
            let (batch, last) = articles(after)?;
            after = last;
            if batch.is_empty() {
                (self.progress)(Progress { done, all: done, passages, path: "" });
                return Ok(());
            }
            let mut made: Vec<Embedded> = Vec::with_capacity(batch.len());
            for stored in batch {
                (self.progress)(Progress { done, all: all.max(done), passages, path: &stored.article.record.title });
                done += 1;
                if !beside.holds(&stored.id, stored.version)? {
                    let content = making::content(self.settings, self.embedder, stored.article)?;
                    passages += content.passages.len();
                    made.push((stored.id, stored.version, content.passages));
                }
            }
            beside.keep(&made)?;
        }
    }
}
