//! The index of words: the only file that knows `tantivy`.
//!
//! A cache, like the graph: each of its commits names the change that it has
//! reached, and its files are verified before they are used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tantivy::collector::{Collector as _, FilterCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::directory::MmapDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, EnableScoring, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy, Searcher, SegmentReader, TantivyDocument, Term};

use crate::shelf::vectors::PassageSet;
use crate::shelf::{Error, Neighbor, PassageId, StoredPassage};
use crate::text::hex;
use crate::text::terms::terms;

/// Changes with the terms or the fields: another form is rebuilt.
const FORM: &str = "words-4";
/// What a word in title, byline or heading counts beside one in the text.
const CONTEXT_WEIGHT: f32 = 0.4;
/// The checksum of tantivy's own list of files, which is the one file that it does not verify.
const SUM: &str = "meta.sum";
/// The field of the passage's number.
const PASSAGE: &str = "passage";
const WRITER_BYTES: usize = 64 << 20;
/// Passages whose terms are found at once.
const AT_ONCE: usize = 512;

/// The index, open.
pub(super) struct Words {
    folder: PathBuf,
    directory: MmapDirectory,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// The change that it has reached.
    reached: AtomicU64,
}

/// Why an index cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error(transparent)]
    Index(#[from] tantivy::TantivyError),
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    #[error("it has another form")]
    OtherForm,
    #[error("`{}` is damaged", .0.display())]
    Damaged(PathBuf),
    #[error("`meta.json` is not as it was written")]
    OtherList,
    #[error("it has reached change {reached} of {newest}")]
    Behind { reached: u64, newest: u64 },
}

#[derive(Clone, Copy)]
struct Fields {
    passage: Field,
    text: Field,
    context: Field,
}

impl Words {
    /// Opens the index in `folder`. One that is damaged or of another form is begun anew.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        if folder.exists() {
            match Self::open_existing(folder) {
                Ok(words) => return Ok(words),
                Err(reason) => tracing::warn!(%reason, "the index of words is built again"),
            }
        }
        Self::anew(folder)
    }

    /// An empty index in `folder`, whatever is there now. Readers of the old one keep it.
    pub(super) fn anew(folder: &Path) -> Result<Self, Error> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let directory = opened(folder)?;
        let index = Index::create(directory.clone(), schema().0, IndexSettings::default())?;
        Ok(Self::with(folder, directory, index, 0)?)
    }

    fn open_existing(folder: &Path) -> Result<Self, Unfit> {
        let directory = opened(folder)?;
        let index = Index::open(directory.clone())?;
        let reached = reached_by(&index).ok_or(Unfit::OtherForm)?;
        let damaged = index.validate_checksum()?;
        if let Some(file) = damaged.iter().next() {
            return Err(Unfit::Damaged(file.clone()));
        }
        let sum = std::fs::read_to_string(folder.join(SUM)).unwrap_or_default();
        if sum != sum_of_meta(folder)? {
            return Err(Unfit::OtherList);
        }
        Ok(Self::with(folder, directory, index, reached)?)
    }

    fn with(folder: &Path, directory: MmapDirectory, index: Index, reached: u64) -> tantivy::Result<Self> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { folder: folder.to_owned(), directory, index, reader, fields: schema().1, reached: AtomicU64::new(reached) })
    }

    /// The change that it has reached.
    pub(super) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    /// Adds and removes passages, and notes that `change` is reached.
    pub(super) fn update(
        &self,
        added: &mut dyn Iterator<Item = rusqlite::Result<StoredPassage>>,
        removed: &[PassageId],
        change: u64,
    ) -> Result<(), Error> {
        let mut writer = self.index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
        for id in removed {
            writer.delete_term(Term::from_field_u64(self.fields.passage, u64::from(*id)));
        }
        // Finding terms takes longest: all cores do it, and one thread keeps the order.
        while let Some(first) = added.next() {
            let some = std::iter::once(first).chain(&mut *added).take(AT_ONCE).collect::<rusqlite::Result<Vec<_>>>()?;
            let documents: Vec<TantivyDocument> = some.par_iter().map(|passage| self.document(passage)).collect();
            for (passage, document) in some.iter().zip(documents) {
                // A replayed passage may be there already.
                writer.delete_term(Term::from_field_u64(self.fields.passage, u64::from(passage.id)));
                writer.add_document(document)?;
            }
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&format!("{FORM} {change}"));
        commit.commit()?;
        writer.wait_merging_threads()?;
        // Killed before this is written, the index is built again.
        std::fs::write(self.folder.join(SUM), sum_of_meta(&self.folder)?)?;
        self.reader.reload()?;
        // Tantivy forgets the names of files that are gone only when it is asked what it holds.
        self.directory.get_cache_info();
        self.reached.store(change, Ordering::Release);
        Ok(())
    }

    /// Writes those parts anew that hold removed passages: tantivy only marks them, and their words stay in its files.
    pub(super) fn forget_removed(&self) -> Result<(), Error> {
        let parts = self.index.searchable_segment_metas()?;
        let marked: Vec<_> = parts.iter().filter(|part| part.has_deletes()).map(tantivy::SegmentMeta::id).collect();
        let mut writer = self.index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
        for part in marked {
            writer.merge(&[part]).wait()?;
        }
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()?;
        std::fs::write(self.folder.join(SUM), sum_of_meta(&self.folder)?)?;
        self.reader.reload()?;
        self.directory.get_cache_info();
        Ok(())
    }

    fn document(&self, passage: &StoredPassage) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_u64(self.fields.passage, u64::from(passage.id));
        document.add_pre_tokenized_text(self.fields.context, tokenized(passage.context()));
        document.add_pre_tokenized_text(self.fields.text, tokenized(passage.text.clone()));
        document
    }

    /// The index as it stands now.
    pub(super) fn searcher(&self) -> WordSearcher {
        WordSearcher { searcher: self.reader.searcher(), fields: self.fields }
    }
}

fn opened(folder: &Path) -> tantivy::Result<MmapDirectory> {
    Ok(MmapDirectory::open(folder)?)
}

/// Whether the index in `folder` is whole and has reached `newest`; why it will be built again.
pub(super) fn look(folder: &Path, newest: u64) -> Result<(), Unfit> {
    let reached = Words::open_existing(folder)?.reached();
    if reached < newest { Err(Unfit::Behind { reached, newest }) } else { Ok(()) }
}

/// The change that the index in `folder` has reached, when there is one that says so.
pub(super) fn reached_in(folder: &Path) -> Option<u64> {
    reached_by(&Index::open_in_dir(folder).ok()?)
}

fn sum_of_meta(folder: &Path) -> std::io::Result<String> {
    Ok(hex(&Sha256::digest(std::fs::read(folder.join("meta.json"))?)))
}

fn reached_by(index: &Index) -> Option<u64> {
    index.load_metas().ok()?.payload?.strip_prefix(FORM)?.trim().parse().ok()
}

/// One state of the index: later commits do not disturb it.
#[derive(Clone)]
pub(super) struct WordSearcher {
    searcher: Searcher,
    fields: Fields,
}

impl WordSearcher {
    /// The passages of `allowed` with the highest BM25, best first.
    ///
    /// Scores are shares of what a passage of usual length would have that holds
    /// every term of the question once, so that they mean the same in any library.
    pub(super) fn best(&self, question: &str, count: usize, allowed: Arc<PassageSet>) -> Result<Vec<Neighbor>, Error> {
        let terms: BTreeSet<String> = terms(question).into_iter().map(|term| term.text).collect();
        let ideal = self.ideal(&terms)?;
        let query = self.query(&terms);
        let top = TopDocs::with_limit(count).order_by_score();
        // The filter keeps tantivy from passing over what cannot be among the best: with a question's many
        // terms, finding out takes twice as long as looking at all.
        let lets = move |id: u64| PassageId::try_from(id).is_ok_and(|id| allowed.contains(id));
        let collector = FilterCollector::new(PASSAGE.to_owned(), lets, top);
        let weight = query.weight(EnableScoring::enabled_from_searcher(&self.searcher))?;
        let segments: Vec<(u32, &SegmentReader)> = (0..).zip(self.searcher.segment_readers()).collect();
        let parts = segments.into_par_iter().map(|(ordinal, segment)| collector.collect_segment(&*weight, ordinal, segment));
        let found = collector.merge_fruits(parts.collect::<tantivy::Result<_>>()?)?;
        let segments = self.searcher.segment_readers().iter().map(|reader| reader.fast_fields().u64(PASSAGE));
        let numbers: Vec<Column<u64>> = segments.collect::<tantivy::Result<_>>()?;
        let mut neighbors = Vec::with_capacity(found.len());
        for (score, address) in found {
            let id = numbers.get(address.segment_ord as usize).and_then(|numbers| numbers.first(address.doc_id));
            let id = id.and_then(|id| PassageId::try_from(id).ok());
            neighbors.extend(id.map(|passage| Neighbor { passage, score: score / ideal }));
        }
        Ok(neighbors)
    }

    fn query(&self, terms: &BTreeSet<String>) -> BooleanQuery {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for text in terms {
            for (field, weight) in [(self.fields.text, 1.0), (self.fields.context, CONTEXT_WEIGHT)] {
                let query = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs);
                clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(query), weight))));
            }
        }
        BooleanQuery::new(clauses)
    }

    /// The sum of the terms' weights; a term that no passage has weighs most.
    #[expect(clippy::cast_precision_loss, reason = "counts of passages")]
    fn ideal(&self, terms: &BTreeSet<String>) -> Result<f32, Error> {
        let all = self.searcher.num_docs() as f32;
        let mut sum = f32::MIN_POSITIVE;
        for text in terms {
            let users = self.searcher.doc_freq(&Term::from_field_text(self.fields.text, text))? as f32;
            sum += (1.0 + (all - users).max(0.0) / (users + 0.5)).ln();
        }
        Ok(sum)
    }
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let words = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::WithFreqs);
    let words = TextOptions::default().set_indexing_options(words);
    let fields = Fields {
        passage: builder.add_u64_field(PASSAGE, INDEXED | FAST),
        text: builder.add_text_field("text", words.clone()),
        context: builder.add_text_field("context", words),
    };
    (builder.build(), fields)
}

/// `text` with its terms, as tantivy takes them.
fn tokenized(text: String) -> PreTokenizedString {
    let tokens = terms(&text).into_iter().enumerate().map(|(position, term)| Token {
        offset_from: term.span.start,
        offset_to: term.span.end,
        position,
        text: term.text,
        position_length: 1,
    });
    let tokens = tokens.collect();
    PreTokenizedString { text, tokens }
}
