//! A web page's tokens → blocks of text, each piece with its line.
//!
//! Only tokens are read, no tree is built: for telling text from furniture the
//! names of the open elements are enough, and tokens know where they stand.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

use super::html_open::OpenElements;
use super::html_tables::OpenTable;

/// One block of text: a paragraph, a heading, a list item, a table's row.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "where a block stands, each asked alone")]
pub(super) struct Block {
    /// Text and the line it stands on.
    pub(super) pieces: Vec<(String, u32)>,
    /// Depth, when it is a heading.
    pub(super) heading: Option<u8>,
    /// Inside `<article>`.
    pub(super) in_article: bool,
    /// Inside `<main>`.
    pub(super) in_main: bool,
    /// Inside navigation, footer and the like.
    pub(super) furniture: bool,
    /// Characters that are links.
    pub(super) link_chars: usize,
    /// A row of a table.
    pub(super) is_row: bool,
}

impl Block {
    /// Its words.
    pub(super) fn text(&self) -> String {
        let text: String = self.pieces.iter().map(|piece| piece.0.as_str()).collect();
        text.trim().to_owned()
    }

    /// Its length in characters.
    pub(super) fn length(&self) -> usize {
        self.pieces.iter().map(|piece| piece.0.chars().count()).sum()
    }
}

/// A web page, taken apart.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Blocks in reading order.
    pub(super) blocks: Vec<Block>,
    /// `<meta>` names and contents, lower case names; `canonical` too.
    pub(super) meta: BTreeMap<String, String>,
    /// `<title>`.
    pub(super) title: String,
}

/// The name under which a link to a footnote, or back from it, is open: its number is no word of the text.
const NOTE: &str = "a link of a note";
/// How such links are told, in books and on pages.
const NOTES: [(&str, &str); 5] = [
    ("epub:type", "noteref"),
    ("role", "doc-noteref"),
    ("role", "doc-backlink"),
    ("class", "footnote-ref"),
    ("class", "footnote-back"),
];
/// Tables within tables; further ones are read as parts of the innermost.
const DEEPEST: usize = 16;
const FURNITURE: [&str; 14] = [
    "nav",
    "footer",
    "aside",
    "form",
    "button",
    "select",
    "noscript",
    "template",
    "svg",
    "iframe",
    "figcaption",
    "dialog",
    "menu",
    "textarea",
];
const BLOCKS: [&str; 31] = [
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "nav",
    "aside",
    "ul",
    "ol",
    "li",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "br",
    "dd",
    "dt",
];
const VOID: [&str; 8] = ["br", "img", "meta", "link", "hr", "input", "source", "wbr"];

/// Takes a page apart.
pub(super) fn blocks(html: &str) -> Page {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let mut reader = Reader {
        html,
        line: 1,
        counted: 0,
        open: OpenElements::default(),
        current: Block::default(),
        tables: Vec::new(),
        page: Page::default(),
    };
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        reader.take(token);
    }
    reader.close_block();
    while !reader.tables.is_empty() {
        reader.close_table();
    }
    reader.page
}

struct Reader<'a> {
    html: &'a str,
    line: u32,
    counted: usize,
    open: OpenElements,
    current: Block,
    /// Tables that are open, the innermost last.
    tables: Vec<OpenTable>,
    page: Page,
}

impl Reader<'_> {
    fn take(&mut self, token: Token<usize>) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let attribute = |key: &str| {
                    let mut found = tag.attributes.iter().filter(|(name, _)| name.as_slice() == key.as_bytes());
                    found.next().map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                };
                if name == "meta"
                    && let (Some(key), Some(content)) = (attribute("name").or(attribute("property")), attribute("content"))
                {
                    self.page.meta.entry(key.to_lowercase()).or_insert(content);
                }
                if name == "link" && attribute("rel").as_deref() == Some("canonical") {
                    self.page.meta.extend(attribute("href").map(|href| ("canonical".to_owned(), href)));
                }
                if BLOCKS.contains(&name.as_str()) {
                    self.close_block();
                }
                match name.as_str() {
                    "table" if self.tables.len() < DEEPEST => self.tables.push(OpenTable::default()),
                    "tr" => {
                        let in_head = self.open.contains("thead");
                        self.table(|table| table.open_row(in_head));
                    }
                    "td" | "th" => {
                        let span = |key: &str| attribute(key).and_then(|count| count.trim().parse().ok()).unwrap_or(1);
                        let (columns, rows) = (span("colspan"), span("rowspan"));
                        self.table(|table| table.open_cell(name == "th", columns, rows));
                    }
                    _ => {}
                }
                let notes =
                    name == "a" && NOTES.iter().any(|(key, word)| attribute(key).is_some_and(|value| value.contains(word)));
                if !tag.self_closing && !VOID.contains(&name.as_str()) {
                    self.open.open(if notes { NOTE.to_owned() } else { name });
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                if BLOCKS.contains(&name.as_str()) {
                    self.close_block();
                }
                if name == "table" {
                    self.close_table();
                }
                let ends_note = name == "a" && self.open.innermost(NOTE) > self.open.innermost("a");
                self.open.close(if ends_note { NOTE } else { &name });
            }
            Token::String(text) => {
                let line = self.line_at(text.span.start);
                let words = String::from_utf8_lossy(&text).into_owned();
                self.text(&words, line);
            }
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    /// Tokens come in order, so lines are counted once.
    fn line_at(&mut self, at: usize) -> u32 {
        let passed = self.html.get(self.counted..at.max(self.counted)).unwrap_or_default();
        let breaks = passed.matches('\n').count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.counted = at.max(self.counted);
        self.line
    }

    fn text(&mut self, words: &str, line: u32) {
        if ["script", "style", NOTE].iter().any(|name| self.open.contains(name)) {
            return;
        }
        if self.open.contains("title") && !self.open.contains("svg") {
            self.page.title.push_str(words);
            return;
        }
        let linked = self.open.contains("a");
        for (number, piece) in (line..).zip(words.split('\n')) {
            let piece: String = collapse(piece, number > line, self.current.pieces.last());
            if piece.is_empty() {
                continue;
            }
            if linked {
                self.current.link_chars += piece.chars().count();
            }
            self.current.pieces.push((piece, number));
        }
    }

    fn close_block(&mut self) {
        let mut block = std::mem::take(&mut self.current);
        if block.text().is_empty() {
            return;
        }
        if let Some(last) = block.pieces.last_mut() {
            last.0.truncate(last.0.trim_end().len());
        }
        block.heading = self.heading();
        block.in_article = self.open.contains("article");
        block.in_main = self.open.contains("main");
        block.furniture = FURNITURE.iter().any(|name| self.open.contains(name))
            || (self.open.contains("header") && !block.in_article && block.heading.is_none());
        self.keep(block);
    }

    /// Puts a block where it belongs: into the cell that is open, or on the page.
    fn keep(&mut self, block: Block) {
        match self.tables.last_mut() {
            Some(table) => table.take(block),
            None => self.page.blocks.push(block),
        }
    }

    fn table(&mut self, change: impl FnOnce(&mut OpenTable)) {
        if let Some(table) = self.tables.last_mut() {
            change(table);
        }
    }

    fn close_table(&mut self) {
        for block in self.tables.pop().map(OpenTable::blocks).unwrap_or_default() {
            self.keep(block);
        }
    }

    /// The depth of the innermost heading that is open.
    fn heading(&self) -> Option<u8> {
        let open = HEADINGS.iter().filter_map(|(name, depth)| Some((self.open.innermost(name)?, *depth)));
        open.max().map(|(_, depth)| depth)
    }
}

const HEADINGS: [(&str, u8); 6] = [("h1", 1), ("h2", 2), ("h3", 3), ("h4", 4), ("h5", 4), ("h6", 4)];

/// White space as a browser shows it: one space, none at the head of a block,
/// and none where a line breaks between Chinese or Japanese characters.
fn collapse(piece: &str, after_break: bool, before: Option<&(String, u32)>) -> String {
    let words: Vec<&str> = piece.split([' ', '\t', '\r']).filter(|word| !word.is_empty()).collect();
    let mut text = words.join(" ");
    let last = before.and_then(|piece| piece.0.chars().next_back());
    let spaced = after_break || piece.starts_with([' ', '\t']);
    if spaced && last.is_some_and(|c| !c.is_whitespace() && !crate::text::is_unspaced(c)) {
        text.insert(0, ' ');
    }
    if !words.is_empty() && piece.ends_with([' ', '\t']) {
        text.push(' ');
    }
    text
}
