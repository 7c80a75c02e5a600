//! `/mcp`, and `ibid mcp` over standard input and output: tools for assistants.
//!
//! `search` and `fetch` are shaped as connectors expect them; `ask` gives an answer with
//! its citations. All only read.

use std::sync::Arc;

use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{ErrorData, Implementation, ServerCapabilities, ServerConfig};
use rmcp::schemars::JsonSchema;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, ServiceExt as _, tool, tool_handler, tool_router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::http::dto::error::Problem;
use crate::http::dto::{self, markdown, place};
use crate::http::server::library::{answered, find_article};
use crate::http::server::{App, pool};
use crate::library::{Asking, Library};
use crate::retrieve::{Mode, Question};
use crate::settings::AnswerMode;
use crate::shelf::{ArticleOutline, Filter};

/// Passages that a search gives.
const FOUND: usize = 10;
/// Passages that an answer is made from.
const PASSAGES: usize = 5;

/// The tools, on one library.
#[derive(Clone)]
pub(in crate::http) struct Tools {
    app: Arc<App>,
    /// Whose request they answer: they do it in a task of their own.
    client: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Searched {
    /// What to look for, in any language.
    query: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Fetched {
    /// The `id` of a search result, or an article's id.
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Asked {
    /// A question in any language.
    question: String,
    /// `extractive`: sentences of the articles, quoted. `written`: a language model writes, where one is configured.
    mode: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Results {
    results: Vec<Found>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Found {
    id: String,
    title: String,
    url: String,
    /// The passage.
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Fetch {
    id: String,
    title: String,
    /// The whole article.
    text: String,
    url: String,
    metadata: Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Cited {
    /// What the answer is made of: `passages` or `written`.
    kind: String,
    /// Whether the articles say it. If not, the citations are the nearest passages.
    answerable: bool,
    /// Why there is no answer: `not_a_question` or `not_in_articles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// 0 to 1.
    confidence: f64,
    /// The sentences that answer, with marks; what can be asked, where nothing was.
    answer: String,
    citations: Vec<Reference>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Reference {
    /// The mark's number.
    n: usize,
    title: String,
    authors: Vec<String>,
    /// The exact words.
    quote: String,
    /// File and lines that they come from; page and printed lines for a PDF.
    source: String,
    url: String,
}

impl From<Problem> for ErrorData {
    fn from(problem: Problem) -> Self {
        let (code, message) = problem.code_and_message();
        let data = Some(json!({ "code": code }));
        if problem.status().is_client_error() { Self::invalid_params(message, data) } else { Self::internal_error(message, data) }
    }
}

#[tool_router]
impl Tools {
    pub(in crate::http) fn new(app: Arc<App>) -> Self {
        Self { app, client: pool::client() }
    }

    fn question(&self, text: &str) -> Result<Question, Problem> {
        Ok(Question::parse(text, Some(self.app.max_question_chars))?)
    }

    async fn with_library<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Library) -> Result<T, Problem> + Send + 'static,
    {
        pool::as_client(self.client.clone(), self.app.with_library(work)).await
    }

    /// Find passages in the articles.
    #[tool(name = "search", annotations(title = "Search the articles", read_only_hint = true, open_world_hint = false))]
    async fn search(&self, Parameters(Searched { query }): Parameters<Searched>) -> Result<Json<Results>, ErrorData> {
        let (question, base) = (self.question(&query)?, self.app.public_url.clone());
        let found = self.with_library(move |library| {
            let pinned = library.pinned()?;
            let found = pinned.find(&question, &Filter::default(), Mode::Hybrid, FOUND)?;
            let found = pinned.with_articles(found.evidence)?;
            let results = found.iter().map(|(evidence, stored)| {
                let passage = &evidence.passage;
                let (start, end) = place(&stored.article.text, passage.passage.span);
                let url = format!("{base}/articles/{}?version={}#c={start}-{end}", passage.article, passage.version);
                let id = format!("{}#c={start}-{end}", passage.article);
                Found { id, title: passage.title.clone(), url, text: passage.text.clone() }
            });
            Ok(Results { results: results.collect() })
        });
        Ok(Json(found.await?))
    }

    /// Read a whole article by the id that a search gave.
    #[tool(name = "fetch", annotations(title = "Read an article", read_only_hint = true, open_world_hint = false))]
    async fn fetch(&self, Parameters(Fetched { id }): Parameters<Fetched>) -> Result<Json<Fetch>, ErrorData> {
        let base = self.app.public_url.clone();
        let found = self.with_library(move |library| {
            let stored = find_article(library, id.split('#').next().unwrap_or_default(), None)?;
            let url = format!("{base}/articles/{}?version={}", stored.id, stored.version);
            let about =
                serde_json::to_value(dto::article(ArticleOutline::of(&stored))).map_err(|error| Problem::internal(&error))?;
            let metadata = about.as_object().cloned().unwrap_or_default();
            Ok(Fetch { id, title: stored.article.record.title, text: stored.article.text, url, metadata })
        });
        Ok(Json(found.await?))
    }

    /// Answer a question from the articles: exact quotes with their sources, or that the articles do not say.
    #[tool(name = "ask", annotations(title = "Ask the articles", read_only_hint = true, open_world_hint = false))]
    async fn ask(&self, Parameters(Asked { question, mode }): Parameters<Asked>) -> Result<Json<Cited>, ErrorData> {
        let asking = Asking { mode: answer_mode(mode.as_deref())?, ..Asking::of(self.question(&question)?, PASSAGES) };
        let app = Arc::clone(&self.app);
        let answer = self.with_library(move |library| {
            let (answer, timings) = answered(&app, library, &asking, &mut |_| ())?;
            let told = (answer.kind.name().to_owned(), answer.reason.map(|reason| reason.name().to_owned()));
            let answer = dto::answer(
                &answer,
                timings,
                dto::Context { question: asking.question.as_str(), model: &library.embedder().info().id, base: &app.public_url },
            );
            Ok((answer, told))
        });
        let (answer, (kind, reason)) = answer.await?;
        let (text, _) = markdown::marked(&answer, &question);
        let quote = |citation: &dto::CitationBody| Reference {
            n: citation.n,
            title: citation.title.clone(),
            authors: citation.authors.clone(),
            quote: citation.quote.clone(),
            source: origin(&citation.source),
            url: citation.url.clone(),
        };
        let citations = answer.citations.iter().map(quote).collect();
        Ok(Json(Cited { kind, answerable: answer.answerable, reason, confidence: answer.confidence, answer: text, citations }))
    }
}

fn answer_mode(name: Option<&str>) -> Result<Option<AnswerMode>, Problem> {
    match name {
        None => Ok(None),
        Some("extractive") => Ok(Some(AnswerMode::Extractive)),
        Some("written") => Ok(Some(AnswerMode::Written)),
        Some(other) => Err(Problem::invalid(format!("`mode` must be `extractive` or `written`, not `{}`", other.escape_debug()))),
    }
}

/// File, page and lines, in words.
fn origin(source: &dto::LinesBody) -> String {
    let page = source.page.map(|page| format!("page {page}, ")).unwrap_or_default();
    format!("{}, {page}lines {}–{}", source.path, source.line_start, source.line_end)
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("ibid", env!("CARGO_PKG_VERSION"));
        let told = "Answers come from a library of articles, as exact quotes. Use `ask` for a question; \
                    use `search` and `fetch` to read around it. What the articles do not say, ibid says that they do not say.";
        info.instructions = Some(told.to_owned());
        info
    }
}

/// The tools over HTTP. Pages of other origins are refused.
pub(in crate::http) fn service(app: &Arc<App>) -> StreamableHttpService<Tools, LocalSessionManager> {
    let shared = Arc::clone(app);
    let mut config = StreamableHttpServerConfig::default();
    // The tools only read and remember nothing: a session would be memory that clients fill.
    config.legacy_session_mode = false;
    config.allowed_hosts.clone_from(&app.hosts);
    config.allowed_origins =
        app.hosts.iter().flat_map(|host| [format!("http://{host}:*"), format!("https://{host}:*")]).collect();
    StreamableHttpService::new(move || Ok(Tools::new(Arc::clone(&shared))), Arc::new(LocalSessionManager::default()), config)
}

/// Serves the tools over standard input and output, until the input ends.
pub(in crate::http) async fn over_stdio(app: Arc<App>) -> anyhow::Result<()> {
    let running = Tools::new(app).serve(rmcp::transport::stdio()).await?;
    running.waiting().await?;
    Ok(())
}
