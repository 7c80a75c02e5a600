//! What a page draws → SVG.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Instant;

use hayro_interpret::font::{Glyph, GlyphRun, OutlineFontData, StandardFont};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect, Shape as _};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, FillRule, Image, ImageDrawProps, Paint, SoftMask, StrokeProps,
};

use crate::read::pdf::characters::characters;
use crate::read::{Error, guard};
use crate::text::is_unspaced;

/// Bytes of one picture.
const LARGEST: usize = 16 << 20;
/// Where a photograph, or a pattern, is shown.
const GREY: &str = "#ccc";

/// A picture as it is drawn.
pub(super) struct Canvas {
    /// Outlines of characters, each once.
    outlines: String,
    body: String,
    known: HashMap<u128, usize>,
    clips: usize,
    /// Groups that are open.
    open: usize,
    size: (f32, f32),
    deadline: Instant,
    full: bool,
}

impl Canvas {
    /// A white page of this size.
    pub(super) fn new(width: f32, height: f32, deadline: Instant) -> Self {
        let (outlines, body, known) = (String::new(), String::new(), HashMap::new());
        Self { outlines, body, known, clips: 0, open: 0, size: (width, height), deadline, full: false }
    }

    /// The picture.
    ///
    /// # Errors
    /// When it is too large.
    pub(super) fn finish(mut self) -> Result<String, Error> {
        if self.full {
            return Err(Error::TooMany { count: LARGEST + 1, what: "bytes in a page's picture", limit: LARGEST });
        }
        self.body.push_str(&"</g>".repeat(self.open));
        let (width, height) = self.size;
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n<defs>{}</defs>\n{}</svg>\n",
            self.outlines, self.body
        ))
    }

    /// Whether there is room to draw more; looks at the clock.
    fn goes_on(&mut self) -> bool {
        guard::check(self.deadline);
        self.full = self.full || self.body.len() + self.outlines.len() > LARGEST;
        !self.full
    }

    fn open(&mut self, attributes: &str) {
        let _ = write!(self.body, "<g{attributes}>");
        self.open += 1;
    }

    fn close(&mut self) {
        if self.open > 0 {
            self.open -= 1;
            self.body.push_str("</g>");
        }
    }

    /// A character of a font that is not in the file, in the viewer's own.
    fn word(&mut self, character: Option<BfString>, transform: Affine, paint: &Paint<'_>) {
        let look = look(&DrawMode::Fill(FillRule::NonZero), paint, transform).unwrap_or_default();
        // Glyphs are a thousand units high, and upside down.
        let place = matrix(transform * Affine::scale_non_uniform(1.0, -1.0));
        for character in characters(character).into_iter().filter(|c| !c.is_control()) {
            let escaped = match character {
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '&' => "&amp;".to_owned(),
                other => other.to_string(),
            };
            let _ = writeln!(self.body, "<text font-size=\"1000\" transform=\"{place}\"{look}>{escaped}</text>");
        }
    }

    /// The number of an outline that is drawn once and used wherever it comes.
    fn outline(&mut self, key: u128, path: &BezPath) -> usize {
        let next = self.known.len();
        let number = *self.known.entry(key).or_insert(next);
        if number == next {
            let _ = write!(self.outlines, "<path id=\"g{number}\" d=\"{}\"/>", data(path, Affine::IDENTITY));
        }
        number
    }
}

/// Whether a run of Chinese, Japanese or Korean characters is drawn with a Latin font, because its own is not in the file.
fn stands_in(run: &GlyphRun<'_, '_>) -> bool {
    let Some(first) = run.glyphs().first() else { return false };
    let Glyph::Outline(drawn) = &**first else { return false };
    let latin = [
        StandardFont::Helvetica,
        StandardFont::HelveticaBold,
        StandardFont::TimesRoman,
        StandardFont::TimesBold,
        StandardFont::Courier,
        StandardFont::CourierBold,
    ];
    let is_latin =
        |data: OutlineFontData| latin.iter().any(|font| font.get_font_data().0.as_ref().as_ref() == data.data.as_ref().as_ref());
    let is_east_asian = |c: &char| is_unspaced(*c) || matches!(u32::from(*c), 0x1100..=0x11ff | 0xac00..=0xd7af);
    let east_asian = run.glyphs().iter().flat_map(|glyph| characters(glyph.as_unicode())).any(|c| is_east_asian(&c));
    east_asian && drawn.font_data().is_none_or(is_latin)
}

/// A path's commands, brought onto the page by `transform`, to a hundredth.
fn data(path: &BezPath, transform: Affine) -> String {
    let mut data = String::new();
    let mut put = |command: char, points: &[Point]| {
        data.push(command);
        for (at, point) in points.iter().enumerate() {
            let Point { x, y } = transform * *point;
            let _ = write!(data, "{}{:.2} {:.2}", if at > 0 { " " } else { "" }, x, y);
        }
    };
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(a) => put('M', &[a]),
            PathEl::LineTo(a) => put('L', &[a]),
            PathEl::QuadTo(a, b) => put('Q', &[a, b]),
            PathEl::CurveTo(a, b, c) => put('C', &[a, b, c]),
            PathEl::ClosePath => put('Z', &[]),
        }
    }
    data
}

/// `transform` as SVG writes it.
fn matrix(transform: Affine) -> String {
    let [xx, yx, xy, yy, dx, dy] = transform.as_coeffs();
    format!("matrix({xx:.5} {yx:.5} {xy:.5} {yy:.5} {dx:.2} {dy:.2})")
}

/// The attributes of what is filled or drawn as a line, whose widths `transform` changes; `None` for what is not seen.
fn look(mode: &DrawMode, paint: &Paint<'_>, transform: Affine) -> Option<String> {
    let (color, opacity) = match paint {
        Paint::Color(color) => {
            let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
            (format!("#{red:02x}{green:02x}{blue:02x}"), f32::from(alpha) / 255.0)
        }
        Paint::Pattern(_) => (GREY.to_owned(), 1.0),
    };
    let fill =
        |rule: &FillRule| format!(" fill=\"{color}\"{}", if *rule == FillRule::EvenOdd { " fill-rule=\"evenodd\"" } else { "" });
    let line = |stroke: &StrokeProps| {
        let width = f64::from(stroke.line_width) * transform.determinant().abs().sqrt();
        format!(" stroke=\"{color}\" stroke-width=\"{:.2}\"", width.max(0.1))
    };
    let look = match mode {
        DrawMode::Fill(rule) => fill(rule),
        DrawMode::Stroke(stroke) => format!(" fill=\"none\"{}", line(stroke)),
        DrawMode::FillAndStroke(rule, stroke) => fill(rule) + &line(stroke),
        DrawMode::Invisible => return None,
    };
    Some(if opacity < 1.0 { format!("{look} opacity=\"{opacity:.2}\"") } else { look })
}

impl<'a> Device<'a> for Canvas {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        if let Some(look) = look(mode, &props.paint, props.transform).filter(|_| self.goes_on()) {
            let _ = writeln!(self.body, "<path d=\"{}\"{look}/>", data(path, props.transform));
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let stands_in = stands_in(run) && !matches!(mode, DrawMode::Invisible);
        for glyph in run.glyphs() {
            if !self.goes_on() {
                return;
            }
            match &**glyph {
                Glyph::Outline(_) if stands_in => {
                    self.word(glyph.as_unicode(), props.transform * glyph.transform(), &props.paint);
                }
                Glyph::Outline(drawn) => {
                    // Outlines are scaled whole: lines around them, as wide as they say, would be too.
                    let filled = if matches!(mode, DrawMode::Stroke(_) | DrawMode::FillAndStroke(..)) {
                        DrawMode::Fill(FillRule::NonZero)
                    } else {
                        mode.clone()
                    };
                    let Some(look) = look(&filled, &props.paint, props.transform) else { return };
                    let number = self.outline(drawn.identifier().cache_key(), &drawn.outline());
                    let place = matrix(props.transform * glyph.transform());
                    let _ = writeln!(self.body, "<use href=\"#g{number}\" transform=\"{place}\"{look}/>");
                }
                Glyph::Type3(drawn) => drawn.interpret(self, props.transform, glyph.transform(), &props.paint),
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        if self.goes_on() {
            let area = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height())).to_path(0.1);
            let _ = writeln!(self.body, "<path d=\"{}\" fill=\"{GREY}\"/>", data(&area, props.transform));
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        if !self.goes_on() {
            return self.open("");
        }
        let number = self.clips;
        self.clips += 1;
        let rule = if clip.fill == FillRule::EvenOdd { " clip-rule=\"evenodd\"" } else { "" };
        let path = data(&clip.path, Affine::IDENTITY);
        let _ = write!(self.body, "<clipPath id=\"c{number}\"><path d=\"{path}\"{rule}/></clipPath>");
        self.open(&format!(" clip-path=\"url(#c{number})\""));
    }

    fn push_transparency_group(&mut self, opacity: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        guard::check(self.deadline);
        self.open(&if opacity < 1.0 { format!(" opacity=\"{opacity:.2}\"") } else { String::new() });
    }

    fn pop_clip(&mut self) {
        self.close();
    }

    fn pop_transparency_group(&mut self) {
        self.close();
    }
}
