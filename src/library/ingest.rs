//! The first journey: sources → articles → passages → vectors → shelf.
//!
//! Each source is one transaction. A source that has not changed costs a checksum;
//! one that cannot be used is reported, and the rest goes on.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::corpus::{self, Corpus, Items, Unusable};
use super::recognise::{fingerprint, recognise};
use super::{Library, rules};
use crate::article::{Article, ArticleId, Passage, Record, Source};
use crate::chunk;
use crate::deadline;
use crate::embed::{Embedded, Embedder, PassageText, UnitVector};
use crate::page::{self, LeftOut};
use crate::read::files::Skipped;
use crate::read::{self, Reading};
use crate::settings::Settings;
use crate::shelf::{Change, Content, Error, Incoming, KnownSource, NewPassage, SentenceVectors};

/// Passages that are embedded between two looks at the deadline.
const AT_ONCE: usize = 64;

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

/// What a source holds.
#[derive(Default)]
struct Found {
    articles: Vec<Article>,
    /// Lines of a page that are in no article.
    left_out: Vec<LeftOut>,
    /// Parts that cannot be used.
    broken: Vec<read::Error>,
}

impl Library {
    /// Reads `corpus` into the library. What has been committed when it ends, however it ends, is kept.
    pub fn ingest(&self, corpus: &Corpus, progress: &dyn Fn(Progress<'_>)) -> Result<IngestReport, Error> {
        let _writing = self.writing()?;
        let Items { found: items, skipped, unusable } = corpus::items(corpus);
        let mut report = IngestReport { unusable, skipped, ..IngestReport::default() };
        let mut known = self.shelf.sources()?;
        for (done, item) in items.iter().enumerate() {
            let path = item.path();
            progress(Progress { done, all: items.len(), passages: report.passages, path: &path });
            match item.open(self.settings.read.max_source_bytes) {
                Ok(source) => self.take(&source, &mut known, &mut report)?,
                Err(reason) => report.unusable.push(Unusable { path, reason }),
            }
        }
        progress(Progress { done: items.len(), all: items.len(), passages: report.passages, path: "" });
        report.missing = corpus::missing(corpus, &known);
        self.shelf.refresh()?;
        Ok(report)
    }

    /// Waits until questions are as fast as they can be; `told` hears how many passages go into each graph that is built.
    pub fn settle(&self, told: &dyn Fn(usize)) -> Result<(), Error> {
        self.shelf.settle(told)
    }

    /// Reads sources that are at hand, as [`Self::ingest`] reads files. Questions see what came of them after
    /// [`crate::shelf::Shelf::refresh`].
    pub fn add(&self, sources: &[Source]) -> Result<IngestReport, Error> {
        let _writing = self.writing()?;
        let mut report = IngestReport::default();
        for source in sources {
            if deadline::has_passed() {
                return Err(Error::Late);
            }
            self.take_sent(source, &mut report)?;
        }
        Ok(report)
    }

    /// Makes what `source` holds, one article, the next version of article `id`; `None` when there is
    /// no such article. From then on it belongs to that source. Questions see it after a refresh, as all below.
    pub fn replace(&self, id: &ArticleId, source: &Source) -> Result<Option<Result<Outcome, read::Error>>, Error> {
        let _writing = self.writing()?;
        let Some(stored) = self.shelf.article(&id.0, None)?.filter(|stored| !stored.superseded) else { return Ok(None) };
        let mut found = match self.articles(source) {
            Ok(found) => found,
            Err(reason) => return Ok(Some(Err(reason))),
        };
        let Some(mut article) = found.articles.pop() else {
            return Ok(Some(Err(found.broken.pop().unwrap_or(read::Error::Empty))));
        };
        article.record.language = read::language(&article.text).map(str::to_owned);
        let sha256 = fingerprint(&article);
        if sha256 == stored.sha256 {
            return Ok(Some(Ok(Outcome::Unchanged)));
        }
        let incoming = Incoming { id: id.clone(), sha256, content: Some(self.content(article)?) };
        let Source { path, location, sha256, .. } = source.clone();
        self.shelf.commit(&Change { path, location, sha256, left_out: vec![], broken: vec![], articles: vec![incoming] })?;
        Ok(Some(Ok(Outcome::Replaced)))
    }

    /// Changes what is known of an article beside its text, in a new version; `None` when there is no such article.
    pub fn describe(&self, id: &ArticleId, change: &dyn Fn(&mut Record)) -> Result<Option<Outcome>, Error> {
        let _writing = self.writing()?;
        let Some(stored) = self.shelf.article(&id.0, None)?.filter(|stored| !stored.superseded) else { return Ok(None) };
        let mut article = stored.article;
        change(&mut article.record);
        article.tidy();
        let sha256 = fingerprint(&article);
        if sha256 == stored.sha256 {
            return Ok(Some(Outcome::Unchanged));
        }
        self.shelf.amend(&Incoming { id: id.clone(), sha256, content: Some(self.content(article)?) })?;
        Ok(Some(Outcome::Replaced))
    }

    /// Removes an article; `false` when there is none of this id.
    /// Its versions still resolve, unless it is purged: then its bytes are gone too.
    pub fn remove_article(&self, id: &ArticleId, purge: bool) -> Result<bool, Error> {
        let _writing = self.writing()?;
        // Purging goes on to its end: half of it would leave bytes.
        if purge { deadline::without(|| self.shelf.purge_article(id)) } else { self.shelf.remove_article(id) }
    }

    /// Removes a source and its articles, by its location.
    pub fn remove(&self, location: &str) -> Result<(), Error> {
        let _writing = self.writing()?;
        self.shelf.remove(location)
    }

    /// Reads a source that was sent: what was removed and is sent again shall be there again.
    pub(super) fn take_sent(&self, source: &Source, report: &mut IngestReport) -> Result<(), Error> {
        let kept = self.shelf.source(&source.location)?.filter(|known| !known.articles.is_empty());
        let mut known: Vec<KnownSource> = kept.into_iter().collect();
        self.take(source, &mut known, report)
    }

    fn take(&self, source: &Source, known: &mut [KnownSource], report: &mut IngestReport) -> Result<(), Error> {
        let mut earlier = known.iter_mut().find(|known| known.location == source.location);
        if earlier.as_ref().is_some_and(|known| known.sha256 == source.sha256 && known.path == source.path) {
            report.unchanged += 1;
            // What could not be used of it is said again, each time.
            let broken = earlier.iter().flat_map(|known| &known.broken);
            report.unusable.extend(
                broken.map(|reason| Unusable { path: source.path.clone(), reason: read::Error::Earlier(reason.clone()) }),
            );
            let articles = earlier.iter().flat_map(|known| &known.articles);
            report.kept.extend(articles.map(|article| (article.id.clone(), Outcome::Unchanged)));
            return Ok(());
        }
        let Found { mut articles, left_out, broken } =
            self.articles(source).unwrap_or_else(|reason| Found { broken: vec![reason], ..Found::default() });
        articles.par_iter_mut().for_each(|article| article.record.language = read::language(&article.text).map(str::to_owned));
        let failed = articles.is_empty() && !broken.is_empty();
        let reasons: Vec<String> = broken.iter().map(ToString::to_string).collect();
        report.unusable.extend(broken.into_iter().map(|reason| Unusable { path: source.path.clone(), reason }));
        if failed {
            // What an earlier, readable state of the file said is kept.
            return Ok(());
        }
        let kept = earlier.as_mut().map(|known| std::mem::take(&mut known.articles)).unwrap_or_default();
        let recognised = recognise(source, articles, &kept);
        let there: HashSet<&ArticleId> = recognised.iter().map(|found| &found.id).collect();
        let before: HashSet<&ArticleId> = kept.iter().map(|kept| &kept.id).collect();
        report.removed += before.difference(&there).count();
        report.kept.extend(recognised.iter().map(|found| {
            let known = before.contains(&found.id);
            let changed = if known { Outcome::Replaced } else { Outcome::Added };
            (found.id.clone(), if found.unchanged { Outcome::Unchanged } else { changed })
        }));
        let here = deadline::here();
        let made = recognised.into_par_iter().map(|found| {
            deadline::under(here.clone(), || {
                let sha256 = fingerprint(&found.article);
                let content = (!found.unchanged).then(|| self.content(found.article)).transpose()?;
                Ok(Incoming { sha256, content, id: found.id })
            })
        });
        let incoming: Vec<Incoming> = made.collect::<Result<_, Error>>()?;
        let contents = || incoming.iter().filter_map(|incoming| incoming.content.as_ref());
        report.articles += contents().count();
        report.passages += contents().map(|content| content.passages.len()).sum::<usize>();
        report.sources += 1;
        let Source { path, location, sha256, .. } = source.clone();
        self.shelf.commit(&Change { path, location, sha256, left_out, broken: reasons, articles: incoming })
    }

    fn articles(&self, source: &Source) -> Result<Found, read::Error> {
        let (reading, broken) = read::read(source)?;
        let mut found = match reading {
            Reading::Articles(articles) => Found { articles, broken, ..Found::default() },
            Reading::Plain(decoded) => match self.reconstruct(&decoded) {
                Some(page) => Found { articles: page.articles, left_out: page.left_out, broken },
                None => Found { articles: vec![read::prose(decoded, read::stem(&source.path))], broken, ..Found::default() },
            },
            Reading::Printed(document) => {
                let stem = read::stem(&source.path).to_owned();
                let page = read::bounded(move || page::printed_articles(&document, &stem))?;
                Found { articles: page.articles, left_out: page.left_out, broken }
            }
        };
        found.articles.iter_mut().for_each(Article::tidy);
        Ok(found)
    }

    /// Takes a newspaper page apart; each headline and body is embedded once, however many it is compared with.
    fn reconstruct(&self, decoded: &read::Decoded) -> Option<page::Page> {
        let vectors: RefCell<HashMap<String, Option<UnitVector>>> = RefCell::default();
        let vector = |text: &str| {
            if let Some(known) = vectors.borrow().get(text) {
                return known.clone();
            }
            let made = self.embedder.passages(&[text.to_owned()]).pop().flatten();
            vectors.borrow_mut().insert(text.to_owned(), made.clone());
            made
        };
        page::reconstruct(decoded, &|a, b| vector(a).zip(vector(b)).map_or(0.0, |(a, b)| a.dot(&b)))
    }

    /// Cuts and embeds an article.
    fn content(&self, article: Article) -> Result<Content, Error> {
        content(&self.settings, &self.embedder, article)
    }
}

/// Cuts and embeds an article, unless that would take longer than it may.
pub(super) fn content(settings: &Settings, embedder: &Embedder, article: Article) -> Result<Content, Error> {
    let passages = chunk::passages(&article, rules(settings), &|text| embedder.count(text));
    let texts: Vec<PassageText> = passages.iter().map(|passage| text_of(&article, passage)).collect();
    let dimension = embedder.info().dimension;
    let mut made = Vec::with_capacity(texts.len());
    for some in texts.chunks(AT_ONCE) {
        if deadline::has_passed() {
            return Err(Error::Late);
        }
        made.extend(embedder.embed(some));
    }
    let passages = passages.into_iter().zip(made).map(|(passage, Embedded { vector, sentences })| {
        let sentences = SentenceVectors::of(&sentences, dimension);
        NewPassage { passage, vector, sentences }
    });
    Ok(Content { passages: passages.collect(), article })
}

/// What is embedded of a passage.
fn text_of(article: &Article, passage: &Passage) -> PassageText {
    let Record { title, authors, .. } = &article.record;
    let text = article.quote(passage.span).unwrap_or_default().to_owned();
    let sentences = chunk::sentences_of(&text).into_iter().map(|span| span.start..span.end).collect();
    PassageText { context: chunk::context(title, authors, passage.section.as_deref()), text, sentences }
}
