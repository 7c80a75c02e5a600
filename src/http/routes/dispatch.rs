//! `/collections/NAME/…`: a request is handed to what answers for the collection.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, Uri};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use crate::http::dto::error::no_route;
use crate::http::middleware::shape::shaped;
use crate::http::server::App;
use crate::http::server::collections::{split, unknown};

/// Hands a request below `/collections/NAME` to what answers for it.
pub(in crate::http) async fn dispatch(State(app): State<Arc<App>>, mut request: Request) -> Response {
    let uri = request.uri();
    let (name, rest) = split(uri.path());
    let rest = if rest.is_empty() { "/" } else { rest };
    let Some(router) = app.collections.router(name, || app.keys.grant(request.headers())) else {
        return shaped(unknown(name), rest);
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(inner) = format!("{rest}{query}").parse::<Uri>() else { return no_route(uri.clone()).await.into_response() };
    *request.uri_mut() = inner;
    // The routes inside begin anew: what the outer one took out of the path would be counted among theirs.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    *request.extensions_mut() = Extensions::new();
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    // A router's error is none.
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}
