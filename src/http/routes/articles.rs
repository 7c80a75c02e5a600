//! `/v1/articles…`: what is kept, one article, its text, how it is cited.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::article::byte_of;
use crate::http::dto::error::Problem;
use crate::http::dto::export::{self, CitationStyle};
use crate::http::dto::{self, ArticleBody, ArticleListBody, LeftOutBody, OFFSET_UNIT, TextBody, place};
use crate::http::server::App;
use crate::http::server::library::find_article;
use crate::shelf::ArticleOutline;

const MOST: usize = 1000;
const FARTHEST: usize = 1_000_000_000_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Paging {
    /// Articles to pass over.
    #[serde(default)]
    #[param(maximum = 1_000_000_000_000u64)]
    offset: usize,
    /// Articles at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Versioned {
    /// The current one, when it is not named.
    #[param(maximum = 4_294_967_295u32)]
    version: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Part {
    /// The current one, when it is not named.
    #[param(maximum = 4_294_967_295u32)]
    version: Option<u32>,
    /// First code point.
    #[param(maximum = 1_000_000_000_000u64)]
    start: Option<usize>,
    /// The code point after the last.
    #[param(maximum = 1_000_000_000_000u64)]
    end: Option<usize>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Cited {
    /// The current one, when it is not named.
    #[param(maximum = 4_294_967_295u32)]
    version: Option<u32>,
    /// GB/T 7714—2015, APA 7, BibTeX, RIS or CSL-JSON.
    #[serde(default)]
    #[param(inline)]
    style: CitationStyle,
}

/// List the articles, in the order of their sources
#[utoipa::path(get, path = "/v1/articles", tag = "articles", params(Paging), responses((status = 200, body = ArticleListBody)))]
pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<ArticleListBody>, Problem> {
    let Query(Paging { offset, limit }) = paging?;
    let limit = limit.unwrap_or(100);
    if offset > FARTHEST {
        return Err(Problem::invalid(format!("`offset` must be at most {FARTHEST}, not {offset}")));
    }
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}")));
    }
    let listed = app.with_library(move |library| {
        let total = library.shelf().counts()?.articles;
        // Nothing lies beyond the end, however far the client goes.
        let articles: Vec<_> = library.shelf().outlines(offset.min(total), limit)?.into_iter().map(dto::article).collect();
        let next = offset.saturating_add(articles.len());
        Ok(ArticleListBody { articles, total, next_offset: (next < total).then_some(next) })
    });
    listed.await.map(Json)
}

/// One article without its text, with the lines of its source that are in no article
#[utoipa::path(get, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$"), Versioned),
    responses((status = 200, body = ArticleBody)))]
pub(in crate::http) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    versioned: Result<Query<Versioned>, QueryRejection>,
) -> Result<Json<ArticleBody>, Problem> {
    let Query(Versioned { version }) = versioned?;
    let found = app.with_library(move |library| {
        let stored = find_article(library, &id, version)?;
        let mut body = dto::article(ArticleOutline::of(&stored));
        let left_out = library.shelf().left_out(&stored.source_path)?;
        let left_out = left_out.into_iter().map(|(line, text, reason)| LeftOutBody { line, text, reason });
        body.source.left_out = Some(left_out.collect());
        Ok(body)
    });
    found.await.map(Json)
}

/// An article's text, or a part of it
#[utoipa::path(get, path = "/v1/articles/{id}/text", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$"), Part),
    responses((status = 200, body = TextBody)))]
pub(in crate::http) async fn text(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<TextBody>, Problem> {
    let Query(part) = part?;
    let found = app.with_library(move |library| {
        let stored = find_article(library, &id, part.version)?;
        let whole = &stored.article.text;
        let length = whole.chars().count();
        let (start, end) = (part.start.unwrap_or(0), part.end.unwrap_or(length));
        let bytes = byte_of(whole, start).zip(byte_of(whole, end)).filter(|(from, to)| from <= to);
        let Some((from, to)) = bytes else {
            return Err(Problem::no_part(start, end, length));
        };
        let headings = stored.article.headings.iter().map(|heading| <[usize; 2]>::from(place(whole, heading.span)));
        Ok(TextBody {
            id: stored.id.0.clone(),
            version: stored.version,
            sha256: dto::text_sha256(&stored),
            text: whole[from..to].to_owned(),
            start,
            end,
            length,
            offset_unit: OFFSET_UNIT,
            headings: headings.collect(),
        })
    });
    found.await.map(Json)
}

/// An article as a bibliography cites it
#[utoipa::path(get, path = "/v1/articles/{id}/citation", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$"), Cited),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(in crate::http) async fn citation(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    cited: Result<Query<Cited>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Cited { version, style }) = cited?;
    let base = app.public_url.clone();
    let entry = app.with_library(move |library| Ok(export::entry(&find_article(library, &id, version)?, style, &base)));
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], entry.await?).into_response())
}
