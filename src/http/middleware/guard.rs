//! The right that a route needs is asked for before its handler.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::shape::shaped;
use crate::http::auth::audit::Caller;
use crate::http::auth::rights::Right;
use crate::http::server::{App, pool};

/// What stands before a handler: the app, whose collection it is, and what the route needs.
#[derive(Clone)]
pub(in crate::http) struct Guard {
    pub(in crate::http) app: Arc<App>,
    pub(in crate::http) right: Right,
}

/// Lets a request through to its handler, with what it may do, if that covers what the route needs.
pub(in crate::http) async fn check(State(Guard { app, right }): State<Guard>, mut request: Request, next: Next) -> Response {
    let writes = right.changes() && !matches!(*request.method(), Method::GET | Method::HEAD);
    let key = app.audit.is_kept().then(|| app.keys.name(request.headers())).flatten();
    let mut response = match app.keys.check(right, &app.collection, &request) {
        Ok((grant, name)) => {
            request.extensions_mut().insert(grant);
            pool::as_client(name, next.run(request)).await
        }
        Err(problem) => {
            let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
            shaped(problem, route)
        }
    };
    response.extensions_mut().insert(Caller { key, writes });
    response
}
