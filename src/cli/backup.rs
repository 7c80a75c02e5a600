//! `ibid backup` and `ibid restore`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::say;
use crate::library::collections::FIRST;
use crate::library::copies::{self, Copied};
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write, or the folder where there are collections; it must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct Restore {
    /// What `ibid backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What was copied, collection by collection: nobody shall believe that one is there which is not.
fn told(copied: &[Copied]) -> String {
    let one = |(name, counts): &Copied| {
        let of = if name == FIRST { String::new() } else { format!(" of collection `{name}`") };
        format!("{} sources, {} articles, {} passages{of}", counts.sources, counts.articles, counts.passages)
    };
    copied.iter().map(one).collect::<Vec<_>>().join("; ")
}

pub(super) fn backup(arguments: &Backup, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let copied = copies::backup(&settings.library.data, &arguments.file)?;
    if !quiet {
        say(&format!("copied {} into `{}`, and verified the copy", told(&copied), arguments.file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(arguments: &Restore, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let data = &settings.library.data;
    let restored = copies::restore(&arguments.file, data)?;
    if !quiet {
        say(&format!("restored {} into `{}`; the indexes are built when it is opened", told(&restored), data.display()));
    }
    Ok(ExitCode::SUCCESS)
}
