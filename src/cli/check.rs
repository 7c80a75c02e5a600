//! `ibid check`

use std::process::ExitCode;

use clap::Args;

use super::output::{self, Bar, say};
use super::setup;
use crate::embed::Embedder;
use crate::library::{self, Checked, collections};
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Check {
    /// Also read every article, and cut and embed it anew
    #[arg(long)]
    deep: bool,
}

/// The library, then each of its collections; one that is damaged keeps no other from being looked at.
pub(super) fn run(arguments: &Check, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    const DAMAGED: u8 = 3;
    let embedder = if arguments.deep { Some(setup::embedder(settings)?) } else { None };
    let mut sound = true;
    for (name, settings) in collections::all(settings)? {
        let checked = one(&settings, embedder.as_ref(), quiet);
        match checked {
            Ok(this) => sound &= this,
            // The first may not be there at all.
            Err(error) if name == collections::FIRST => return Err(error),
            Err(error) => {
                sound = false;
                say(&format!("collection `{name}`: {}", output::harmless(&format!("{error:#}"))));
            }
        }
    }
    if sound {
        return Ok(ExitCode::SUCCESS);
    }
    say("hint: restore the library from a backup (`ibid restore FILE --data NEW`), or ingest again into a new folder");
    Ok(ExitCode::from(DAMAGED))
}

/// Whether the library that `settings` name is sound.
fn one(settings: &Settings, embedder: Option<&Embedder>, quiet: bool) -> anyhow::Result<bool> {
    let bar = Bar::new(quiet);
    let folder = &settings.library.data;
    let Checked { counts, damage, stale, articles, passages } =
        library::check(folder, settings, embedder, &|progress| bar.show(progress))?;
    let (seconds, shown) = (bar.finish(), folder.display());
    for damage in &damage {
        say(&format!("damaged: `{shown}`: {}", output::harmless(damage)));
    }
    for stale in &stale {
        say(&format!("will be built again: `{shown}`: {}", output::harmless(stale)));
    }
    if !quiet && damage.is_empty() {
        let read = format!("; {articles} versions read, {passages} passages embedded anew");
        let read = if embedder.is_some() { read } else { String::new() };
        let (articles, passages) = (counts.articles, counts.passages);
        say(&format!("`{shown}` is sound: {articles} articles, {passages} passages{read}, in {seconds:.2} s"));
    }
    Ok(damage.is_empty())
}
