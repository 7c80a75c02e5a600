//! Segments beside each other → lines, with the words' spaces.

use super::segments::{LEVEL, Letter, Segment};
use crate::article::{PrintedLine, quarters};
use crate::read::PrintedPage;
use crate::text::is_unspaced;

/// A gap of so many parts of the size is a space between words that the file does not draw.
const SPACE: f32 = 0.18;
/// The same between characters that are written without spaces: a pause in a headline.
const PAUSE: f32 = 0.6;
/// A gap of so many parts of the size parts the cells of a table.
const CELL: f32 = 1.5;

/// A printed line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its number in the document, from 1.
    pub(super) number: u32,
    /// What it holds, as one segment: its characters with the spaces between words; each inserted one fills its gap.
    pub(super) segment: Segment,
    /// How many cells it has, if it is a table's row.
    pub(super) cells: usize,
    place: Place,
}

/// Where a line stands on paper.
#[derive(Debug, Clone, Copy)]
struct Place {
    page: u32,
    /// The page's width, when it was turned.
    turned: Option<f32>,
}

/// Segments of one height, from left to right; the rows from top to bottom.
pub(super) fn rows(segments: &[Segment]) -> Vec<Vec<&Segment>> {
    let mut sorted: Vec<&Segment> = segments.iter().collect();
    sorted.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let mut rows: Vec<Vec<&Segment>> = Vec::new();
    for segment in sorted {
        match rows.last_mut() {
            Some(row) if is_level(row[0], segment) => row.push(segment),
            _ => rows.push(vec![segment]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    rows
}

fn is_level(a: &Segment, b: &Segment) -> bool {
    (a.middle() - b.middle()).abs() <= LEVEL * a.size.min(b.size)
}

impl Line {
    /// The line number `number` of the document, which `row` makes.
    pub(super) fn of(row: &[&Segment], page: &PrintedPage, number: u32) -> Self {
        let size = row.iter().map(|segment| segment.size).fold(0.0, f32::max);
        let gap = |pair: &[&Segment]| pair[1].x0 - pair[0].x1 > CELL * size;
        let cells = 1 + row.windows(2).filter(|pair| gap(pair)).count();
        let mut letters: Vec<Letter> = Vec::new();
        for (place, segment) in row.iter().enumerate() {
            let is_cell = place > 0 && gap(&row[place - 1..=place]);
            for (at, letter) in segment.letters.iter().enumerate() {
                if let Some(last) = letters.last().copied() {
                    let words = if at == 0 && is_cell { " | " } else { between(&last, letter, size, at == 0) };
                    letters.extend(filling(words, last.x1, letter.x0));
                }
                letters.push(*letter);
            }
        }
        let fold =
            |start: f32, of: fn(&Segment) -> f32, pick: fn(f32, f32) -> f32| row.iter().map(|one| of(one)).fold(start, pick);
        let segment = Segment {
            letters,
            x0: fold(f32::MAX, |one| one.x0, f32::min),
            y0: fold(f32::MAX, |one| one.y0, f32::min),
            x1: fold(f32::MIN, |one| one.x1, f32::max),
            y1: fold(f32::MIN, |one| one.y1, f32::max),
            size,
            bold: row.iter().all(|segment| segment.bold),
        };
        let place = Place { page: page.number, turned: page.vertical.then_some(page.width) };
        Self { number, segment, cells, place }
    }

    /// Its words.
    pub(super) fn text(&self) -> String {
        self.segment.letters.iter().map(|letter| letter.character).collect()
    }

    /// Its page, from 1.
    pub(super) fn page(&self) -> u32 {
        self.place.page
    }

    /// Its last character.
    pub(super) fn last(&self) -> Option<char> {
        self.segment.letters.last().map(|letter| letter.character)
    }

    /// Its first character.
    pub(super) fn first(&self) -> Option<char> {
        self.segment.letters.first().map(|letter| letter.character)
    }

    /// Where it stands, for an article's text.
    pub(super) fn printed(&self) -> PrintedLine {
        let ends = self.segment.letters.last().map(|last| last.x1);
        // Kerning may set a letter before the end of the one before it; borders rise all the same.
        let mut edges: Vec<u16> = self.segment.letters.iter().map(|letter| letter.x0).chain(ends).map(quarters).collect();
        for at in 1..edges.len() {
            edges[at] = edges[at].max(edges[at - 1]);
        }
        let across = self
            .place
            .turned
            .map_or([self.segment.y0, self.segment.y1], |width| [width - self.segment.y1, width - self.segment.y0]);
        let vertical = self.place.turned.is_some();
        PrintedLine { start: 0, page: self.place.page, vertical, across: across.map(quarters), edges }
    }
}

/// What stands between two characters of a line: nothing, or a space.
fn between(last: &Letter, next: &Letter, size: f32, is_border: bool) -> &'static str {
    let gap = next.x0 - last.x1;
    let unspaced = is_unspaced(last.character) || is_unspaced(next.character);
    let wide = if unspaced { gap > PAUSE * size } else { gap > SPACE * size };
    if next.spaced || wide || (is_border && !unspaced) { " " } else { "" }
}

/// Inserted characters that share the gap from `x0` to `x1`.
fn filling(words: &str, x0: f32, x1: f32) -> Vec<Letter> {
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let edge = |place: usize| x0 + (x1 - x0).max(0.0) * place as f32 / words.len().max(1) as f32;
    let letter = |(at, character)| Letter { character, x0: edge(at), x1: edge(at + 1), spaced: false };
    words.chars().enumerate().map(letter).collect()
}
