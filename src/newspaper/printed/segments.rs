//! Characters → segments: stretches of a line in which no gap is as wide as one between columns.
//!
//! Pages whose lines run downwards are turned, so that all that follows sees lines from left to right and from top
//! to bottom: along a line is x, across lines is y.

use crate::read::{PrintedPage, Rule};

/// A gap of so many parts of the font's size ends a segment.
const GAP: f32 = 0.95;
/// The same where a space is drawn in the gap.
const SPACED_GAP: f32 = 1.6;
/// Two sizes that differ by more are no part of one segment, unless one is a raised or lowered sign.
const SIZES: f32 = 1.9;
/// How far the middles of one line's characters are from each other at most, in parts of the smaller size.
pub(super) const LEVEL: f32 = 0.45;

/// A character on a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub(super) character: char,
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// A space is drawn before it.
    pub(super) spaced: bool,
}

/// Characters that stand beside each other.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) letters: Vec<Letter>,
    pub(super) x0: f32,
    pub(super) y0: f32,
    pub(super) x1: f32,
    pub(super) y1: f32,
    /// The size of its largest character.
    pub(super) size: f32,
    /// Most of it is bold.
    pub(super) bold: bool,
}

impl Segment {
    /// The height of its middle.
    pub(super) fn middle(&self) -> f32 {
        f32::midpoint(self.y0, self.y1)
    }
}

/// A character with its box in the turned page.
#[derive(Clone, Copy)]
struct Placed {
    letter: Letter,
    y0: f32,
    y1: f32,
    size: f32,
    bold: bool,
}

impl Placed {
    fn middle(&self) -> f32 {
        f32::midpoint(self.y0, self.y1)
    }
}

/// The segments of a page, in no order.
pub(super) fn segments(page: &PrintedPage) -> Vec<Segment> {
    let vertical_rules: Vec<Rule> = rules(page).into_iter().filter(|rule| !rule.is_horizontal()).collect();
    rows(placed(page)).into_iter().flat_map(|row| split(row, &vertical_rules)).collect()
}

/// The rules of a page, turned as its characters are.
pub(super) fn rules(page: &PrintedPage) -> Vec<Rule> {
    let turn = |rule: &Rule| Rule { x0: rule.y0, y0: page.width - rule.x1, x1: rule.y1, y1: page.width - rule.x0 };
    page.rules.iter().map(|rule| if page.vertical { turn(rule) } else { *rule }).collect()
}

fn placed(page: &PrintedPage) -> Vec<Placed> {
    let place = |glyph: &crate::read::Glyph| {
        let [x0, y0, x1, y1] = if page.vertical {
            [glyph.y0, page.width - glyph.x1, glyph.y1, page.width - glyph.x0]
        } else {
            [glyph.x0, glyph.y0, glyph.x1, glyph.y1]
        };
        let letter = Letter { character: glyph.character, x0, x1, spaced: false };
        Placed { letter, y0, y1, size: glyph.size, bold: glyph.bold }
    };
    page.glyphs.iter().map(place).collect()
}

/// Characters of one height, from left to right.
fn rows(mut all: Vec<Placed>) -> Vec<Vec<Placed>> {
    all.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let mut rows: Vec<Vec<Placed>> = Vec::new();
    let mut level = (0.0, 0.0);
    for one in all {
        let (middle, size) = level;
        match rows.last_mut() {
            Some(row) if one.middle() - middle <= LEVEL * one.size.min(size) => {
                row.push(one);
                // The mean of what is there, so that a line that is not quite straight stays one.
                #[expect(clippy::cast_precision_loss, reason = "characters of a line")]
                let share = 1.0 / row.len() as f32;
                level = (middle + (one.middle() - middle) * share, size.max(one.size));
            }
            _ => {
                level = (one.middle(), one.size);
                rows.push(vec![one]);
            }
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.letter.x0.total_cmp(&b.letter.x0));
    }
    rows
}

fn split(row: Vec<Placed>, vertical_rules: &[Rule]) -> Vec<Segment> {
    let mut found: Vec<Vec<Placed>> = Vec::new();
    let mut spaced = false;
    for mut one in row {
        if one.letter.character.is_whitespace() {
            spaced = true;
            continue;
        }
        one.letter.spaced = std::mem::take(&mut spaced);
        match found.last_mut() {
            Some(open) if open.last().is_some_and(|last| goes_on(last, &one, vertical_rules)) => open.push(one),
            _ => found.push(vec![one]),
        }
    }
    found.into_iter().map(segment).collect()
}

/// Whether `next` belongs to the segment that `last` ends.
fn goes_on(last: &Placed, next: &Placed, vertical_rules: &[Rule]) -> bool {
    let (gap, size) = (next.letter.x0 - last.letter.x1, last.size.min(next.size));
    let wide = if next.letter.spaced { SPACED_GAP } else { GAP };
    let stands_between = |rule: &Rule| {
        let inside = rule.x0 >= last.letter.x1 - 0.5 && rule.x1 <= next.letter.x0 + 0.5;
        inside && rule.y0 < next.middle() && rule.y1 > next.middle()
    };
    gap <= wide * size
        && last.size.max(next.size) <= SIZES * size
        && !(gap > 0.3 * size && vertical_rules.iter().any(stands_between))
}

fn segment(placed: Vec<Placed>) -> Segment {
    let fold = |start: f32, of: fn(&Placed) -> f32, pick: fn(f32, f32) -> f32| placed.iter().map(of).fold(start, pick);
    let size = fold(0.0, |one| one.size, f32::max);
    // Raised signs must not make a line higher than it is.
    let main = || placed.iter().filter(|one| one.size > size * 0.9);
    Segment {
        x0: fold(f32::MAX, |one| one.letter.x0, f32::min),
        x1: fold(f32::MIN, |one| one.letter.x1, f32::max),
        y0: main().map(|one| one.y0).fold(f32::MAX, f32::min),
        y1: main().map(|one| one.y1).fold(f32::MIN, f32::max),
        size,
        bold: placed.iter().filter(|one| one.bold).count() * 2 > placed.len(),
        letters: placed.into_iter().map(|one| one.letter).collect(),
    }
}
