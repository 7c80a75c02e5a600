//! Markdown with front matter.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::line_starts::LineStarts;
use super::table::{self, Cell, Row};
use super::{Decoded, Error, front_matter};
use crate::article::{Article, Builder, Record};

/// The article that a Markdown text is: its words without the marks.
pub(super) fn article(decoded: &Decoded, stem: &str) -> Result<Article, Error> {
    let mut record = Record { encoding: decoded.encoding.to_owned(), notes: decoded.notes.clone(), ..Record::default() };
    let (block, body_start) = front_matter::split(&decoded.text);
    front_matter::apply(block.unwrap_or_default(), &mut record)?;
    let mut writer = Writer::new(&decoded.text, &mut record);
    let body = &decoded.text[body_start..];
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        writer.take(event, body_start + range.start);
    }
    let builder = writer.builder;
    if record.title.is_empty() {
        stem.clone_into(&mut record.title);
    }
    if builder.text().trim().is_empty() {
        return Err(Error::Empty);
    }
    Ok(builder.finish(record))
}

struct Writer<'a> {
    builder: Builder,
    line_starts: LineStarts,
    record: &'a mut Record,
    heading: Option<(usize, u8)>,
    hidden: u32,
    last_line: u32,
    /// The rows of a table that is open.
    rows: Option<Vec<Row>>,
}

impl<'a> Writer<'a> {
    fn new(text: &str, record: &'a mut Record) -> Self {
        let line_starts = LineStarts::of(text);
        Self { builder: Builder::default(), line_starts, record, heading: None, hidden: 0, last_line: 1, rows: None }
    }

    fn take(&mut self, event: Event<'_>, at: usize) {
        self.last_line = self.line_starts.line(at);
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) if self.hidden == 0 => match &mut self.rows {
                Some(rows) => {
                    if let Some(cell) = rows.last_mut().and_then(|row| row.cells.last_mut()) {
                        cell.text.push_str(&text);
                    }
                }
                None => self.builder.push_lines(&text, self.last_line),
            },
            Event::SoftBreak => self.soft_break(),
            Event::HardBreak => {
                self.builder.push("\n", self.last_line);
            }
            Event::Text(_)
            | Event::Code(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let line = self.last_line;
        match (tag, &mut self.rows) {
            (Tag::Table(_), rows) => *rows = Some(Vec::new()),
            (Tag::TableHead | Tag::TableRow, Some(rows)) => {
                rows.push(Row { cells: Vec::new(), header: matches!(tag, Tag::TableHead) });
            }
            (Tag::TableCell, Some(rows)) => {
                if let Some(row) = rows.last_mut() {
                    row.cells.push(Cell { line, columns: 1, rows: 1, ..Cell::default() });
                }
            }
            _ => {}
        }
        if let Tag::Heading { level, .. } = tag {
            self.builder.end_paragraph();
            self.heading = Some((self.builder.position(), depth(*level)));
            if self.record.title.is_empty() {
                let line = self.last_line;
                self.record.title_lines = Some(crate::article::LineRange { first: line, last: line });
            }
        }
        // An image's words are not printed.
        self.hidden += u32::from(matches!(tag, Tag::Image { .. }));
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other ends leave nothing behind")]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::Image => self.hidden -= 1,
            TagEnd::Table => self.end_table(),
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock => self.builder.end_paragraph(),
            _ => {}
        }
    }

    fn end_table(&mut self) {
        for pieces in table::lines(&self.rows.take().unwrap_or_default()) {
            self.builder.end_paragraph();
            for (text, line) in pieces {
                self.builder.push(&text, line);
            }
        }
        self.builder.end_paragraph();
    }

    /// The first heading of the first level is the title, when the front matter gives none.
    fn end_heading(&mut self) {
        let Some((start, level)) = self.heading.take() else { return };
        let words = self.builder.text()[start..].trim().to_owned();
        if self.record.title.is_empty() {
            self.record.title = words;
        }
        self.builder.heading_since(start, level);
        self.builder.end_paragraph();
    }

    /// A line break inside a paragraph is a space, but not between Chinese or Japanese characters.
    fn soft_break(&mut self) {
        let last = self.builder.text().chars().next_back();
        if last.is_some_and(|last| !crate::text::is_unspaced(last)) {
            self.builder.push(" ", self.last_line);
        }
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Span;

    #[test]
    fn markdown_keeps_its_words_and_their_lines() {
        let text = "---\ntitle: 河边的集市\nauthors: [王小河]\ndate: 2023-05-06\n---\n\n# 开头\n\n第一行**很重**，\n第二行[链接](http://x)。\n\n- one\n- two &amp; three\n\n| 站名 | 旅客 |\n|---|--:|\n| **青石** | 310 |\n| 旧桥 |  |\n";
        let decoded = Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] };
        let article = article(&decoded, "stem").unwrap();
        assert_eq!(
            article.text,
            "开头\n第一行很重，第二行链接。\none\ntwo & three\n站名 | 旅客\n站名：青石 | 旅客：310\n站名：旧桥"
        );
        assert_eq!(article.record.title, "河边的集市");
        assert_eq!(article.record.published.as_deref(), Some("2023-05-06"));
        assert_eq!(article.heading_texts().collect::<Vec<_>>(), ["开头"]);
        let at = article.text.find("第二行").unwrap();
        let lines = article.lines.range(Span::new(at, at + 9)).unwrap();
        assert_eq!((lines.first, lines.last), (10, 10));
        let at = article.text.find("310").unwrap();
        assert_eq!(article.lines.range(Span::new(at, at + 3)).unwrap().first, 17);
    }
}
