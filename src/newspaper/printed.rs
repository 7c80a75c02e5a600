//! A printed document's characters → its articles.
//!
//! A PDF says where each character stands, and nothing of words, lines or columns. [`articles`] finds them in five
//! steps:
//!
//! 1. `segments`: characters → stretches of a line without a gap, in every page's own direction of writing;
//! 2. `margins`: running heads and page numbers, which repeat from page to page, are set apart;
//! 3. `order`: the white gutters between columns cut a page into columns in reading order;
//! 4. `blocks`: a column's lines → paragraphs, headings, rows of tables, footnotes;
//! 5. `assemble`: blocks → one article for a report, one for each headline of a newspaper page.
//!
//! Lines are counted in reading order through the whole document: these are the lines that citations name. Each
//! character of an article keeps its page and its box. Every line ends in an article's text, its title, its byline,
//! or in [`LeftOut`].

mod assemble;
mod blocks;
mod continued;
mod lines;
mod margins;
mod news;
mod order;
mod segments;

use self::blocks::{Block, DocumentStyle};
use self::lines::Line;
use self::segments::Segment;
use super::{LeftOut, Page};
use crate::read::{Printed, PrintedPage};

/// The articles of a printed document; `stem` is the title of one that has none.
pub fn articles(document: &Printed, stem: &str) -> Page {
    let body = body_size(document);
    let mut pages: Vec<Vec<Segment>> = document.pages.iter().map(segments::segments).collect();
    let margins = margins::remove(&mut pages, document, body);
    let mut layout = PrintedLayout { body, body_is_bold: is_bold(document), ..PrintedLayout::default() };
    for ((page, found), margin) in document.pages.iter().zip(pages).zip(margins) {
        layout.take(page, found);
        for (segments, reason) in margin {
            let line = layout.line(page, &segments.iter().collect::<Vec<_>>());
            layout.left_out.push(LeftOut { line: line.number, text: line.text(), reason });
        }
    }
    for block in blocks::repeated_headers(&mut layout.blocks) {
        layout.left_out.extend(assemble::left_out(&block, "a table's header, said again"));
    }
    blocks::join(&mut layout.blocks);
    assemble::page(layout, document, stem)
}

/// All that was found, in reading order.
#[derive(Default)]
struct PrintedLayout {
    /// The size of most characters.
    body: f32,
    /// Most characters are bold, so that bold type says nothing.
    body_is_bold: bool,
    blocks: Vec<Block>,
    /// For each page whether columns stand side by side on it.
    in_columns: Vec<(u32, bool)>,
    left_out: Vec<LeftOut>,
    lines: u32,
}

impl PrintedLayout {
    fn take(&mut self, page: &PrintedPage, found: Vec<Segment>) {
        let rules = segments::rules(page);
        let leaves = order::leaves(found, &rules);
        self.in_columns.push((page.number, leaves.iter().any(|leaf| leaf.beside)));
        for leaf in leaves {
            let lines: Vec<Line> = lines::rows(&leaf.segments).iter().map(|row| self.line(page, row)).collect();
            let style = DocumentStyle { body: self.body, body_is_bold: self.body_is_bold, page_height: page.height };
            self.blocks.extend(blocks::blocks(&lines, &rules, style));
        }
    }

    /// The next line, which `row` makes.
    fn line(&mut self, page: &PrintedPage, row: &[&Segment]) -> Line {
        self.lines += 1;
        Line::of(row, page, self.lines)
    }
}

/// The size that most characters have.
fn body_size(document: &Printed) -> f32 {
    let mut sizes: Vec<f32> = document.pages.iter().flat_map(|page| &page.glyphs).map(|glyph| glyph.size).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    // Fonts of one size differ by rounding.
    let runs = sizes.chunk_by(|a, b| b - a < 0.05);
    runs.max_by_key(|run| run.len()).map_or(10.0, |run| run[run.len() / 2])
}

fn is_bold(document: &Printed) -> bool {
    let glyphs = || document.pages.iter().flat_map(|page| &page.glyphs);
    glyphs().filter(|glyph| glyph.bold).count() * 2 > glyphs().count()
}
