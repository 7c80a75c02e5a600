//! Columns and their reading order: the tallest white gutter cuts a page, and each part is cut again.
//!
//! A gutter is a strip that no segment crosses. Cutting at the tallest first keeps articles together: the gutter
//! between two articles is taller than those between the columns of one, because its headline crosses these. What
//! stands above and below a gutter is read before and after the columns beside it. (Recursive X-Y cuts, Nagy & Seth
//! 1984, with gutters as in Breuel 2002.)

use super::segments::{LEVEL, Segment};
use crate::read::Rule;

/// A gutter is at least so wide, in parts of the usual size.
const WIDTH: f32 = 0.75;
/// And so tall.
const HEIGHT: f32 = 2.5;
/// A column is at least so wide.
const COLUMN: f32 = 5.0;
/// So many parts of a column's lines fill so many parts of its width; a table's cells do not.
const FULL: f32 = 0.4;
const FILLED: f32 = 0.55;
/// A rule that spans so much of a part divides it.
const SPAN: f32 = 0.75;
/// A headline's type is larger than the usual by so much.
const HEADLINE: f32 = 1.35;
/// What is no further below a headline may belong to it, in parts of the usual size.
const NEAR: f32 = 2.5;
/// Borders of columns that are tried in one part.
const MOST_BORDERS: usize = 400;
/// Cuts within cuts; no page has so many.
const DEEPEST: usize = 24;

/// A column, or what is above or below columns.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) segments: Vec<Segment>,
    /// Whether another column stands beside it.
    pub(super) beside: bool,
}

/// The parts of a page in reading order.
pub(super) fn leaves(segments: Vec<Segment>, rules: &[Rule]) -> Vec<Leaf> {
    let mut found = Vec::new();
    cut(segments, rules, (false, DEEPEST), &mut found);
    found
}

/// The segments between two that cross a gutter, by place in the order of heights.
struct Gutter {
    first: usize,
    end: usize,
    /// The left column's right border.
    border: f32,
    height: f32,
}

fn cut(mut segments: Vec<Segment>, rules: &[Rule], (beside, room): (bool, usize), found: &mut Vec<Leaf>) {
    if segments.is_empty() {
        return;
    }
    segments.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let gutter = if room == 0 { None } else { best(&segments) };
    let Some(gutter) = gutter else { return found.push(Leaf { segments, beside }) };
    if let Some(y) = dividing(&segments, &gutter, rules) {
        let (above, below) = segments.into_iter().partition(|segment| segment.middle() < y);
        cut(above, rules, (beside, room - 1), found);
        return cut(below, rules, (beside, room - 1), found);
    }
    let below = segments.split_off(gutter.end);
    let columns = segments.split_off(gutter.first);
    let (left, right) = columns.into_iter().partition(|segment| segment.x0 < gutter.border);
    cut(segments, rules, (beside, room - 1), found);
    cut(left, rules, (true, room - 1), found);
    cut(right, rules, (true, room - 1), found);
    cut(below, rules, (beside, room - 1), found);
}

/// The tallest gutter with text on both sides.
fn best(segments: &[Segment]) -> Option<Gutter> {
    let usual = usual_size(segments);
    let mut borders: Vec<f32> = segments.iter().map(|segment| segment.x1).collect();
    borders.sort_unstable_by(f32::total_cmp);
    borders.dedup_by(|a, b| *a - *b < 1.0);
    let step = borders.len().div_ceil(MOST_BORDERS).max(1);
    let bands = bands(segments, usual);
    let mut best: Option<Gutter> = None;
    for border in borders.into_iter().step_by(step) {
        for gutter in gutters(segments, &bands, border, usual) {
            let taller = best.as_ref().is_none_or(|best| gutter.height > best.height);
            if taller && gutter.height >= HEIGHT * usual && is_between_columns(&segments[gutter.first..gutter.end], border, usual)
            {
                best = Some(gutter);
            }
        }
    }
    best
}

fn usual_size(segments: &[Segment]) -> f32 {
    let mut sizes: Vec<f32> = segments.iter().map(|segment| segment.size).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(10.0)
}

/// The gutters to the right of `border`, as far as nothing crosses them.
fn gutters(segments: &[Segment], bands: &[bool], border: f32, usual: f32) -> Vec<Gutter> {
    let (mut found, mut first) = (Vec::new(), 0);
    let crosses = |segment: &Segment| segment.x1 > border + 1.0 && segment.x0 < border + WIDTH * usual;
    let ends = segments.iter().enumerate().filter(|(at, segment)| bands[*at] || crosses(segment)).map(|(at, _)| at);
    for end in ends.chain([segments.len()]) {
        if end > first {
            let height = height(&segments[first..end], border);
            found.extend(height.map(|height| Gutter { first, end, border, height }));
        }
        first = end + 1;
    }
    found
}

/// How far both sides of a gutter reach beside each other; `None` when one is empty.
fn height(beside: &[Segment], border: f32) -> Option<f32> {
    let range = |is_left: bool| {
        let side = beside.iter().filter(|segment| (segment.x0 < border) == is_left);
        side.map(|segment| (segment.y0, segment.y1)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    };
    let (left, right) = (range(true)?, range(false)?);
    Some(left.1.min(right.1) - left.0.max(right.0))
}

/// Whether both sides are columns of text, and not a table's cells or a list's numbers.
fn is_between_columns(beside: &[Segment], border: f32, usual: f32) -> bool {
    [true, false].into_iter().all(|is_left| {
        let side: Vec<&Segment> = beside.iter().filter(|segment| (segment.x0 < border) == is_left).collect();
        is_column(&side, usual)
    })
}

fn is_column(side: &[&Segment], usual: f32) -> bool {
    let mut rows: Vec<(f32, f32, f32)> = Vec::new();
    for segment in side {
        match rows.last_mut() {
            Some(row) if segment.middle() - row.0 <= LEVEL * usual => {
                *row = (row.0, row.1.min(segment.x0), row.2.max(segment.x1));
            }
            _ => rows.push((segment.middle(), segment.x0, segment.x1)),
        }
    }
    let x0 = rows.iter().map(|row| row.1).fold(f32::MAX, f32::min);
    let x1 = rows.iter().map(|row| row.2).fold(f32::MIN, f32::max);
    let filled = rows.iter().filter(|row| row.2 - row.1 >= FILLED * (x1 - x0)).count();
    #[expect(clippy::cast_precision_loss, reason = "lines of a column")]
    let full = filled as f32 >= FULL * rows.len() as f32;
    rows.len() >= 2 && x1 - x0 >= COLUMN * usual && full
}

/// For each segment whether it is a headline with nothing beside it, or what stands centred right below one: it
/// is over all columns, however short it is.
fn bands(segments: &[Segment], usual: f32) -> Vec<bool> {
    let alone = |at: usize| {
        let one = &segments[at];
        let overlaps =
            |(other, segment): (usize, &Segment)| other != at && segment.y0 < one.y1 - 1.0 && segment.y1 > one.y0 + 1.0;
        !segments.iter().enumerate().any(overlaps)
    };
    let mut bands: Vec<bool> = Vec::with_capacity(segments.len());
    for (at, segment) in segments.iter().enumerate() {
        let center = |segment: &Segment| f32::midpoint(segment.x0, segment.x1);
        let before = at.checked_sub(1).filter(|before| bands[*before]).map(|before| &segments[before]);
        let below = before.is_some_and(|before| {
            let near = segment.y0 - before.y1 < usual * NEAR;
            near && (center(segment) - center(before)).abs() < usual
        });
        bands.push((segment.size >= usual * HEADLINE || below) && alone(at));
    }
    bands
}

/// Where a rule from side to side divides what a gutter would join.
fn dividing(segments: &[Segment], gutter: &Gutter, rules: &[Rule]) -> Option<f32> {
    let x0 = segments.iter().map(|segment| segment.x0).fold(f32::MAX, f32::min);
    let x1 = segments.iter().map(|segment| segment.x1).fold(f32::MIN, f32::max);
    let beside = &segments[gutter.first..gutter.end];
    let divides = |rule: &&Rule| {
        let spans = rule.x1.min(x1) - rule.x0.max(x0) >= SPAN * (x1 - x0);
        let above = beside.iter().filter(|segment| segment.middle() < rule.y0).count();
        rule.is_horizontal() && spans && above > 0 && above < beside.len()
    };
    rules.iter().find(divides).map(|rule| rule.y0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(x0: f32, x1: f32, y: f32) -> Segment {
        Segment { letters: vec![], x0, y0: y - 5.0, x1, y1: y + 5.0, size: 10.0, bold: false }
    }

    /// The first lines of each part, as `(x, y)`.
    fn check(segments: &[Segment], rules: &[Rule], expected: &[(f32, f32)]) {
        let leaves = leaves(segments.to_vec(), rules);
        let shown: Vec<(f32, f32)> = leaves.iter().map(|leaf| (leaf.segments[0].x0, leaf.segments[0].middle())).collect();
        assert_eq!(shown, expected);
    }

    fn column(x0: f32, from: u8, to: u8) -> Vec<Segment> {
        (from..to).map(|row| line(x0, x0 + 180.0, 40.0 + 15.0 * f32::from(row))).collect()
    }

    #[test]
    fn a_headline_over_two_columns_is_read_first_and_then_each_column() {
        let page = [vec![line(50.0, 420.0, 20.0)], column(40.0, 0, 20), column(240.0, 0, 18)].concat();
        check(&page, &[], &[(50.0, 20.0), (40.0, 40.0), (240.0, 40.0)]);
    }

    #[test]
    fn a_short_headline_with_nothing_beside_it_is_over_all_columns() {
        let headline = Segment { size: 20.0, ..line(80.0, 130.0, 100.0) };
        let below = |x0: f32| column(x0, 5, 12);
        let page = [column(40.0, 0, 3), column(240.0, 0, 3), vec![headline], below(40.0), below(240.0)].concat();
        check(&page, &[], &[(40.0, 40.0), (240.0, 40.0), (80.0, 100.0), (40.0, 115.0), (240.0, 115.0)]);
    }

    #[test]
    fn a_rule_from_side_to_side_divides_what_is_above_from_what_is_below() {
        let page = [column(40.0, 0, 20), column(240.0, 0, 20)].concat();
        let rule = Rule { x0: 40.0, y0: 182.0, x1: 420.0, y1: 182.5 };
        check(&page, &[rule], &[(40.0, 40.0), (240.0, 40.0), (40.0, 190.0), (240.0, 190.0)]);
    }

    #[test]
    fn the_cells_of_a_table_are_no_columns() {
        let cells = |x0: f32, width: f32| {
            (0..6).map(move |row: u8| line(x0, x0 + width - f32::from(row % 3) * 9.0, 40.0 + 15.0 * f32::from(row)))
        };
        let table: Vec<Segment> = cells(40.0, 45.0).chain(cells(140.0, 30.0)).chain(cells(220.0, 40.0)).collect();
        check(&table, &[], &[(40.0, 40.0)]);
    }
}
