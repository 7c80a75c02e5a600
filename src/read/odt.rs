//! ODT: the paragraphs, headings, lists, tables and footnotes of an `OpenDocument` text.
//!
//! Deleted text of tracked changes, remarks, indexes, heads and feet of pages are not read. Nothing that the document
//! refers to outside of it is.

use std::collections::HashMap;
use std::sync::Arc;

use super::archive::Archive;
use super::document::{self, Block, BlockCell, BlockRow};
use super::properties::Properties;
use super::xml::{self, Element, Node};
use super::{Error, guard};
use crate::article::{Article, Record};

/// Rows, columns and spaces that a document repeats by a number, at one place.
const MOST_REPEATED: usize = 1000;
/// Characters that rows and cells repeat by a number, in all.
const MOST_CHARACTERS: usize = 1 << 20;

/// The article that an ODT holds.
pub(super) fn article(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<Article, Error> {
    let (bytes, stem) = (Arc::clone(bytes), stem.to_owned());
    guard::bounded(move || open(&bytes, &stem))?
}

fn open(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<Article, Error> {
    let mut archive = Archive::open(bytes)?;
    if archive.xml("META-INF/manifest.xml").ok().flatten().is_some_and(|manifest| manifest.contains("encryption-data")) {
        return Err(Error::Encrypted);
    }
    let text = archive.xml("content.xml")?.ok_or_else(|| Error::Damaged("it holds no document".to_owned()))?;
    let tree = xml::parse(&text)?;
    let content = tree.child("document-content");
    let body = content.and_then(|content| content.child("body")).and_then(|body| body.child("text"));
    let body = body.ok_or_else(|| Error::Damaged("it is no text document".to_owned()))?;
    let mut reader = Reader { parents: parents(content), indexes: 0, room: MOST_CHARACTERS };
    let blocks = reader.blocks(body);
    let mut record = Record { encoding: "ODT".to_owned(), ..Record::default() };
    if reader.indexes > 0 {
        record.notes.push("the table of contents was left out".to_owned());
    }
    document::article(&blocks, properties(&mut archive)?, record, stem)
}

/// What `meta.xml` says.
fn properties(archive: &mut Archive) -> Result<Properties, Error> {
    let Some(text) = archive.xml("meta.xml")? else { return Ok(Properties::default()) };
    // A document can be read whatever is wrong with what it says of itself.
    let Ok(tree) = xml::parse(&text) else { return Ok(Properties::default()) };
    let said = |name: &str| tree.all(name).first().map(|element| element.text()).filter(|text| !text.is_empty());
    let authors: Vec<String> = said("initial-creator").or_else(|| said("creator")).into_iter().collect();
    Ok(Properties::of(said("title"), &authors, said("creation-date").or_else(|| said("date")).as_deref()))
}

/// For each automatic style the one that it is made from.
fn parents(content: Option<&Element<'_>>) -> HashMap<String, String> {
    let automatic = content.and_then(|content| content.child("automatic-styles"));
    let styles = automatic.into_iter().flat_map(Element::elements);
    styles.filter_map(|style| Some((style.attribute("name")?, style.attribute("parent-style-name")?))).collect()
}

struct Reader {
    parents: HashMap<String, String>,
    /// Indexes that were left out.
    indexes: usize,
    /// Characters that rows and cells may still repeat.
    room: usize,
}

/// A paragraph's text as it grows, and what stands in it and is read after it.
#[derive(Default)]
struct Inline {
    text: String,
    after: Vec<Block>,
}

impl Reader {
    fn blocks(&mut self, parent: &Element<'_>) -> Vec<Block> {
        let mut blocks = Vec::new();
        self.add(parent, &mut blocks);
        blocks
    }

    fn add(&mut self, parent: &Element<'_>, blocks: &mut Vec<Block>) {
        for element in parent.elements() {
            match element.name() {
                "p" | "h" => self.paragraph(element, blocks),
                "table" => {
                    let mut rows = Vec::new();
                    self.rows(element, false, &mut rows);
                    blocks.extend(document::table(rows));
                }
                "table-of-content" | "alphabetical-index" | "illustration-index" | "table-index" | "object-index"
                | "user-index" => {
                    self.indexes += 1;
                }
                "list" | "list-item" | "list-header" | "section" | "numbered-paragraph" | "bibliography" | "index-body"
                | "frame" | "text-box" => self.add(element, blocks),
                _ => {}
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Element<'_>, blocks: &mut Vec<Block>) {
        let mut inline = Inline::default();
        self.inline(paragraph, &mut inline);
        let Inline { text, after } = inline;
        let text = text.trim().to_owned();
        if !text.is_empty() {
            let style = paragraph.attribute("style-name").unwrap_or_default();
            let named = self.parents.get(&style).unwrap_or(&style);
            let level = paragraph.attribute("outline-level").and_then(|level| level.parse().ok()).unwrap_or(1);
            blocks.push(match (named.as_str(), paragraph.name()) {
                ("Title", _) => Block::Title(text),
                (_, "h") => Block::Heading(level, text),
                _ => Block::Paragraph(text),
            });
        }
        blocks.extend(after);
    }

    /// Adds the text of what a paragraph or a part of it holds; white space in the file is one space.
    fn inline(&mut self, parent: &Element<'_>, inline: &mut Inline) {
        for node in &parent.children {
            let element = match node {
                Node::Text(words) => {
                    add_collapsed(words, &mut inline.text);
                    continue;
                }
                Node::Element(element) => element,
            };
            match element.name() {
                "s" => {
                    let count = element.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                    inline.text.extend(std::iter::repeat_n(' ', usize::min(count, MOST_REPEATED)));
                }
                "tab" => inline.text.push(' '),
                "line-break" => inline.text.push('\n'),
                // A footnote is read after the paragraph that refers to it, and a text box too.
                "note" => {
                    let blocks = element.child("note-body").map(|body| self.blocks(body));
                    inline.after.extend(blocks.into_iter().flatten());
                }
                "frame" | "custom-shape" | "text-box" => {
                    let blocks = self.blocks(element);
                    inline.after.extend(blocks);
                }
                "annotation" | "annotation-end" | "ruby-text" | "tracked-changes" | "soft-page-break" | "script" | "desc" => {}
                _ => self.inline(element, inline),
            }
        }
    }

    fn rows(&mut self, table: &Element<'_>, header: bool, rows: &mut Vec<BlockRow>) {
        for element in table.elements() {
            match element.name() {
                "table-header-rows" => self.rows(element, true, rows),
                "table-rows" | "table-row-group" => self.rows(element, header, rows),
                "table-row" => {
                    let cells = self.cells(element);
                    let length = cells.iter().map(|cell| length(&cell.blocks)).sum();
                    let count = self.repeats(element, "number-rows-repeated", length);
                    rows.extend((1..count).map(|_| BlockRow { cells: cells.clone(), header }));
                    rows.push(BlockRow { cells, header });
                }
                _ => {}
            }
        }
    }

    fn cells(&mut self, row: &Element<'_>) -> Vec<BlockCell> {
        let mut cells = Vec::new();
        // Covered cells are those that another one spans.
        for element in row.elements().filter(|element| element.name() == "table-cell") {
            let spanned = |name: &str| repeated(element, name);
            let (columns, down) = (spanned("number-columns-spanned"), spanned("number-rows-spanned"));
            let blocks = self.blocks(element);
            if blocks.is_empty() {
                // As wide as it is often.
                cells.push(BlockCell { blocks, columns: repeated(element, "number-columns-repeated") * columns, rows: down });
                continue;
            }
            let count = self.repeats(element, "number-columns-repeated", length(&blocks));
            cells.extend((1..count).map(|_| BlockCell { blocks: blocks.clone(), columns, rows: down }));
            cells.push(BlockCell { blocks, columns, rows: down });
        }
        cells
    }

    /// How often a row or a cell with so many bytes comes; empty rows say nothing, however many there are.
    fn repeats(&mut self, element: &Element<'_>, name: &str, length: usize) -> usize {
        let count = repeated(element, name);
        let needed = (count - 1) * length;
        if length == 0 || needed > self.room {
            return 1;
        }
        self.room -= needed;
        count
    }
}

fn length(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.text().len()).sum()
}

/// How often a row or a cell comes, as the file says.
fn repeated(element: &Element<'_>, name: &str) -> usize {
    element.attribute(name).and_then(|count| count.parse().ok()).unwrap_or(1).clamp(1, MOST_REPEATED)
}

/// Adds `words` with each run of white space as one space, and none at the head.
fn add_collapsed(words: &str, text: &mut String) {
    for c in words.chars() {
        if !matches!(c, ' ' | '\t' | '\n' | '\r') {
            text.push(c);
        } else if !text.is_empty() && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}
