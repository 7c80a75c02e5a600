//! Articles, with and without their text.

use serde::Serialize;
use utoipa::ToSchema;

use crate::article::LineRange;
use crate::shelf::ArticleOutline;

/// An article without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Article)]
pub(in crate::http) struct ArticleBody {
    pub(in crate::http) id: String,
    pub(in crate::http) version: u32,
    /// A later version, or a removal, has ended this one.
    pub(in crate::http) superseded: bool,
    /// SHA-256 of the text.
    sha256: String,
    title: String,
    authors: Vec<String>,
    affiliation: Option<String>,
    /// YYYY-MM-DD
    published: Option<String>,
    url: Option<String>,
    /// A BCP 47 tag.
    language: Option<String>,
    headings: Vec<String>,
    /// Code points.
    length: usize,
    encoding: String,
    /// What was doubtful when it was read.
    notes: Vec<String>,
    pub(in crate::http) source: SourceBody,
}

/// Where an article came from. Lines count from 1.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub(in crate::http) struct SourceBody {
    path: String,
    sha256: String,
    line_start: Option<u32>,
    line_end: Option<u32>,
    title_lines: Option<[u32; 2]>,
    byline_lines: Option<[u32; 2]>,
    /// The first and the last page that it is printed on; only of sources that have pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<[u32; 2]>,
    /// Lines that are in no article; said of a single article only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) left_out: Option<Vec<LeftOutBody>>,
}

/// A line that is in no article, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOut)]
pub(in crate::http) struct LeftOutBody {
    pub(in crate::http) line: u32,
    pub(in crate::http) text: String,
    pub(in crate::http) reason: String,
}

/// Articles, a page of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArticleList)]
pub(in crate::http) struct ArticleListBody {
    pub(in crate::http) articles: Vec<ArticleBody>,
    pub(in crate::http) total: usize,
    /// `offset` of the next page, if there is one.
    pub(in crate::http) next_offset: Option<usize>,
}

/// An article's text, or a part of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Text)]
pub(in crate::http) struct TextBody {
    pub(in crate::http) id: String,
    pub(in crate::http) version: u32,
    /// SHA-256 of the whole text.
    pub(in crate::http) sha256: String,
    pub(in crate::http) text: String,
    pub(in crate::http) start: usize,
    pub(in crate::http) end: usize,
    /// Code points in the whole text.
    pub(in crate::http) length: usize,
    /// Always `code_point`.
    pub(in crate::http) offset_unit: &'static str,
    /// From and to of each heading in the whole text.
    pub(in crate::http) headings: Vec<[usize; 2]>,
}

/// An article without its text.
pub(in crate::http) fn article(outline: ArticleOutline) -> ArticleBody {
    let ArticleOutline {
        id,
        version,
        superseded,
        record,
        source_path,
        source_sha256,
        text_sha256,
        length,
        headings,
        lines,
        pages,
    } = outline;
    let pair = |range: Option<LineRange>| range.map(|range| [range.first, range.last]);
    ArticleBody {
        id: id.0,
        version,
        superseded,
        sha256: text_sha256,
        title: record.title,
        authors: record.authors,
        affiliation: record.affiliation,
        published: record.published,
        url: record.url,
        language: record.language,
        headings,
        length,
        encoding: record.encoding,
        notes: record.notes,
        source: SourceBody {
            path: source_path,
            sha256: source_sha256,
            line_start: lines.map(|lines| lines.first),
            line_end: lines.map(|lines| lines.last),
            title_lines: pair(record.title_lines),
            byline_lines: pair(record.byline_lines),
            pages,
            left_out: None,
        },
    }
}
