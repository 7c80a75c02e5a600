//! The language that all other rooms speak: sources, articles, spans and passages.
//!
//! An [`Article`] keeps its text whole. Everything that is later retrieved or
//! quoted is a [`Span`] of that text; [`LineMap`] leads each span back to the lines
//! of the file it came from, and [`PageMap`] to its place on printed pages. This room
//! knows no other.

use std::fmt;
use std::sync::Arc;

mod builder;
mod lines;
mod places;
mod tidy;

pub use builder::Builder;
pub use lines::{LineMap, LineRange};
pub use places::{PageBox, PageMap, PrintedLine, Quarter, quarters};
pub use tidy::{LONGEST_NAME, LONGEST_TITLE, LONGEST_URL, MOST_AUTHORS, is_web_address, one_line, opening};

/// A file as it came.
#[derive(Debug, Clone)]
pub struct Source {
    /// What readers are shown: the path below the folder that was named.
    pub path: String,
    /// Where the file is, absolute: what tells one source from another.
    pub location: String,
    /// The bytes, untouched; their reader runs on a thread of its own and holds them too.
    pub bytes: Arc<Vec<u8>>,
    /// SHA-256 of `bytes`, in hexadecimal.
    pub sha256: String,
}

/// An article's stable name: sixteen hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleId(pub String);

impl fmt::Display for ArticleId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A range of bytes in an article's text, on character borders, end exclusive.
///
/// A span means something only together with its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after the span.
    pub end: usize,
}

impl Span {
    /// The span of `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether nothing lies inside.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A section heading that stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Depth, 1 for the outermost.
    pub level: u8,
    /// Where it stands.
    pub span: Span,
}

/// What is known of an article beside its text. All of it is as printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// A name given by the source itself (JSON Lines `id`), if any.
    pub key: Option<String>,
    /// The title; never empty once an article is kept.
    pub title: String,
    /// The authors, in the order printed.
    pub authors: Vec<String>,
    /// Where the authors work, as the article's last line states it.
    pub affiliation: Option<String>,
    /// Publication date, `YYYY-MM-DD`.
    pub published: Option<String>,
    /// Address of the original.
    pub url: Option<String>,
    /// The language of its text, as a BCP 47 tag; `None` where it cannot be told.
    pub language: Option<String>,
    /// The charset in which the source was written.
    pub encoding: String,
    /// What was doubtful when the article was read: said, not guessed silently.
    pub notes: Vec<String>,
    /// Lines that the title and the byline stand on, where they are known.
    pub title_lines: Option<LineRange>,
    /// Lines of the byline.
    pub byline_lines: Option<LineRange>,
}

impl Record {
    /// Whether a sentence is no more than the line that says who the authors are. It looks like an answer to whoever asks
    /// for a person or an office, and like a sentence of the article to whoever sums it up.
    pub fn is_about_authors(&self, sentence: &str) -> bool {
        /// Characters beside the affiliation: brackets, "The authors are".
        const BESIDE: usize = 24;
        let about = self.affiliation.as_deref().filter(|about| !about.is_empty());
        about.is_some_and(|about| sentence.contains(about) && sentence.chars().count() <= about.chars().count() + BESIDE)
    }
}

/// One text with its record, as reading gives it: not yet kept on a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// What is known of it.
    pub record: Record,
    /// The whole text; paragraphs are separated by line breaks.
    pub text: String,
    /// Section headings, in reading order.
    pub headings: Vec<Heading>,
    /// Which byte comes from which line of the source.
    pub lines: LineMap,
    /// Where each character is printed, for sources that have pages.
    pub places: PageMap,
}

impl Article {
    /// The quote that `span` cuts, or `None` when the span is not of this text.
    pub fn quote(&self, span: Span) -> Option<&str> {
        self.text.get(span.start..span.end)
    }

    /// The headings' words, in reading order.
    pub fn heading_texts(&self) -> impl Iterator<Item = &str> {
        self.headings.iter().filter_map(|heading| self.quote(heading.span))
    }
}

/// A contiguous span of one article: what is embedded, retrieved and cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Where it stands in the article's text.
    pub span: Span,
    /// The heading that it stands under, if any.
    pub section: Option<String>,
}

/// Counts code points before byte `at`: the unit in which offsets leave ibid.
pub fn code_points(text: &str, at: usize) -> usize {
    text.get(..at).map_or_else(|| text.chars().count(), |head| head.chars().count())
}

/// The byte at which code point number `at` begins, `None` past the end.
pub fn byte_of(text: &str, at: usize) -> Option<usize> {
    let mut starts = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
    starts.nth(at)
}
