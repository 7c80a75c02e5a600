//! `GET /v1/articles…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::error::Problem;
use super::wire::{self, OFFSET_UNIT};
use crate::article::byte_of;
use crate::library::Library;
use crate::shelf::StoredArticle;

const MOST: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct Part {
    version: Option<u32>,
    start: Option<usize>,
    end: Option<usize>,
}

/// Current articles, in the order of their sources.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(Paging { offset, limit }) = paging?;
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}")));
    }
    let listed = app.with_library(move |library| {
        let total = library.shelf().counts()?.articles;
        let articles: Vec<_> = library.shelf().articles(offset, limit)?.iter().map(wire::article).collect();
        let next = offset + articles.len();
        Ok(json!({ "articles": articles, "total": total, "next_offset": (next < total).then_some(next) }))
    });
    listed.await.map(Json)
}

fn find(library: &Library, id: &str, version: Option<u32>) -> Result<StoredArticle, Problem> {
    library.shelf().article(id, version)?.ok_or_else(|| Problem::unknown_article(id))
}

/// One article's record, and the lines of its source that are in no article.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(part) = part?;
    let found = app.with_library(move |library| {
        let stored = find(library, &id, part.version)?;
        let left_out = library.shelf().left_out(&stored.source_path)?;
        let left_out: Vec<Value> =
            left_out.into_iter().map(|(line, text, reason)| json!({ "line": line, "text": text, "reason": reason })).collect();
        let mut body = serde_json::to_value(wire::article(&stored)).map_err(|error| Problem::internal(&error))?;
        body["source"]["left_out"] = left_out.into();
        Ok(body)
    });
    found.await.map(Json)
}

/// An article's text, or a part of it by code points.
pub(super) async fn text(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(part) = part?;
    let found = app.with_library(move |library| {
        let stored = find(library, &id, part.version)?;
        let whole = &stored.article.text;
        let length = whole.chars().count();
        let (start, end) = (part.start.unwrap_or(0), part.end.unwrap_or(length));
        let bytes = byte_of(whole, start).zip(byte_of(whole, end)).filter(|(from, to)| from <= to);
        let Some((from, to)) = bytes else {
            return Err(Problem::invalid(format!("`{start}..{end}` is no part of a text of {length} characters")));
        };
        let headings: Vec<[usize; 2]> = stored
            .article
            .headings
            .iter()
            .map(|heading| {
                [crate::article::code_points(whole, heading.span.start), crate::article::code_points(whole, heading.span.end)]
            })
            .collect();
        Ok(json!({
            "id": stored.id.0, "version": stored.version, "sha256": wire::text_sha256(&stored), "text": whole[from..to],
            "start": start, "end": end, "length": length, "offset_unit": OFFSET_UNIT, "headings": headings,
        }))
    });
    found.await.map(Json)
}
