//! Questions that go on from one about the collection.
//!
//! "And Maria López?" asks the same of another; "What else did she write?" asks something else of the same.

use std::time::Instant;

use super::{About, today};
use crate::answer::Answer;
use crate::answer::collection::{CollectionKind, Named};
use crate::library::Pinned;
use crate::library::ask::{Asking, Timings};
use crate::retrieve::{EmbeddedQuestion, Mode};
use crate::shelf::{Described, Error};

impl Pinned<'_> {
    /// The answer from the records, where the question before was about the collection too; `None` where it was not,
    /// or where nothing says what is asked of the records: then the passages are asked.
    pub(in crate::library) fn about_collection_further(
        &self,
        asking: &Asking,
        question: &EmbeddedQuestion,
    ) -> Result<Option<(Answer, Timings)>, Error> {
        let Some(before) = asking.earlier.last().filter(|_| asking.filter.is_empty()) else { return Ok(None) };
        let begun = Instant::now();
        let Some(kind_before) = self.library.collection_kind(&self.library.embedded(before, Mode::Hybrid)) else {
            return Ok(None);
        };
        let records = self.records()?;
        let (own, of_before) = (names(asking.question.as_str(), &records), names(before.as_str(), &records));
        let kind = match (self.library.collection_kind(question), own.names_something()) {
            (Some(kind), _) => kind,
            (None, true) => kind_before,
            (None, false) => return Ok(None),
        };
        let mut named = if own.names_something() { own } else { of_before };
        if kind == CollectionKind::ByAuthor && named.authors.is_empty() {
            named.authors = authors(&named, &records);
            named.articles.clear();
        }
        let about = About { pinned: self, question: asking.question.as_str(), kind, named, records };
        about.timed_answer(question.embed_ms, begun)
    }
}

fn names(question: &str, records: &[Described]) -> Named {
    Named::of(question, records, &today())
}

/// Authors of the articles that are named: they are meant by "she" and "they".
fn authors(named: &Named, records: &[Described]) -> Vec<String> {
    let meant = records.iter().filter(|record| named.articles.contains(&record.id));
    meant.flat_map(|record| record.authors.clone()).collect()
}
