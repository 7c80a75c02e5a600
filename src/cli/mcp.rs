//! `ibid mcp`: tools for assistants over standard input and output.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::setup::{self, Usage};
use crate::http::{self, App};
use crate::library::{Corpus, Library};
use crate::settings::Settings;

pub(super) fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let corpus = setup::corpus(&settings.library.corpus)?;
    // Links lead to where `ibid serve` would answer; nobody listens here.
    let address = settings.server.listen.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback());
    let app = App::new(&settings, address.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()))
        .map_err(|error| Usage(error.to_string()))?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    if corpus != Corpus::Bundled || library.shelf().counts()?.articles == 0 {
        // Standard output belongs to the protocol.
        setup::ingest(&library, &corpus, true)?;
    }
    app.ready(library);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(http::serve_stdio(app))?;
    Ok(ExitCode::SUCCESS)
}
