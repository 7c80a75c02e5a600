//! What several handlers do with a library.

use super::App;
use crate::answer::{Answer, Refusal};
use crate::http::dto::error::Problem;
use crate::library::{Asking, Hear, Library, Timings};
use crate::shelf::StoredArticle;

/// The article, or a problem that names it. One that was removed is there only by its version.
pub(in crate::http) fn find_article(library: &Library, id: &str, version: Option<u32>) -> Result<StoredArticle, Problem> {
    let found = library.shelf().article(id, version)?.ok_or_else(|| Problem::unknown_article(id))?;
    if version.is_none() && found.superseded { Err(Problem::removed_article(id, found.version)) } else { Ok(found) }
}

/// Asks the library, counts it, and logs it without the question.
pub(in crate::http) fn answered(
    app: &App,
    library: &Library,
    asking: &Asking,
    hear: &mut Hear<'_>,
) -> Result<(Answer, Timings), Problem> {
    let (answer, timings) = library.ask(asking, hear)?;
    app.metrics.asked(&answer, timings);
    tracing::info!(
        answerable = answer.answerable,
        reason = answer.reason.map(Refusal::name),
        kind = answer.kind.name(),
        writing = answer.writing.as_ref().map(|writing| writing.outcome.name()),
        confidence = answer.confidence,
        citations = answer.citations.len(),
        embed_ms = timings.embed,
        search_ms = timings.search,
        answer_ms = timings.answer,
        "asked"
    );
    Ok((answer, timings))
}
