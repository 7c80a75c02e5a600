//! `GET /v1/articles/{id}/page`: the printed page of a quote, with the quote marked.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::article::{PageBox, Span, byte_of};
use crate::http::dto::error::Problem;
use crate::http::server::App;
use crate::http::server::library::find_article;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Printed {
    /// The current one, when it is not named.
    #[param(maximum = 4_294_967_295u32)]
    version: Option<u32>,
    /// From 1; without it, the page on which the quote begins.
    #[param(minimum = 1, maximum = 4_294_967_295u32)]
    page: Option<u32>,
    /// First code point of the quote.
    #[param(maximum = 1_000_000_000_000u64)]
    start: Option<usize>,
    /// The code point after its last.
    #[param(maximum = 1_000_000_000_000u64)]
    end: Option<usize>,
}

/// The printed page of a quote, with the quote marked
///
/// Only of articles from a PDF, while the file lies where it was read from. Lengths are PDF points.
#[utoipa::path(get, path = "/v1/articles/{id}/page", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$"), Printed),
    responses((status = 200, body = String, content_type = "image/svg+xml")))]
pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    printed: Result<Query<Printed>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Printed { version, page, start, end }) = printed?;
    let drawn = app.with_library(move |library| {
        let stored = find_article(library, &id, version)?;
        let text = &stored.article.text;
        let (start, end) = (start.unwrap_or(0), end.or(start).unwrap_or(0));
        let span = byte_of(text, start).zip(byte_of(text, end)).filter(|(from, to)| from <= to);
        let Some((from, to)) = span else { return Err(Problem::no_part(start, end, text.chars().count())) };
        let boxes = stored.article.places.boxes(text, Span::new(from, to));
        let first = stored.article.places.lines().first().map(|line| line.page);
        let Some(page) = page.or(boxes.first().map(|found| found.page)).or(first) else {
            return Err(missing("the article was not read from a file with pages"));
        };
        let picture = library.page_picture(&stored, page)?;
        let picture = picture.ok_or_else(|| {
            missing("the file that the article was read from was sent, has changed or is gone\nhint: `source.boxes` still say where a quote stands")
        })?;
        let picture = picture.map_err(|reason| missing(&format!("the file {reason}")))?;
        Ok(marked(&picture, boxes.iter().filter(|found| found.page == page)))
    });
    Ok(([(CONTENT_TYPE, "image/svg+xml")], drawn.await?).into_response())
}

fn missing(why: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_page", why.to_owned())
}

/// `picture` with `boxes` as with a marker over it.
fn marked<'a>(picture: &str, boxes: impl Iterator<Item = &'a PageBox>) -> String {
    let Some(body) = picture.trim_end().strip_suffix("</svg>") else { return picture.to_owned() };
    let mut marked = body.to_owned();
    for PageBox { x0, y0, x1, y1, .. } in boxes {
        let (width, height) = (x1 - x0, y1 - y0);
        let _ =
            write!(marked, r##"<rect x="{x0}" y="{y0}" width="{width}" height="{height}" fill="#ffc400" fill-opacity="0.4"/>"##);
    }
    marked + "</svg>\n"
}
