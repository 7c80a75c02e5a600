//! `ibid reembed`

use std::process::ExitCode;

use super::output::{Bar, Spinner, say};
use super::setup;
use crate::library::{Library, Reembedded};
use crate::settings::Settings;

pub(super) fn run(settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let embedder = setup::embedder(&settings)?;
    let model = embedder.info().id.clone();
    let (bar, spinner) = (Bar::new(quiet), Spinner::new(quiet));
    let waits = |holder: &str| {
        bar.finish();
        spinner.show(&format!("all articles are embedded; {holder} uses the library, and takes them over"));
    };
    let reembedded = Library::reembed(settings, embedder, &|progress| bar.show(progress), &waits)?;
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
        say(&format!("embedded {articles} articles ({passages} passages) with model `{model}` in {seconds:.2} s{told}"));
    }
    if let Reembedded::Here(library) = &reembedded {
        setup::settle(library, quiet)?;
    }
    Ok(ExitCode::SUCCESS)
}
