//! The library: a shelf, an embedder and an answerer, and the two journeys through them.
//!
//! ```text
//! ingest   Source → articles → passages → vectors → shelf, one transaction a source
//! ask      Question → evidence → answer with citations
//! ```

mod ask;
mod check;
mod collection;
pub mod collections;
pub mod copies;
mod corpus;
mod edit;
mod hand_over;
mod ingest;
mod jobs;
mod making;
#[cfg(test)]
mod one_state;
mod pictures;
mod pinned;
mod recognise;
mod reembed;
mod runner;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::chunk;
use crate::deadline;
use crate::embed::{self, Choices, Embedder, Precision, Reranker};
use crate::generate::Generator;
use crate::settings::{self, Settings};
use crate::shelf::{Error, Identity, Retention, Shelf};

pub use ask::{Asking, Gathered, Hear, Heard, Material, Timings};
pub use check::{Checked, check};
pub use corpus::{Corpus, Unusable};
pub use ingest::{IngestReport, Outcome, Progress};
pub use pinned::Pinned;
pub use reembed::Reembedded;
pub use runner::{Home, JobRunner};

/// What questions are asked of.
///
/// It may be asked and written by many threads at once. What is written is kept when a method returns, and found after
/// [`Shelf::refresh`]; several reads of one state go through [`Self::pinned`].
///
/// ```
/// # use ibid::{embed::Embedder, library::Library, read::files::source, retrieve::{Mode, Question}, settings, shelf::Filter};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let data = tempfile::tempdir()?;
/// # let mut settings = settings::resolve(None, std::iter::empty(), vec![])?;
/// # data.path().clone_into(&mut settings.library.data);
/// let library = Library::open(settings, Embedder::bundled()?)?;
/// let text = "新渡口每天开十二班船。";
/// let report = library.add(&[source("ferry.txt".to_owned(), "notes:ferry".to_owned(), text.into())])?;
/// library.shelf().refresh()?;
///
/// let question = Question::parse("新渡口每天开几班船？", None)?;
/// let found = library.search(&question, &Filter::default(), Mode::Hybrid, 5)?;
/// assert_eq!(found.evidence[0].passage.article, report.kept[0].0);
/// # Ok(()) }
/// ```
pub struct Library {
    shelf: Shelf,
    embedder: Arc<Embedder>,
    settings: Settings,
    /// Writes answers; `None` where none is configured.
    generator: Option<Arc<Generator>>,
    /// Held while something is kept: one at a time. What is kept is made before, beside other writes, and made anew
    /// where another changed what it was made from.
    writer: Mutex<()>,
    /// How the passages are made that the folder was filled with anew, for another library: this one only answers.
    replaced: OnceLock<String>,
    pictures: pictures::Pictures,
}

impl Library {
    /// Opens the library that `settings` name, or begins one.
    pub fn open(settings: Settings, embedder: impl Into<Arc<Embedder>>) -> Result<Self, Error> {
        let embedder = embedder.into();
        let identity = identity(&settings, &embedder);
        let shelf = Shelf::open(&settings.library.data, identity, &settings.search)?;
        let settings::Library { keep_versions: versions, keep_days: days, .. } = settings.library;
        let shelf = shelf.with_retention(Retention { versions, days });
        Ok(Self::on(shelf, embedder, settings))
    }

    fn on(shelf: Shelf, embedder: Arc<Embedder>, settings: Settings) -> Self {
        let generator = Generator::of(&settings.generate).map(Arc::new);
        Self {
            shelf,
            embedder,
            settings,
            generator,
            writer: Mutex::default(),
            replaced: OnceLock::new(),
            pictures: pictures::Pictures::default(),
        }
    }

    /// The same with the language model of `other`: what it may cost is counted for both together.
    #[must_use]
    pub fn sharing_generator(self, other: &Self) -> Self {
        Self { generator: other.generator.clone(), ..self }
    }

    /// The language model that writes answers, where one is configured.
    pub fn generator(&self) -> Option<&Generator> {
        self.generator.as_deref()
    }

    /// Waits for its turn to write.
    fn writing(&self) -> Result<MutexGuard<'_, ()>, Error> {
        let turn = self.turn();
        if self.replaced.get().is_some() {
            return Err(Error::Replaced);
        }
        // Whoever waited for it may have been told meanwhile that it was given up.
        if deadline::has_passed() { Err(Error::Late) } else { Ok(turn) }
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
