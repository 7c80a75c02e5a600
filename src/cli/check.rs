//! `ibid check`

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Bar, say};
use super::setup;
use crate::library;
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Check {
    /// Also read every article, and cut and embed it anew
    #[arg(long)]
    deep: bool,
}

pub(super) fn run(arguments: &Check, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    const DAMAGED: u8 = 3;
    let embedder = if arguments.deep { Some(setup::embedder(settings)?) } else { None };
    let bar = Bar::new(quiet);
    let folder = &settings.library.data;
    let checked = library::check(folder, settings, embedder.as_ref(), &|progress| bar.show(progress))?;
    let seconds = bar.finish();
    for damage in &checked.damage {
        say(&format!("damaged: {}", output::harmless(damage)));
    }
    for stale in &checked.stale {
        say(&format!("will be built again: {}", output::harmless(stale)));
    }
    if !checked.damage.is_empty() {
        say("hint: restore the library from a backup (`ibid restore FILE --data NEW`), or ingest again into a new folder");
        return Ok(ExitCode::from(DAMAGED));
    }
    if !quiet {
        let counts = checked.counts;
        let read = if arguments.deep {
            format!("; {} versions read, {} passages embedded anew", checked.articles, checked.passages)
        } else {
            String::new()
        };
        say(&format!(
            "`{}` is sound: {} articles, {} passages{read}, in {seconds:.2} s",
            folder.display(),
            counts.articles,
            counts.passages
        ));
    }
    Ok(ExitCode::SUCCESS)
}
