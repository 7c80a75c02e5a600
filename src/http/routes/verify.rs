//! `POST /v1/verify`: is a citation still true?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::article::{Span, byte_of};
use crate::http::dto::error::Problem;
use crate::http::dto::{place, text_sha256, whole};
use crate::http::server::App;
use crate::library::Library;
use crate::shelf::StoredArticle;

/// A citation, as an answer gave it; more of its fields may be there.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Claim)]
pub(in crate::http) struct ClaimBody {
    #[schema(example = "0123456789abcdef")]
    article_id: String,
    /// The version cited; without it, the current one.
    #[schema(maximum = 4_294_967_295u32)]
    #[serde(default, deserialize_with = "whole")]
    version: Option<u32>,
    quote: String,
    /// Code points.
    #[schema(value_type = usize, maximum = 1_000_000_000_000u64)]
    #[serde(deserialize_with = "whole")]
    start: Option<usize>,
    /// Exclusive.
    #[schema(value_type = usize, maximum = 1_000_000_000_000u64)]
    #[serde(deserialize_with = "whole")]
    end: Option<usize>,
    /// SHA-256 of the article's text.
    sha256: Option<String>,
}

/// What became of a citation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// The current version says it, there.
    Holds,
    /// The version cited says it, there; a later one has taken its place.
    Superseded,
    /// The article, or the version cited, is no longer kept, or has been removed.
    Gone,
    /// The version cited does not say it, there.
    Altered,
}

/// A verdict.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(in crate::http) struct VerdictBody {
    status: Status,
    article_id: String,
    /// The version looked at.
    version: Option<u32>,
    /// The latest version, unless the article was removed.
    current_version: Option<u32>,
    /// What stands from `start` to `end`.
    found: Option<String>,
    /// Where the current version has the same words, if it has.
    moved_to: Option<MovedBody>,
}

/// A place in the current version, in code points.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Moved)]
struct MovedBody {
    version: u32,
    start: usize,
    end: usize,
}

/// Check a citation
#[utoipa::path(post, path = "/v1/verify", tag = "articles", request_body = ClaimBody, responses((status = 200, body = VerdictBody)))]
pub(in crate::http) async fn verify(
    State(app): State<Arc<App>>,
    body: Result<Json<ClaimBody>, JsonRejection>,
) -> Result<Json<VerdictBody>, Problem> {
    let Json(claim) = body?;
    let (Some(start), Some(end)) = (claim.start, claim.end) else {
        return Err(Problem::invalid("`start` and `end` must be numbers"));
    };
    app.with_library(move |library| verdict(library, claim, start, end)).await.map(Json)
}

fn verdict(library: &Library, claim: ClaimBody, start: usize, end: usize) -> Result<VerdictBody, Problem> {
    let latest = library.shelf().article(&claim.article_id, None)?;
    let current = latest.filter(|stored| !stored.superseded);
    let cited = library.shelf().article(&claim.article_id, claim.version)?;
    let found = cited.as_ref().and_then(|stored| slice(&stored.article.text, start, end));
    let same_text = |stored: &StoredArticle| claim.sha256.as_ref().is_none_or(|sha256| *sha256 == text_sha256(stored));
    let true_there = found == Some(claim.quote.as_str()) && cited.as_ref().is_some_and(same_text);
    let version = cited.as_ref().map(|stored| stored.version);
    let current_version = current.as_ref().map(|stored| stored.version);
    let status = match (&cited, current_version) {
        (Some(_), _) if !true_there => Status::Altered,
        (None, _) | (Some(_), None) => Status::Gone,
        (Some(_), current) if current == version => Status::Holds,
        (Some(_), Some(_)) => Status::Superseded,
    };
    let moved_to = current.as_ref().filter(|_| status == Status::Superseded).and_then(|current| {
        let text = &current.article.text;
        let at = text.find(&claim.quote)?;
        let (start, end) = place(text, Span::new(at, at + claim.quote.len()));
        Some(MovedBody { version: current.version, start, end })
    });
    let found = found.map(str::to_owned);
    Ok(VerdictBody { status, article_id: claim.article_id, version, current_version, found, moved_to })
}

fn slice(text: &str, start: usize, end: usize) -> Option<&str> {
    text.get(byte_of(text, start)?..byte_of(text, end)?)
}
