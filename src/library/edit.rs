//! Changes of single articles: replaced, described anew, removed.

use super::recognise::fingerprint;
use super::{Library, Outcome};
use crate::article::{ArticleId, Record, Source};
use crate::deadline;
use crate::read;
use crate::shelf::{Change, Content, Error, Incoming, StoredArticle};
use crate::text;

/// How often a change is made anew because another was faster; then nobody else writes until it is made.
const OVERTAKEN: usize = 2;

/// What a change makes of the current version: a new one, nothing new, or a reason why it cannot be made.
enum Edited {
    New(Box<Incoming>),
    Same,
    Unusable(read::Error),
}

impl Library {
    /// Makes what `source` holds, one article, the next version of article `id`; `None` when there is
    /// no such article. From then on it belongs to that source. Questions see it after a refresh, as all below.
    pub fn replace(&self, id: &ArticleId, source: &Source) -> Result<Option<Result<Outcome, read::Error>>, Error> {
        let change = |stored: &StoredArticle| {
            let mut found = match self.articles(source) {
                Ok(found) => found,
                Err(reason) => return Ok(Edited::Unusable(reason)),
            };
            let Some(mut article) = found.articles.pop() else {
                return Ok(Edited::Unusable(found.broken.pop().unwrap_or(read::Error::Empty)));
            };
            article.record.language = text::language(&article.text).map(str::to_owned);
            self.edited(stored, article)
        };
        self.edit(id, &change, &|incoming| {
            let Source { path, location, sha256, .. } = source.clone();
            self.shelf.commit(&Change { path, location, sha256, left_out: vec![], broken: vec![], articles: vec![incoming] })
        })
    }

    /// Changes what is known of an article beside its text, in a new version; `None` when there is no such article.
    pub fn describe(&self, id: &ArticleId, change: &dyn Fn(&mut Record)) -> Result<Option<Outcome>, Error> {
        let described = |stored: &StoredArticle| {
            let mut article = stored.article.clone();
            change(&mut article.record);
            article.tidy();
            self.edited(stored, article)
        };
        let done = self.edit(id, &described, &|incoming| self.shelf.amend(&incoming))?;
        // The text is the one that is kept: it can be used.
        Ok(done.and_then(Result::ok))
    }

    /// Removes an article; `false` when there is none of this id.
    /// Its versions still resolve, unless it is purged: then its bytes are gone too.
    pub fn remove_article(&self, id: &ArticleId, purge: bool) -> Result<bool, Error> {
        let _turn = self.writing()?;
        // Purging goes on to its end: half of it would leave bytes.
        if purge { deadline::unlimited(|| self.shelf.purge_article(id)) } else { self.shelf.remove_article(id) }
    }

    /// Removes a source and its articles, by its location.
    pub fn remove(&self, location: &str) -> Result<(), Error> {
        let _turn = self.writing()?;
        self.shelf.remove(location)
    }

    /// Makes a new version of an article beside other writes; only keeping it waits for its turn. Where another made
    /// a version meanwhile, it is made anew.
    fn edit(
        &self,
        id: &ArticleId,
        change: &dyn Fn(&StoredArticle) -> Result<Edited, Error>,
        keep: &dyn Fn(Incoming) -> Result<(), Error>,
    ) -> Result<Option<Result<Outcome, read::Error>>, Error> {
        let mut attempts = 0;
        loop {
            let turn = if attempts < OVERTAKEN { None } else { Some(self.writing()?) };
            let Some(stored) = self.current(id)? else { return Ok(None) };
            let incoming = match change(&stored)? {
                Edited::New(incoming) => incoming,
                Edited::Same => return Ok(Some(Ok(Outcome::Unchanged))),
                Edited::Unusable(reason) => return Ok(Some(Err(reason))),
            };
            let _turn = turn.map_or_else(|| self.writing(), Ok)?;
            if self.current(id)?.is_some_and(|now| now.version == stored.version) {
                keep(*incoming)?;
                return Ok(Some(Ok(Outcome::Replaced)));
            }
            attempts += 1;
        }
    }

    fn current(&self, id: &ArticleId) -> Result<Option<StoredArticle>, Error> {
        Ok(self.shelf.article(&id.0, None)?.filter(|stored| !stored.superseded))
    }

    /// The next version of `stored`, cut and embedded.
    fn edited(&self, stored: &StoredArticle, article: crate::article::Article) -> Result<Edited, Error> {
        let sha256 = fingerprint(&article);
        if sha256 == stored.sha256 {
            return Ok(Edited::Same);
        }
        let content: Content = self.content(article)?;
        Ok(Edited::New(Box::new(Incoming { id: stored.id.clone(), sha256, content: Some(content) })))
    }
}
