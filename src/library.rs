//! The library: a shelf, an embedder and an answerer, and the two journeys through them.
//!
//! ```text
//! ingest   Source → articles → passages → vectors → shelf, one transaction a source
//! ask      Question → evidence → answer with citations
//! ```

mod check;
mod corpus;
mod hand_over;
mod ingest;
mod jobs;
mod recognise;
mod reembed;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::answer::{self, Answer};
use crate::chunk;
use crate::embed::{self, Choices, Embedder, Precision, Reranker};
use crate::retrieve::{self, Evidence, Mode, Question, Retrieved, milliseconds};
use crate::settings::{self, Settings};
use crate::shelf::{Error, Filter, Identity, Shelf, StoredArticle};

pub use check::{Checked, check};
pub use corpus::{Corpus, Unusable};
pub use ingest::{IngestReport, Outcome, Progress};
pub use reembed::Reembedded;

/// What questions are asked of.
pub struct Library {
    shelf: Shelf,
    embedder: Arc<Embedder>,
    settings: Settings,
    /// One writes at a time: what a source held before must not change meanwhile.
    writer: Mutex<()>,
    /// How the passages are made that the folder was filled with anew, for another library: this one only answers.
    replaced: OnceLock<String>,
}

/// A question, and what it is asked of and after.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is asked.
    pub question: Question,
    /// What was asked before in this conversation, the latest last.
    pub earlier: Vec<Question>,
    /// What was answered before: a question that goes on is not answered with it again.
    pub said: Vec<String>,
    /// Which articles may answer.
    pub filter: Filter,
    /// Passages that the answer is made from, or that a refusal shows.
    pub limit: usize,
}

impl Asking {
    /// A question alone, to all articles.
    pub fn of(question: Question, limit: usize) -> Self {
        Self { question, earlier: vec![], said: vec![], filter: Filter::default(), limit }
    }
}

/// How long each stage of a question took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// The question's vector.
    pub embed: f64,
    /// Both legs and their ranking.
    pub search: f64,
    /// Choosing and cutting the sentences.
    pub answer: f64,
}

impl Library {
    /// Opens the library that `settings` name, or begins one.
    pub fn open(settings: Settings, embedder: impl Into<Arc<Embedder>>) -> Result<Self, Error> {
        let embedder = embedder.into();
        let identity = identity(&settings, &embedder);
        let shelf = Shelf::open(&settings.library.data, identity, &settings.search)?;
        Ok(Self::on(shelf, embedder, settings))
    }

    fn on(shelf: Shelf, embedder: Arc<Embedder>, settings: Settings) -> Self {
        Self { shelf, embedder, settings, writer: Mutex::default(), replaced: OnceLock::new() }
    }

    /// Waits for its turn to write.
    fn writing(&self) -> Result<MutexGuard<'_, ()>, Error> {
        let turn = self.turn();
        if self.replaced.get().is_some() { Err(Error::Replaced) } else { Ok(turn) }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        // Each write is a transaction: one that panicked has left nothing behind.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The model.
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// The model, for another library.
    pub fn shared_embedder(&self) -> Arc<Embedder> {
        Arc::clone(&self.embedder)
    }

    /// All settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it holds articles that are not samples.
    pub fn holds_own_articles(&self) -> Result<bool, Error> {
        Ok(corpus::is_own(&self.shelf.sources()?))
    }

    /// Passages for a question, without an answer.
    pub fn search(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let candidates = self.settings.search.candidates;
        // Within the pool of threads: nobody has to be woken then for each of the many short parts.
        rayon::scope(|_| retrieve::retrieve(&self.shelf, &self.embedder, question, filter, mode, limit, candidates))
    }

    /// Passages for a reader: near-duplicates are folded into one.
    pub fn find(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let mut found = self.search(question, filter, mode, limit * 2)?;
        found.evidence = retrieve::folded(&self.shelf, found.evidence);
        found.evidence.truncate(limit);
        Ok(found)
    }

    /// Answers a question. `found` hears of the evidence before the answer is made.
    pub fn ask(&self, asking: &Asking, found: &mut dyn FnMut(&[Evidence])) -> Result<(Answer, Timings), Error> {
        let question = retrieve::in_context(&asking.question, &asking.earlier);
        let retrieved = self.find(&question, &asking.filter, Mode::Hybrid, asking.limit.max(answer::Rules::PASSAGES))?;
        found(&retrieved.evidence);
        let begun = Instant::now();
        let evidence = self.with_articles(retrieved.evidence)?;
        let rules = answer::Rules {
            sentences: self.settings.answer.max_sentences,
            min_confidence: self.settings.answer.min_confidence,
            nearest: asking.limit,
        };
        // What a question that stands alone is answered with may have been said before.
        let said = if question == asking.question { &[] } else { asking.said.as_slice() };
        let answer = answer::extractive(&question, &evidence, rules, said);
        let timings = Timings { embed: retrieved.embed_ms, search: retrieved.search_ms, answer: milliseconds(begun) };
        Ok((answer, timings))
    }

    /// Evidence with its articles, each read once; what was removed meanwhile is left out.
    fn with_articles(&self, found: Vec<Evidence>) -> Result<Vec<(Evidence, Arc<StoredArticle>)>, Error> {
        let mut evidence: Vec<(Evidence, Arc<StoredArticle>)> = Vec::with_capacity(found.len());
        for one in found {
            let (id, version) = (&one.passage.article, one.passage.version);
            let known = evidence.iter().find(|(_, article)| article.id == *id && article.version == version);
            let article = match known {
                Some((_, article)) => Some(Arc::clone(article)),
                None => self.shelf.article(&id.0, Some(version))?.map(Arc::new),
            };
            evidence.extend(article.map(|article| (one, article)));
        }
        Ok(evidence)
    }
}

/// Loads the model that `settings` name, and the cross-encoder.
///
/// # Errors
/// When a folder holds no model that can be run.
pub fn embedder(settings: &settings::Model) -> Result<Embedder, embed::Error> {
    let settings::Model { path, precision, dimension, question_prefix, passage_prefix, reranker } = settings;
    let precision = Precision::ALL.into_iter().find(|known| known.name() == precision);
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let choices = Choices {
        precision,
        dimension: Some(*dimension).filter(|dimension| *dimension > 0),
        question_prefix: said(question_prefix),
        passage_prefix: said(passage_prefix),
    };
    let embedder = if path.as_os_str().is_empty() { Embedder::bundled()? } else { Embedder::load_with(path, &choices)? };
    if reranker.as_os_str().is_empty() {
        return Ok(embedder);
    }
    Ok(embedder.with_reranker(Reranker::load(reranker, precision)?))
}

fn rules(settings: &Settings) -> chunk::Rules {
    chunk::Rules { target_tokens: settings.chunk.target_tokens, max_tokens: settings.chunk.max_tokens }
}

fn identity(settings: &Settings, embedder: &Embedder) -> Identity {
    Identity { model: embedder.info().clone(), chunk_rules: rules(settings).fingerprint() }
}
