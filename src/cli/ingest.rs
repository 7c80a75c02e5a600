//! `ibid ingest PATH…`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::setup;
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
}

pub(super) fn run(arguments: &Ingest, settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let corpus = setup::corpus(&arguments.paths)?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    let report = setup::ingest(&library, &corpus, arguments.prune, quiet)?;
    setup::settle(&library, quiet)?;
    let passed_over = arguments.strict && !report.skipped.is_empty();
    Ok(if passed_over { ExitCode::FAILURE } else { setup::code(&report) })
}
