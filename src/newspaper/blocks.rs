//! Lines → blocks: paragraphs, headlines, bylines, affiliations, furniture.
//!
//! The one strong rule: a paragraph's lines are as wide as its column, all but
//! the last, and it goes on until a sentence ends. A line that is neither part of
//! such a run nor the end of one is structure.

mod ahead;

use self::ahead::{Ahead, COLUMN};
use super::lines::{Layout, Line, ends_sentence, ends_statement};
use super::{furniture, names};

/// Columns that a line falls short of its column to be its paragraph's last.
const NARROW: usize = 6;

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Running text.
    Paragraph,
    /// A headline or a section heading: which, only its place tells.
    Head,
    /// The names of authors.
    Byline(Vec<String>),
    /// "(作者系…)", without the brackets.
    Affiliation(String),
    /// "导读" and the like.
    LeadLabel,
    /// Furniture, and why it is.
    Furniture(&'static str),
}

/// How many kinds of things there are that only newspapers print.
pub(super) fn newspaper_signs(blocks: &[Block]) -> usize {
    let signs: [fn(&Kind) -> bool; 4] = [
        |kind| matches!(kind, Kind::Byline(_)),
        |kind| matches!(kind, Kind::Affiliation(_)),
        |kind| matches!(kind, Kind::LeadLabel),
        |kind| matches!(kind, Kind::Furniture(reason) if *reason != "a rule"),
    ];
    signs.iter().filter(|sign| blocks.iter().any(|block| sign(&block.kind))).count()
}

/// A block and the lines it consists of, as indexes into the layout.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// What it is.
    pub(super) kind: Kind,
    /// Its lines; a paragraph's need not be next to each other, as furniture may stand between.
    pub(super) lines: Vec<usize>,
}

/// All blocks of a page, in the order of the file; each line is in exactly one.
pub(super) fn blocks(layout: &Layout) -> Vec<Block> {
    let (mut rest, mut blocks) = (Vec::new(), Vec::new());
    for (index, line) in layout.lines.iter().enumerate() {
        match furniture::anywhere(&line.text) {
            Some(reason) => blocks.push(Block { kind: Kind::Furniture(reason), lines: vec![index] }),
            None => rest.push(index),
        }
    }
    let last_statement = rest.iter().rposition(|index| {
        let text = &layout.lines[*index].text;
        ends_statement(text) || text.ends_with(['）', ')'])
    });
    let (ahead, tail) = (Ahead::of(layout, &rest), last_statement.map_or(0, |at| at + 1));
    let mut scanner = Scanner { layout, rest, ahead, at: 0, tail, advertising: false };
    while scanner.at < scanner.rest.len() {
        let from = scanner.at;
        let kind = scanner.next();
        let lines = scanner.rest[from..scanner.at].to_vec();
        blocks.push(Block { kind, lines });
    }
    blocks.sort_by_key(|block| block.lines[0]);
    blocks
}

/// A width in two measures. Whether a page sets its punctuation tight is not known
/// beforehand, so a line counts as narrower only where both say so.
#[derive(Debug, Clone, Copy)]
struct Width(usize, usize);

impl Width {
    /// The widths of a line: as its characters are, and with tight punctuation.
    fn of(line: &Line) -> Self {
        Self(line.width, line.tight)
    }

    fn is_below(self, other: Self, margin: usize) -> bool {
        self.0 + margin < other.0 && self.1 + margin < other.1
    }

    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }

    fn median(widths: &[Self]) -> Self {
        let middle = |measure: fn(&Self) -> usize| {
            let mut sorted: Vec<usize> = widths.iter().map(measure).collect();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied().unwrap_or(0)
        };
        Self(middle(|width| width.0), middle(|width| width.1))
    }
}

struct Scanner<'a> {
    layout: &'a Layout,
    /// Lines that are no furniture.
    rest: Vec<usize>,
    ahead: Ahead,
    at: usize,
    /// From here on no statement ends: only headlines and furniture are left.
    tail: usize,
    advertising: bool,
}

impl Scanner<'_> {
    fn text(&self, at: usize) -> &str {
        self.rest.get(at).map_or("", |index| self.layout.lines[*index].text.as_str())
    }

    fn width(&self, at: usize) -> Width {
        self.rest.get(at).map_or(Width(0, 0), |index| Width::of(&self.layout.lines[*index]))
    }

    fn indent(&self, at: usize) -> usize {
        self.rest.get(at).map_or(0, |index| self.layout.lines[*index].indent)
    }

    fn is_stuck(&self, at: usize) -> bool {
        self.rest.get(at).is_some_and(|index| self.layout.is_stuck(*index))
    }

    /// Takes the block that begins here.
    fn next(&mut self) -> Kind {
        if let Some(end) = self.label() {
            self.at = end;
            return Kind::LeadLabel;
        }
        if let Some((end, text)) = self.affiliation() {
            (self.at, self.advertising) = (end, false);
            return Kind::Affiliation(text);
        }
        if let Some(authors) = self.byline() {
            (self.at, self.advertising) = (self.at + 1, false);
            return Kind::Byline(authors);
        }
        if furniture::opens_advertisement(self.text(self.at)) {
            (self.at, self.advertising) = (self.at + 1, true);
            return Kind::Furniture("an advertisement");
        }
        if let Some(end) = self.paragraph() {
            let short = end - self.at < 3;
            self.at = end;
            if self.advertising && short {
                return Kind::Furniture("an advertisement");
            }
            self.advertising = false;
            return Kind::Paragraph;
        }
        let text = self.text(self.at).to_owned();
        let reason = furniture::between(&text);
        self.at = if reason.is_some() { self.at + 1 } else { self.head() };
        match reason {
            Some(reason) => Kind::Furniture(reason),
            None if self.advertising && furniture::may_advertise(&text) => Kind::Furniture("an advertisement"),
            None => {
                self.advertising = false;
                Kind::Head
            }
        }
    }

    /// "导读", also with its characters one below the other.
    fn label(&self) -> Option<usize> {
        /// No label has more characters, whatever surrounds it.
        const LONGEST: usize = 32;
        let column = self.ahead.single_characters(self.at);
        if (2..=LONGEST).contains(&column) {
            let joined: String = (self.at..self.at + column).map(|at| self.text(at)).collect();
            if furniture::is_lead_label(&joined) {
                return Some(self.at + column);
            }
        }
        furniture::is_lead_label(self.text(self.at)).then_some(self.at + 1)
    }

    /// "（作者系…）", over as many lines as its brackets take.
    fn affiliation(&self) -> Option<(usize, String)> {
        const LONGEST: usize = 12;
        let first = self.text(self.at).strip_prefix(['（', '('])?;
        let about = ["作者", "本文作者", "作者：", "笔者", "筆者"].iter().any(|word| first.starts_with(word));
        if !about {
            return None;
        }
        let mut text = String::new();
        for at in self.at..(self.at + LONGEST).min(self.rest.len()) {
            text.push_str(self.text(at));
            let balance = text.chars().fold(0_i32, |depth, c| match c {
                '（' | '(' => depth + 1,
                '）' | ')' => depth - 1,
                _ => depth,
            });
            if balance <= 0 {
                let inner = text.trim_start_matches(['（', '(']).trim_end_matches('。');
                let inner = inner.strip_suffix(['）', ')']).unwrap_or(inner);
                return Some((at + 1, inner.to_owned()));
            }
        }
        None
    }

    /// A byline is followed by text, or is the last thing of its article.
    fn byline(&self) -> Option<Vec<String>> {
        let names = names::byline(self.text(self.at))?;
        // A paragraph's last line can look like a name when its sentence does not end in a stop.
        let alone = !self.is_stuck(self.at) || self.layout.spacing == 0;
        alone.then_some(names)
    }

    /// The end of the paragraph that begins here, if one does.
    fn paragraph(&self) -> Option<usize> {
        if self.at >= self.tail || self.is_stuck(self.at + 1) || !self.begins_paragraph() {
            return None;
        }
        let (mut complete, mut from) = (None, self.at);
        while let Some(end) = self.ahead.text_end.at_or_after(from) {
            if self.breaks_off(from, end) {
                break;
            }
            complete = Some(end + 1);
            if self.ends_paragraph(end) {
                break;
            }
            from = end + 1;
        }
        complete.or_else(|| self.cut_off())
    }

    /// Whether the paragraph that begins here breaks off at one of the lines from `from` on, before text ends with
    /// line `end`.
    fn breaks_off(&self, from: usize, end: usize) -> bool {
        let barrier = self.ahead.barrier.at_or_after(from.max(self.at + 1));
        // The first lines have none or few before them that say how wide the column is.
        let measured = end.min(self.at + COLUMN);
        barrier.is_some_and(|at| at <= end)
            || (from..measured).any(|at| self.is_last_by_width(at))
            || self.ahead.narrow.at_or_after(from.max(self.at + COLUMN)).is_some_and(|at| at < end)
    }

    fn is_last_by_width(&self, at: usize) -> bool {
        let apart = self.rest.get(at + 1).is_some_and(|next| self.layout.is_apart(*next));
        apart && self.width(at).is_below(self.column(at), NARROW)
    }

    /// Whether this line is as wide as a paragraph's first: the column, or an indent less.
    fn begins_paragraph(&self) -> bool {
        let text = self.text(self.at);
        if ends_statement(text) {
            return true;
        }
        if ends_sentence(text) {
            // A question alone on a line is a headline, unless it fills the column.
            return !self.width(self.at).is_below(self.column(self.at), 3);
        }
        let following: Vec<Width> = (self.at + 1..self.rest.len())
            .take_while(|at| !self.ahead.interrupts(*at))
            .take(8)
            .map(|at| self.width(at))
            .collect();
        let Some(next) = following.first() else { return false };
        let first = self.width(self.at);
        if self.layout.indented && (2..=4).contains(&self.indent(self.at)) {
            return true;
        }
        if ends_sentence(self.text(self.at + 1)) {
            // A first line and a last line: the last is never much wider.
            return !first.is_below(*next, 6);
        }
        let near = following.iter().take(2).fold(*next, |widest, width| widest.max(*width));
        let usual = Width::median(&following).max(*next);
        let wide = usual.is_below(first, 3) && self.column_before().is_below(first, 3);
        !first.is_below(near, 6) && !wide && !self.heads(&following) && self.is_even()
    }

    /// Whether no line up to the end of the first sentence is far narrower than the
    /// next: columns change their width around a picture, but not by so much.
    fn is_even(&self) -> bool {
        let end = self.ahead.sentence_end.at_or_after(self.at).unwrap_or(self.rest.len());
        self.ahead.uneven.at_or_after(self.at).is_none_or(|at| at >= end)
    }

    /// Whether the next line is a paragraph's first: then this one is its heading.
    /// An indent says so, or the width that is left when the indent was cut off.
    fn heads(&self, following: &[Width]) -> bool {
        const FEWEST: usize = 3;
        if self.layout.indented && self.indent(self.at) == 0 && (2..=4).contains(&self.indent(self.at + 1)) {
            return true;
        }
        let full = following.get(1..).unwrap_or_default();
        let end = self.ahead.sentence_end.at_or_after(self.at + 2).unwrap_or(self.rest.len());
        let until_end = end.saturating_sub(self.at + 2);
        let full = &full[..full.len().min(until_end)];
        full.len() >= FEWEST && following[0].0 + 2 < full[0].0 && following[0].is_below(Width::median(full), 2)
    }

    /// Whether line `at`, in which a sentence ends, ends its paragraph too.
    fn ends_paragraph(&self, at: usize) -> bool {
        let column = self.column(at);
        // A paragraph's first line is an indent narrower, and full all the same.
        let indent = if at == self.at { 4 } else { 0 };
        if at + 1 >= self.rest.len() || self.width(at).is_below(column, 3 + indent) {
            return true;
        }
        let next = &self.layout.lines[self.rest[at + 1]];
        if self.layout.is_apart(self.rest[at + 1]) || self.ahead.interrupts(at + 1) {
            return true;
        }
        if self.layout.indented {
            return next.indent >= 2;
        }
        // The next paragraph's first line is an indent narrower than the column.
        Width(next.width, next.tight).is_below(column, 2) && !ends_sentence(&next.text)
    }

    /// The width of the column around line `at` of the paragraph that begins here.
    fn column(&self, at: usize) -> Width {
        let before = (self.at..at).rev().take(COLUMN).map(|at| self.width(at)).reduce(Width::max);
        let after = (at + 1..self.rest.len()).take(2).take_while(|at| !self.ahead.interrupts(*at)).map(|at| self.width(at));
        before.or_else(|| after.reduce(Width::max)).unwrap_or(Width(0, 0))
    }

    /// The width of the lines before this block; nothing is wider than none.
    fn column_before(&self) -> Width {
        let before = (0..self.at).rev().take(4).map(|at| self.width(at));
        before.reduce(Width::max).unwrap_or(Width(usize::MAX / 2, usize::MAX / 2))
    }

    /// A paragraph without an end: the page was cut off, or its last words went to another.
    fn cut_off(&self) -> Option<usize> {
        let end = self.ahead.barrier.at_or_after(self.at + 1).unwrap_or(self.tail.max(self.at));
        let stops = self.ahead.stops(self.at, end.max(self.at));
        (end >= self.at + 3 && stops * 2 >= end - self.at).then_some(end)
    }

    /// The end of the headline that begins here: lines that stand closer than the page's do.
    fn head(&self) -> usize {
        let mut end = self.at + 1;
        while self.is_stuck(end) {
            end += 1;
        }
        end
    }
}
