//! What a page draws → its characters, their boxes, and the rules between them.

use std::collections::HashMap;
use std::time::Instant;

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::WritingMode;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect, Shape as _};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

use super::characters::{characters, is_radical, modern};
use crate::read::guard;
use crate::read::printed::{Glyph, PrintedPage, Rule};

/// How far a box reaches above and below the baseline, in parts of the font's size.
const ASCENT: f64 = 0.88;
const DESCENT: f64 = 0.22;
/// A line thinner than this is a rule.
const THIN: f64 = 3.0;
/// A rule is at least so long.
const SHORTEST: f64 = 24.0;
/// Rules of one page that are kept: a drawing has many more, and says nothing about columns.
const MOST_RULES: usize = 2000;
/// Characters between two looks at the clock.
const UNWATCHED: usize = 1024;

/// Collects what a page draws.
pub(super) struct Collector {
    page: PrintedPage,
    /// Characters that run downwards, turned by a right angle: Latin words in vertical lines.
    downwards: Vec<Glyph>,
    turned: usize,
    pictures: f64,
    /// Where characters stand already, in whole points.
    seen: HashMap<(char, i32, i32), [f32; 2]>,
    room: usize,
    full: bool,
    deadline: Instant,
    drawn: usize,
    /// Places of characters that the file calls radicals.
    radicals: Vec<usize>,
}

/// What was found on a page.
pub(super) struct CollectedPage {
    pub(super) page: PrintedPage,
    /// Characters left out because they are printed at an angle.
    pub(super) turned: usize,
    /// The part of the page that pictures cover, at most 1 for each.
    pub(super) pictures: f64,
}

impl Collector {
    /// For a page of this size, of which at most `room` characters are taken.
    pub(super) fn new(width: f32, height: f32, room: usize, deadline: Instant) -> Self {
        Self {
            page: PrintedPage { width, height, ..PrintedPage::default() },
            downwards: Vec::new(),
            turned: 0,
            pictures: 0.0,
            seen: HashMap::new(),
            room,
            full: false,
            deadline,
            drawn: 0,
            radicals: Vec::new(),
        }
    }

    /// What was found; `None` when there was no room for it.
    pub(super) fn finish(mut self, number: u32) -> Option<CollectedPage> {
        self.page.number = number;
        modern(&mut self.page.glyphs, &self.radicals);
        self.page.vertical = is_vertical(&self.page.glyphs);
        if self.page.vertical {
            self.page.glyphs.append(&mut self.downwards);
        }
        let turned = self.turned + self.downwards.len();
        (!self.full).then_some(CollectedPage { page: self.page, turned, pictures: self.pictures })
    }

    /// The clock is looked at now and then, whatever is drawn.
    fn tick(&mut self, count: usize) {
        self.drawn += count;
        if self.drawn >= UNWATCHED {
            self.drawn = 0;
            guard::check(self.deadline);
        }
    }

    fn take(&mut self, glyph: Glyph, downwards: bool) {
        let on_page = glyph.x1 > 0.0 && glyph.y1 > 0.0 && glyph.x0 < self.page.width && glyph.y0 < self.page.height;
        if !on_page || glyph.size < 1.0 || self.is_double(&glyph) {
            return;
        }
        if self.page.glyphs.len() + self.downwards.len() >= self.room {
            self.full = true;
            return;
        }
        if downwards {
            self.downwards.push(glyph);
        } else {
            if is_radical(glyph.character) {
                self.radicals.push(self.page.glyphs.len());
            }
            self.page.glyphs.push(glyph);
        }
    }

    /// Whether the same character stands there already: bold type and shadows are often made by drawing twice.
    #[expect(clippy::cast_possible_truncation, reason = "a place on a page, in whole points")]
    fn is_double(&mut self, glyph: &Glyph) -> bool {
        let (x, y) = (glyph.x0 as i32, glyph.y0 as i32);
        let near = glyph.size * 0.2;
        let cells = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| (glyph.character, x, y)));
        let is_near = |place: &[f32; 2]| (place[0] - glyph.x0).abs() < near && (place[1] - glyph.y0).abs() < near;
        if cells.filter_map(|cell| self.seen.get(&cell)).any(is_near) {
            return true;
        }
        self.seen.insert((glyph.character, x, y), [glyph.x0, glyph.y0]);
        false
    }

    fn rule(&mut self, area: Rect) {
        let (width, height) = (area.width(), area.height());
        let is_rule = (height < THIN && width >= SHORTEST) || (width < THIN && height >= SHORTEST);
        if is_rule && self.page.rules.len() < MOST_RULES {
            let [x0, y0, x1, y1] = [area.x0, area.y0, area.x1, area.y1].map(narrow);
            self.page.rules.push(Rule { x0, y0, x1, y1 });
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a length on a page")]
fn narrow(length: f64) -> f32 {
    length as f32
}

/// Whether most characters stand below the one before them.
fn is_vertical(glyphs: &[Glyph]) -> bool {
    let (mut down, mut right) = (0, 0);
    for pair in glyphs.windows(2) {
        let (size, dx, dy) = (pair[0].size, pair[1].x0 - pair[0].x0, pair[1].y1 - pair[0].y1);
        down += usize::from(dx.abs() < size * 0.5 && dy > size * 0.4 && dy < size * 1.6);
        right += usize::from(dy.abs() < size * 0.3 && dx > 0.0 && dx < size * 2.0);
    }
    down > right
}

/// How a character stands on the page.
struct Placement {
    origin: Point,
    size: f64,
    /// Its advance along its line.
    advance: f64,
    downwards: bool,
}

impl Placement {
    /// Of a character that `transform` brings onto the page; `None` when it stands at an angle.
    fn of(transform: Affine, advance: f64) -> Option<Self> {
        let [a, b, c, d, ..] = transform.as_coeffs();
        let origin = transform * Point::ZERO;
        let (along, size) = (a.hypot(b) * advance, c.hypot(d) * 1000.0);
        if a > 0.0 && d < 0.0 && b.abs() < a * 0.05 {
            return Some(Self { origin, size, advance: along, downwards: false });
        }
        let downwards = b > 0.0 && c > 0.0 && a.abs() < b * 0.05;
        downwards.then_some(Self { origin, size, advance: along, downwards })
    }

    /// The box of part `at` of `parts`: a glyph can stand for several characters.
    fn glyph(&self, character: char, at: usize, parts: usize) -> Glyph {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let share = |place: usize| self.advance * place as f64 / parts as f64;
        let (from, to) = (share(at), share(at + 1));
        let Point { x, y } = self.origin;
        let [x0, y0, x1, y1] = if self.downwards {
            [x - DESCENT * self.size, y + from, x + ASCENT * self.size, y + to]
        } else {
            [x + from, y - ASCENT * self.size, x + to, y + DESCENT * self.size]
        };
        Glyph { character, x0: narrow(x0), y0: narrow(y0), x1: narrow(x1), y1: narrow(y1), size: narrow(self.size), bold: false }
    }
}

impl<'a> Device<'a> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let glyphs = run.glyphs();
        self.tick(glyphs.len() + 1);
        let is_bold = |weight: u32| weight >= 600;
        let data = glyphs.first().and_then(|glyph| match &**glyph {
            Drawn::Outline(outline) => outline.font_data(),
            Drawn::Type3(_) => None,
        });
        let bold = data.is_some_and(|data| {
            let named = data.postscript_name.as_deref().is_some_and(|name| name.contains("Bold") || name.contains("Black"));
            named || data.weight.is_some_and(is_bold)
        });
        for glyph in glyphs {
            let advance = match &**glyph {
                // Its advance is downwards; across the line a character is as wide as the font is large.
                _ if run.writing_mode() == WritingMode::Vertical => None,
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(drawn) => drawn.advance_width(),
            };
            let parts = characters(glyph.as_unicode());
            let placement = Placement::of(props.transform * glyph.transform(), f64::from(advance.unwrap_or(1000.0)));
            let Some(placement) = placement else {
                self.turned += parts.len();
                continue;
            };
            for (at, character) in parts.iter().enumerate().filter(|(_, c)| !c.is_control()) {
                let glyph = Glyph { bold, ..placement.glyph(*character, at, parts.len()) };
                self.take(glyph, placement.downwards);
            }
        }
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.tick(1);
        let path = props.transform * path.clone();
        let area = path.bounding_box();
        if matches!(mode, DrawMode::Fill(_)) || area.width() < THIN || area.height() < THIN {
            return self.rule(area);
        }
        // A frame, drawn as a line: each side is a rule.
        let mut last = Point::ZERO;
        for element in path.elements().iter().take(64) {
            if let PathEl::LineTo(to) = element {
                self.rule(Rect::from_points(last, *to));
            }
            if let PathEl::MoveTo(to) | PathEl::LineTo(to) = element {
                last = *to;
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.tick(UNWATCHED / 16);
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let area = props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, width, height));
        let page = Rect::new(0.0, 0.0, f64::from(self.page.width), f64::from(self.page.height));
        self.pictures += (area.intersect(page).area() / page.area().max(1.0)).clamp(0.0, 1.0);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.tick(1);
    }
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.tick(1);
    }
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
