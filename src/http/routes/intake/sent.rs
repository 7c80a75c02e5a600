//! What is sent to be added, as sources: articles as JSON, and files, checked and each there once.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::CONTENT_TYPE;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::article::{LONGEST_NAME, LONGEST_TITLE, LONGEST_URL, MOST_AUTHORS, Source, is_web_address};
use crate::http::dto::error::{Problem, no_room};
use crate::http::server::App;
use crate::read::files::source;
use crate::retrieve::says_something;
use crate::text::hex;

/// Articles in one request.
const MOST_ARTICLES: usize = 100_000;

/// An article to be added.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewArticle {
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
    /// An address of the web.
    #[schema(pattern = r"^(https?://[0-9A-Za-z][0-9A-Za-z._~:/?#@!$&'()*+,;=%-]*)?$", max_length = 2000)]
    url: Option<String>,
}

impl NewArticle {
    pub(in crate::http) fn parse(article: Value) -> Result<Self, Problem> {
        let parsed: Self = serde_json::from_value(article).map_err(|error| no_article(&error))?;
        parsed.checked()
    }

    /// Without what says nothing in a text; refused where something is too long or says nothing at all.
    fn checked(mut self) -> Result<Self, Problem> {
        // A file with control characters is no text at all.
        let Self { key, title, text, authors, published, url } = &mut self;
        let single = [key, title, published, url].into_iter().flatten().chain([text]);
        for text in single.chain(authors.iter_mut().flatten()) {
            text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
        }
        let Self { title, authors, url, .. } = &self;
        limits(title.as_deref(), authors.as_deref().unwrap_or_default(), url.as_deref())?;
        if self.key.as_ref().is_some_and(|key| key.chars().count() > LONGEST_NAME) {
            return Err(Problem::invalid(format!("`key` must have at most {LONGEST_NAME} characters")));
        }
        if says_something(&self.text) { Ok(self) } else { Err(Problem::invalid("`text` holds no word")) }
    }

    /// A source of its own, under the name `key`.
    pub(in crate::http) fn source(&self, key: &str) -> Source {
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
pub(in crate::http) async fn sources(app: &App, request: Request) -> Result<Vec<Source>, Problem> {
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
    let bytes = bytes.map_err(|refused| no_room(&refused).unwrap_or_else(|| Problem::too_large(app.max_upload_bytes)))?;
    distinct(if lines { of_lines(&bytes)? } else { of_json(&bytes)? })
}

fn no_article(error: &serde_json::Error) -> Problem {
    Problem::invalid(format!("no article: {error}"))
}

/// Articles that were sent, one after the other; none is kept in another form than the last.
#[derive(Default)]
struct Sources(Vec<Source>);

impl Sources {
    fn push(&mut self, article: NewArticle) -> Result<(), Problem> {
        if self.0.len() == MOST_ARTICLES {
            let message = format!("the body holds more than {MOST_ARTICLES} articles");
            return Err(Problem::invalid(format!("{message}\nhint: send them in several requests")));
        }
        let article = article.checked()?;
        self.0.push(article.source(&article.key()));
        Ok(())
    }

    fn all(self) -> Result<Vec<Source>, Problem> {
        if self.0.is_empty() { Err(Problem::invalid("the body holds no article")) } else { Ok(self.0) }
    }
}

fn of_lines(bytes: &[u8]) -> Result<Vec<Source>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| Problem::invalid(format!("the body is not UTF-8: {error}")))?;
    let mut sources = Sources::default();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let article = serde_json::from_str(line).map_err(|error| Problem::invalid(format!("line {number}: {error}")))?;
        sources.push(article)?;
    }
    sources.all()
}

/// A list, an object with one under `articles`, or one article. Each is a source as soon as it is read: as a tree of
/// values a body takes many times its length.
fn of_json(bytes: &[u8]) -> Result<Vec<Source>, Problem> {
    /// Whether there is a list inside.
    #[derive(Deserialize)]
    struct Outline {
        articles: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Whole {
        articles: List,
    }
    let list = match bytes.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(bytes).map_err(|error| no_article(&error))?,
        Some(b'{') => {
            let outline: Outline = serde_json::from_slice(bytes).map_err(|error| Problem::invalid(error.to_string()))?;
            if outline.articles.is_some() {
                let whole: Whole = serde_json::from_slice(bytes).map_err(|error| no_article(&error))?;
                whole.articles
            } else {
                let mut sources = Sources::default();
                let one = sources.push(serde_json::from_slice(bytes).map_err(|error| no_article(&error))?);
                List(one.map(|()| sources))
            }
        }
        _ => {
            let _: IgnoredAny = serde_json::from_slice(bytes).map_err(|error| Problem::invalid(error.to_string()))?;
            return Err(Problem::invalid("the body is no article\nhint: send `{\"title\", \"text\", …}`"));
        }
    };
    list.0?.all()
}

/// A list of articles, or what is wrong with one of them.
struct List(Result<Sources, Problem>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor).map(Self)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Result<Sources, Problem>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list of articles")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut sources = Ok(Sources::default());
        while let Ok(known) = &mut sources {
            let Some(article) = list.next_element()? else { return Ok(sources) };
            if let Err(problem) = known.push(article) {
                sources = Err(problem);
            }
        }
        // The rest is read all the same: the parser asks for the end of the list.
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(sources)
    }
}

/// Each source once. Two of one name that say different things are refused: the second would take the first one's place.
fn distinct(sources: Vec<Source>) -> Result<Vec<Source>, Problem> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut kept = Vec::with_capacity(sources.len());
    for source in sources {
        match known.get(&source.location) {
            None => {
                known.insert(source.location.clone(), source.sha256.clone());
                kept.push(source);
            }
            Some(sha256) if *sha256 == source.sha256 => {}
            Some(_) => {
                let message = format!("two of what was sent have the name or the text of `{}`", source.path.escape_debug());
                return Err(Problem::invalid(format!("{message}\nhint: give each a `key`, or a file name, of its own")));
            }
        }
    }
    Ok(kept)
}

/// Refuses what is longer than it may be, and addresses that are none of the web.
pub(in crate::http) fn limits(title: Option<&str>, authors: &[String], url: Option<&str>) -> Result<(), Problem> {
    let too_long = |name: &str, longest: usize| Err(Problem::invalid(format!("`{name}` must have at most {longest} characters")));
    if title.is_some_and(|title| title.chars().count() > LONGEST_TITLE) {
        return too_long("title", LONGEST_TITLE);
    }
    if authors.len() > MOST_AUTHORS {
        return Err(Problem::invalid(format!("`authors` must hold at most {MOST_AUTHORS} names, not {}", authors.len())));
    }
    if authors.iter().any(|author| author.chars().count() > LONGEST_NAME) {
        return too_long("authors", LONGEST_NAME);
    }
    match url.filter(|url| !url.is_empty()) {
        Some(url) if url.chars().count() > LONGEST_URL => too_long("url", LONGEST_URL),
        Some(url) if !is_web_address(url) => {
            let shown: String = url.chars().take(100).collect();
            let message = format!("`url` is no address of the web: `{}`", shown.escape_debug());
            Err(Problem::invalid(format!("{message}\nhint: it begins with http:// or https://, and holds no space")))
        }
        _ => Ok(()),
    }
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
    if sources.is_empty() { Err(Problem::invalid("the form holds no file")) } else { distinct(sources) }
}
