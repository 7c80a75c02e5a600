//! The routes of one library. None can be added without the right that it needs.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::audit::Caller;
use super::rights::{Right, Scope};
use super::{
    App, articles, ask, collections, dify, edge, error, health, intake, jobs, mcp, metrics, openai, openapi, page, pictures,
    pool, verify, viewer,
};

/// Routes as they are put together.
struct Routes {
    app: Arc<App>,
    router: OpenApiRouter<Arc<App>>,
}

/// What stands before a handler: the app, whose collection it is, and what the route needs.
#[derive(Clone)]
struct Guard {
    app: Arc<App>,
    right: Right,
}

impl Routes {
    fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), router: OpenApiRouter::with_openapi(openapi::outline()) }
    }

    fn guard(&self, right: Right) -> Guard {
        Guard { app: Arc::clone(&self.app), right }
    }

    /// Routes of the API's document.
    fn add(self, right: Right, (schemas, mut paths, methods): UtoipaMethodRouter<Arc<App>>) -> Self {
        for item in paths.paths.values_mut() {
            openapi::declare(item, right);
        }
        let methods = methods.route_layer(middleware::from_fn_with_state(self.guard(right), check));
        Self { router: self.router.routes((schemas, paths, methods)), ..self }
    }

    /// A route that is in no document.
    fn also(self, right: Right, path: &str, methods: MethodRouter<Arc<App>>) -> Self {
        let methods = methods.route_layer(middleware::from_fn_with_state(self.guard(right), check));
        Self { router: self.router.route(path, methods), ..self }
    }

    /// All that lies below a path, answered by the tools for assistants.
    fn tools(self, right: Right, path: &str) -> Self {
        let below = Router::new().nest_service(path, mcp::service(&self.app));
        let below = below.route_layer(middleware::from_fn_with_state(self.guard(right), check));
        Self { router: self.router.merge(below.into()), ..self }
    }

    fn into_parts(self) -> (Router<Arc<App>>, Document) {
        self.router.split_for_parts()
    }
}

/// Lets a request through to its handler, with what it may do, if that covers what the route needs.
async fn check(State(Guard { app, right }): State<Guard>, mut request: Request, next: Next) -> Response {
    let writes = right.changes() && !matches!(*request.method(), Method::GET | Method::HEAD);
    let key = app.audit.is_kept().then(|| app.keys.name(request.headers())).flatten();
    let mut response = match app.keys.check(right, &app.collection, &request) {
        Ok((grant, name)) => {
            request.extensions_mut().insert(grant);
            pool::as_client(name, next.run(request)).await
        }
        Err(problem) => {
            let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
            edge::shaped(problem, route)
        }
    };
    response.extensions_mut().insert(Caller { key, writes });
    response
}

/// What one library answers, and the document that describes it.
pub(super) fn of(app: &Arc<App>) -> Router<Arc<App>> {
    let first = app.collection == collections::FIRST;
    let documented = documented(app, first);
    let described = with_viewer(documented);
    without_prefix(described)
        .tools(Right::READ, "/mcp")
        .also(Right::Open, "/", get(page::index))
        .also(Right::Open, "/articles/{id}", get(page::index))
        .also(Right::Open, "/assets/{name}", get(page::asset))
        .also(Right::Open, "/v1", get(health::hint))
        .into_parts()
        .0
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(app.max_body_bytes))
}

/// The routes of the document. What a probe of the whole service may see without a key,
/// it does not see of a collection: that there is one of this name is not everybody's to know.
fn documented(app: &Arc<App>, first: bool) -> Routes {
    let uploads = DefaultBodyLimit::max(app.max_upload_bytes);
    let routes = Routes::new(app)
        .add(Right::WRITE, routes!(intake::add).layer(uploads))
        .add(Right::WRITE, routes!(intake::replace).layer(uploads))
        .add(Right::WRITE, routes!(intake::describe))
        .add(Right::Here(&[Scope::Write, Scope::Admin]), routes!(intake::remove))
        .add(Right::Named(Scope::Read), routes!(ask::ask))
        .add(Right::Named(Scope::Read), routes!(ask::search))
        .add(Right::READ, routes!(articles::list))
        .add(Right::READ, routes!(articles::one))
        .add(Right::READ, routes!(articles::text))
        .add(Right::READ, routes!(articles::citation))
        .add(Right::READ, routes!(pictures::page))
        .add(Right::READ, routes!(jobs::list))
        .add(Right::READ, routes!(jobs::one))
        .add(Right::READ, routes!(jobs::events))
        .add(Right::WRITE, routes!(jobs::cancel))
        .add(Right::READ, routes!(verify::verify))
        .add(Right::Named(Scope::Read), routes!(openai::models::list))
        .add(Right::Named(Scope::Read), routes!(openai::models::one))
        .add(Right::Named(Scope::Read), routes!(openai::chat::completions))
        .add(Right::Named(Scope::Read), routes!(openai::responses::create))
        .add(Right::READ, routes!(openai::embeddings::embeddings))
        .add(Right::READ, routes!(openai::rerank::rerank))
        .add(Right::Named(Scope::Read), routes!(dify::retrieval))
        .add(Right::Open, routes!(health::alive))
        .add(if first { Right::Open } else { Right::READ }, routes!(health::ready))
        .add(Right::Whole(Scope::Admin), routes!(metrics::metrics));
    if !first {
        return routes;
    }
    // The first library keeps the list of collections; a collection has none of its own.
    routes
        .add(Right::Named(Scope::Read), routes!(collections::manage::list))
        .add(Right::Named(Scope::Admin), routes!(collections::manage::make))
        .add(Right::Named(Scope::Admin), routes!(collections::manage::rename))
        .add(Right::Named(Scope::Admin), routes!(collections::manage::remove))
}

/// The document of these routes, and a page to read it on.
fn with_viewer(routes: Routes) -> Routes {
    let mut document = openapi::with_errors(routes.router.get_openapi().clone());
    if routes.app.collection != collections::FIRST {
        openapi::serve_beside(&mut document);
    }
    let document = viewer::document(&document);
    routes
        .also(Right::Open, "/openapi.json", get(async move || document.clone().into_response()))
        .also(Right::Open, "/docs", get(viewer::redirect))
        .also(Right::Open, "/docs/", get(viewer::index))
        .also(Right::Open, "/docs/{*rest}", get(viewer::file))
}

/// OpenAI's routes for clients whose base was written without `/v1`.
fn without_prefix(routes: Routes) -> Routes {
    routes
        .also(Right::Named(Scope::Read), "/models", get(openai::models::list))
        .also(Right::Named(Scope::Read), "/models/{id}", get(openai::models::one))
        .also(Right::Named(Scope::Read), "/chat/completions", post(openai::chat::completions))
        .also(Right::Named(Scope::Read), "/responses", post(openai::responses::create))
        .also(Right::READ, "/embeddings", post(openai::embeddings::embeddings))
        .also(Right::READ, "/rerank", post(openai::rerank::rerank))
        .also(Right::READ, "/v2/rerank", post(openai::rerank::rerank))
}
