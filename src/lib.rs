//! *ibid* answers questions from a collection of articles and shows exactly where
//! each answer stands.
//!
//! This is the map. The two journeys, each arrow one call in one direction:
//!
//! ```text
//! ingest   Source ─read→ text ─newspaper→ Articles ─chunk→ Passages ─embed→ vectors ─→ Shelf (one transaction a source)
//!
//! ask      Question ─embed→ vector ┐
//!                   └─terms────────┴→ Shelf: nearest + lexical ─score, read→ Evidence ─answer→ Answer + Citations
//! ```
//!
//! | room | what it is for | knows |
//! | --- | --- | --- |
//! | [`article`] | sources, articles, passages, spans, line maps: the words of all | nobody |
//! | [`text`] | scripts, sentences, languages, folding, terms: what is known of texts in every script | `article` |
//! | [`read`] | bytes → text, articles, or a PDF's characters with their places | `article`, `text` |
//! | [`newspaper`] | a newspaper page's raw text, or a PDF's pages → articles | `article`, `text`, what `read` gives |
//! | [`chunk`] | article → passages; the text that is embedded | `article`, `text` |
//! | [`embed`] | text → unit vector; the reader; what was learnt for a model; the only room with Candle and tokenizers | `text`, `background` |
//! | [`shelf`] | keeps and searches: SQLite, tantivy, graphs that `hnsw_rs` builds | `article`, `text`, `chunk`'s context, `embed`, `background`, `deadline`, `newspaper`'s left-out lines |
//! | [`retrieve`] | question → evidence | `shelf`, `embed`, `text`, `deadline` |
//! | [`generate`] | a prompt → text, by a language model behind an endpoint, where one is configured | `settings`, `deadline` |
//! | [`answer`] | evidence → answer with citations: quoted, or written and checked | `retrieve`, `shelf`, `generate`, `embed`, `text`, `settings` |
//! | [`library`] | joins them: ingest, jobs, ask, search, check, reembed | all above |
//! | [`eval`] | question sets → figures | `library` |
//! | [`settings`] | every setting, resolved | nobody |
//! | [`deadline`] | how long a piece of work may take; asked between its steps | nobody |
//! | [`background`] | threads for work that nobody waits for, or that lets questions go first | nobody |
//! | [`http`], [`cli`] | the service in its dialects (ours, OpenAI's, Dify's, MCP), collections, keys, the page, and the commands; the only rooms with Axum and Tokio | `library` |
//!
//! A library that reads a text and answers from it:
//!
//! ```
//! use ibid::{embed::Embedder, library::{Asking, Library}, read::files::source, retrieve::Question, settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let data = tempfile::tempdir()?;
//! let mut settings = settings::resolve(None, std::iter::empty(), vec![])?;
//! data.path().clone_into(&mut settings.library.data);
//! let library = Library::open(settings, Embedder::bundled()?)?;
//!
//! let text = "The market opens at dusk.\n\nA stall at the night market costs twenty yuan a night.";
//! library.add(&[source("market.txt".to_owned(), "notes:market".to_owned(), text.into())])?;
//! library.shelf().refresh()?;
//!
//! let question = Question::parse("How much does a stall at the night market cost?", None)?;
//! let (answer, _) = library.ask(&Asking::of(question, 5), &mut |_| ())?;
//! assert!(answer.answerable && answer.statements[0].text.contains("twenty yuan"));
//! assert_eq!(answer.citations[0].lines().first, 3);
//! # Ok(()) }
//! ```
//!
//! What always holds, each with a test:
//!
//! 1. A quote is a slice of its article's text, and leads to lines of the source, and to its boxes on a PDF's pages.
//! 2. What a commit has acknowledged survives a kill; the graphs and the word index
//!    are caches that are verified, replayed or rebuilt when the library is opened. A row that is
//!    not as it was written is refused by name; a number that was cited never names another text.
//! 3. A shelf opens only with the model and chunk rules that filled it.
//! 4. Every mark in an answer has its citation.
//! 5. "The articles do not say" is an answer, not an error.
//! 6. The core does not await; blocking work runs on a bounded pool.
//! 7. Nothing uses the network but `ibid model pull`, and questions that are to be written, where `[generate]` names an
//!    endpoint. A written sentence is shown once its citations hold it, and nothing is sent that the reader refuses.
//! 8. Domain types are not `Serialize`; wire types live in `http`, stored forms beside their files.
//! 9. Unsafe code lives in `embed::kernels` alone; article text is never markup, in no window.
//! 10. A route is declared with the right that it needs.
//! 11. Each file that is given or met is read, or reported with its reason, at every ingest.
//! 12. A question is answered from one state of the library ([`shelf::Snapshot`]), whatever is written meanwhile.

pub mod answer;
pub mod article;
pub mod background;
pub mod chunk;
pub mod cli;
pub mod deadline;
pub mod embed;
pub mod eval;
pub mod generate;
#[cfg(test)]
mod growth;
pub mod http;
pub mod library;
pub mod newspaper;
pub mod read;
pub mod retrieve;
pub mod settings;
pub mod shelf;
pub mod text;

/// Threads that build a graph or cut texts into tokens make and drop small things without end.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
