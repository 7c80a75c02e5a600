//! `ibid reembed`

use std::process::ExitCode;
use std::sync::Arc;

use super::output::{Bar, Spinner, say};
use super::setup;
use crate::embed::Embedder;
use crate::library::{Library, Reembedded, collections};
use crate::settings::Settings;

/// The library, then its collections: one of another model would not open any more.
pub(super) fn run(settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let embedder = Arc::new(setup::embedder(settings)?);
    for (name, settings) in collections::all(settings)? {
        let of = if name == collections::FIRST { String::new() } else { format!(" of collection `{name}`") };
        one(settings, &of, &embedder, quiet)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn one(settings: Settings, of: &str, embedder: &Arc<Embedder>, quiet: bool) -> anyhow::Result<()> {
    let model = embedder.info().id.clone();
    let (bar, spinner) = (Bar::new(quiet), Spinner::new(quiet));
    let waits = |holder: &str| {
        bar.finish();
        spinner.show(&format!("all articles{of} are embedded; {holder} uses the library, and takes them over"));
    };
    let reembedded = Library::reembed(settings, Arc::clone(embedder), &|progress| bar.show(progress), &waits)?;
    let seconds = bar.finish();
    drop(spinner);
    let (counts, told) = match &reembedded {
        Reembedded::Here(library) => (library.shelf().counts()?, String::new()),
        Reembedded::There(holder, counts) => {
            (*counts, format!("; {holder} answers from them now\nhint: start it with the same model and rules from now on"))
        }
    };
    if !quiet {
        let (articles, passages) = (counts.articles, counts.passages);
        say(&format!("embedded {articles} articles ({passages} passages){of} with model `{model}` in {seconds:.2} s{told}"));
    }
    if let Reembedded::Here(library) = &reembedded {
        setup::settle(library, quiet)?;
    }
    Ok(())
}
