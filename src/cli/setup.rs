//! What every command does first: logging, the model, the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use super::output::{self, Bar};
use crate::embed::Embedder;
use crate::library::{self, Corpus, IngestReport, Library};
use crate::settings::{Log, Settings};

/// What the person typed cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Logs go to stderr. `quiet` leaves only what failed.
pub(super) fn logging(log: &Log, quiet: bool) -> anyhow::Result<()> {
    let directive = if quiet { "error" } else { log.filter.as_str() };
    // Tantivy tells of every commit.
    let directive =
        if directive.contains("tantivy") { directive.to_owned() } else { format!("{directive},tantivy=warn,hnsw_rs=warn") };
    let filter = EnvFilter::try_new(&directive).map_err(|error| Usage(format!("setting `log.filter`: {error}")))?;
    // Colours are for people: a file or a journal would keep their escape codes.
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(coloured);
    if log.format == "json" {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}

/// Loads the model that the settings name, and the cross-encoder.
pub(super) fn embedder(settings: &Settings) -> anyhow::Result<Embedder> {
    Ok(library::embedder(&settings.model)?)
}

/// The corpus that the settings name: the samples when they name none. Paths must be there.
pub(super) fn corpus(paths: &[std::path::PathBuf]) -> anyhow::Result<Corpus> {
    if paths.is_empty() {
        return Ok(Corpus::Bundled);
    }
    match paths.iter().find(|path| !path.exists()) {
        Some(absent) => Err(Usage(format!("there is no file or folder `{}`", absent.display())).into()),
        None => Ok(Corpus::Paths(paths.to_vec())),
    }
}

/// Reads `corpus`, with a bar, and says what was done.
pub(super) fn ingest(library: &Library, corpus: &Corpus, quiet: bool) -> anyhow::Result<IngestReport> {
    Ok(ingest_pruned(library, corpus, false, quiet)?.0)
}

/// Reads `corpus`, and removes the articles of what is no longer there if `prune` says so; gives the locations of what
/// was removed too.
pub(super) fn ingest_pruned(
    library: &Library,
    corpus: &Corpus,
    prune: bool,
    quiet: bool,
) -> anyhow::Result<(IngestReport, Vec<String>)> {
    let bar = Bar::new(quiet);
    let mut report = library.ingest(corpus, &|progress| bar.show(progress))?;
    let gone = if prune { std::mem::take(&mut report.missing) } else { vec![] };
    for location in &gone {
        library.remove(location)?;
        if !quiet {
            output::say(&format!("removed the articles of `{}`", output::harmless(location)));
        }
    }
    library.shelf().refresh()?;
    output::report(&report, bar.finish(), quiet);
    Ok((report, gone))
}

/// Waits for the graphs, and says so while they are built.
pub(super) fn settle(library: &Library, quiet: bool) -> anyhow::Result<()> {
    let spinner = output::Spinner::new(quiet);
    spinner.show("building graphs");
    library.settle(&|passages| spinner.show(&format!("building a graph of {passages} passages")))?;
    Ok(())
}

/// 1 when something could not be used.
pub(super) fn code(report: &IngestReport) -> ExitCode {
    if report.unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// From now on what this process makes is for its owner alone: whose articles they are decides who reads them.
pub(super) fn private_files() {
    #[cfg(target_os = "linux")]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}
