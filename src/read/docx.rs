//! DOCX: the paragraphs, headings, tables and footnotes of a Word document.
//!
//! What was deleted with changes tracked, hidden text, comments, heads and feet of pages and the table of contents are
//! not read. Nothing that the document refers to outside of it is.

mod styles;

use std::collections::HashMap;
use std::sync::Arc;

use self::styles::{Role, Styles};
use super::archive::Archive;
use super::document::{self, Block, BlockCell, BlockRow};
use super::properties::Properties;
use super::xml::{self, Element};
use super::{Error, guard};
use crate::article::{Article, Record};

/// The article that a DOCX holds.
pub(super) fn article(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<Article, Error> {
    // Word wraps an encrypted document in a file of another kind.
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Error::OldOrEncrypted);
    }
    let (bytes, stem) = (Arc::clone(bytes), stem.to_owned());
    guard::bounded(move || open(&bytes, &stem))?
}

fn open(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<Article, Error> {
    let mut archive = Archive::open(bytes)?;
    let text = archive.xml("word/document.xml")?.ok_or_else(|| Error::Damaged("it holds no document".to_owned()))?;
    let tree = xml::parse(&text)?;
    let body = tree.child("document").and_then(|document| document.child("body"));
    let body = body.ok_or_else(|| Error::Damaged("its document has no body".to_owned()))?;
    let styles = archive.xml("word/styles.xml")?;
    let styles = styles.as_deref().map(xml::parse).transpose()?.map(|tree| Styles::of(&tree)).unwrap_or_default();
    let mut reader = Reader { styles, notes: HashMap::new(), contents: 0 };
    for (file, kind) in [("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")] {
        if let Some(text) = archive.xml(file)? {
            reader.read_notes(&xml::parse(&text)?, kind);
        }
    }
    let blocks = reader.blocks(body);
    let mut record = Record { encoding: "DOCX".to_owned(), ..Record::default() };
    if reader.contents > 0 {
        record.notes.push("the table of contents was left out".to_owned());
    }
    document::article(&blocks, properties(&mut archive)?, record, stem)
}

/// What `docProps/core.xml` says.
fn properties(archive: &mut Archive) -> Result<Properties, Error> {
    let Some(text) = archive.xml("docProps/core.xml")? else { return Ok(Properties::default()) };
    // A document can be read whatever is wrong with what it says of itself.
    let Ok(tree) = xml::parse(&text) else { return Ok(Properties::default()) };
    let said = |name: &str| tree.all(name).first().map(|element| element.text()).filter(|text| !text.is_empty());
    let authors: Vec<String> = said("creator").into_iter().collect();
    Ok(Properties::of(said("title"), &authors, said("created").as_deref()))
}

/// What is known while a document's parts are read.
struct Reader {
    styles: Styles,
    /// The blocks of each footnote, by kind and id.
    notes: HashMap<(&'static str, String), Vec<Block>>,
    /// Paragraphs of the table of contents.
    contents: usize,
}

/// A paragraph's text as it grows, and what stands in it and is read after it.
#[derive(Default)]
struct Inline {
    text: String,
    after: Vec<Block>,
}

impl Reader {
    fn read_notes(&mut self, tree: &Element<'_>, kind: &'static str) {
        for note in tree.all(kind) {
            // Separators are notes with a type.
            if let (Some(id), None | Some("normal")) = (note.attribute("id"), note.attribute("type").as_deref()) {
                let blocks = self.blocks(note);
                self.notes.insert((kind, id), blocks);
            }
        }
    }

    /// The blocks of what `parent` holds.
    fn blocks(&mut self, parent: &Element<'_>) -> Vec<Block> {
        let mut blocks = Vec::new();
        self.add(parent, &mut blocks);
        blocks
    }

    fn add(&mut self, parent: &Element<'_>, blocks: &mut Vec<Block>) {
        for element in parent.elements() {
            match element.name() {
                "p" => self.paragraph(element, blocks),
                "tbl" => {
                    let rows = self.rows(element);
                    blocks.extend(document::table(rows));
                }
                "AlternateContent" => {
                    if let Some(choice) = element.child("Choice").or_else(|| element.child("Fallback")) {
                        self.add(choice, blocks);
                    }
                }
                "sdt" | "sdtContent" | "ins" | "moveTo" | "smartTag" | "customXml" => self.add(element, blocks),
                _ => {}
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Element<'_>, blocks: &mut Vec<Block>) {
        let role = self.styles.role(paragraph.child("pPr"));
        if role == Role::Contents {
            self.contents += 1;
            return;
        }
        let mut inline = Inline::default();
        self.inline(paragraph, &mut inline);
        let Inline { text, after } = inline;
        let text = text.trim().to_owned();
        if !text.is_empty() {
            blocks.push(match role {
                Role::Title => Block::Title(text),
                Role::Heading(level) => Block::Heading(level, text),
                Role::Text | Role::Contents => Block::Paragraph(text),
            });
        }
        blocks.extend(after);
    }

    /// Adds the text of what a paragraph or a part of it holds.
    fn inline(&mut self, parent: &Element<'_>, inline: &mut Inline) {
        for element in parent.elements() {
            match element.name() {
                "r" if is_hidden(element) => {}
                "r" | "hyperlink" | "ins" | "moveTo" | "smartTag" | "customXml" | "sdt" | "sdtContent" | "fldSimple" | "bdo"
                | "dir" | "ruby" | "rubyBase" => self.inline(element, inline),
                "t" | "oMath" | "oMathPara" => inline.text.push_str(&element.raw_text()),
                "tab" | "ptab" => inline.text.push(' '),
                "cr" => inline.text.push('\n'),
                "br" if element.attribute("type").is_none_or(|kind| kind == "textWrapping") => inline.text.push('\n'),
                "noBreakHyphen" => inline.text.push('-'),
                "footnoteReference" => self.note("footnote", element, inline),
                "endnoteReference" => self.note("endnote", element, inline),
                "AlternateContent" => {
                    if let Some(choice) = element.child("Choice").or_else(|| element.child("Fallback")) {
                        self.inline(choice, inline);
                    }
                }
                // What a text box says is read after the paragraph that holds it.
                "drawing" | "pict" | "object" => {
                    for content in element.all("txbxContent") {
                        let blocks = self.blocks(content);
                        inline.after.extend(blocks);
                    }
                }
                _ => {}
            }
        }
    }

    /// A footnote is read after the paragraph that refers to it, the first time.
    fn note(&mut self, kind: &'static str, reference: &Element<'_>, inline: &mut Inline) {
        let key = (kind, reference.attribute("id").unwrap_or_default());
        inline.after.extend(self.notes.remove(&key).unwrap_or_default());
    }

    fn rows(&mut self, table: &Element<'_>) -> Vec<BlockRow> {
        let mut rows: Vec<BlockRow> = Vec::new();
        // For each column the cell that is merged with those below it, by row and place in it.
        let mut merged: HashMap<usize, (usize, usize)> = HashMap::new();
        for element in direct(table, "tr") {
            let mut row = BlockRow {
                header: is_on(element.child("trPr").and_then(|about| about.child("tblHeader"))),
                ..BlockRow::default()
            };
            let mut column = number(element.child("trPr").and_then(|about| about.child("gridBefore"))).unwrap_or(0);
            if column > 0 {
                row.cells.push(BlockCell { columns: column, rows: 1, ..BlockCell::default() });
            }
            for cell in direct(element, "tc") {
                let about = cell.child("tcPr");
                let columns = number(about.and_then(|about| about.child("gridSpan"))).unwrap_or(1);
                let merge = about.and_then(|about| about.child("vMerge"));
                let above = merged.get(&column).copied();
                match (merge.map(|merge| merge.attribute("val").is_some_and(|value| value == "restart")), above) {
                    (Some(false), Some((of_row, place))) => rows[of_row].cells[place].rows += 1,
                    (restart, _) => {
                        merged.remove(&column);
                        if restart == Some(true) {
                            merged.insert(column, (rows.len(), row.cells.len()));
                        }
                        row.cells.push(BlockCell { blocks: self.blocks(cell), columns, rows: 1 });
                    }
                }
                column = column.saturating_add(columns);
            }
            rows.push(row);
        }
        rows
    }
}

/// The elements `name` of `parent`, those that controls or tracked changes wrap among them.
fn direct<'a, 'b>(parent: &'b Element<'a>, name: &str) -> Vec<&'b Element<'a>> {
    let mut found = Vec::new();
    for element in parent.elements() {
        match element.name() {
            own if own == name => found.push(element),
            "sdt" | "sdtContent" | "customXml" | "ins" => found.extend(direct(element, name)),
            _ => {}
        }
    }
    found
}

fn is_hidden(run: &Element<'_>) -> bool {
    is_on(run.child("rPr").and_then(|properties| properties.child("vanish")))
}

/// Whether a property that is on or off is on.
fn is_on(property: Option<&Element<'_>>) -> bool {
    property
        .is_some_and(|property| property.attribute("val").is_none_or(|value| !matches!(value.as_str(), "0" | "false" | "off")))
}

fn number(property: Option<&Element<'_>>) -> Option<usize> {
    property?.attribute("val")?.parse().ok()
}
