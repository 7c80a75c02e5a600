//! `POST /retrieval`: the external knowledge of Dify, and of RAGFlow, which serves the same shape.
//!
//! At registration Dify sends no body and gives up on 403, 404 and 502; later it takes
//! whatever is not 200 for "nothing found". So an empty body is a plain 400.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::answer::Found;
use crate::deadline;
use crate::http::auth::rights::Grant;
use crate::http::dto::error::Problem;
use crate::http::dto::{object, place, round, whole};
use crate::http::server::App;
use crate::library::Pinned;
use crate::retrieve::{Mode, Question};
use crate::shelf::{Described, Filter};

const USUAL: usize = 5;
const MOST: usize = 100;
/// Conditions in one question, each compared with every article.
const MOST_CONDITIONS: usize = 50;
/// Names in one of them, and values in all.
const MOST_NAMES: usize = 8;
const MOST_VALUES: usize = 1000;

/// What Dify asks. Null stands for what is missing.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DifyQuery)]
pub(in crate::http) struct QueryBody {
    /// Any: there is one library.
    #[serde(default)]
    knowledge_id: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
    )]
    query: String,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<SettingBody>)]
    retrieval_setting: SettingBody,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<ConditionsBody>)]
    metadata_condition: ConditionsBody,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = DifySetting)]
struct SettingBody {
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 1_000_000_000_000u64)]
    top_k: Option<usize>,
    #[serde(default)]
    score_threshold: Option<f32>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = DifyConditions)]
struct ConditionsBody {
    /// `and` or `or`.
    #[serde(default)]
    logical_operator: Option<String>,
    #[serde(default)]
    conditions: Option<Vec<ConditionBody>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DifyCondition)]
struct ConditionBody {
    /// `title`, `author`, `published_at`, `language`, `source`, `article_id`.
    name: Value,
    comparison_operator: String,
    #[serde(default)]
    value: Value,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DifyRecords)]
pub(in crate::http) struct RecordsBody {
    records: Vec<RecordBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DifyRecord)]
struct RecordBody {
    content: String,
    /// 0 to 1.
    score: f64,
    title: String,
    metadata: Value,
}

/// A problem as Dify reads it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DifyErrorBody {
    error_code: u32,
    error_msg: String,
}

/// A problem, to be sent in Dify's shape.
pub(in crate::http) struct DifyProblem(Problem);

impl<P: Into<Problem>> From<P> for DifyProblem {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for DifyProblem {
    fn into_response(self) -> Response {
        let (_, error_msg) = self.0.code_and_message();
        // Dify takes 401 for a broken address; 403 is shown to whoever sets it up.
        let status = if self.0.status() == StatusCode::UNAUTHORIZED { StatusCode::FORBIDDEN } else { self.0.status() };
        let error_code = u32::from(status.as_u16());
        (status, Json(DifyErrorBody { error_code, error_msg })).into_response()
    }
}

/// Dify's external knowledge
#[utoipa::path(post, path = "/retrieval", tag = "Dify", request_body = QueryBody, responses(
    (status = 200, body = RecordsBody), (status = 400, body = DifyErrorBody)))]
pub(in crate::http) async fn retrieval(
    State(app): State<Arc<App>>,
    grant: Grant,
    body: Bytes,
) -> Result<Json<RecordsBody>, DifyProblem> {
    let asked: QueryBody = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "invalid_request", format!("the body is no query: {error}")))?;
    // Whatever name Dify was given; that of a collection leads to it.
    let app = app.named(asked.knowledge_id.as_deref().filter(|name| app.known(name)), &grant)?;
    let question = Question::parse(&asked.query, Some(app.max_question_chars))?;
    let setting = asked.retrieval_setting;
    let limit = setting.top_k.unwrap_or(USUAL).clamp(1, MOST);
    let threshold = setting.score_threshold.unwrap_or(0.0);
    let base = app.public_url.clone();
    let found = app.with_library(move |library| {
        let pinned = library.pinned()?;
        let filter = allowed(&pinned, &asked.metadata_condition)?;
        if filter.articles.is_empty() && filter != Filter::default() {
            return Ok(vec![]);
        }
        if !library.is_question(&question) {
            return Ok(vec![]);
        }
        let found = pinned.find(&question, &filter, Mode::Hybrid, limit)?;
        let found = pinned.with_articles(found.evidence)?;
        let records = found.iter().map(|found| record(found, &base));
        Ok(records.filter(|record| record.score >= f64::from(threshold)).collect())
    });
    Ok(Json(RecordsBody { records: found.await? }))
}

fn record((evidence, stored): &Found, base: &str) -> RecordBody {
    let (passage, known) = (&evidence.passage, &stored.article.record);
    let (start, end) = place(&stored.article.text, passage.passage.span);
    let url = format!("{base}/articles/{}?version={}#c={start}-{end}", passage.article, passage.version);
    let metadata = json!({
        "url": url, "doc_id": passage.article.0, "chunk_id": passage.id, "authors": passage.authors,
        "published_at": known.published, "section": passage.passage.section, "language": known.language, "start": start,
        "end": end, "source": stored.source_path,
    });
    // A probability, unlike the total.
    let score = round(evidence.scores.relevance);
    RecordBody { content: passage.text.clone(), score, title: passage.title.clone(), metadata }
}

/// The articles that the conditions allow, named one by one: both legs are then restricted exactly.
fn allowed(pinned: &Pinned<'_>, conditions: &ConditionsBody) -> Result<Filter, Problem> {
    let conditions_in_all = conditions.conditions.as_ref().map_or(0, Vec::len);
    if conditions_in_all > MOST_CONDITIONS {
        let message = format!("`conditions` must hold at most {MOST_CONDITIONS}, not {conditions_in_all}");
        return Err(Problem::invalid(message));
    }
    let Some(list) = conditions.conditions.as_ref().filter(|list| !list.is_empty()) else { return Ok(Filter::default()) };
    let list = list.iter().map(Condition::of).collect::<Vec<_>>();
    if list.iter().any(|condition| condition.names.len() > MOST_NAMES) {
        return Err(Problem::invalid(format!("`name` of a condition must hold at most {MOST_NAMES} names")));
    }
    let wanted = list.iter().map(|condition| condition.wanted.len()).sum::<usize>();
    if wanted > MOST_VALUES {
        return Err(Problem::invalid(format!("`conditions` must hold at most {MOST_VALUES} values, not {wanted}")));
    }
    let any = conditions.logical_operator.as_deref() == Some("or");
    let holds = |record: &Described| {
        let mut each = list.iter().map(|condition| condition.holds(&|name| values(record, name)));
        if any { each.any(|held| held) } else { each.all(|held| held) }
    };
    let mut articles = Vec::new();
    for record in pinned.records()? {
        if deadline::has_passed() {
            return Err(Problem::late(None));
        }
        if holds(&record) {
            articles.push(record.id);
        }
    }
    // No article at all: a filter that allows nothing, unlike the empty one.
    let none = articles.is_empty().then(|| "9999-12-31".to_owned());
    Ok(Filter { articles, published_from: none, ..Filter::default() })
}

/// What an article says under a name that conditions use.
fn values(record: &Described, name: &str) -> Vec<String> {
    match name {
        "author" | "authors" => record.authors.clone(),
        "title" => vec![record.title.clone()],
        "published_at" | "published" | "date" => record.published.clone().into_iter().collect(),
        "language" => record.language.clone().into_iter().collect(),
        "source" | "path" => vec![record.source_path.clone()],
        "article_id" | "doc_id" => vec![record.id.clone()],
        _ => vec![],
    }
}

/// A condition as it is put to each article.
struct Condition<'a> {
    names: Vec<String>,
    wanted: Vec<String>,
    operator: &'a str,
}

impl<'a> Condition<'a> {
    fn of(body: &'a ConditionBody) -> Self {
        let texts = |value: &Value| -> Vec<String> {
            value
                .as_array()
                .map_or_else(|| as_text(value).into_iter().collect(), |list| list.iter().filter_map(as_text).collect())
        };
        Self { names: texts(&body.name), wanted: texts(&body.value), operator: &body.comparison_operator }
    }

    fn holds(&self, values: &dyn Fn(&str) -> Vec<String>) -> bool {
        let values: Vec<String> = self.names.iter().flat_map(|name| values(name)).collect();
        let any =
            |test: &dyn Fn(&str, &str) -> bool| values.iter().any(|value| self.wanted.iter().any(|wanted| test(value, wanted)));
        match self.operator {
            "contains" => any(&|value, wanted| value.contains(wanted)),
            "not contains" => !any(&|value, wanted| value.contains(wanted)),
            "start with" => any(&|value, wanted| value.starts_with(wanted)),
            "end with" => any(&|value, wanted| value.ends_with(wanted)),
            "is" | "=" | "in" => any(&|value, wanted| value == wanted),
            "is not" | "≠" | "not in" => !any(&|value, wanted| value == wanted),
            "empty" => values.is_empty(),
            "not empty" => !values.is_empty(),
            // Dates are written so that their order is that of their letters.
            "before" | "<" => any(&|value, wanted| value < wanted),
            "after" | ">" => any(&|value, wanted| value > wanted),
            "≤" => any(&|value, wanted| value <= wanted),
            "≥" => any(&|value, wanted| value >= wanted),
            _ => false,
        }
    }
}

fn as_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
}
