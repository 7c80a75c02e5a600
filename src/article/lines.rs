//! The map from an article's text back to the lines of its source.

use super::Span;

/// Lines of a source file, counted from 1, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRange {
    /// First line.
    pub first: u32,
    /// Last line.
    pub last: u32,
}

/// Which line of the source each byte of a text comes from.
///
/// Kept as runs: from byte `start` on, the text comes from `line`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineMap {
    runs: Vec<(usize, u32)>,
}

impl LineMap {
    /// A map of runs `(start byte, line)`; the starts must rise.
    pub fn from_runs(runs: Vec<(usize, u32)>) -> Option<Self> {
        runs.is_sorted_by(|a, b| a.0 < b.0).then_some(Self { runs })
    }

    /// The runs `(start byte, line)`, rising.
    pub fn runs(&self) -> &[(usize, u32)] {
        &self.runs
    }

    /// Says that the text from byte `start` on comes from `line`.
    pub fn push(&mut self, start: usize, line: u32) {
        match self.runs.last_mut() {
            Some(last) if last.1 == line => {}
            Some(last) if last.0 == start => last.1 = line,
            _ => self.runs.push((start, line)),
        }
    }

    /// The lines that hold `span`, `None` for an empty span or an empty map.
    pub fn range(&self, span: Span) -> Option<LineRange> {
        if span.is_empty() {
            return None;
        }
        let after = |byte: usize| self.runs.partition_point(|run| run.0 <= byte);
        let (from, to) = (after(span.start).checked_sub(1)?, after(span.end - 1));
        // Columns are printed beside each other, so a later run may stand higher up.
        let mut lines = self.runs.get(from..to)?.iter().map(|run| run.1);
        let first = lines.next()?;
        let (low, high) = lines.fold((first, first), |(low, high), line| (low.min(line), high.max(line)));
        Some(LineRange { first: low, last: high })
    }
}
