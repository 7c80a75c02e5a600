//! `/v1/jobs…`: how far what was taken in with `?wait=false` has come.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde::Deserialize;
use tokio_stream::{Stream, StreamExt as _};
use utoipa::IntoParams;

use crate::http::dto::error::Problem;
use crate::http::dto::{JobBody, JobListBody};
use crate::http::server::App;
use crate::library::Library;
use crate::shelf::Job;

/// Jobs in a list, at most.
const MOST: usize = 1000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Latest {
    /// Jobs at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

fn find(library: &Library, id: &str) -> Result<Job, Problem> {
    library.shelf().job(id)?.ok_or_else(|| {
        let message = format!("there is no job `{}`\nhint: `GET /v1/jobs` lists the latest", id.escape_debug());
        Problem::new(StatusCode::NOT_FOUND, "unknown_job", message)
    })
}

/// List the latest jobs
#[utoipa::path(get, path = "/v1/jobs", tag = "articles", params(Latest), responses((status = 200, body = JobListBody)))]
pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    latest: Result<Query<Latest>, QueryRejection>,
) -> Result<Json<JobListBody>, Problem> {
    let Query(Latest { limit }) = latest?;
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}")));
    }
    let listed = app.with_library(move |library| {
        let jobs = library.shelf().jobs(limit)?;
        Ok(JobListBody { jobs: jobs.into_iter().map(JobBody::from).collect() })
    });
    listed.await.map(Json)
}

/// How far a job has come
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "articles", params(("id" = String, Path)), responses((status = 200, body = JobBody)))]
pub(in crate::http) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<JobBody>, Problem> {
    let found = app.with_library(move |library| Ok(find(library, &id)?.into()));
    found.await.map(Json)
}

/// How far a job comes, as it comes: an event `job` at each change, the last when it has ended
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "articles", params(("id" = String, Path)), responses(
    (status = 200, body = Object, content_type = "text/event-stream")))]
pub(in crate::http) async fn events(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let library = app.library()?;
    let mut job: Job = app.with_library(move |library| find(library, &id)).await?;
    let mut changes = app.watched_jobs.watch(library, &job);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let event = Event::default().event("job").json_data(JobBody::from(job.clone()));
            let Ok(event) = event else { break };
            if sender.send(event).await.is_err() || job.state.has_ended() {
                break;
            }
            let next = tokio::select! {
                // Whoever has gone watches no more.
                () = sender.closed() => break,
                other = changes.wait_for(|now| now.as_ref() != Some(&job)) => other.ok().and_then(|now| now.clone()),
            };
            let Some(now) = next else { break };
            job = now;
        }
    });
    let events = tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// End a job: what was read is kept, the rest is let go
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "articles", params(("id" = String, Path)), responses((status = 200, body = JobBody)))]
pub(in crate::http) async fn cancel(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<JobBody>, Problem> {
    let jobs = Arc::clone(&app.jobs);
    let ended = app.with_library(move |library| {
        library.shelf().cancel_job(&id)?;
        // What is being read of it is given up.
        jobs.give_up(&id);
        Ok(find(library, &id)?.into())
    });
    ended.await.map(Json)
}
