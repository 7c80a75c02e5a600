//! Running heads, feet and page numbers: what stands at the same place on page after page.

use std::collections::HashMap;

use super::lines::{Line, rows};
use super::segments::Segment;
use crate::read::Printed;

/// The part of a page's height, at its top and at its foot, in which they stand.
const MARGIN: f32 = 0.13;
/// Two of them stand at the same height when they differ by no more, in points.
const SAME: f32 = 3.0;
/// They are at most so much larger than the text.
const LARGEST: f32 = 1.08;
/// They stand apart from the text by so many times the distance of its lines.
const APART: f32 = 1.3;
/// Lines from a page's border inwards that tell where its margin ends.
const LOOKED_AT: usize = 3;
/// From so many pages on, a text must come three times to be one.
const LONG: usize = 6;

/// Segments of a margin's line, and why they are in no article.
pub(super) type Margin = Vec<(Vec<Segment>, &'static str)>;

/// A line in the margin of a page.
struct Candidate {
    page: usize,
    y: f32,
    /// Its words with `#` for each number.
    shape: String,
    is_number: bool,
}

/// Takes running heads and page numbers out of `pages`; for each page what was taken. `body` is the text's size.
pub(super) fn remove(pages: &mut [Vec<Segment>], document: &Printed, body: f32) -> Vec<Margin> {
    let mut candidates = Vec::new();
    for (at, (segments, page)) in pages.iter().zip(&document.pages).enumerate() {
        let height = if page.vertical { page.width } else { page.height };
        let in_margin = |y: f32| y < height * MARGIN || y > height * (1.0 - MARGIN);
        let rows = rows(segments);
        let line = |row: &Vec<&Segment>| Line::of(row, page, 0);
        let down: Vec<Line> = rows.iter().take(LOOKED_AT).map(line).collect();
        let up: Vec<Line> = rows.iter().rev().take(LOOKED_AT).map(line).collect();
        for line in outermost(&down).into_iter().chain(outermost(&up)) {
            let (y, text) = (f32::midpoint(line.segment.y0, line.segment.y1), line.text());
            let is_number = is_number(&text);
            // What is larger than the text is a heading that has come to stand there.
            if in_margin(y) && (is_number || line.segment.size <= body * LARGEST) {
                candidates.push(Candidate { page: at, y, shape: shape(&text), is_number });
            }
        }
    }
    let mut by_shape: HashMap<&str, Vec<&Candidate>> = HashMap::new();
    for candidate in &candidates {
        by_shape.entry(&candidate.shape).or_default().push(candidate);
    }
    let needed = if pages.len() < LONG { 2 } else { 3 };
    let mut margins: Vec<Margin> = pages.iter().map(|_| Vec::new()).collect();
    for candidate in &candidates {
        let same = || {
            let same = by_shape.get(candidate.shape.as_str()).into_iter().flatten();
            same.filter(|other| (other.y - candidate.y).abs() <= SAME)
        };
        // Left and right pages may have their own; what comes more seldom is text.
        let near = same().any(|other| (1..=2).contains(&other.page.abs_diff(candidate.page)));
        let reason = match (candidate.is_number, near && same().count() >= needed) {
            (true, _) => "a page number",
            (false, true) => "a running head or foot",
            (false, false) => continue,
        };
        let there = |segment: &Segment| (segment.middle() - candidate.y).abs() <= SAME;
        let (taken, rest) = std::mem::take(&mut pages[candidate.page]).into_iter().partition::<Vec<_>, _>(there);
        pages[candidate.page] = rest;
        if !taken.is_empty() {
            margins[candidate.page].push((taken, reason));
        }
    }
    margins
}

/// The first of `lines`, from a page's border inwards, or two, if the next stands further off; with none that does,
/// a number alone.
fn outermost(lines: &[Line]) -> Vec<&Line> {
    let gap = |at: usize| Some((lines.get(at)?.segment.y1 - lines.get(at + 1)?.segment.y1).abs());
    let wide = |at: usize| gap(at).zip(gap(at + 1)).is_none_or(|(outer, inner)| outer > inner * APART);
    let count = [1, 0].into_iter().find(|at| wide(*at)).map_or(1, |at| at + 1);
    let mut found: Vec<&Line> = lines.iter().take(count).collect();
    found.retain(|line| wide(count - 1) || is_number(&line.text()));
    found
}

/// `text` with `#` for each number, without spaces.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let c = if c.is_numeric() { '#' } else { c };
        if c != '#' || !shape.ends_with('#') {
            shape.push(c);
        }
    }
    shape
}

/// Whether it is a page's number and nothing else: `7`, `- 7 -`, `第7页`, `Page 7 of 9`, `xii`.
fn is_number(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let rest: String = bare.chars().filter(|c| !c.is_ascii_digit()).collect();
    let words = ["", "page", "pageof", "of", "p", "第页", "第页共页", "页", "頁", "第頁", "seite", "seitevon", "sur"];
    let roman = !bare.is_empty() && bare.len() <= 6 && bare.chars().all(|c| "ivxl".contains(c));
    roman || ((1..=8).contains(&digits) && words.contains(&rest.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_numbers_are_told_from_text() {
        for number in ["7", "— 12 —", "第 3 页", "Page 7 of 9", "xii", "3 / 50"] {
            assert!(is_number(number), "{number}");
        }
        for text in ["2023年6月14日", "Chapter 7", "", "mix of 3"] {
            assert!(!is_number(text), "{text}");
        }
        assert_eq!(shape("Report 12, part 3"), "Report#,part#");
    }
}
