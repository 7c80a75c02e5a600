//! The shapes on the wire. Offsets count Unicode code points, end exclusive.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::Problem;
use crate::answer::{Answer, Citation};
use crate::article::{Span, code_points};
use crate::library::Timings;
use crate::read::files::hex;
use crate::retrieve::Evidence;
use crate::shelf::{Filter, StoredArticle};

pub(super) const OFFSET_UNIT: &str = "code_point";
const MOST: usize = 100;
const USUAL: usize = 5;

/// `POST /v1/ask` and `POST /v1/search`.
#[derive(Debug, Deserialize)]
pub(super) struct AskBody {
    pub(super) question: String,
    limit: Option<usize>,
    #[serde(default)]
    filter: FilterBody,
    #[serde(default)]
    pub(super) stream: bool,
    #[serde(default)]
    pub(super) mode: ModeBody,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeBody {
    #[default]
    Hybrid,
    Dense,
    Lexical,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterBody {
    #[serde(default)]
    author: Vec<String>,
    published_from: Option<String>,
    published_to: Option<String>,
    #[serde(default)]
    article_id: Vec<String>,
    #[serde(default)]
    source: Vec<String>,
}

impl AskBody {
    /// How many passages are wanted.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit),
            limit => Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}"))),
        }
    }

    /// Which articles may answer; dates are checked.
    pub(super) fn filter(&self) -> Result<Filter, Problem> {
        let FilterBody { author, published_from, published_to, article_id, source } = &self.filter;
        for date in [published_from, published_to].into_iter().flatten() {
            if date.len() != 10 || date.parse::<jiff::civil::Date>().is_err() {
                return Err(Problem::invalid(format!("`{}` is no date\nhint: write YYYY-MM-DD", date.escape_debug())));
            }
        }
        Ok(Filter {
            authors: author.clone(),
            published_from: published_from.clone(),
            published_to: published_to.clone(),
            articles: article_id.clone(),
            sources: source.clone(),
        })
    }
}

/// The answer to `POST /v1/ask`.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerBody {
    id: String,
    answerable: bool,
    confidence: f32,
    answer: Vec<StatementBody>,
    citations: Vec<CitationBody>,
    timings_ms: TimingsBody,
    model: String,
}

#[derive(Debug, Serialize)]
struct StatementBody {
    text: String,
    citations: Vec<usize>,
}

/// Milliseconds in each stage.
#[derive(Debug, Serialize)]
pub(super) struct TimingsBody {
    pub(super) embed: f64,
    pub(super) search: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<f64>,
}

/// The one citation object; every dialect is a projection of it.
#[derive(Debug, Serialize)]
pub(crate) struct CitationBody {
    n: usize,
    article_id: String,
    version: u32,
    sha256: String,
    title: String,
    authors: Vec<String>,
    section: Option<String>,
    published: Option<String>,
    quote: String,
    start: usize,
    end: usize,
    offset_unit: &'static str,
    passage: PassageBody,
    source: LinesBody,
    score: f32,
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyBody>,
}

/// Another article with the same passage.
#[derive(Debug, Serialize)]
struct CopyBody {
    article_id: String,
    title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct PassageBody {
    id: u32,
    text: String,
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize)]
struct LinesBody {
    path: String,
    line_start: u32,
    line_end: u32,
}

/// A passage found by `POST /v1/search`.
#[derive(Debug, Serialize)]
pub(super) struct FoundBody {
    passage_id: u32,
    article_id: String,
    version: u32,
    title: String,
    authors: Vec<String>,
    section: Option<String>,
    text: String,
    score: f32,
    scores: ScoresBody,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyBody>,
}

#[derive(Debug, Serialize)]
struct ScoresBody {
    meaning: f32,
    words: f32,
    tokens: f32,
}

/// `GET /v1/articles/{id}` and each of `GET /v1/articles`.
#[derive(Debug, Serialize)]
pub(super) struct ArticleBody {
    id: String,
    version: u32,
    superseded: bool,
    sha256: String,
    title: String,
    authors: Vec<String>,
    affiliation: Option<String>,
    published: Option<String>,
    url: Option<String>,
    headings: Vec<String>,
    length: usize,
    encoding: String,
    notes: Vec<String>,
    source: SourceBody,
}

#[derive(Debug, Serialize)]
struct SourceBody {
    path: String,
    sha256: String,
    line_start: Option<u32>,
    line_end: Option<u32>,
    title_lines: Option<[u32; 2]>,
    byline_lines: Option<[u32; 2]>,
}

fn round(value: f32) -> f32 {
    (value * 10_000.0).round() / 10_000.0
}

/// An answer with a fresh id.
pub(crate) fn answer(answer: &Answer, timings: Timings, model: &str, base: &str) -> AnswerBody {
    let statements = answer
        .statements
        .iter()
        .map(|statement| StatementBody { text: statement.text.clone(), citations: statement.citations.clone() });
    AnswerBody {
        id: format!("ask_{}", ulid::Ulid::generate()),
        answerable: answer.answerable,
        confidence: round(answer.confidence),
        answer: statements.collect(),
        citations: (1..).zip(&answer.citations).map(|(n, cited)| citation(n, cited, base)).collect(),
        timings_ms: TimingsBody { embed: timings.embed, search: timings.search, answer: Some(timings.answer) },
        model: model.to_owned(),
    }
}

fn citation(n: usize, citation: &Citation, base: &str) -> CitationBody {
    let stored = citation.article();
    let text = &stored.article.text;
    let place = |span: Span| (code_points(text, span.start), code_points(text, span.end));
    let (start, end) = place(citation.span());
    let (id, passage_span, words) = citation.passage();
    let (passage_start, passage_end) = place(passage_span);
    let lines = citation.lines();
    let record = &stored.article.record;
    CitationBody {
        n,
        article_id: stored.id.0.clone(),
        version: stored.version,
        sha256: text_sha256(stored),
        title: record.title.clone(),
        authors: record.authors.clone(),
        section: citation.section().map(str::to_owned),
        published: record.published.clone(),
        quote: citation.quote().to_owned(),
        start,
        end,
        offset_unit: OFFSET_UNIT,
        passage: PassageBody { id, text: words.to_owned(), start: passage_start, end: passage_end },
        source: LinesBody { path: stored.source_path.clone(), line_start: lines.first, line_end: lines.last },
        score: round(citation.scores().total),
        url: format!("{base}/articles/{}?version={}#c={start}-{end}", stored.id, stored.version),
        copies: citation.copies().iter().map(|(id, title)| CopyBody { article_id: id.0.clone(), title: title.clone() }).collect(),
    }
}

/// SHA-256 of the article's text: what offsets and quotes can be checked against.
pub(super) fn text_sha256(stored: &StoredArticle) -> String {
    hex(&Sha256::digest(&stored.article.text))
}

/// A found passage.
pub(super) fn found(evidence: &Evidence) -> FoundBody {
    let Evidence { passage, scores, copies } = evidence;
    FoundBody {
        passage_id: passage.id,
        article_id: passage.article.0.clone(),
        version: passage.version,
        title: passage.title.clone(),
        authors: passage.authors.clone(),
        section: passage.passage.section.clone(),
        text: passage.text.clone(),
        score: round(scores.total),
        scores: ScoresBody { meaning: round(scores.meaning), words: round(scores.words), tokens: round(scores.tokens) },
        copies: copies.iter().map(|copy| CopyBody { article_id: copy.article.0.clone(), title: copy.title.clone() }).collect(),
    }
}

/// An article without its text.
pub(super) fn article(stored: &StoredArticle) -> ArticleBody {
    let record = &stored.article.record;
    let all = stored.article.lines.range(Span::new(0, stored.article.text.len()));
    let pair = |range: Option<crate::article::LineRange>| range.map(|range| [range.first, range.last]);
    ArticleBody {
        id: stored.id.0.clone(),
        version: stored.version,
        superseded: stored.superseded,
        sha256: text_sha256(stored),
        title: record.title.clone(),
        authors: record.authors.clone(),
        affiliation: record.affiliation.clone(),
        published: record.published.clone(),
        url: record.url.clone(),
        headings: stored.article.heading_texts().map(str::to_owned).collect(),
        length: stored.article.text.chars().count(),
        encoding: record.encoding.clone(),
        notes: record.notes.clone(),
        source: SourceBody {
            path: stored.source_path.clone(),
            sha256: stored.source_sha256.clone(),
            line_start: all.map(|lines| lines.first),
            line_end: all.map(|lines| lines.last),
            title_lines: pair(record.title_lines),
            byline_lines: pair(record.byline_lines),
        },
    }
}
