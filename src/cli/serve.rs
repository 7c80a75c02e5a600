//! `ibid serve`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use toml::Value;

use super::output::{print, say};
use super::setup::{self, Usage};
use super::watch;
use crate::http::{self, App};
use crate::library::{Corpus, Library};
use crate::settings::{Override, Settings};

#[derive(Args)]
pub(super) struct Serve {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Files and folders to read at the start [default: the sample articles]
    #[arg(long, value_name = "PATH")]
    corpus: Vec<PathBuf>,
    /// Read again what changes below --corpus; a file that is removed takes its articles with it
    #[arg(long)]
    watch: bool,
}

impl Serve {
    pub(super) fn overrides(&self) -> Vec<Override> {
        let listen = self.listen.as_ref().map(|listen| Override {
            key: "server.listen",
            value: Value::String(listen.clone()),
            flag: "--listen",
        });
        let paths = self.corpus.iter().map(|path| Value::String(path.to_string_lossy().into_owned()));
        let corpus = (!self.corpus.is_empty()).then(|| Override {
            key: "library.corpus",
            value: Value::Array(paths.collect()),
            flag: "--corpus",
        });
        listen.into_iter().chain(corpus).collect()
    }
}

pub(super) fn run(arguments: &Serve, settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    // What can be told wrong at once is told before anything is opened.
    let corpus = setup::corpus(&settings.library.corpus)?;
    if arguments.watch && corpus == Corpus::Bundled {
        return Err(Usage("--watch needs something to watch\nhint: name it with --corpus".to_owned()).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(serve(settings, arguments.watch, quiet));
    // What still runs has had its time: the process does not wait for it, and what it has not committed has not happened.
    runtime.shutdown_background();
    done
}

async fn serve(settings: Settings, watched: bool, quiet: bool) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    log_panics();
    let listen = settings.server.listen.clone();
    let listener = TcpListener::bind(&listen).await.with_context(|| {
        format!("cannot listen on `{listen}`\nhint: name another address with --listen, 127.0.0.1:0 takes a free port")
    })?;
    let address = listener.local_addr()?;
    let app = App::new(&settings, address).map_err(|error| Usage(error.to_string()))?;
    let drain = Duration::from_secs(settings.server.drain_seconds);
    let opening = Arc::clone(&app);
    let (failed, failure) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let opened = if watched { watch(&settings, &opening) } else { Ok(()) };
        let opened = opened.and_then(|()| open(settings, quiet));
        match opened {
            Ok(library) => {
                announce(&library, &format!("http://{address}"), begun, quiet);
                opening.ready(library);
            }
            Err(error) => {
                // The receiver is gone only when the service has ended already.
                let _ = failed.send(error);
            }
        }
    });
    let mut failure = failure;
    let mut reason = None;
    let stop = stop_signal()?;
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(http::serve(
        listener,
        app,
        async move {
            let _ = end.await;
        },
        drain,
    ));
    tokio::select! {
        () = stop => {}
        error = async { match (&mut failure).await { Ok(error) => error, Err(_) => std::future::pending().await } } => reason = Some(error),
    }
    // The server is waiting for this, and for nothing else.
    let _ = ended.send(());
    serving.await?;
    match reason {
        Some(error) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Watches the corpus from before it is read: what changes in between is read again.
fn watch(settings: &Settings, app: &Arc<App>) -> anyhow::Result<()> {
    let data = &settings.library.data;
    crate::shelf::embedded::make_private(data).with_context(|| format!("cannot make data folder `{}`", data.display()))?;
    watch::watch(settings.library.corpus.clone(), std::fs::canonicalize(data)?, app).context("the corpus cannot be watched")
}

/// Opens the library and reads the corpus. A source that cannot be used does not keep the rest from being served.
fn open(settings: Settings, quiet: bool) -> anyhow::Result<Library> {
    let corpus = setup::corpus(&settings.library.corpus)?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    // Samples are for an empty library; among somebody's own articles they would answer too.
    if corpus != Corpus::Bundled || !library.holds_own_articles()? {
        setup::ingest(&library, &corpus, quiet)?;
    }
    Ok(library)
}

fn announce(library: &Library, url: &str, begun: Instant, quiet: bool) {
    let Ok(counts) = library.shelf().counts() else { return };
    if !quiet {
        let model = library.embedder().info();
        say(&format!(
            "ibid {} serves {} articles ({} passages) from `{}` with model `{}` ({}), ready after {:.2} s",
            env!("CARGO_PKG_VERSION"),
            counts.articles,
            counts.passages,
            library.shelf().folder().display(),
            model.id,
            &model.sha256[..12],
            begun.elapsed().as_secs_f64()
        ));
        say("open this address in a browser, and stop with Ctrl-C:");
    }
    print(url);
}

/// A panic is one record of the log, whatever its message holds.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(?message, ?place, "a thread panicked: this is a fault in ibid");
    }));
}

/// Resolves at Ctrl-C or SIGTERM; a second one ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::abort();
        });
    })
}
