//! `ibid model list|info|verify|bench|pull`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output::{print, say};
use super::setup;
use crate::embed::{self, Embedder};
use crate::eval::dataset::Dataset;
use crate::eval::{self, Listener, metrics};
use crate::library::Library;
use crate::retrieve::Mode;
use crate::settings::{AnswerMode, Settings};

/// Passages that the speed is measured on, at least.
const PASSAGES: usize = 4000;

#[derive(Args)]
pub(super) struct Model {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the bundled model and those in a folder of models
    List {
        /// Folder that holds model folders
        #[arg(value_name = "DIR", default_value = "models")]
        folder: PathBuf,
    },
    /// Say what the model is: architecture, width, checksum, prefixes, time to load
    Info,
    /// Compare the model's files with the checksums in its SHA256SUMS
    Verify,
    /// Fetch a public model from a hub: the only command that uses the network
    ///
    /// The name is resolved to a commit, each file is compared with the hub's SHA-256,
    /// and SHA256SUMS is written for `ibid model verify`. A broken-off fetch goes on.
    Pull {
        /// The model, as `intfloat/multilingual-e5-small`
        name: String,
        /// Commit, tag or branch; name a commit to have the same files for ever
        #[arg(long, default_value = "main")]
        revision: String,
        /// Folder to write [default: the last part of the name]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        /// The hub, or a mirror of it
        #[arg(long, value_name = "URL", env = "HF_ENDPOINT", default_value = embed::hub::HUB)]
        from: String,
    },
    /// Measure quality and speed of the model alone (passage and sentence vectors, no words, no reader) on a set
    Bench {
        /// A set of questions, as `ibid eval` reads it
        #[arg(value_name = "SET")]
        set: PathBuf,
        /// Articles of a set that brings none
        #[arg(long, value_name = "PATH")]
        corpus: Option<PathBuf>,
    },
}

pub(super) fn run(arguments: &Model, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::List { folder } => list(folder, settings),
        Command::Info => info(settings),
        Command::Verify => verify(settings),
        Command::Pull { name, revision, to, from } => pull(name, revision, to.as_deref(), from, quiet),
        Command::Bench { set, corpus } => bench(set, corpus.as_deref(), settings),
    }
}

fn list(folder: &Path, settings: &Settings) -> anyhow::Result<ExitCode> {
    let bundled = Embedder::bundled()?;
    let mark = |used: bool| if used { "*" } else { " " };
    let line = |embedder: &Embedder, place: &str, used: bool| {
        let info = embedder.info();
        print(&format!("{} {:<24} {:>5} wide  {}  {place}", mark(used), info.id, info.dimension, &info.sha256[..12]));
    };
    let chosen = &settings.model.path;
    line(&bundled, "in the program", chosen.as_os_str().is_empty());
    let entries =
        std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    let mut folders: Vec<PathBuf> = entries;
    folders.sort();
    for path in folders.iter().filter(|path| path.join("modules.json").is_file() || path.join("config.json").is_file()) {
        match Embedder::load(path) {
            Ok(embedder) => line(&embedder, &path.display().to_string(), path == chosen),
            Err(error) => say(&format!("warning: {error}")),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn info(settings: &Settings) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let embedder = setup::embedder(settings)?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    let (info, parameters) = (embedder.info(), embedder.parameters());
    let value = json!({
        "id": info.id, "architecture": embedder.architecture(), "dimension": info.dimension, "tokens": embedder.vocabulary(),
        "pooling": info.pooling, "question_prefix": info.question_prefix, "passage_prefix": info.passage_prefix,
        "sha256": info.sha256, "load_ms": milliseconds.round(),
        "parameters": { "version": parameters.version, "learnt": parameters.learnt, "sha256": parameters.sha256 },
    });
    print(&serde_json::to_string_pretty(&value)?);
    Ok(ExitCode::SUCCESS)
}

fn verify(settings: &Settings) -> anyhow::Result<ExitCode> {
    let path = &settings.model.path;
    let checked = embed::verify((!path.as_os_str().is_empty()).then_some(path.as_path()))?;
    anyhow::ensure!(!checked.is_empty(), "{} names no file", embed::CHECKSUMS);
    let mut code = ExitCode::SUCCESS;
    for one in &checked {
        let found = one.found.as_deref().unwrap_or("nothing that can be read");
        if one.holds() {
            print(&format!("{}: as listed", one.file));
        } else {
            say(&format!("error: `{}` is listed as {} and is {found}", one.file, one.expected));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn pull(name: &str, revision: &str, to: Option<&Path>, hub: &str, quiet: bool) -> anyhow::Result<ExitCode> {
    let folder = to.map_or_else(|| PathBuf::from(name.rsplit('/').next().unwrap_or(name)), Path::to_path_buf);
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        .context("the bar's style")?;
    bar.set_style(style);
    let commit = embed::hub::pull(hub.trim_end_matches('/'), name, revision, &folder, &|fetching| {
        bar.set_message(fetching.file.to_owned());
        bar.set_length(fetching.all);
        bar.set_position(fetching.done);
    })?;
    bar.finish_and_clear();
    // What cannot be run is better known now than at the first question.
    let embedder = Embedder::load(&folder)?;
    print(&format!("{name} at {commit}: {} wide, in `{}`", embedder.info().dimension, folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn bench(set: &Path, corpus: Option<&Path>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let set = Dataset::read(set, corpus)?;
    let scratch = tempfile::Builder::new().prefix("ibid-bench-").tempdir().context("making a folder for temporary files")?;
    let mut settings = settings.clone();
    settings.library.data = scratch.path().join("data");
    let library = Library::open(settings.clone(), setup::embedder(&settings)?)?;
    let filled = eval::fill(&library, &set, scratch.path())?;
    let listener = Listener { answerer: AnswerMode::Extractive, progress: &|_| (), features: None };
    let (records, timings) = eval::ask(&library, &set, Mode::Dense, listener)?;
    let summary = metrics::summary(&records, 1);
    let (passages, tokens) = speed(&library)?;
    let value = json!({
        "model": library.embedder().info().id, "set": set.name, "questions": records.len(), "passages": filled.passages,
        "metrics": summary.metrics, "intervals": summary.intervals, "latency": metrics::latency(&timings),
        "embedded_passages_per_second": passages.round(), "tokens_per_passage": tokens.round(),
    });
    print(&serde_json::to_string_pretty(&value)?);
    Ok(ExitCode::SUCCESS)
}

/// Passages embedded a second, on all cores, tokenising included; and their mean length.
#[expect(clippy::cast_precision_loss, reason = "rates")]
fn speed(library: &Library) -> anyhow::Result<(f64, f64)> {
    let mut texts = Vec::new();
    for article in library.shelf().articles(0, PASSAGES)? {
        texts.push(article.article.text);
    }
    anyhow::ensure!(!texts.is_empty(), "the set has no article");
    let passages: Vec<String> = texts.into_iter().cycle().take(PASSAGES).collect();
    let tokens: usize = passages.iter().map(|text| library.embedder().count(text)).sum();
    library.embedder().passages(&passages[..PASSAGES / 10]);
    let begun = Instant::now();
    library.embedder().passages(&passages);
    Ok((passages.len() as f64 / begun.elapsed().as_secs_f64(), tokens as f64 / passages.len() as f64))
}
