//! The one citation object; every dialect is a projection of it.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{OFFSET_UNIT, round};
use crate::answer::Citation;
use crate::article::{PageBox, Span, code_points};
use crate::shelf::StoredArticle;
use crate::text::hex;

/// An exact quote and where it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Citation)]
pub(crate) struct CitationBody {
    /// What marks point to, from 1.
    pub(in crate::http) n: usize,
    /// `quote`, or `article` where the article as a whole is cited: then the quote is what it begins with.
    pub(in crate::http) kind: &'static str,
    pub(in crate::http) article_id: String,
    pub(in crate::http) version: u32,
    /// SHA-256 of the article's text.
    pub(in crate::http) sha256: String,
    pub(in crate::http) title: String,
    pub(in crate::http) authors: Vec<String>,
    /// The heading that it stands under.
    pub(in crate::http) section: Option<String>,
    /// YYYY-MM-DD
    pub(in crate::http) published: Option<String>,
    /// A BCP 47 tag.
    pub(in crate::http) language: Option<String>,
    /// The exact words: the text from `start` to `end`.
    pub(in crate::http) quote: String,
    pub(in crate::http) start: usize,
    /// Exclusive.
    pub(in crate::http) end: usize,
    /// Always `code_point`.
    pub(in crate::http) offset_unit: &'static str,
    /// The words of the quote that answer, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) answer_span: Option<SpanBody>,
    pub(in crate::http) passage: PassageBody,
    pub(in crate::http) source: LinesBody,
    /// How likely its passage answers, 0 to 1.
    pub(in crate::http) score: f64,
    /// Opens the article at the quote.
    pub(in crate::http) url: String,
    /// Other articles that hold the same passage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyBody>,
}

/// A part of the article's text, in code points.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Span)]
pub(in crate::http) struct SpanBody {
    start: usize,
    /// Exclusive.
    end: usize,
}

/// Another article with the same passage.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Copy)]
pub(in crate::http) struct CopyBody {
    pub(in crate::http) article_id: String,
    pub(in crate::http) title: String,
}

/// What was retrieved: the quote stands in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Passage)]
pub(in crate::http) struct PassageBody {
    pub(in crate::http) id: u32,
    pub(in crate::http) text: String,
    start: usize,
    end: usize,
}

/// Lines of the source file that hold the quote, from 1. Of a PDF: its printed lines in reading order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Lines)]
pub(in crate::http) struct LinesBody {
    pub(in crate::http) path: String,
    pub(in crate::http) line_start: u32,
    pub(in crate::http) line_end: u32,
    /// The page on which the quote begins, from 1; only of sources that have pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(in crate::http) page: Option<u32>,
    /// Where the quote is printed, one box a printed line; only of sources that have pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::http) boxes: Vec<BoxBody>,
}

/// A rectangle on a page, in PDF points (1/72 inch). The origin is the top left corner of the page as it is shown,
/// cropped and turned; y grows downwards.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PageBox)]
pub(in crate::http) struct BoxBody {
    /// From 1.
    page: u32,
    /// Left border.
    x0: f32,
    /// Upper border.
    y0: f32,
    /// Right border.
    x1: f32,
    /// Lower border.
    y1: f32,
}

impl LinesBody {
    fn of(citation: &Citation) -> Self {
        let (lines, boxes) = (citation.lines(), citation.boxes());
        let body = |PageBox { page, x0, y0, x1, y1 }: PageBox| BoxBody { page, x0, y0, x1, y1 };
        Self {
            path: citation.article().source_path.clone(),
            line_start: lines.first,
            line_end: lines.last,
            page: boxes.first().map(|first| first.page),
            boxes: boxes.into_iter().map(body).collect(),
        }
    }
}

/// A span in code points.
pub(in crate::http) fn place(text: &str, span: Span) -> (usize, usize) {
    (code_points(text, span.start), code_points(text, span.end))
}

/// SHA-256 of the article's text: what offsets and quotes can be checked against.
pub(in crate::http) fn text_sha256(stored: &StoredArticle) -> String {
    hex(&Sha256::digest(&stored.article.text))
}

/// Citation number `n`; links begin with `base`.
pub(in crate::http) fn citation(n: usize, citation: &Citation, base: &str) -> CitationBody {
    let stored = citation.article();
    let text = &stored.article.text;
    let (start, end) = place(text, citation.span());
    let (id, passage_span, words) = citation.passage();
    let (passage_start, passage_end) = place(text, passage_span);
    let record = &stored.article.record;
    CitationBody {
        n,
        kind: if citation.is_of_whole_article() { "article" } else { "quote" },
        article_id: stored.id.0.clone(),
        version: stored.version,
        sha256: text_sha256(stored),
        title: record.title.clone(),
        authors: record.authors.clone(),
        section: citation.section().map(str::to_owned),
        published: record.published.clone(),
        language: record.language.clone(),
        quote: citation.quote().to_owned(),
        start,
        end,
        offset_unit: OFFSET_UNIT,
        answer_span: citation.answer().map(|span| {
            let (start, end) = place(text, span);
            SpanBody { start, end }
        }),
        passage: PassageBody { id, text: words.to_owned(), start: passage_start, end: passage_end },
        source: LinesBody::of(citation),
        score: round(citation.scores().relevance),
        url: format!("{base}/articles/{}?version={}#c={start}-{end}", stored.id, stored.version),
        copies: citation.copies().iter().map(|(id, title)| CopyBody { article_id: id.0.clone(), title: title.clone() }).collect(),
    }
}
