//! A library in one state: all that a question reads.

use std::sync::Arc;

use super::Library;
use crate::answer::Found;
use crate::deadline;
use crate::retrieve::{self, EmbeddedQuestion, Evidence, Mode, Question, Request, Retrieved};
use crate::shelf::{Described, Error, Filter, Snapshot, StoredArticle};

/// Records that are read from the database at once.
const BATCH: usize = 1000;

/// A library in the state of one moment, whatever is written meanwhile.
///
/// It keeps a read transaction open: whoever has what they need drops it before they wait for anybody else.
pub struct Pinned<'a> {
    pub(super) library: &'a Library,
    snapshot: Snapshot,
}

impl Library {
    /// Pins the state of this moment.
    ///
    /// # Errors
    /// As [`crate::shelf::Shelf::snapshot`].
    pub fn pinned(&self) -> Result<Pinned<'_>, Error> {
        Ok(Pinned { library: self, snapshot: self.shelf.snapshot()? })
    }

    pub(super) fn embedded(&self, question: &Question, mode: Mode) -> EmbeddedQuestion {
        let question = question.clone();
        if mode == Mode::Lexical {
            EmbeddedQuestion::without_vector(question)
        } else {
            EmbeddedQuestion::of(question, &self.embedder)
        }
    }
}

impl Pinned<'_> {
    /// The shelf in this state.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Passages for a question, without an answer.
    ///
    /// # Errors
    /// When the shelf cannot be read; [`Error::Late`] when the deadline has passed.
    pub fn search(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        self.retrieve(&self.library.embedded(question, mode), filter, mode, limit)
    }

    /// Passages for a reader: near-duplicates are folded into one.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn find(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let mut found = self.search(question, filter, mode, limit * 2)?;
        found.evidence = retrieve::folded(&self.snapshot, found.evidence);
        found.evidence.truncate(limit);
        Ok(found)
    }

    pub(super) fn retrieve(
        &self,
        question: &EmbeddedQuestion,
        filter: &Filter,
        mode: Mode,
        limit: usize,
    ) -> Result<Retrieved, Error> {
        let Library { embedder, settings, .. } = self.library;
        let candidates = settings.search.candidates;
        let request = Request { snapshot: &self.snapshot, embedder, question, filter, mode, limit, candidates };
        // Within the pool of threads: nobody has to be woken then for each of the many short parts.
        let deadline = deadline::current();
        rayon::scope(|_| deadline::with(deadline, || retrieve::retrieve(&request)))
    }

    /// Evidence with its articles, each read once.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn with_articles(&self, evidence: Vec<Evidence>) -> Result<Vec<Found>, Error> {
        let mut found: Vec<Found> = Vec::with_capacity(evidence.len());
        for one in evidence {
            let article = self.article_of(&one, &found)?;
            // Only where the view could not be brought up to the database is a passage found whose article is gone.
            found.extend(article.map(|article| (one, article)));
        }
        Ok(found)
    }

    fn article_of(&self, evidence: &Evidence, read: &[Found]) -> Result<Option<Arc<StoredArticle>>, Error> {
        let (id, version) = (&evidence.passage.article, evidence.passage.version);
        match read.iter().find(|(_, article)| article.id == *id && article.version == version) {
            Some((_, article)) => Ok(Some(Arc::clone(article))),
            None => Ok(self.snapshot.article(&id.0, Some(version))?.map(Arc::new)),
        }
    }

    /// What all current articles can be chosen by.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn records(&self) -> Result<Vec<Described>, Error> {
        let (mut records, mut after) = (Vec::new(), 0);
        loop {
            let (batch, last) = self.snapshot.described(after, BATCH)?;
            if batch.is_empty() {
                return Ok(records);
            }
            after = last;
            records.extend(batch);
        }
    }
}
