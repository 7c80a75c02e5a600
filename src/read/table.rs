//! A table → a line of text for each of its rows, in which every cell stands behind the header of its column.
//!
//! `Station: Old Bridge | Visitors: 310`: a row can be read, found and cited without the rest of its table. The bar
//! between cells is what tells a row from prose, here and in what is read from PDFs
//! (see [`crate::text::is_row`]).

/// What stands between two cells.
pub(super) const BAR: &str = " | ";
/// Rows and columns that one cell may span.
const WIDEST: usize = 1000;
/// A longer header is none: it would stand in every row.
const LONGEST_HEADER: usize = 80;
/// A cell that spans rows is said in each of them, unless it is longer.
const LONGEST_SPANNING: usize = 200;
/// Bytes of headers and spanning cells that the rows of one table repeat; further rows stand without.
const MOST_REPEATED: usize = 16 << 20;
/// Places that cells which span others take in one table; further cells span nothing.
const MOST_SPANNED: usize = 1_000_000;
/// Without a mark, the first row is the header only if none of its cells is longer.
const LONGEST_GUESSED: usize = 30;
/// A table with a longer cell lays out a page, and holds no data.
const LONGEST_DATA: usize = 1000;

/// A cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// Its text, in one line.
    pub(super) text: String,
    /// The line of the source on which it begins.
    pub(super) line: u32,
    /// Columns that it spans.
    pub(super) columns: usize,
    /// Rows that it spans.
    pub(super) rows: usize,
}

/// A row as the source writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Its cells.
    pub(super) cells: Vec<Cell>,
    /// Whether the source says that it holds headers.
    pub(super) header: bool,
}

/// Pieces of a row's line, each with the line of the source that it comes from.
pub(super) type Pieces = Vec<(String, u32)>;

/// Whether `rows` hold data, and not a page's parts beside each other.
pub(super) fn is_data(rows: &[Row]) -> bool {
    let cells = || rows.iter().flat_map(|row| &row.cells);
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    columns >= 2 && cells().all(|cell| cell.text.chars().count() <= LONGEST_DATA)
}

/// The lines of a table's rows, in order; rows without text have none.
pub(super) fn lines(rows: &[Row]) -> Vec<Pieces> {
    let grid = grid(rows);
    let marked = rows.iter().take_while(|row| row.header).count();
    let heads = if marked > 0 { marked } else { usize::from(begins_with_header(&grid)) };
    // A table of headers alone has none.
    let heads = if heads < grid.len() { heads } else { 0 };
    let headers = headers(&grid[..heads]);
    let pairs = heads == 0 && grid.iter().all(|row| row.len() <= 2);
    let mut room = MOST_REPEATED;
    let line = |(at, row): (usize, &Vec<Slot<'_>>)| {
        let mut pieces = Pieces::new();
        for (column, slot) in row.iter().enumerate().filter(|(_, slot)| slot.is_said()) {
            if !slot.first_row {
                let Some(left) = room.checked_sub(slot.cell.text.len()) else { continue };
                room = left;
            }
            let header = headers.get(column).map_or("", String::as_str);
            let between = match pieces.len() {
                0 => "",
                _ if pairs => colon(&pieces[0].0),
                _ => BAR,
            };
            let mut text = between.to_owned();
            if at >= heads && !header.is_empty() && header.len() <= room {
                room -= header.len();
                text.push_str(header);
                text.push_str(colon(header));
            }
            text.push_str(&slot.cell.text);
            pieces.push((text, slot.line));
        }
        pieces
    };
    grid.iter().enumerate().map(line).filter(|pieces| !pieces.is_empty()).collect()
}

/// A place in the grid, which a cell covers.
#[derive(Clone, Copy)]
struct Slot<'a> {
    cell: &'a Cell,
    /// The line of its row.
    line: u32,
    /// The cell begins in this column.
    first_column: bool,
    /// The cell begins in this row.
    first_row: bool,
}

impl Slot<'_> {
    fn is_said(&self) -> bool {
        let repeated = self.first_row || self.cell.text.chars().count() <= LONGEST_SPANNING;
        self.first_column && repeated && !self.cell.text.is_empty()
    }
}

/// The cells by row and column, each wherever it reaches.
fn grid(rows: &[Row]) -> Vec<Vec<Slot<'_>>> {
    let mut grid: Vec<Vec<Slot<'_>>> = Vec::with_capacity(rows.len());
    let mut hanging: Hanging<'_> = Vec::new();
    let mut room = MOST_SPANNED;
    for row in rows {
        let line = row.cells.first().map_or(0, |cell| cell.line);
        let mut places = Vec::new();
        for cell in &row.cells {
            hang(&mut hanging, line, &mut places, &mut room);
            let columns = cell.columns.clamp(1, WIDEST).min(room + 1);
            room -= columns - 1;
            for column in 0..columns {
                let slot = Slot { cell, line: cell.line, first_column: column == 0, first_row: true };
                if cell.rows > 1 {
                    hanging.resize(hanging.len().max(places.len() + 1), None);
                    hanging[places.len()] = Some((slot, cell.rows.min(WIDEST) - 1));
                }
                places.push(slot);
            }
        }
        hang(&mut hanging, line, &mut places, &mut room);
        grid.push(places);
    }
    grid
}

/// For each column the cell that reaches down into the next rows, and into how many.
type Hanging<'a> = Vec<Option<(Slot<'a>, usize)>>;

/// Adds the cells that reach from above into the next `places` of a row.
fn hang<'a>(hanging: &mut Hanging<'a>, line: u32, places: &mut Vec<Slot<'a>>, room: &mut usize) {
    while let Some(above) = hanging.get_mut(places.len())
        && let Some((slot, left)) = above
        && *room > 0
    {
        let slot = Slot { line: if line > 0 { line } else { slot.line }, first_row: false, ..*slot };
        *left -= 1;
        *room -= 1;
        if *left == 0 {
            *above = None;
        }
        places.push(slot);
    }
}

/// Whether the first row holds headers, when nothing says so: short, different words over columns, of which one at
/// least holds figures, or three columns.
fn begins_with_header(grid: &[Vec<Slot<'_>>]) -> bool {
    let [first, rest @ ..] = grid else { return false };
    let mut words: Vec<&str> = first.iter().map(|slot| slot.cell.text.as_str()).collect();
    let is_name = |text: &&str| {
        let figures = text.chars().filter(char::is_ascii_digit).count();
        !text.is_empty() && text.chars().count() <= LONGEST_GUESSED && figures * 2 < text.chars().count()
    };
    let over_figures = || {
        (0..words.len()).any(|column| {
            let cells = rest.iter().filter_map(|row| row.get(column)).map(|slot| slot.cell.text.as_str());
            let cells: Vec<&str> = cells.filter(|text| !text.is_empty()).collect();
            !cells.is_empty() && cells.iter().all(|text| text.starts_with(|c: char| c.is_ascii_digit() || "-+¥$€£".contains(c)))
        })
    };
    let fits = words.len() >= 2 && words.iter().all(is_name) && (words.len() >= 3 || over_figures());
    words.sort_unstable();
    words.dedup();
    fits && !rest.is_empty() && words.len() == first.len()
}

/// The header of each column, from one row of headers or several.
fn headers(heads: &[Vec<Slot<'_>>]) -> Vec<String> {
    let columns = heads.iter().map(Vec::len).max().unwrap_or(0);
    let header = |column: usize| {
        let mut words: Vec<&str> = Vec::new();
        for slot in heads.iter().filter_map(|row| row.get(column)) {
            if !slot.cell.text.is_empty() && words.last() != Some(&slot.cell.text.as_str()) {
                words.push(&slot.cell.text);
            }
        }
        let header = words.join(" ");
        let bare = header.trim_end_matches([':', '：', ' ']);
        if bare.chars().count() <= LONGEST_HEADER { bare.to_owned() } else { String::new() }
    };
    (0..columns).map(header).collect()
}

/// What stands between a header and its cell.
fn colon(header: &str) -> &'static str {
    match header.chars().next_back() {
        Some(':' | '：') => " ",
        Some(last) if crate::text::is_unspaced(last) => "：",
        _ => ": ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of `cells`; `#` before the first says that it holds headers, `2>` before a cell that it spans two
    /// columns, `2v` two rows.
    fn row(cells: &str) -> Row {
        let header = cells.starts_with('#');
        let cell = |text: &str| {
            let (columns, text) = text.strip_prefix("2>").map_or((1, text), |rest| (2, rest));
            let (rows, text) = text.strip_prefix("2v").map_or((1, text), |rest| (2, rest));
            Cell { text: text.to_owned(), line: 1, columns, rows }
        };
        Row { cells: cells.trim_start_matches('#').split('/').map(cell).collect(), header }
    }

    fn check(rows: &[&str], expected: &[&str]) {
        let rows: Vec<Row> = rows.iter().map(|cells| row(cells)).collect();
        let lines: Vec<String> =
            lines(&rows).iter().map(|pieces| pieces.iter().map(|piece| piece.0.as_str()).collect()).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn each_cell_stands_behind_its_header() {
        check(&["#站名/旅客", "青石/310"], &["站名 | 旅客", "站名：青石 | 旅客：310"]);
        check(
            &["Stop/Visitors", "Old Bridge/310", "Mill/"],
            &["Stop | Visitors", "Stop: Old Bridge | Visitors: 310", "Stop: Mill"],
        );
        check(&["Owner/Wang", "Address/Mill Lane"], &["Owner: Wang", "Address: Mill Lane"]);
        check(&["a/b/c"], &["a | b | c"]);
    }

    #[test]
    fn cells_that_span_columns_and_rows_keep_their_places() {
        check(
            &["#2vStop/2>Visitors", "#2023/2024", "2vMill/1/2", "3/4"],
            &[
                "Stop | Visitors",
                "Stop | 2023 | 2024",
                "Stop: Mill | Visitors 2023: 1 | Visitors 2024: 2",
                "Stop: Mill | Visitors 2023: 3 | Visitors 2024: 4",
            ],
        );
    }
}
