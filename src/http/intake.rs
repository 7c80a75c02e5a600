//! Adding, replacing, describing and removing articles.
//!
//! What is acknowledged is kept and found by the next question. An article that is sent
//! as JSON is a source of its own, named by its `key` or by its text.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{FromRequest as _, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::error::Problem;
use super::jobs::JobBody;
use crate::article::{ArticleId, Record, Source};
use crate::library::{IngestReport, Library, Outcome};
use crate::read::files::{hex, source};
use crate::retrieve::says_something;

/// An article to be added.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct NewArticle {
    /// Your own name for it: sent again, it is a new version. In JSON Lines `id`, as in files.
    #[serde(alias = "id", rename(serialize = "id"))]
    key: Option<String>,
    title: Option<String>,
    #[schema(
        min_length = 1,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
    )]
    text: String,
    authors: Option<Vec<String>>,
    /// YYYY-MM-DD
    published: Option<String>,
    url: Option<String>,
}

/// What is to change of an article beside its text; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
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
    url: Option<String>,
}

/// What became of what was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    articles: Vec<TakenArticle>,
    /// What could not be used, and why.
    unusable: Vec<Unused>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenArticle {
    id: String,
    version: u32,
    title: String,
    /// `added`, `replaced` or `unchanged`.
    outcome: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unused {
    pub(super) path: String,
    pub(super) reason: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// Answer when the next question finds them; `false` begins a job.
    #[param(default = true)]
    wait: Option<bool>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Removal {
    /// Remove the bytes of all versions too; citations of it then resolve no more.
    #[serde(default)]
    purge: bool,
}

fn told(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added => "added",
        Outcome::Replaced => "replaced",
        Outcome::Unchanged => "unchanged",
    }
}

fn taken(library: &Library, id: &ArticleId, outcome: Outcome) -> Result<TakenArticle, Problem> {
    let stored = super::articles::find(library, &id.0, None)?;
    Ok(TakenArticle { id: stored.id.0, version: stored.version, title: stored.article.record.title, outcome: told(outcome) })
}

fn report(library: &Library, report: IngestReport) -> Result<Taken, Problem> {
    let articles = report.kept.iter().map(|(id, outcome)| taken(library, id, *outcome)).collect::<Result<Vec<_>, _>>()?;
    let unusable =
        report.unusable.into_iter().map(|unusable| Unused { path: unusable.path, reason: unusable.reason.to_string() });
    let unusable: Vec<Unused> = unusable.collect();
    match unusable.first() {
        Some(first) if articles.is_empty() => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "unusable", format!("`{}` {}", first.path.escape_debug(), first.reason)))
        }
        _ => Ok(Taken { articles, unusable }),
    }
}

impl NewArticle {
    fn parse(article: Value) -> Result<Self, Problem> {
        let mut parsed: Self =
            serde_json::from_value(article).map_err(|error| Problem::invalid(format!("no article: {error}")))?;
        // Control characters say nothing in a text; a file with such is no text at all.
        let Self { key, title, text, authors, published, url } = &mut parsed;
        let single = [key, title, published, url].into_iter().flatten().chain([text]);
        for text in single.chain(authors.iter_mut().flatten()) {
            text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
        }
        if says_something(&parsed.text) { Ok(parsed) } else { Err(Problem::invalid("`text` holds no word")) }
    }

    /// A source of its own, under the name `key`.
    fn source(&self, key: &str) -> Source {
        let line = serde_json::to_vec(self).expect("texts are JSON");
        source(format!("{key}.jsonl"), format!("api:{key}"), line)
    }

    /// The client's own name for it, or one made from its text.
    fn key(&self) -> String {
        let given = self.key.clone().filter(|key| !key.is_empty());
        given.unwrap_or_else(|| hex(&Sha256::digest(&self.text)[..8]))
    }
}

/// The sources in a body: files, lines, a list, or one article.
async fn sources(app: &App, request: Request) -> Result<Vec<Source>, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    if kind.starts_with("multipart/form-data") {
        let form: Result<Multipart, MultipartRejection> = Multipart::from_request(request, &()).await;
        return files(form.map_err(|error| Problem::invalid(error.body_text()))?).await;
    }
    let lines = kind.starts_with("application/x-ndjson") || kind.starts_with("application/jsonl");
    if !lines && !kind.starts_with("application/json") {
        return Err(Problem::unsupported("JSON, JSON Lines or a form of files"));
    }
    let bytes: Result<Bytes, BytesRejection> = Bytes::from_request(request, &()).await;
    let bytes = bytes.map_err(|_| Problem::too_large(app.max_upload_bytes))?;
    let parsed = if lines {
        let text = std::str::from_utf8(&bytes).map_err(|error| Problem::invalid(format!("the body is not UTF-8: {error}")))?;
        let numbered = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| Problem::invalid(format!("line {number}: {error}")))
        };
        numbered.map(parse).collect::<Result<Vec<Value>, _>>()?
    } else {
        match serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(error.to_string()))? {
            Value::Array(articles) => articles,
            Value::Object(mut whole) => match whole.remove("articles") {
                Some(Value::Array(articles)) => articles,
                Some(_) => return Err(Problem::invalid("`articles` must be a list")),
                None => vec![Value::Object(whole)],
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(Problem::invalid("the body is no article\nhint: send `{\"title\", \"text\", …}`"));
            }
        }
    };
    if parsed.is_empty() {
        return Err(Problem::invalid("the body holds no article"));
    }
    let articles = parsed.into_iter().map(NewArticle::parse);
    articles.map(|article| article.map(|article| article.source(&article.key()))).collect()
}

async fn files(mut form: Multipart) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    let wrong = |error: axum::extract::multipart::MultipartError| Problem::new(error.status(), "invalid_form", error.body_text());
    while let Some(field) = form.next_field().await.map_err(wrong)? {
        let Some(name) = field.file_name().map(str::to_owned) else { continue };
        // A name is shown, and tells one source from another; it is never a path here.
        let name: String = name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        if name.is_empty() {
            return Err(Problem::invalid("a file has no name"));
        }
        let bytes = field.bytes().await.map_err(wrong)?;
        sources.push(source(name.clone(), format!("upload:{name}"), bytes.to_vec()));
    }
    if sources.is_empty() { Err(Problem::invalid("the form holds no file")) } else { Ok(sources) }
}

/// Add articles
///
/// One article, a list of them, JSON Lines, or a form of files (.txt, .md, .html, .jsonl, .pdf). What was
/// sent before under the same `key` or file name is replaced. The next question finds them. With
/// `?wait=false` they are kept at once and read one after the other, as a job that can be watched.
#[utoipa::path(post, path = "/v1/articles", tag = "articles", params(Waiting), request_body(content(
    (NewArticle = "application/json"), (String = "application/x-ndjson"))), responses(
    (status = 200, body = Taken), (status = 202, description = "a job was begun", body = JobBody)))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    waiting: Result<Query<Waiting>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(Waiting { wait }) = waiting?;
    let sources = sources(&app, request).await?;
    if wait.unwrap_or(true) {
        let done = app.with_writer(move |library| report(library, library.add(&sources)?));
        return Ok(Json(done.await?).into_response());
    }
    let job = app.with_writer(move |library| Ok(library.begin_job(&sources)?)).await?;
    app.job_bell.ring();
    let place = format!("/v1/jobs/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, place)], Json(JobBody::from(job))).into_response())
}

/// Replace an article: its id stays, its version grows
#[utoipa::path(put, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$")), request_body = NewArticle,
    responses((status = 200, body = TakenArticle)))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<TakenArticle>, Problem> {
    let Json(article) = body?;
    let source = NewArticle::parse(article)?.source(&id);
    let done = app.with_writer(move |library| {
        let id = ArticleId(id);
        match library.replace(&id, &source)? {
            None => Err(Problem::unknown_article(&id.0)),
            Some(Err(reason)) => Err(Problem::new(StatusCode::BAD_REQUEST, "unusable", format!("the article {reason}"))),
            Some(Ok(outcome)) => taken(library, &id, outcome),
        }
    });
    done.await.map(Json)
}

/// Change what is known of an article beside its text
#[utoipa::path(patch, path = "/v1/articles/{id}", tag = "articles", params(("id" = String, Path, pattern = "^[0-9a-f]{16}$")), request_body = Description,
    responses((status = 200, body = TakenArticle)))]
pub(super) async fn describe(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<TakenArticle>, Problem> {
    let Json(fields) = body?;
    let described: Description = serde_json::from_value(fields.clone()).map_err(|error| Problem::invalid(error.to_string()))?;
    if described.title.as_ref().is_some_and(|title| !says_something(title)) || fields.get("title") == Some(&Value::Null) {
        return Err(Problem::invalid("`title` holds no word"));
    }
    if let Some(date) = described.published.as_ref().filter(|date| date.len() != 10 || date.parse::<jiff::civil::Date>().is_err())
    {
        return Err(Problem::invalid(format!("`{}` is no date\nhint: write YYYY-MM-DD", date.escape_debug())));
    }
    let done = app.with_writer(move |library| {
        let id = ArticleId(id);
        let outcome = library.describe(&id, &|record| described.apply(&fields, record))?;
        taken(library, &id, outcome.ok_or_else(|| Problem::unknown_article(&id.0))?)
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
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    removal: Result<Query<Removal>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let Query(Removal { purge }) = removal?;
    let done = app.with_writer(move |library| {
        let id = ArticleId(id);
        let known = library.remove_article(&id, purge)?;
        if known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::unknown_article(&id.0)) }
    });
    done.await
}
