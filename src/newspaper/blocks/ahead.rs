//! Where the next line of a kind stands, for each line of a page.
//!
//! Telling a paragraph from a headline looks ahead, to the end of the sentence or to what breaks the paragraph off.
//! Both are found here in one step, so that a page takes linear time however far away they are.

use super::Width;
use crate::newspaper::lines::{Layout, ends_sentence};
use crate::newspaper::{furniture, names};

/// Lines before one that say how wide its column is.
pub(super) const COLUMN: usize = 3;

/// For each line, the first at or after it that is of a kind.
pub(super) struct Next(Vec<Option<usize>>);

impl Next {
    fn of(count: usize, is: impl Fn(usize) -> bool) -> Self {
        let mut places = vec![None; count];
        let mut next = None;
        for at in (0..count).rev() {
            if is(at) {
                next = Some(at);
            }
            places[at] = next;
        }
        Self(places)
    }

    /// The first of the kind at `at` or after it.
    pub(super) fn at_or_after(&self, at: usize) -> Option<usize> {
        self.0.get(at).copied().flatten()
    }
}

/// What looking ahead asks for. Lines count as the scanner counts them.
pub(super) struct Ahead {
    /// A sentence ends with the line.
    pub(super) sentence_end: Next,
    /// Text may end with it: a sentence does, or a reporter is named.
    pub(super) text_end: Next,
    /// No paragraph goes on with it.
    pub(super) barrier: Next,
    /// It is narrower than its column, and the next line stands apart.
    pub(super) narrow: Next,
    /// It is far narrower than the next.
    pub(super) uneven: Next,
    interrupts: Vec<bool>,
    /// Lines before each that hold a stop or a comma.
    stops: Vec<usize>,
    /// Lines that are not a single character.
    longer: Next,
}

impl Ahead {
    /// Looks at all lines of `rest` once.
    pub(super) fn of(layout: &Layout, rest: &[usize]) -> Self {
        let count = rest.len();
        let text = |at: usize| layout.lines[rest[at]].text.as_str();
        let width = |at: usize| rest.get(at).map_or(Width(0, 0), |index| Width::of(&layout.lines[*index]));
        let interrupts: Vec<bool> = (0..count).map(|at| interrupts(text(at))).collect();
        let ends: Vec<bool> = (0..count).map(|at| ends_sentence(text(at))).collect();
        let column = |at: usize| (at - COLUMN..at).map(width).reduce(Width::max).unwrap_or(Width(0, 0));
        let narrow = |at: usize| {
            let apart = rest.get(at + 1).is_some_and(|next| layout.is_apart(*next));
            apart && at >= COLUMN && width(at).is_below(column(at), super::NARROW)
        };
        let mut stops = vec![0; count + 1];
        for at in 0..count {
            stops[at + 1] = stops[at] + usize::from(text(at).contains(['。', '，']));
        }
        Self {
            sentence_end: Next::of(count, |at| ends[at]),
            text_end: Next::of(count, |at| ends[at] || names::closing_byline(text(at)).is_some()),
            barrier: Next::of(count, |at| interrupts[at] || layout.is_stuck(rest[at])),
            narrow: Next::of(count, narrow),
            uneven: Next::of(count, |at| width(at).0 * 10 < width(at + 1).0 * 7),
            longer: Next::of(count, |at| text(at).chars().nth(1).is_some()),
            interrupts,
            stops,
        }
    }

    /// Whether line `at` cannot go on with a paragraph.
    pub(super) fn interrupts(&self, at: usize) -> bool {
        self.interrupts.get(at).copied().unwrap_or(false)
    }

    /// Lines of `from..to` that hold a stop or a comma.
    pub(super) fn stops(&self, from: usize, to: usize) -> usize {
        self.stops[to].saturating_sub(self.stops[from])
    }

    /// How many lines from `at` on are a single character each.
    pub(super) fn single_characters(&self, at: usize) -> usize {
        self.longer.at_or_after(at).unwrap_or(self.interrupts.len()).saturating_sub(at)
    }
}

fn interrupts(text: &str) -> bool {
    let bracket = text.starts_with(['（', '(']) && text.contains("作者");
    let named = names::byline(text).is_some();
    bracket || named || furniture::opens_advertisement(text) || furniture::is_lead_label(text)
}
