//! Documents of paragraphs (DOCX, ODT, EPUB, RTF): their parts, and the article that these make.
//!
//! Such files have no lines. What citations name as lines are their paragraphs, headings and rows of tables, counted
//! from 1 in reading order.

use super::Error;
use super::properties::Properties;
use super::table::{self, Cell, Row};
use crate::article::{Article, Builder, LineRange, Record};

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// Its title, as printed.
    Title(String),
    /// A section's heading, with its depth from 1.
    Heading(u8, String),
    /// A paragraph, an item of a list or a footnote.
    Paragraph(String),
}

impl Block {
    /// Its words.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Title(text) | Self::Heading(_, text) | Self::Paragraph(text) => text,
        }
    }
}

/// A table's row: cells with their blocks.
#[derive(Default)]
pub(super) struct BlockRow {
    /// Its cells.
    pub(super) cells: Vec<BlockCell>,
    /// Whether the document says that it holds headers.
    pub(super) header: bool,
}

/// A cell with its blocks.
#[derive(Clone, Default)]
pub(super) struct BlockCell {
    /// What it holds.
    pub(super) blocks: Vec<Block>,
    /// Columns that it spans.
    pub(super) columns: usize,
    /// Rows that it spans.
    pub(super) rows: usize,
}

/// The blocks of a table: a paragraph for each row, or what its cells hold, if it only lays out a page.
pub(super) fn table(rows: Vec<BlockRow>) -> Vec<Block> {
    let cell = |cell: &BlockCell| {
        let words: Vec<&str> = cell.blocks.iter().flat_map(|block| block.text().split_whitespace()).collect();
        Cell { text: words.join(" "), line: 0, columns: cell.columns, rows: cell.rows }
    };
    let plain: Vec<Row> =
        rows.iter().map(|row| Row { cells: row.cells.iter().map(cell).collect(), header: row.header }).collect();
    if !table::is_data(&plain) {
        return rows.into_iter().flat_map(|row| row.cells).flat_map(|cell| cell.blocks).collect();
    }
    let line = |pieces: &table::Pieces| pieces.iter().map(|piece| piece.0.as_str()).collect();
    table::lines(&plain).iter().map(line).map(Block::Paragraph).collect()
}

/// The article of `blocks`. Its title is the printed one, else the file's own, else a heading that it begins with.
///
/// # Errors
/// When nothing is written in it.
pub(super) fn article(blocks: &[Block], properties: Properties, mut record: Record, stem: &str) -> Result<Article, Error> {
    let mut builder = Builder::default();
    let printed = blocks.iter().any(|block| matches!(block, Block::Title(_)));
    let mut title: Option<String> = None;
    let said = blocks.iter().filter(|block| !block.text().trim().is_empty());
    for (line, block) in (1_u32..).zip(said) {
        let start = builder.position();
        for piece in block.text().trim().split_inclusive('\n') {
            builder.push(piece, line);
        }
        let level = match block {
            Block::Title(_) => Some(1),
            // Sections stand below a printed title.
            Block::Heading(level, _) => Some(level.saturating_add(u8::from(printed)).min(6)),
            Block::Paragraph(_) => None,
        };
        let names = matches!(block, Block::Title(_)) || (!printed && properties.title.is_none() && line == 1 && level.is_some());
        if names && title.is_none() {
            title = Some(block.text().split_whitespace().collect::<Vec<_>>().join(" "));
            record.title_lines = Some(LineRange { first: line, last: line });
        }
        if let Some(level) = level {
            builder.heading_since(start, level);
        }
        builder.end_paragraph();
    }
    if builder.text().trim().is_empty() {
        return Err(Error::Empty);
    }
    record.title = title.or(properties.title).unwrap_or_else(|| stem.to_owned());
    record.authors = properties.authors;
    record.published = properties.created;
    Ok(builder.finish(record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(text: &str) -> Block {
        Block::Paragraph(text.to_owned())
    }

    #[test]
    fn a_printed_title_counts_more_than_the_files_own_and_sections_stand_below_it() {
        let blocks =
            [Block::Title("河边\n的集市".to_owned()), Block::Heading(1, "开头".to_owned()), paragraph(" "), paragraph("一。")];
        let own = Properties { title: Some("old".to_owned()), ..Properties::default() };
        let read = article(&blocks, own, Record::default(), "stem").unwrap();
        assert_eq!((read.record.title.as_str(), read.text.as_str()), ("河边 的集市", "河边\n的集市\n开头\n一。"));
        assert_eq!(read.headings.iter().map(|heading| heading.level).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(read.lines.runs().iter().map(|run| run.1).collect::<Vec<_>>(), [1, 2, 3]);
        let own = Properties { title: Some("own".to_owned()), ..Properties::default() };
        assert_eq!(article(&blocks[1..], own, Record::default(), "stem").unwrap().record.title, "own");
        assert_eq!(article(&blocks[3..], Properties::default(), Record::default(), "stem").unwrap().record.title, "stem");
    }

    #[test]
    fn a_table_that_lays_out_a_page_is_read_cell_by_cell() {
        let cell = |text: &str| BlockCell { blocks: vec![paragraph(text)], columns: 1, rows: 1 };
        let row = |cells: &[&str]| BlockRow { cells: cells.iter().map(|text| cell(text)).collect(), header: false };
        assert_eq!(table(vec![row(&["one"]), row(&["two"])]), [paragraph("one"), paragraph("two")]);
        assert_eq!(table(vec![row(&["Stop", "Visitors"]), row(&["Mill", "3"])])[1], paragraph("Stop: Mill | Visitors: 3"));
    }
}
