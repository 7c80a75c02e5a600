//! A newspaper page's raw text → its articles; a PDF's pages → theirs.
//!
//! Raw text is what is left when a page's layout is lost: lines broken at the
//! column's width, headlines gathered somewhere, bylines alone on a line,
//! furniture in between. [`reconstruct`] puts it together again in four steps:
//!
//! 1. `lines`: physical lines with their widths and the blank lines between them;
//! 2. `blocks`: lines → paragraphs, headlines, bylines, affiliations, furniture;
//! 3. `drafts`: blocks → one draft an article, and headlines that stand apart;
//! 4. `titles`: which headline belongs to which draft, by place and by meaning.
//!
//! What is doubtful is noted in the article's record. Every line of the file ends
//! in exactly one place: an article's text, its title, its byline, or
//! [`Page::left_out`]. Text that is no newspaper page is not touched.
//!
//! A PDF still has its layout: [`printed_articles`] goes by that.

mod assemble;
mod blocks;
mod drafts;
mod furniture;
mod lines;
mod names;
mod printed;
mod titles;
mod words;

pub use printed::articles as printed_articles;

use self::lines::Wrapping;
use crate::article::Article;
use crate::read::Decoded;

/// Similarity of meaning of two texts, -1 to 1. Handed in, because this room knows no model.
pub type Similarity<'a> = &'a dyn Fn(&str, &str) -> f32;

/// A newspaper page, put together.
#[derive(Debug)]
pub struct Page {
    /// The articles, in the order of the file.
    pub articles: Vec<Article>,
    /// Lines that belong to no article.
    pub left_out: Vec<LeftOut>,
}

/// A line that belongs to no article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Line number, from 1.
    pub line: u32,
    /// What stands there.
    pub text: String,
    /// Why it was left out.
    pub reason: &'static str,
}

/// The articles of `decoded`, or `None` when it is no newspaper page.
pub fn reconstruct(decoded: &Decoded, similarity: Similarity<'_>) -> Option<Page> {
    let layout = lines::Layout::of(&decoded.text);
    if !layout.is_chinese() {
        return None;
    }
    let blocks = blocks::blocks(&layout);
    // Wrapped prose is common; only a newspaper names its authors and its furniture
    // this way. The less its lines say, the more of that is needed.
    let needed = match layout.wrapping() {
        Wrapping::Clear => 1,
        Wrapping::Faint => 2,
        Wrapping::None => 3,
    };
    if blocks::newspaper_signs(&blocks) < needed {
        return None;
    }
    let mut cutting = drafts::drafts(&layout, blocks);
    titles::assign(&layout, &mut cutting, similarity);
    Some(assemble::page(&layout, &cutting, decoded))
}
