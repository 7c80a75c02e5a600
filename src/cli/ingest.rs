//! `ibid ingest PATH…`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{output, setup};
use crate::library::Library;
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Ingest {
    /// Files and folders; folders are walked
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Remove articles whose files are no longer below these paths
    #[arg(long)]
    prune: bool,
    /// End with code 1 also when something in a folder was not opened: a file of an unsupported type, a hidden one, a link
    #[arg(long)]
    strict: bool,
    /// Print what was done as JSON, with each file's path and what became of it
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Ingest, settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let corpus = setup::corpus(&arguments.paths)?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    // Machines read the JSON; then nothing else is said but what failed to be kept.
    let (report, pruned) = setup::ingest_pruned(&library, &corpus, arguments.prune, quiet || arguments.json)?;
    setup::settle(&library, quiet || arguments.json)?;
    if arguments.json {
        output::print(&output::json(&report, &pruned).to_string());
    }
    let passed_over = arguments.strict && !report.skipped.is_empty();
    Ok(if passed_over { ExitCode::FAILURE } else { setup::code(&report) })
}
