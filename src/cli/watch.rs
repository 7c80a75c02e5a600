//! `ibid serve --watch`: what changes below the corpus is read again.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

use super::output;
use crate::background;
use crate::http::App;
use crate::library::{Corpus, Library};

/// Nothing must have changed for so long: an editor writes a file in many steps.
const QUIET: Duration = Duration::from_millis(500);
/// And even if something changes all the time, what has changed is read after so long.
const LONGEST: Duration = Duration::from_secs(10);
/// How long a corpus that could not be read waits.
const RETRY: Duration = Duration::from_secs(10);

/// Watches `paths` on a thread of its own, as long as the app is there. The `data` folder may lie below them.
///
/// # Errors
/// When the system cannot watch one of them.
pub(super) fn watch(paths: Vec<PathBuf>, data: PathBuf, app: &Arc<App>) -> notify::Result<()> {
    let (sender, events) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file changes nothing; the thread below has gone only with the app.
        let ours = |path: &PathBuf| path.starts_with(&data);
        if event.is_ok_and(|event| !event.kind.is_access() && !event.paths.iter().all(ours)) {
            let _ = sender.send(());
        }
    })?;
    for path in &paths {
        watcher.watch(path, RecursiveMode::Recursive)?;
    }
    let app = Arc::downgrade(app);
    std::thread::spawn(move || {
        let _watcher = watcher;
        while events.recv().is_ok() {
            let mut waited = Duration::ZERO;
            while waited < LONGEST && events.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {
                waited += QUIET / 4;
            }
            while events.try_recv().is_ok() {}
            if !background::run("watch", || read(&paths, &app)) {
                return;
            }
        }
    });
    Ok(())
}

/// Reads what has changed, until it can be kept; `false` when the app is gone.
fn read(paths: &[PathBuf], app: &Weak<App>) -> bool {
    loop {
        let Some(library) = app.upgrade().and_then(|app| app.opened()) else { return app.upgrade().is_some() };
        match take(paths, &library) {
            Ok(()) => return true,
            Err(error) => tracing::error!(%error, "the corpus could not be read; it is tried again"),
        }
        drop(library);
        std::thread::sleep(RETRY);
    }
}

fn take(paths: &[PathBuf], library: &Library) -> Result<(), crate::shelf::Error> {
    let report = library.ingest(&Corpus::Paths(paths.to_vec()), &|_| ())?;
    for unusable in &report.unusable {
        let path = output::harmless(&unusable.path);
        tracing::warn!(path, reason = %unusable.reason, "a source could not be used; what it said before is kept");
    }
    // A folder that is gone as a whole was rather unmounted than emptied.
    let gone = if paths.iter().all(|path| path.exists()) { report.missing } else { vec![] };
    for location in &gone {
        library.remove(location)?;
    }
    library.shelf().refresh()?;
    if report.articles + report.removed + gone.len() > 0 {
        let (articles, removed) = (report.articles, report.removed);
        tracing::info!(articles, removed, sources_gone = gone.len(), passages = report.passages, "the corpus has changed");
    }
    Ok(())
}
