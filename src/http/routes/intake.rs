//! Adding, replacing, describing and removing articles.
//!
//! What is acknowledged is kept and found by the next question. An article that is sent
//! as JSON is a source of its own, named by its `key` or by its text.

mod sent;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::article::{ArticleId, LONGEST_NAME, Record};
use crate::http::auth::rights::{Grant, Scope};
use crate::http::dto::error::Problem;
use crate::http::dto::{JobBody, Unused};
use crate::http::server::App;
use crate::http::server::library::find_article;
use crate::library::{IngestReport, Library, Outcome};
use crate::retrieve::says_something;
use sent::{NewArticle, limits, sources};

/// What is to change of an article beside its text; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Description {
    #[schema(
        min_length = 1,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]",
        nullable = false
    )]
    title: Option<String>,
    authors: Option<Vec<String>>,
    affiliation: Option<String>,
    /// YYYY-MM-DD
    #[schema(format = Date)]
    published: Option<String>,
    /// An address of the web.
    #[schema(pattern = r"^(https?://[0-9A-Za-z][0-9A-Za-z._~:/?#@!$&'()*+,;=%-]*)?$", max_length = 2000)]
    url: Option<String>,
}

/// What became of what was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Taken)]
pub(in crate::http) struct AddArticlesResponse {
    articles: Vec<AddedArticle>,
    /// What could not be used, and why.
    unusable: Vec<Unused>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenArticle)]
pub(in crate::http) struct AddedArticle {
    id: String,
    version: u32,
    title: String,
    /// `added`, `replaced` or `unchanged`.
    outcome: &'static str,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Waiting {
    /// Answer when the next question finds them; `false` begins a job.
    #[param(default = true)]
    wait: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Removal {
    /// Remove the bytes of all versions too; citations of it then resolve no more.
    #[serde(default)]
    purge: bool,
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added => "added",
        Outcome::Replaced => "replaced",
        Outcome::Unchanged => "unchanged",
    }
}

fn added(library: &Library, id: &ArticleId, outcome: Outcome) -> Result<AddedArticle, Problem> {
    let stored = find_article(library, &id.0, None)?;
    Ok(AddedArticle {
        id: stored.id.0,
        version: stored.version,
        title: stored.article.record.title,
        outcome: outcome_name(outcome),
    })
}

fn report(library: &Library, report: IngestReport) -> Result<AddArticlesResponse, Problem> {
    let articles = report.kept.iter().map(|(id, outcome)| added(library, id, *outcome)).collect::<Result<Vec<_>, _>>()?;
    let unusable =
        report.unusable.into_iter().map(|unusable| Unused { path: unusable.path, reason: unusable.reason.to_string() });
    let unusable: Vec<Unused> = unusable.collect();
    match unusable.first() {
        Some(first) if articles.is_empty() => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "unusable", format!("`{}` {}", first.path.escape_debug(), first.reason)))
        }
        _ => Ok(AddArticlesResponse { articles, unusable }),
    }
}

/// Add articles
///
/// One article, a list of them, JSON Lines, or a form of files of any kind that is read. What was
/// sent before under the same `key` or file name is replaced. The next question finds them. With
/// `?wait=false` they are kept at once and read one after the other, as a job that can be watched.
#[utoipa::path(post, path = "/v1/articles", tag = "articles", params(Waiting), request_body(content(
    (NewArticle = "application/json"), (String = "application/x-ndjson"))), responses(
    (status = 200, body = AddArticlesResponse), (status = 202, description = "a job was begun", body = JobBody)))]
pub(in crate::http) async fn add(
    State(app): State<Arc<App>>,
    waiting: Result<Query<Waiting>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(Waiting { wait }) = waiting?;
    let sources = sources(&app, request).await?;
    if wait.unwrap_or(true) {
        let bytes = sources.iter().map(|source| source.bytes.len()).sum();
        let done = app.with_writer_of(bytes, move |library| report(library, library.add(&sources)?));
        return Ok(Json(done.await?).into_response());
    }
    let job = app.with_writer(move |library| Ok(library.begin_job(&sources)?)).await?;
    app.jobs.wake();
    let place = format!("{}/v1/jobs/{}", app.public_url, job.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, place)], Json(JobBody::from(job))).into_response())
}

/// Replace an article: its id stays, its version grows
#[utoipa::path(put, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$")), request_body = NewArticle,
    responses((status = 200, body = AddedArticle)))]
pub(in crate::http) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<AddedArticle>, Problem> {
    let Json(article) = body?;
    let source = NewArticle::parse(article)?.source(&id);
    let done = app.with_writer_of(source.bytes.len(), move |library| {
        let id = ArticleId(id);
        match library.replace(&id, &source)? {
            None => Err(Problem::unknown_article(&id.0)),
            Some(Err(reason)) => Err(Problem::new(StatusCode::BAD_REQUEST, "unusable", format!("the article {reason}"))),
            Some(Ok(outcome)) => added(library, &id, outcome),
        }
    });
    done.await.map(Json)
}

/// Change what is known of an article beside its text
#[utoipa::path(patch, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$")), request_body = Description,
    responses((status = 200, body = AddedArticle)))]
pub(in crate::http) async fn describe(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<AddedArticle>, Problem> {
    let Json(fields) = body?;
    let described: Description = serde_json::from_value(fields.clone()).map_err(|error| Problem::invalid(error.to_string()))?;
    if described.title.as_ref().is_some_and(|title| !says_something(title)) || fields.get("title") == Some(&Value::Null) {
        return Err(Problem::invalid("`title` holds no word"));
    }
    limits(described.title.as_deref(), described.authors.as_deref().unwrap_or_default(), described.url.as_deref())?;
    if described.affiliation.as_ref().is_some_and(|text| text.chars().count() > LONGEST_NAME) {
        return Err(Problem::invalid(format!("`affiliation` must have at most {LONGEST_NAME} characters")));
    }
    if let Some(date) = described.published.as_ref().filter(|date| date.len() != 10 || date.parse::<jiff::civil::Date>().is_err())
    {
        return Err(Problem::invalid(format!("`{}` is no date\nhint: write YYYY-MM-DD", date.escape_debug())));
    }
    let done = app.with_writer(move |library| {
        let id = ArticleId(id);
        let outcome = library.describe(&id, &|record| described.apply(&fields, record))?;
        added(library, &id, outcome.ok_or_else(|| Problem::unknown_article(&id.0))?)
    });
    done.await.map(Json)
}

impl Description {
    /// Lays the fields that were sent over `record`.
    fn apply(&self, sent: &Value, record: &mut Record) {
        if let Some(title) = &self.title {
            title.trim().clone_into(&mut record.title);
        }
        if sent.get("authors").is_some() {
            record.authors = self.authors.clone().unwrap_or_default();
        }
        for (name, value, field) in [
            ("affiliation", &self.affiliation, &mut record.affiliation),
            ("published", &self.published, &mut record.published),
            ("url", &self.url, &mut record.url),
        ] {
            if sent.get(name).is_some() {
                field.clone_from(value);
            }
        }
    }
}

/// Remove an article: gone before the next question
///
/// Old citations still resolve, as superseded, unless it is purged.
#[utoipa::path(delete, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$"), Removal),
    responses((status = 204, description = "it is gone")))]
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    grant: Grant,
    removal: Result<Query<Removal>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let Query(Removal { purge }) = removal?;
    grant.require(if purge { Scope::Admin } else { Scope::Write }, &app.collection)?;
    let done = app.with_writer(move |library| {
        let id = ArticleId(id);
        let known = library.remove_article(&id, purge)?;
        if known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::unknown_article(&id.0)) }
    });
    done.await
}
