//! Settings: defaults ← file ← `IBID__…` environment ← flags.
//!
//! The defaults are `config/ibid.toml`, compiled in, which also says which keys
//! exist and of what type they are: a key that is not there is an error that
//! names the nearest one. Each room is handed only its own section.

mod layers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::layers::{Error, Override, resolve};

/// The commented default file, as shipped.
pub const DEFAULTS: &str = include_str!("../config/ibid.toml");

/// All sections, resolved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The HTTP service.
    pub server: Server,
    /// Where the library is and what it is filled from.
    pub library: Library,
    /// Reading sources.
    pub read: Read,
    /// The embedding model.
    pub model: Model,
    /// Cutting articles into passages.
    pub chunk: Chunk,
    /// Finding passages.
    pub search: Search,
    /// Answering.
    pub answer: Answer,
    /// A language model that writes.
    pub generate: Generate,
    /// What is logged.
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

section!(
    /// `[server]`
    Server {
        /// Address and port.
        listen: String,
        /// Address for links, empty for `listen`.
        public_url: String,
        /// File of keys, empty for none.
        keys: PathBuf,
        /// Questions at once, 0 for one a core.
        workers: usize,
        /// Questions that may wait.
        queue: usize,
        /// Bytes a request's body may have.
        max_body_bytes: usize,
        /// Requests a minute for each key, 0 for no limit.
        requests_per_minute: u32,
        /// Requests a day for each key, 0 for no limit.
        requests_per_day: u32,
        /// Connections at once.
        max_connections: usize,
        /// Seconds for a request's head.
        head_seconds: u64,
        /// Seconds for each 16 KiB of a body.
        body_seconds: u64,
        /// Seconds for a client that does not read.
        write_seconds: u64,
        /// Seconds that a question may take.
        request_seconds: u64,
        /// Seconds that a change may take.
        change_seconds: u64,
        /// Seconds to finish in after the signal to stop.
        drain_seconds: u64,
        /// Jobs that may wait in a collection.
        max_jobs: u64,
        /// Bytes of sources that may wait in a collection's jobs.
        max_job_bytes: u64,
        /// File of the audit log, empty for none.
        audit: PathBuf,
    }
);
section!(
    /// `[library]`
    Library {
        /// Data folder.
        data: PathBuf,
        /// Files and folders to read.
        corpus: Vec<PathBuf>,
        /// Versions of an article that are kept, 0 for all.
        keep_versions: usize,
        /// Days that a superseded version is kept, 0 for ever.
        keep_days: u64,
    }
);
section!(
    /// `[read]`
    Read {
        /// Largest source, in bytes.
        max_source_bytes: u64,
    }
);
section!(
    /// `[model]`
    Model {
        /// Model folder, empty for the bundled one.
        path: PathBuf,
        /// `auto`, `f32`, `bf16` or `int8`.
        precision: String,
        /// Numbers kept of a vector, 0 for all.
        dimension: usize,
        /// What is put before a question; empty for what the folder says.
        question_prefix: String,
        /// What is put before a passage; empty for what the folder says.
        passage_prefix: String,
        /// Folder of a cross-encoder, empty for none.
        reranker: PathBuf,
    }
);
section!(
    /// `[chunk]`
    Chunk {
        /// Tokens after which a passage is closed.
        target_tokens: usize,
        /// Tokens that a sentence may have undivided.
        max_tokens: usize,
    }
);
section!(
    /// `[search]`
    Search {
        /// Passages that each leg hands on.
        candidates: usize,
        /// Passages below which all vectors are compared.
        exact_below: usize,
        /// Connections a passage keeps in the graph.
        graph_connections: usize,
        /// Candidates held while building.
        graph_build: usize,
        /// Candidates held while searching.
        graph_search: usize,
    }
);
section!(
    /// `[answer]`
    Answer {
        /// Longest question, in characters.
        max_question_chars: usize,
        /// Sentences in an answer.
        max_sentences: usize,
        /// Confidence below which an answer is refused; 0 for what was learnt for the model.
        min_confidence: f32,
    }
);
section!(
    /// `[generate]`
    Generate {
        /// Base of an OpenAI-compatible endpoint, empty for none.
        endpoint: String,
        /// The model's name there.
        model: String,
        /// File of its key, empty for none.
        key_file: PathBuf,
        /// The key itself, empty for none.
        key: Secret,
        /// What answers where a request does not say.
        default_mode: AnswerMode,
        /// What becomes of a sentence that its sources do not hold.
        unsupported: Unsupported,
        /// 0 for the same words each time.
        temperature: f32,
        /// Tokens of an answer.
        max_tokens: usize,
        /// Tokens a day, 0 for no limit.
        tokens_per_day: usize,
        /// Sentences of the articles that are sent.
        sentences: usize,
        /// Seconds to the first token.
        first_token_seconds: u64,
        /// Seconds for all of an answer.
        seconds: u64,
        /// Further tries.
        retries: usize,
        /// Answers written at once.
        concurrency: usize,
        /// Failures in a row after which nothing is sent for a while, 0 for never.
        breaker_failures: usize,
        /// How long that is, in seconds.
        breaker_seconds: u64,
    }
);
section!(
    /// `[log]`
    Log {
        /// Filter directive.
        filter: String,
        /// `text` or `json`.
        format: String,
    }
);

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerMode {
    /// Sentences of the articles, quoted.
    Extractive,
    /// A language model, held to the sentences that it cites.
    Written,
}

/// What becomes of a written sentence that its sources do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsupported {
    /// It is not shown.
    Drop,
    /// It is shown without a mark.
    Unmarked,
    /// The extractive answer is given in place of the whole.
    Extractive,
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "…" })
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("")
    }
}

/// How passages are made, as one process tells another.
#[derive(Serialize, Deserialize)]
struct Making {
    model: Model,
    chunk: Chunk,
}

impl Settings {
    /// The sections that decide how passages are made, for [`Self::made_as`]; paths hold from any folder.
    pub fn making(&self) -> String {
        let mut making = Making { model: self.model.clone(), chunk: self.chunk.clone() };
        for path in [&mut making.model.path, &mut making.model.reranker] {
            // An empty path has a meaning of its own, and stays.
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        serde_json::to_string(&making).expect("texts and numbers")
    }

    /// These settings, with passages made as `making` says.
    ///
    /// # Errors
    /// When it says something else.
    pub fn made_as(&self, making: &str) -> Result<Self, serde_json::Error> {
        let Making { model, chunk } = serde_json::from_str(making)?;
        Ok(Self { model, chunk, ..self.clone() })
    }
}
