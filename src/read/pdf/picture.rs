//! A page of a PDF → a picture of it, as SVG: the outlines of its characters, its lines and areas, and grey areas
//! where it shows photographs. Characters of fonts that are not in the file are text, for the viewer's own font. No link,
//! no script.
//!
//! It is drawn here, and not by a library, so that the clock and the picture's size are looked at with every stroke.

mod svg;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{Context, InterpreterCache, TransformExt as _, interpret_page};

use self::svg::Canvas;
use super::{refusal, settings, streams};
use crate::read::{Error, guard};

/// How long one page may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The picture of page `number`, from 1, of the PDF that `bytes` are. Its lengths are points.
///
/// # Errors
/// When the PDF cannot be read, has no such page, or it takes too long or too much to draw.
pub fn page_picture(bytes: &Arc<Vec<u8>>, number: u32) -> Result<String, Error> {
    let bytes = Arc::clone(bytes);
    guard::guarded(LONGEST, move |deadline| draw(bytes, number, deadline))
}

fn draw(bytes: Arc<Vec<u8>>, number: u32, deadline: Instant) -> Result<String, Error> {
    streams::check(&bytes)?;
    let file = Pdf::new(bytes).map_err(refusal)?;
    let page = usize::try_from(number).ok().and_then(|number| file.pages().get(number.checked_sub(1)?));
    let page = page.ok_or_else(|| Error::Damaged(format!("it has no page {number}")))?;
    let (width, height) = page.render_dimensions();
    let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let cache = InterpreterCache::new();
    let mut context = Context::new(page.initial_transform(true).to_kurbo(), area, &cache, file.xref(), settings());
    let mut canvas = Canvas::new(width, height, deadline);
    interpret_page(page, &mut context, &mut canvas);
    canvas.finish()
}
