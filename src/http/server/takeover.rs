//! What `ibid reembed` has made beside a library that is served is taken over: questions are answered throughout.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::deadline;
use crate::http::dto::error::Problem;

/// How often it is looked whether something was made.
const LOOK: Duration = Duration::from_millis(500);
/// How long one waits that could not be taken over.
const RETRY: Duration = Duration::from_secs(10);

/// Takes over what is made, of all collections, without an end.
pub(in crate::http) async fn watch(app: Arc<App>) {
    loop {
        tokio::time::sleep(LOOK).await;
        for app in std::iter::once(Arc::clone(&app)).chain(app.collections.apps()) {
            let asking = Arc::clone(&app);
            let asked = tokio::task::spawn_blocking(move || asking.opened().is_some_and(|library| library.is_to_be_taken_over()));
            if asked.await.is_ok_and(|asked| asked) && take_over(&app).await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// In the writers' place: what writes next writes into the new library.
async fn take_over(app: &Arc<App>) -> Result<(), Problem> {
    let current = Arc::clone(&app.library);
    let collection = app.collection.clone();
    let taken = app.with_sole_writer(move |library| {
        // All articles may have to be embedded: that takes as long as it takes.
        let taken = deadline::unlimited(|| library.taken_over())
            .inspect_err(|error| tracing::error!(collection, %error, "another model was not taken over"));
        if let Some(new) = taken? {
            tracing::info!(collection, model = new.embedder().info().id, "another model answers from now on");
            current.set(new);
        }
        Ok(())
    });
    taken.await
}
