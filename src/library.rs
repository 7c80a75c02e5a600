//! The library: a shelf, an embedder and an answerer, and the two journeys through them.
//!
//! ```text
//! ingest   Source → articles → passages → vectors → shelf, one transaction a source
//! ask      Question → evidence → answer with citations
//! ```

mod corpus;
mod ingest;
mod recognise;

use std::sync::Arc;
use std::time::Instant;

use crate::answer::{self, Answer};
use crate::chunk;
use crate::embed::Embedder;
use crate::retrieve::{self, Mode, Question, Retrieved, milliseconds};
use crate::settings::Settings;
use crate::shelf::{Error, Filter, Identity, Shelf, StoredArticle};

pub use corpus::{Corpus, Unusable};
pub use ingest::{IngestReport, Progress};

/// What questions are asked of.
pub struct Library {
    shelf: Shelf,
    embedder: Embedder,
    settings: Settings,
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
    pub fn open(settings: Settings, embedder: Embedder) -> Result<Self, Error> {
        let identity = identity(&settings, &embedder);
        let shelf = Shelf::open(&settings.library.data, identity, settings.search.clone())?;
        Ok(Self { shelf, embedder, settings })
    }

    /// Opens a library to embed it anew with `embedder`, does so, and hands it over.
    pub fn reembed(settings: Settings, embedder: Embedder, progress: &dyn Fn(Progress<'_>)) -> Result<Self, Error> {
        let identity = identity(&settings, &embedder);
        let shelf = Shelf::open_for_reembedding(&settings.library.data, identity, settings.search.clone())?;
        let library = Self { shelf, embedder, settings };
        library.replace_passages(progress)?;
        drop(library.shelf);
        // The caches hold what was; opening again brings them up to what is.
        Self::open(library.settings, library.embedder)
    }

    /// What is kept.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The model.
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
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
        retrieve::retrieve(&self.shelf, &self.embedder, question, filter, mode, limit, candidates)
    }

    /// Passages for a reader: near-duplicates are folded into one.
    pub fn find(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let mut found = self.search(question, filter, mode, limit * 2)?;
        found.evidence = retrieve::folded(&self.shelf, found.evidence);
        found.evidence.truncate(limit);
        Ok(found)
    }

    /// Answers a question from at most `limit` passages.
    pub fn ask(&self, question: &Question, filter: &Filter, limit: usize) -> Result<(Answer, Timings), Error> {
        let found = self.find(question, filter, Mode::Hybrid, limit.max(answer::Rules::PASSAGES))?;
        let begun = Instant::now();
        let mut articles: Vec<Arc<StoredArticle>> = Vec::new();
        let mut evidence = Vec::with_capacity(found.evidence.len());
        for one in found.evidence {
            let known =
                articles.iter().find(|article| article.id == one.passage.article && article.version == one.passage.version);
            let article = match known {
                Some(article) => Arc::clone(article),
                None => match self.shelf.article(&one.passage.article.0, Some(one.passage.version))? {
                    Some(article) => Arc::new(article),
                    None => continue,
                },
            };
            articles.push(Arc::clone(&article));
            evidence.push((one, article));
        }
        let rules = answer::Rules {
            sentences: self.settings.answer.max_sentences,
            min_confidence: self.settings.answer.min_confidence,
            nearest: limit,
        };
        let answer = answer::extractive(&self.embedder, question, &evidence, rules);
        let timings = Timings { embed: found.embed_ms, search: found.search_ms, answer: milliseconds(begun) };
        Ok((answer, timings))
    }
}

fn rules(settings: &Settings) -> chunk::Rules {
    chunk::Rules { target_tokens: settings.chunk.target_tokens, max_tokens: settings.chunk.max_tokens }
}

fn identity(settings: &Settings, embedder: &Embedder) -> Identity {
    Identity { model: embedder.info().clone(), chunk_rules: rules(settings).fingerprint() }
}
