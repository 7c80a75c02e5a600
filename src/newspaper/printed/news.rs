//! A newspaper page's blocks → its articles: each large headline begins one.

use super::PrintedLayout;
use super::assemble::{left_out, push, range, record};
use super::blocks::{Block, Kind};
use super::continued::{comes_from, is_pointer, joined};
use super::lines::Line;
use crate::article::{Article, Builder, Record, opening};
use crate::newspaper::assemble::workplace;
use crate::newspaper::{LeftOut, Page, furniture as known, names};
use crate::read::Printed;

/// A headline's type is larger than the text's by so much.
const HEADLINE: f32 = 1.4;
/// Of the lines of a headline, those this near to the largest are the title; others stand above or below it.
const TITLE: f32 = 0.92;
/// An article has at least so many characters; two such articles beside each other make a newspaper page.
const FEWEST: usize = 60;

/// Blocks of one article.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) head: Vec<&'a Block>,
    pub(super) text: Vec<&'a Block>,
    /// Headlines that are said again where it goes on.
    pub(super) passed: Vec<&'a Block>,
}

impl Draft<'_> {
    fn length(&self) -> usize {
        self.text.iter().map(|block| block.text().chars().count()).sum()
    }

    /// Its headline, with what stands above and below.
    pub(super) fn title(&self) -> String {
        self.head.iter().map(|block| block.text()).collect()
    }

    /// The page on which it begins.
    pub(super) fn page(&self) -> u32 {
        self.head.first().or(self.text.first()).and_then(|block| block.lines.first()).map_or(0, Line::page)
    }
}

fn is_headline(block: &Block, body: f32) -> bool {
    block.kind == Kind::Heading && block.size >= body * HEADLINE
}

/// Whether this is a newspaper: a page in columns that holds several articles, and no page that holds a part of one.
pub(super) fn is_newspaper(layout: &PrintedLayout) -> bool {
    let drafts = drafts(&layout.blocks, layout.body);
    let whole = drafts.iter().filter(|draft| !draft.head.is_empty() && draft.length() >= FEWEST);
    let mut pages: Vec<(u32, usize)> = layout.in_columns.iter().map(|(page, _)| (*page, 0)).collect();
    for draft in whole {
        if let Some(page) = pages.iter_mut().find(|page| page.0 == draft.page()) {
            page.1 += 1;
        }
    }
    let articles: usize = pages.iter().map(|page| page.1).sum();
    let in_columns = |number: u32| layout.in_columns.contains(&(number, true));
    let several = pages.iter().any(|(page, count)| *count >= 2 && in_columns(*page));
    several && articles * 2 >= pages.len() * 3
}

/// Headlines, each with what follows it until the next.
fn drafts(blocks: &[Block], body: f32) -> Vec<Draft<'_>> {
    let mut drafts: Vec<Draft<'_>> = vec![Draft::default()];
    // A smaller heading right above a headline is a part of it. From the last block back: whether headings alone lead
    // from a block to a headline.
    let mut above = vec![false; blocks.len() + 1];
    for (at, block) in blocks.iter().enumerate().rev() {
        above[at] = block.kind == Kind::Heading && (is_headline(block, body) || above[at + 1]);
    }
    for (at, block) in blocks.iter().enumerate() {
        let fresh = drafts.last().is_some_and(|draft| draft.text.is_empty());
        let heads = is_headline(block, body) || (block.kind == Kind::Heading && (above[at] || fresh));
        match drafts.last_mut() {
            Some(draft) if heads && fresh => draft.head.push(block),
            // A part that comes from another page, with the headings right above it.
            Some(draft) if !fresh && comes_from(block).is_some() => {
                let text = draft.text.iter().rposition(|above| above.kind != Kind::Heading).map_or(0, |at| at + 1);
                let head = draft.text.split_off(text);
                drafts.push(Draft { head, text: vec![block], ..Draft::default() });
            }
            Some(draft) if !heads => draft.text.push(block),
            _ => drafts.push(Draft { head: vec![block], ..Draft::default() }),
        }
    }
    drafts.retain(|draft| !draft.head.is_empty() || !draft.text.is_empty());
    drafts
}

/// The articles, and every line that is in none of them.
pub(super) fn page(layout: PrintedLayout, document: &Printed) -> Page {
    let PrintedLayout { blocks, body, mut left_out, .. } = layout;
    let is_furniture = |block: &Block| furniture(block).is_some() && !is_pointer(block);
    let (apart, blocks): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(is_furniture);
    for block in &apart {
        left_out.extend(self::left_out(block, furniture(block).unwrap_or_default()));
    }
    let mut articles = Vec::new();
    for draft in joined(drafts(&blocks, body)) {
        if let Some(article) = article(&draft, document) {
            articles.push(article);
            let why = |block: &Block| furniture(block).unwrap_or("the headline of an article that goes on");
            left_out.extend(draft.passed.iter().flat_map(|block| self::left_out(block, why(block))));
        } else {
            let blocks = draft.head.iter().chain(&draft.text).chain(&draft.passed);
            left_out.extend(blocks.flat_map(|block| self::left_out(block, "no article's text")));
        }
    }
    left_out.sort_by_key(|left: &LeftOut| left.line);
    Page { articles, left_out }
}

/// Why a block that stands alone is furniture.
pub(super) fn furniture(block: &Block) -> Option<&'static str> {
    let [line] = block.lines.as_slice() else { return None };
    let text = line.text();
    known::anywhere(&text).or_else(|| known::between(&text).filter(|_| block.kind != Kind::Heading))
}

fn article(draft: &Draft<'_>, document: &Printed) -> Option<Article> {
    let (byline, text) = match draft.text.split_first() {
        Some((first, rest)) if first.lines.len() == 1 && !rest.is_empty() => match names::byline(&first.text()) {
            Some(authors) => (Some((authors, *first)), rest),
            None => (None, draft.text.as_slice()),
        },
        _ => (None, draft.text.as_slice()),
    };
    let has_text = text.iter().any(|block| block.kind != Kind::Heading && block.text().chars().count() >= FEWEST / 3);
    if !has_text || (draft.head.is_empty() && draft.length() < FEWEST) {
        return None;
    }
    let largest = draft.head.iter().map(|block| block.size).fold(0.0, f32::max);
    let (title, beside): (Vec<&Block>, Vec<&Block>) = draft.head.iter().partition(|block| block.size >= largest * TITLE);
    let mut builder = Builder::default();
    // Words above or below the title are read first: they are printed so, and lead into the text.
    for block in beside.into_iter().chain(text.iter().copied()) {
        let start = builder.position();
        push(&mut builder, block);
        if block.kind == Kind::Heading {
            builder.heading_since(start, 2);
        }
        builder.end_paragraph();
    }
    let mut record = self::record(document);
    record.affiliation = text.last().and_then(|block| affiliation(&block.text()));
    if let Some((authors, block)) = &byline {
        record.authors.clone_from(authors);
        record.byline_lines = range(&block.lines);
    }
    name(&mut record, &title, &builder);
    Some(builder.finish(record))
}

/// Gives an article its title: the headline, else its first words.
fn name(record: &mut Record, title: &[&Block], builder: &Builder) {
    record.title = title.iter().map(|block| block.text()).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = title.iter().flat_map(|block| block.lines.clone()).collect();
    record.title_lines = range(&lines);
    if record.title.is_empty() {
        record.title = opening(builder.text());
        record.notes.push("no headline was found: its first words stand for the title".to_owned());
    }
}

/// "（作者系…）": where the author works.
fn affiliation(text: &str) -> Option<String> {
    let inner = text.trim().trim_end_matches('。').strip_prefix(['（', '('])?.strip_suffix(['）', ')'])?;
    let of_authors = ["作者", "本文作者"].iter().any(|head| inner.starts_with(head));
    of_authors.then(|| workplace(inner))
}
