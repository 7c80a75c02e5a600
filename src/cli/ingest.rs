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
}

pub(super) fn run(arguments: &Ingest, settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let corpus = setup::corpus(&arguments.paths)?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    let report = setup::ingest(&library, &corpus, arguments.prune, quiet)?;
    setup::settle(&library, quiet)?;
    Ok(setup::code(&report))
}
