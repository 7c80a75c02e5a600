//! A web page's tables: each row of data is a block of its own; a table that lays out a page is taken apart.

use super::html_blocks::Block;
use super::table::{self, Cell, Row};

/// A table while its tags are read.
#[derive(Default)]
pub(super) struct OpenTable {
    /// What stands in no cell: its caption.
    outside: Vec<Block>,
    rows: Vec<OpenRow>,
    /// Another table stands in one of its cells, or a heading.
    lays_out: bool,
}

#[derive(Default)]
struct OpenRow {
    in_head: bool,
    cells: Vec<OpenCell>,
}

struct OpenCell {
    is_header: bool,
    columns: usize,
    rows: usize,
    blocks: Vec<Block>,
}

impl OpenTable {
    /// A row begins.
    pub(super) fn open_row(&mut self, in_head: bool) {
        self.rows.push(OpenRow { in_head, cells: Vec::new() });
    }

    /// A cell begins.
    pub(super) fn open_cell(&mut self, is_header: bool, columns: usize, rows: usize) {
        if self.rows.is_empty() {
            self.open_row(false);
        }
        if let Some(row) = self.rows.last_mut() {
            row.cells.push(OpenCell { is_header, columns, rows, blocks: Vec::new() });
        }
    }

    /// Takes a block that is read.
    pub(super) fn take(&mut self, block: Block) {
        self.lays_out |= block.heading.is_some() || block.is_row;
        match self.rows.last_mut().and_then(|row| row.cells.last_mut()) {
            Some(cell) => cell.blocks.push(block),
            None => self.outside.push(block),
        }
    }

    /// Its blocks in reading order.
    pub(super) fn blocks(self) -> Vec<Block> {
        let Self { outside, rows, lays_out } = self;
        let plain: Vec<Row> = rows.iter().map(OpenRow::plain).collect();
        let mut blocks = outside;
        if lays_out || !table::is_data(&plain) {
            blocks.extend(rows.into_iter().flat_map(|row| row.cells).flat_map(|cell| cell.blocks));
            return blocks;
        }
        // What holds for one block of a table holds for all: where it stands, and how much of it are links.
        let all = || rows.iter().flat_map(|row| &row.cells).flat_map(|cell| &cell.blocks);
        let Some(first) = all().next() else { return blocks };
        let is_mostly_links = all().map(|block| block.link_chars).sum::<usize>() * 2 > all().map(Block::length).sum();
        let like = Block { pieces: vec![], heading: None, link_chars: 0, is_row: true, ..first.clone() };
        for pieces in table::lines(&plain) {
            let mut row = Block { pieces, ..like.clone() };
            row.link_chars = if is_mostly_links { row.length() } else { 0 };
            blocks.push(row);
        }
        blocks
    }
}

impl OpenRow {
    fn plain(&self) -> Row {
        let header = self.in_head || (!self.cells.is_empty() && self.cells.iter().all(|cell| cell.is_header));
        Row { cells: self.cells.iter().map(OpenCell::plain).collect(), header }
    }
}

impl OpenCell {
    fn plain(&self) -> Cell {
        let words: Vec<String> = self.blocks.iter().map(Block::text).collect();
        let line = self.blocks.first().and_then(|block| block.pieces.first()).map_or(0, |piece| piece.1);
        Cell { text: words.join(" "), line, columns: self.columns, rows: self.rows }
    }
}
