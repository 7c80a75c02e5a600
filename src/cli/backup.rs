//! `ibid backup` and `ibid restore`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::say;
use crate::settings::Settings;
use crate::shelf::{Counts, embedded};

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write; it must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct Restore {
    /// A file that `ibid backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

fn told(counts: Counts) -> String {
    format!("{} sources, {} articles, {} passages", counts.sources, counts.articles, counts.passages)
}

pub(super) fn backup(arguments: &Backup, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let counts = embedded::backup(&settings.library.data, &arguments.file)?;
    if !quiet {
        say(&format!("copied {} into `{}`, and verified the copy", told(counts), arguments.file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &Restore, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let data = &settings.library.data;
    let counts = embedded::restore(&arguments.file, data)?;
    if !quiet {
        say(&format!("restored {} into `{}`; the indexes are built when it is opened", told(counts), data.display()));
    }
    Ok(ExitCode::SUCCESS)
}
