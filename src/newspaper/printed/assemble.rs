//! Blocks → articles: one for a report, one for each headline of a newspaper page.

use super::blocks::{Block, Kind};
use super::lines::Line;
use super::{PrintedLayout, news};
use crate::article::{Article, Builder, LineRange, Record};
use crate::newspaper::{LeftOut, Page};
use crate::read::Printed;

/// A report's printed title is larger than its text by so much.
const TITLE: f32 = 1.3;
/// Sizes of headings that are told apart.
const LEVELS: u8 = 6;

/// The document's articles, and every line that is in none of them.
pub(super) fn page(layout: PrintedLayout, document: &Printed, stem: &str) -> Page {
    if news::is_newspaper(&layout) {
        return news::page(layout, document);
    }
    let PrintedLayout { blocks, left_out, .. } = layout;
    let articles = report(&blocks, layout.body, document, stem).into_iter().collect();
    Page { articles, left_out }
}

fn report(blocks: &[Block], body: f32, document: &Printed, stem: &str) -> Option<Article> {
    let title_at = printed_title(blocks, body);
    let printed = title_at.map(|at| blocks[at].text());
    let levels = Levels::of(blocks);
    let mut builder = Builder::default();
    let (notes, main): (Vec<&Block>, Vec<&Block>) = blocks.iter().partition(|block| block.kind == Kind::Footnote);
    for block in main.into_iter().chain(notes) {
        let start = builder.position();
        push(&mut builder, block);
        if block.kind == Kind::Heading {
            builder.heading_since(start, levels.level(block));
        }
        builder.end_paragraph();
    }
    if builder.text().trim().is_empty() {
        return None;
    }
    let mut record = record(document);
    // What is printed counts; the file's own title counts where it says the same or nothing large is printed.
    let same = |title: &str| printed.as_ref().is_none_or(|printed| squeezed(printed).contains(&squeezed(title)));
    let own = document.title.clone().filter(|title| same(title));
    record.title = own.or(printed).unwrap_or_else(|| stem.to_owned());
    record.authors.clone_from(&document.authors);
    record.title_lines = title_at.and_then(|at| range(&blocks[at].lines));
    Some(builder.finish(record))
}

/// What is known of every article of `document`.
pub(super) fn record(document: &Printed) -> Record {
    Record { published: document.created.clone(), encoding: "PDF".to_owned(), notes: document.notes.clone(), ..Record::default() }
}

/// The largest heading of the first page, if it is large enough to be a title.
fn printed_title(blocks: &[Block], body: f32) -> Option<usize> {
    let first = blocks.iter().flat_map(|block| &block.lines).map(Line::page).min()?;
    let on_first = |block: &Block| block.kind == Kind::Heading && block.lines[0].page() == first && block.size >= body * TITLE;
    let candidates = blocks.iter().enumerate().filter(|(_, block)| on_first(block));
    // Of two equally large ones the first.
    candidates.max_by(|(a, one), (b, other)| one.size.total_cmp(&other.size).then(b.cmp(a))).map(|(at, _)| at)
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Headings' levels by their size: the largest is the outermost; bold type in the text's size is the innermost.
struct Levels(Vec<f32>);

impl Levels {
    fn of(blocks: &[Block]) -> Self {
        let mut sizes: Vec<f32> = blocks.iter().filter(|block| block.kind == Kind::Heading).map(|block| block.size).collect();
        sizes.sort_unstable_by(|a, b| b.total_cmp(a));
        sizes.dedup_by(|a, b| *b - *a < 0.4);
        Self(sizes)
    }

    fn level(&self, block: &Block) -> u8 {
        let larger = self.0.iter().filter(|size| **size > block.size + 0.4).count();
        u8::try_from(larger + 1).unwrap_or(LEVELS).min(LEVELS)
    }
}

/// Adds a block's lines, joined as words go on; each keeps its place.
pub(super) fn push(builder: &mut Builder, block: &Block) {
    for (line, text) in block.pieces() {
        builder.push_printed(&text, line.number, line.printed());
    }
}

/// The numbers of `lines`, from the lowest to the highest.
pub(super) fn range(lines: &[Line]) -> Option<LineRange> {
    let numbers = || lines.iter().map(|line| line.number);
    Some(LineRange { first: numbers().min()?, last: numbers().max()? })
}

/// A block's lines as left out.
pub(super) fn left_out(block: &Block, reason: &'static str) -> Vec<LeftOut> {
    block.lines.iter().map(|line| LeftOut { line: line.number, text: line.text(), reason }).collect()
}
