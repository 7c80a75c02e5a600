//! `ibid reembed`

use std::process::ExitCode;

use super::output::{self, Bar, say};
use super::setup;
use crate::library::Library;
use crate::settings::Settings;
use crate::shelf::Error;

pub(super) fn run(settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let embedder = setup::embedder(&settings)?;
    let bar = Bar::new(quiet);
    let library = match Library::reembed(settings, embedder, &|progress| bar.show(progress)) {
        Err(error @ Error::Held { .. }) => {
            bar.finish();
            say(
                "all articles are embedded beside the library; once that process has ended, run it again: the rest takes a moment",
            );
            return Err(error.into());
        }
        made => made?,
    };
    let counts = library.shelf().counts()?;
    let seconds = bar.finish();
    if !quiet {
        let model = &library.embedder().info().id;
        output::say(&format!(
            "embedded {} articles ({} passages) with model `{model}` in {seconds:.2} s",
            counts.articles, counts.passages
        ));
    }
    setup::settle(&library, quiet)?;
    Ok(ExitCode::SUCCESS)
}
