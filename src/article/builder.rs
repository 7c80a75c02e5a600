//! Puts an article's text together piece by piece, remembering each piece's line.

use super::{Article, Heading, LineMap, PageMap, PrintedLine, Record, Span};

/// A text that grows, with its line map and headings.
#[derive(Debug, Default)]
pub struct Builder {
    text: String,
    lines: LineMap,
    places: PageMap,
    headings: Vec<Heading>,
}

impl Builder {
    /// Adds `piece`, which stands on `line` of the source.
    pub fn push(&mut self, piece: &str, line: u32) {
        if !piece.is_empty() {
            self.lines.push(self.text.len(), line);
            self.text.push_str(piece);
        }
    }

    /// Adds `piece`, which is printed as `place` says; its start is set here.
    pub fn push_printed(&mut self, piece: &str, line: u32, place: PrintedLine) {
        if !piece.is_empty() {
            self.places.push(PrintedLine { start: self.text.len(), ..place });
            self.push(piece, line);
        }
    }

    /// Adds text of several lines, the first of which is `line`.
    pub fn push_lines(&mut self, text: &str, line: u32) {
        for (number, piece) in (line..).zip(text.split_inclusive('\n')) {
            self.push(piece, number);
        }
    }

    /// Ends a paragraph: what follows stands apart from it. Nothing happens twice.
    pub fn end_paragraph(&mut self) {
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        if kept > 0 {
            self.text.push('\n');
        }
    }

    /// Where the next piece will begin.
    pub fn position(&self) -> usize {
        self.text.len()
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says that all since `start` is a heading.
    pub fn heading_since(&mut self, start: usize, level: u8) {
        let end = self.text.trim_end().len();
        let added = self.text.get(start..).unwrap_or_default();
        let start = start + (added.len() - added.trim_start().len());
        if end > start {
            self.headings.push(Heading { level, span: Span::new(start, end) });
        }
    }

    /// The article, trailing white space cut.
    pub fn finish(mut self, record: Record) -> Article {
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        Article { record, text: self.text, headings: self.headings, lines: self.lines, places: self.places }
    }
}
