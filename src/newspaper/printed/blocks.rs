//! A column's lines → paragraphs, headings, rows of tables, footnotes.

use super::lines::Line;
use crate::read::Rule;
use crate::text::is_unspaced;

/// A heading's type is larger than the text's by so much.
const LARGER: f32 = 1.12;
/// Two sizes differ when they differ by so much.
const SAME_SIZE: f32 = 0.08;
/// A footnote's type is smaller by so much.
const SMALLER: f32 = 0.93;
/// Lines further apart than so many times the usual distance end a paragraph.
const APART: f32 = 1.3;
/// An indent, in parts of the size.
const INDENT: f32 = 0.7;
/// A heading has at most so many characters and lines.
const LONGEST_HEADING: (usize, usize) = (160, 5);
/// A line of bold type in the text's own size is a heading when it is as short as this.
const LONGEST_BOLD: (usize, usize) = (90, 2);

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Heading,
    Paragraph,
    /// A row of a table.
    Row,
    Footnote,
}

/// How a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// At the head of a column, where a sentence may go on.
    Column,
    /// Below another block.
    Below,
    /// Set in.
    Indented,
}

/// Lines that belong together.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) lines: Vec<Line>,
    pub(super) size: f32,
    pub(super) bold: bool,
    start: Start,
    /// Its last line reaches the column's border: its sentence may go on.
    full: bool,
}

/// What is known of the document when a column is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentStyle {
    pub(super) body: f32,
    pub(super) body_is_bold: bool,
    pub(super) page_height: f32,
}

impl Block {
    /// Its lines with their words, as they are joined in an article.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&Line, String)> {
        self.lines.iter().enumerate().map(|(at, line)| {
            let mut text = line.text();
            match self.lines.get(at + 1).map(|next| joint(line, next)) {
                Some(Joint::Space) => text.push(' '),
                Some(Joint::Hyphen) => {
                    text.pop();
                }
                Some(Joint::Nothing) | None => {}
            }
            (line, text)
        })
    }

    /// Its words, as they are joined in an article.
    pub(super) fn text(&self) -> String {
        self.pieces().map(|(_, text)| text).collect()
    }
}

/// How two lines of a paragraph are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    Nothing,
    Space,
    /// A word was broken: its hyphen goes.
    Hyphen,
}

/// How `next` follows `line`.
fn joint(line: &Line, next: &Line) -> Joint {
    let (Some(last), Some(first)) = (line.last(), next.first()) else { return Joint::Nothing };
    let before = line.segment.letters.iter().rev().nth(1).map(|letter| letter.character);
    if matches!(last, '-' | '\u{2010}') && first.is_lowercase() && before.is_some_and(char::is_alphabetic) {
        return Joint::Hyphen;
    }
    if is_unspaced(last) || is_unspaced(first) || last == '-' || last == '—' { Joint::Nothing } else { Joint::Space }
}

/// The blocks of one column, from top to bottom.
pub(super) fn blocks(lines: &[Line], rules: &[Rule], style: DocumentStyle) -> Vec<Block> {
    let column = ColumnGeometry::of(lines, style.body);
    let mut blocks: Vec<Block> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_row = is_row(lines, at);
        let before = blocks.last_mut().filter(|_| at > 0);
        let full = column.is_full(line);
        if let Some(block) = before.filter(|block| !is_row && block.kind != Kind::Row && !column.parts(&block.lines, line)) {
            block.lines.push(line.clone());
            block.full = full;
            continue;
        }
        let start = match (column.is_indented(line), at) {
            (true, _) => Start::Indented,
            (false, 0) => Start::Column,
            (false, _) => Start::Below,
        };
        let kind = if is_row { Kind::Row } else { Kind::Paragraph };
        blocks.push(Block { kind, lines: vec![line.clone()], size: line.segment.size, bold: line.segment.bold, start, full });
    }
    let mut in_notes = false;
    for block in &mut blocks {
        block.bold = block.lines.iter().all(|line| line.segment.bold);
        in_notes = in_notes || begins_notes(block, rules, style);
        if block.kind == Kind::Paragraph && in_notes && block.size <= style.body * SMALLER {
            block.kind = Kind::Footnote;
        } else if block.kind == Kind::Paragraph && is_heading(block, style) {
            block.kind = Kind::Heading;
        }
    }
    blocks
}

/// How a column is set.
struct ColumnGeometry {
    left: f32,
    right: f32,
    /// The usual distance of two lines.
    pitch: f32,
}

impl ColumnGeometry {
    fn of(lines: &[Line], body: f32) -> Self {
        let main = || lines.iter().filter(|line| line.segment.size <= body * LARGER && line.cells < 3);
        let all = || if main().next().is_some() { main().collect::<Vec<_>>() } else { lines.iter().collect() };
        let left = all().iter().map(|line| line.segment.x0).fold(f32::MAX, f32::min);
        let right = all().iter().map(|line| line.segment.x1).fold(f32::MIN, f32::max);
        let mut distances: Vec<f32> =
            all().windows(2).map(|pair| pair[1].segment.y1 - pair[0].segment.y1).filter(|d| *d > 0.0).collect();
        distances.sort_unstable_by(f32::total_cmp);
        // A lower one than the middle: in a column of short paragraphs most distances may be gaps.
        let pitch = distances.get(distances.len() / 3).copied().unwrap_or(body * 1.6);
        Self { left, right, pitch }
    }

    fn is_indented(&self, line: &Line) -> bool {
        let indent = line.segment.x0 - self.left;
        indent > INDENT * line.segment.size && indent < 5.0 * line.segment.size
    }

    /// Whether a line reaches the right border, as far as its last word allows.
    fn is_full(&self, line: &Line) -> bool {
        let slack = if line.last().is_some_and(is_unspaced) { 1.6 } else { 6.0 };
        self.right - line.segment.x1 < slack * line.segment.size
    }

    /// Whether `line` begins a paragraph after those of `block`.
    fn parts(&self, block: &[Line], line: &Line) -> bool {
        let Some(last) = block.last() else { return true };
        let differs = (line.segment.size - last.segment.size).abs() > SAME_SIZE * last.segment.size.max(line.segment.size);
        let distance = line.segment.y1 - last.segment.y1;
        let usual = self.pitch.max(line.segment.size * 0.9).min(line.segment.size * 2.6);
        let is_large = line.segment.size > self.pitch;
        let apart = distance > APART * if is_large { line.segment.size * 1.5 } else { usual };
        let set_in = self.is_indented(line) && line.segment.x0 - last.segment.x0 > INDENT * line.segment.size;
        let ends = last.last().is_some_and(ends_statement);
        let both_in = self.is_indented(line) && self.is_indented(last) && block.len() == 1 && (ends || !self.is_full(last));
        let short = !self.is_full(last) && (ends || is_marker(&line.text()));
        differs
            || apart
            || line.segment.bold != last.segment.bold && (line.segment.letters.len() > 3) && !self.is_full(last)
            || set_in
            || both_in
            || short
    }
}

/// Whether the line is one of a table's rows: it has several cells, or two and its neighbour has too.
fn is_row(lines: &[Line], at: usize) -> bool {
    let cells = |at: Option<usize>| at.and_then(|at| lines.get(at)).map_or(1, |line| line.cells);
    let (here, beside) = (cells(Some(at)), cells(at.checked_sub(1)).max(cells(Some(at + 1))));
    here >= 3 || (here == 2 && beside >= 2)
}

/// "• ", "1. ", "（一）", "一、": what begins an item of a list.
fn is_marker(text: &str) -> bool {
    let head: String = text.chars().take(5).collect();
    let bare = head.trim_start_matches(['（', '(', '[']);
    let number: String = bare.chars().take_while(|c| c.is_ascii_digit() || "一二三四五六七八九十".contains(*c)).collect();
    let after = bare.chars().nth(number.chars().count());
    head.starts_with(['•', '–', '—', '-', '·', '▪', '■', '●', '◆'])
        || (!number.is_empty() && after.is_some_and(|c| matches!(c, '.' | '．' | '、' | ')' | '）' | ']')))
}

fn is_heading(block: &Block, style: DocumentStyle) -> bool {
    let text = block.text();
    let (length, lines) = (text.chars().count(), block.lines.len());
    let speaks = text.chars().any(char::is_alphabetic);
    let large = block.size >= style.body * LARGER && length <= LONGEST_HEADING.0 && lines <= LONGEST_HEADING.1;
    let short = length <= LONGEST_BOLD.0 && lines <= LONGEST_BOLD.1 && !text.chars().next_back().is_some_and(ends_statement);
    let bold = block.bold && !style.body_is_bold && block.size >= style.body * SMALLER && short;
    speaks && (large || bold)
}

/// Whether footnotes begin with this block: small type with a mark before it, or below a short rule, low on the page.
fn begins_notes(block: &Block, rules: &[Rule], style: DocumentStyle) -> bool {
    let Some(first) = block.lines.first() else { return false };
    if block.size > style.body * SMALLER || first.segment.y0 < style.page_height * 0.35 {
        return false;
    }
    let marked = first.first().is_some_and(|c| c.is_numeric() || matches!(c, '*' | '†' | '‡' | '§' | '[' | '①'..='⑳'));
    let near = |rule: &&Rule| {
        let above = rule.y1 <= first.segment.y0 + first.segment.size && first.segment.y0 - rule.y1 < 3.0 * first.segment.size;
        rule.is_horizontal() && above && (rule.x0 - first.segment.x0).abs() < 3.0 * first.segment.size
    };
    let below_rule = rules.iter().any(|rule| near(&rule));
    below_rule || (marked && first.segment.y0 > style.page_height * 0.6)
}

/// Takes the header rows out that a table says again at the head of each further page.
pub(super) fn repeated_headers(blocks: &mut Vec<Block>) -> Vec<Block> {
    let (mut header, mut page): (Option<String>, Option<u32>) = (None, None);
    let mut is_repeated = |block: &Block| {
        if block.kind == Kind::Footnote {
            return false;
        }
        let here = block.lines.first().map(Line::page);
        let before = std::mem::replace(&mut page, here.filter(|_| block.kind == Kind::Row));
        if block.kind != Kind::Row {
            header = None;
            return false;
        }
        let text = block.text();
        if header.is_none() {
            header = Some(text);
            return false;
        }
        before != here && header.as_ref() == Some(&text)
    };
    let (repeated, kept) = blocks.drain(..).partition(|block| is_repeated(block));
    *blocks = kept;
    repeated
}

/// Joins paragraphs that go on in the next column or on the next page; footnotes and headings of tables may stand
/// between.
pub(super) fn join(blocks: &mut Vec<Block>) {
    // Where paragraphs are set in, one that is not goes on, even if a sentence ended in the column before.
    let paragraphs = || blocks.iter().filter(|block| block.kind == Kind::Paragraph);
    let set_in = paragraphs().filter(|block| block.start == Start::Indented).count() * 2 > paragraphs().count();
    let mut joined: Vec<Block> = Vec::with_capacity(blocks.len());
    for block in blocks.drain(..) {
        let open = joined.iter().rposition(|before| before.kind != Kind::Footnote);
        match open.map(|at| &mut joined[at]) {
            Some(before) if goes_on(before, &block, set_in) => {
                before.full = block.full;
                before.lines.extend(block.lines);
            }
            _ => joined.push(block),
        }
    }
    *blocks = joined;
}

fn goes_on(before: &Block, next: &Block, set_in: bool) -> bool {
    let paragraphs = before.kind == Kind::Paragraph && next.kind == Kind::Paragraph;
    let same = (before.size - next.size).abs() <= SAME_SIZE * before.size.max(next.size);
    let last = before.lines.last().and_then(Line::last);
    let open = set_in || (before.full && !last.is_some_and(ends_statement));
    paragraphs && same && open && next.start == Start::Column
}

/// Whether a statement ends with this character, in any script.
pub(super) fn ends_statement(last: char) -> bool {
    matches!(last, '。' | '！' | '？' | '.' | '!' | '?' | '…' | '।' | '؟' | '：' | ':')
        || matches!(last, '”' | '’' | '」' | '』' | '"' | '）' | ')')
}
