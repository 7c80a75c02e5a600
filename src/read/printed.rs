//! What a printed document gives before its layout is understood: characters with their places.
//!
//! Lengths are in PDF points (1/72 inch). The origin is the top left corner of the page as it is shown, y grows
//! downwards.

/// A document of pages.
#[derive(Debug, Default)]
pub struct Printed {
    /// Its pages, in order.
    pub pages: Vec<PrintedPage>,
    /// Title in the file's own metadata, where it can be one.
    pub title: Option<String>,
    /// Authors in the file's own metadata, where they can be some.
    pub authors: Vec<String>,
    /// When the file was made, `YYYY-MM-DD`.
    pub created: Option<String>,
    /// What was doubtful.
    pub notes: Vec<String>,
}

/// One page.
#[derive(Debug, Default)]
pub struct PrintedPage {
    /// Its number, from 1.
    pub number: u32,
    /// Its width.
    pub width: f32,
    /// Its height.
    pub height: f32,
    /// Whether its lines run from top to bottom, and follow each other from right to left.
    pub vertical: bool,
    /// Its characters, in the order in which the file draws them.
    pub glyphs: Vec<Glyph>,
    /// Lines drawn on it: rules between columns or articles, and the sides of frames.
    pub rules: Vec<Rule>,
}

/// One character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// What it says; `U+FFFD` where the file does not tell.
    pub character: char,
    /// Left border of its box.
    pub x0: f32,
    /// Upper border.
    pub y0: f32,
    /// Right border.
    pub x1: f32,
    /// Lower border.
    pub y1: f32,
    /// Its font's size.
    pub size: f32,
    /// Whether its font is bold.
    pub bold: bool,
}

/// A straight line, horizontal or vertical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Left end.
    pub x0: f32,
    /// Upper end.
    pub y0: f32,
    /// Right end.
    pub x1: f32,
    /// Lower end.
    pub y1: f32,
}

impl Rule {
    /// Whether it runs from left to right.
    pub fn is_horizontal(self) -> bool {
        self.x1 - self.x0 >= self.y1 - self.y0
    }
}
