//! A problem in the shape that the clients of a route read.

use axum::response::{IntoResponse as _, Response};

use crate::http::compat::dify::DifyProblem;
use crate::http::compat::openai::OpenAiProblem;
use crate::http::dto::error::Problem;

/// Routes whose errors have OpenAI's shape, and all below them; with or without the version before.
const OPENAI: [&str; 5] = ["/chat/completions", "/responses", "/embeddings", "/rerank", "/models"];

/// A problem as the clients of `route` read it.
pub(in crate::http) fn shaped(problem: Problem, route: &str) -> Response {
    let below = |path: &str, of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let unversioned = ["/v1", "/v2"].iter().find_map(|version| route.strip_prefix(version)).unwrap_or(route);
    if below(route, "/retrieval") {
        DifyProblem::from(problem).into_response()
    } else if OPENAI.iter().any(|path| below(unversioned, path)) {
        OpenAiProblem::from(problem).into_response()
    } else {
        problem.into_response()
    }
}
