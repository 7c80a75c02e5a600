//! The map from an article's text to the pages that it is printed on.
//!
//! A text from a PDF keeps, for each piece of a printed line, the page and the place of each character there. All
//! lengths are kept in quarters of a PDF point (1/288 inch), from the page's top left corner as it is shown.

use super::Span;

/// Quarters of a point in a point.
const UNIT: f32 = 4.0;

/// A length in quarters of a point.
pub type Quarter = u16;

/// `points` as it is kept, rounded; a negative length is 0, and one that cannot be kept the longest that can be.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
pub fn quarters(points: f32) -> Quarter {
    (points * UNIT).round().clamp(0.0, f32::from(Quarter::MAX)) as Quarter
}

/// A part of a printed line that stands in the text without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedLine {
    /// The byte of the text at which it begins.
    pub start: usize,
    /// Its page, from 1.
    pub page: u32,
    /// Whether its characters run from top to bottom.
    pub vertical: bool,
    /// Its smaller and its larger border across the line: upper and lower y for a horizontal line, left and right x for a
    /// vertical one.
    pub across: [Quarter; 2],
    /// Where each character begins along the line, and where the last ends: one more than characters.
    pub edges: Vec<Quarter>,
}

/// A rectangle on a page, in points from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageBox {
    /// The page, from 1.
    pub page: u32,
    /// Left border.
    pub x0: f32,
    /// Upper border.
    pub y0: f32,
    /// Right border.
    pub x1: f32,
    /// Lower border.
    pub y1: f32,
}

/// Where each character of a text is printed. Empty for sources that have no pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageMap {
    lines: Vec<PrintedLine>,
}

impl PageMap {
    /// A map of `lines`, whose starts must rise.
    pub fn from_lines(lines: Vec<PrintedLine>) -> Option<Self> {
        lines.is_sorted_by(|a, b| a.start < b.start).then_some(Self { lines })
    }

    /// The printed lines, in the order of the text.
    pub fn lines(&self) -> &[PrintedLine] {
        &self.lines
    }

    /// Whether the text has no pages.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The first and the last page that the text is printed on.
    pub fn pages(&self) -> Option<[u32; 2]> {
        let pages = || self.lines.iter().map(|line| line.page);
        Some([pages().min()?, pages().max()?])
    }

    /// Says that the text goes on with `line`.
    pub(super) fn push(&mut self, line: PrintedLine) {
        self.lines.push(line);
    }

    /// The boxes that hold `span` of `text`, one a printed line, in the order of the text.
    pub fn boxes(&self, text: &str, span: Span) -> Vec<PageBox> {
        let first = self.lines.partition_point(|line| line.start <= span.start).saturating_sub(1);
        let inside = self.lines.iter().enumerate().skip(first).take_while(|(_, line)| line.start < span.end);
        let end = |at: usize| self.lines.get(at + 1).map_or(text.len(), |next| next.start);
        inside.filter_map(|(at, line)| one(line, end(at), text, span)).collect()
    }
}

/// The box of the characters of `line`, which ends at byte `end`, that lie in `span`.
fn one(line: &PrintedLine, end: usize, text: &str, span: Span) -> Option<PageBox> {
    let (from, to) = (span.start.max(line.start), span.end.min(end));
    let before = text.get(line.start..from)?.chars().count();
    let inside = text.get(from..to)?.trim_end().chars().count();
    let last = line.edges.len().checked_sub(1)?;
    let (first, stop) = (before.min(last), (before + inside).min(last));
    if first >= stop {
        return None;
    }
    let points = |quarter: Quarter| f32::from(quarter) / UNIT;
    let (start, stop) = (points(line.edges[first]), points(line.edges[stop]));
    let [low, high] = line.across.map(points);
    let page = line.page;
    Some(if line.vertical {
        PageBox { page, x0: low, y0: start, x1: high, y1: stop }
    } else {
        PageBox { page, x0: start, y0: low, x1: stop, y1: high }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_leads_to_one_box_a_line_and_a_vertical_line_stands_upright() {
        let text = "春水初生\nab";
        let upright = PrintedLine { start: 0, page: 2, vertical: true, across: [40, 80], edges: vec![0, 40, 80, 120, 160] };
        let flat = PrintedLine { start: 13, page: 3, vertical: false, across: [8, 16], edges: vec![4, 8, 12] };
        let map = PageMap::from_lines(vec![upright, flat]).unwrap();
        let found = map.boxes(text, Span::new(6, 14));
        assert_eq!(found[0], PageBox { page: 2, x0: 10.0, y0: 20.0, x1: 20.0, y1: 40.0 });
        assert_eq!(found[1], PageBox { page: 3, x0: 1.0, y0: 2.0, x1: 2.0, y1: 4.0 });
        assert_eq!(found.len(), 2);
        assert!(PageMap::default().boxes(text, Span::new(0, 3)).is_empty());
    }
}
