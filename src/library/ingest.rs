//! The first journey: sources → articles → passages → vectors → shelf.
//!
//! Each source is one transaction. A source that has not changed costs a checksum;
//! one that cannot be used is reported, and the rest goes on.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::Library;
use super::corpus::{self, Corpus, Items, Unusable};
use super::making::SourceContent;
use super::recognise::{Recognised, fingerprint, recognise};
use crate::article::{ArticleId, Source};
use crate::background;
use crate::deadline;
use crate::read::files::Skipped;
use crate::read::{self, Bundle, Inside};
use crate::shelf::{Change, Error, Incoming, KnownArticle, KnownSource};
use crate::text;

/// How far an ingest has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Sources done.
    pub done: usize,
    /// Sources in all.
    pub all: usize,
    /// Passages embedded so far.
    pub passages: usize,
    /// The source at hand.
    pub path: &'a str,
}

/// What an ingest did.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// Sources that were read.
    pub sources: usize,
    /// Sources that had not changed.
    pub unchanged: usize,
    /// The paths of both, and whether each was read.
    pub accounted: Vec<(String, bool)>,
    /// Articles that are new or have changed.
    pub articles: usize,
    /// Articles that are no longer in their sources.
    pub removed: usize,
    /// Passages embedded.
    pub passages: usize,
    /// What could not be used.
    pub unusable: Vec<Unusable>,
    /// What lies in the folders and was not opened, with its path and why.
    pub skipped: Vec<(String, Skipped)>,
    /// Known sources below the paths that are no longer there; their articles are kept.
    pub missing: Vec<String>,
    /// The articles of all sources that were read, and what became of each.
    pub kept: Vec<(ArticleId, Outcome)>,
}

/// What an ingest did with an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// It is a new version.
    Replaced,
    /// It is as it was.
    Unchanged,
}

/// What an ingest knows from before, and the archives that it has opened.
struct Archives<'a> {
    /// Sources by their locations.
    known: HashMap<&'a str, &'a KnownSource>,
    /// Locations of archives.
    opened: HashSet<String>,
    /// The locations of what they hold.
    inside: HashSet<String>,
}

impl<'a> Archives<'a> {
    fn of(known: &'a [KnownSource]) -> Self {
        let known = known.iter().map(|source| (source.location.as_str(), source)).collect();
        Self { known, opened: HashSet::new(), inside: HashSet::new() }
    }

    fn known(&self, source: &Source) -> Option<KnownSource> {
        self.known.get(source.location.as_str()).copied().cloned()
    }
}

/// The source that an archive gives; what it does not give is reported.
fn unpacked(inside: Inside, report: &mut IngestReport) -> Option<Source> {
    match inside {
        Inside::Source(source) => return Some(source),
        Inside::Skipped(path, reason) => report.skipped.push((path, reason)),
        Inside::Broken(path, reason) => report.unusable.push(Unusable { path, reason }),
    }
    None
}

/// JSON and XML without articles, met in a folder, are no failure: of what was `told` before, nothing changes.
fn pass_over(report: &mut IngestReport, told: usize) {
    for Unusable { path, reason } in report.unusable.split_off(told) {
        if matches!(reason, read::Error::NoArticles) {
            report.skipped.push((path, Skipped::NoArticles));
        } else {
            report.unusable.push(Unusable { path, reason });
        }
    }
}

/// What becomes of articles that were removed when their source is met as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removed {
    /// They come back: somebody sends the source again.
    ComesBack,
    /// They stay away: the file lies where it lay.
    StaysAway,
}

impl IngestReport {
    /// Adds what was done with another source.
    fn append(&mut self, mut other: Self) {
        self.sources += other.sources;
        self.unchanged += other.unchanged;
        self.accounted.append(&mut other.accounted);
        self.articles += other.articles;
        self.removed += other.removed;
        self.passages += other.passages;
        self.unusable.append(&mut other.unusable);
        self.skipped.append(&mut other.skipped);
        self.missing.append(&mut other.missing);
        self.kept.append(&mut other.kept);
    }

    /// Tells what becomes of each article of a source that held `kept`.
    fn tell(&mut self, recognised: &[Recognised], kept: &[KnownArticle]) {
        let there: HashSet<&ArticleId> = recognised.iter().map(|found| &found.id).collect();
        let before: HashSet<&ArticleId> = kept.iter().map(|kept| &kept.id).collect();
        self.removed += before.difference(&there).count();
        self.kept.extend(recognised.iter().map(|found| {
            let known = before.contains(&found.id);
            let changed = if known { Outcome::Replaced } else { Outcome::Added };
            (found.id.clone(), if found.unchanged { Outcome::Unchanged } else { changed })
        }));
    }
}

/// What is told of a source that is as it was: what could not be used of it is said again, each time.
fn unchanged(source: &Source, known: &KnownSource) -> IngestReport {
    let unusable = |reason: &String| Unusable { path: source.path.clone(), reason: read::Error::Earlier(reason.clone()) };
    IngestReport {
        unchanged: 1,
        accounted: vec![(source.path.clone(), false)],
        unusable: known.broken.iter().map(unusable).collect(),
        kept: known.articles.iter().map(|article| (article.id.clone(), Outcome::Unchanged)).collect(),
        ..IngestReport::default()
    }
}

impl Library {
    /// Reads `corpus` into the library. What has been committed when it ends, however it ends, is kept.
    pub fn ingest(&self, corpus: &Corpus, progress: &dyn Fn(Progress<'_>)) -> Result<IngestReport, Error> {
        let Items { found: items, skipped, unusable } = corpus::items(corpus);
        let mut report = IngestReport { unusable, skipped, ..IngestReport::default() };
        let known = self.shelf.sources()?;
        let mut archives = Archives::of(&known);
        for (done, item) in items.iter().enumerate() {
            let path = item.path();
            progress(Progress { done, all: items.len(), passages: report.passages, path: &path });
            match item.open(self.settings.read.max_source_bytes) {
                Ok(source) if Bundle::is_one(&source) => self.take_bundle(&source, &mut archives, &mut report)?,
                Ok(source) => {
                    let told = report.unusable.len();
                    self.take(&source, archives.known(&source), Removed::StaysAway, &mut report)?;
                    if !item.is_named() {
                        pass_over(&mut report, told);
                    }
                }
                Err(reason) => report.unusable.push(Unusable { path, reason }),
            }
        }
        if matches!(corpus, Corpus::Paths(_)) {
            self.remove_samples(&known, &mut report)?;
        }
        progress(Progress { done: items.len(), all: items.len(), passages: report.passages, path: "" });
        report.missing = corpus::missing(corpus, &known, &archives.opened, &archives.inside);
        self.shelf.refresh()?;
        Ok(report)
    }

    /// Reads the files of an archive, each as a source.
    fn take_bundle(&self, archive: &Source, archives: &mut Archives<'_>, report: &mut IngestReport) -> Result<(), Error> {
        let bundle = match Bundle::open(archive, self.settings.read.max_source_bytes) {
            Ok(bundle) => bundle,
            Err(reason) => {
                report.unusable.push(Unusable { path: archive.path.clone(), reason });
                return Ok(());
            }
        };
        archives.opened.insert(archive.location.clone());
        for inside in bundle {
            let Some(source) = unpacked(inside, report) else { continue };
            archives.inside.insert(source.location.clone());
            let told = report.unusable.len();
            self.take(&source, archives.known(&source), Removed::StaysAway, report)?;
            pass_over(report, told);
        }
        Ok(())
    }

    /// Samples are for an empty library; among somebody's own articles they would answer too.
    fn remove_samples(&self, known: &[KnownSource], report: &mut IngestReport) -> Result<(), Error> {
        let own = report.sources > 0 || corpus::is_own(known);
        for sample in known.iter().filter(|source| own && corpus::is_sample(source) && !source.articles.is_empty()) {
            let _turn = self.writing()?;
            self.shelf.remove(&sample.location)?;
            report.removed += sample.articles.len();
        }
        Ok(())
    }

    /// Waits until questions are as fast as they can be; `told` hears how many passages go into each graph that is built.
    pub fn settle(&self, told: &dyn Fn(usize)) -> Result<(), Error> {
        self.shelf.settle(told)
    }

    /// Reads sources that are at hand, as [`Self::ingest`] reads files. Questions see what came of them after
    /// [`crate::shelf::Shelf::refresh`].
    pub fn add(&self, sources: &[Source]) -> Result<IngestReport, Error> {
        let mut report = IngestReport::default();
        for source in sources {
            if deadline::has_passed() {
                return Err(Error::Late);
            }
            self.take_sent(source, &mut report)?;
        }
        Ok(report)
    }

    /// Reads a source that was sent: what was removed and is sent again shall be there again.
    pub(super) fn take_sent(&self, source: &Source, report: &mut IngestReport) -> Result<(), Error> {
        if !Bundle::is_one(source) {
            return self.take_one_sent(source, report);
        }
        match Bundle::open(source, self.settings.read.max_source_bytes) {
            Ok(bundle) => {
                for inside in bundle {
                    if deadline::has_passed() {
                        return Err(Error::Late);
                    }
                    if let Some(source) = unpacked(inside, report) {
                        self.take_one_sent(&source, report)?;
                    }
                }
            }
            Err(reason) => report.unusable.push(Unusable { path: source.path.clone(), reason }),
        }
        Ok(())
    }

    fn take_one_sent(&self, source: &Source, report: &mut IngestReport) -> Result<(), Error> {
        let known = self.shelf.source(&source.location)?;
        self.take(source, known, Removed::ComesBack, report)
    }

    /// Reads `source` beside other writes, which go between; only keeping what came of it waits for its turn. Where
    /// another changed the source meanwhile, it is read again.
    fn take(
        &self,
        source: &Source,
        mut known: Option<KnownSource>,
        removed: Removed,
        report: &mut IngestReport,
    ) -> Result<(), Error> {
        /// From then on nobody writes while it is read: it would be overtaken for ever.
        const OVERTAKEN: usize = 2;
        for attempt in 0.. {
            let turn = if attempt < OVERTAKEN { None } else { Some(self.writing()?) };
            let earlier = known.as_ref().filter(|known| removed == Removed::StaysAway || !known.articles.is_empty());
            let (part, change) = self.read_source(source, earlier)?;
            let Some(change) = change else {
                report.append(part);
                return Ok(());
            };
            let _turn = turn.map_or_else(|| self.writing(), Ok)?;
            let now = self.shelf.source(&source.location)?;
            if now == known {
                self.shelf.commit(&change)?;
                report.append(part);
                return Ok(());
            }
            known = now;
        }
        Ok(())
    }

    /// What reading `source` does, and what is to be kept of it: nothing where it is as it was, or cannot be read.
    fn read_source(&self, source: &Source, earlier: Option<&KnownSource>) -> Result<(IngestReport, Option<Change>), Error> {
        if let Some(known) = earlier.filter(|known| known.sha256 == source.sha256 && known.path == source.path) {
            return Ok((unchanged(source, known), None));
        }
        let mut report = IngestReport::default();
        let SourceContent { mut articles, left_out, broken } =
            self.articles(source).unwrap_or_else(|reason| SourceContent { broken: vec![reason], ..SourceContent::default() });
        articles.par_iter_mut().for_each(|article| article.record.language = text::language(&article.text).map(str::to_owned));
        let failed = articles.is_empty() && !broken.is_empty();
        let reasons: Vec<String> = broken.iter().map(ToString::to_string).collect();
        report.unusable.extend(broken.into_iter().map(|reason| Unusable { path: source.path.clone(), reason }));
        if failed {
            // What an earlier, readable state of the file said is kept.
            return Ok((report, None));
        }
        let kept = earlier.map(|known| known.articles.as_slice()).unwrap_or_default();
        let recognised = recognise(source, articles, kept);
        report.tell(&recognised, kept);
        let articles = self.incoming(recognised)?;
        let contents = || articles.iter().filter_map(|incoming| incoming.content.as_ref());
        report.articles += contents().count();
        report.passages += contents().map(|content| content.passages.len()).sum::<usize>();
        report.sources += 1;
        report.accounted.push((source.path.clone(), true));
        let Source { path, location, sha256, .. } = source.clone();
        Ok((report, Some(Change { path, location, sha256, left_out, broken: reasons, articles })))
    }

    /// Cuts and embeds what is new, on all threads of this pool, or where questions go first.
    fn incoming(&self, recognised: Vec<Recognised>) -> Result<Vec<Incoming>, Error> {
        let deadline = deadline::current();
        let made = || {
            recognised
                .into_par_iter()
                .map(|found| {
                    deadline::with(deadline.clone(), || {
                        let sha256 = fingerprint(&found.article);
                        let content = (!found.unchanged).then(|| self.content(found.article)).transpose()?;
                        Ok(Incoming { sha256, content, id: found.id })
                    })
                })
                .collect()
        };
        background::shared(made)
    }
}
