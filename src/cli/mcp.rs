//! `ibid mcp`: tools for assistants over standard input and output.

use std::process::ExitCode;

use super::setup;
use crate::http::{self, App};
use crate::library::{Corpus, Library};
use crate::settings::Settings;

pub(super) fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let corpus = setup::corpus(&settings.library.corpus)?;
    // Links lead to where `ibid serve` would answer.
    let address = settings.server.listen.parse().unwrap_or_else(|_| ([127, 0, 0, 1], 8080).into());
    let app = App::new(&settings, address);
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    if corpus != Corpus::Bundled || library.shelf().counts()?.articles == 0 {
        // Standard output belongs to the protocol.
        setup::ingest(&library, &corpus, false, true)?;
    }
    app.ready(library);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(http::serve_stdio(app))?;
    Ok(ExitCode::SUCCESS)
}
