//! PDF: the characters of each page with their places, by the interpreter `hayro`.
//!
//! Nothing is drawn but the picture of a page that is asked for, no script runs, no link or embedded file is followed. Which lines, columns and articles the
//! characters make is for the room `newspaper` to tell.

mod about;
mod characters;
mod glyphs;
mod picture;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, InterpreterWarning, RenderContent, TransformExt as _, interpret_page,
};

use self::glyphs::Collector;
pub use self::picture::page_picture;
use super::guard::{self, LONGEST};
use super::printed::{Printed, PrintedPage};
use super::{Error, Pages};

/// Pages of one file.
const MOST_PAGES: usize = 10_000;
/// Characters of one file: a thousand dense newspaper pages.
const MOST_GLYPHS: usize = 10_000_000;
/// A page with fewer characters that shows a picture is a scan.
const FEWEST: usize = 12;

/// The pages that `bytes` hold, and what could not be used of them.
pub(super) fn printed(bytes: &Arc<Vec<u8>>) -> Result<(Printed, Vec<Error>), Error> {
    let bytes = Arc::clone(bytes);
    guard::guarded(LONGEST, move |deadline| pages(bytes, deadline))
}

fn pages(bytes: Arc<Vec<u8>>, deadline: Instant) -> Result<(Printed, Vec<Error>), Error> {
    streams::check(&bytes)?;
    let file = Pdf::new(bytes).map_err(refusal)?;
    let pages = file.pages();
    if pages.len() > MOST_PAGES {
        return Err(Error::TooMany { count: pages.len(), what: "pages", limit: MOST_PAGES });
    }
    let mut document = about::about(file.metadata());
    let mut sorted = Sorted::default();
    let (mut room, mut unpacked) = (MOST_GLYPHS, 0);
    let cache = InterpreterCache::new();
    for (number, page) in (1_u32..).zip(pages.iter()) {
        guard::check(deadline);
        let (width, height) = page.render_dimensions();
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let settings = settings();
        let mut context = Context::new(page.initial_transform(true).to_kurbo(), area, &cache, file.xref(), settings);
        let mut collector = Collector::new(width, height, room, deadline);
        interpret_page(page, &mut context, &mut collector);
        let Some(found) = collector.finish(number) else {
            return Err(Error::TooMany { count: MOST_GLYPHS + 1, what: "characters", limit: MOST_GLYPHS });
        };
        // The interpreter keeps each page's content, and a thousand pages may name the same.
        unpacked += page.page_stream().map_or(0, <[u8]>::len);
        if unpacked > streams::limit() {
            return Err(Error::TooMany { count: unpacked, what: "bytes on its pages", limit: streams::limit() });
        }
        room -= found.page.glyphs.len();
        document.pages.extend(sorted.take(number, found));
    }
    let broken = sorted.end(&mut document)?;
    Ok((document, broken))
}

/// Pages that cannot be read, and what was left out of the others.
#[derive(Default)]
struct Sorted {
    scans: Vec<u32>,
    unreadable: Vec<u32>,
    turned: Vec<u32>,
    /// Characters at an angle, on pages that are read.
    left_out: usize,
}

impl Sorted {
    /// The page of this number, if it can be read.
    fn take(&mut self, number: u32, found: glyphs::CollectedPage) -> Option<PrintedPage> {
        let glyphs = &found.page.glyphs;
        if glyphs.len() < FEWEST && found.pictures > 0.3 {
            self.scans.push(number);
        } else if glyphs.iter().filter(|glyph| glyph.character == '\u{fffd}').count() * 4 > glyphs.len() {
            self.unreadable.push(number);
        } else if found.turned > glyphs.len() {
            self.turned.push(number);
        } else {
            self.left_out += found.turned;
            return Some(found.page);
        }
        None
    }

    /// What could not be used of `document`.
    ///
    /// # Errors
    /// When nothing of it can be used: why.
    fn end(self, document: &mut Printed) -> Result<Vec<Error>, Error> {
        let Self { scans, unreadable, turned, left_out } = self;
        if left_out > 0 {
            document.notes.push(format!("{left_out} characters that are printed at an angle were left out"));
        }
        let of_kind = |pages: Vec<u32>, error: fn(Pages) -> Error| (!pages.is_empty()).then(|| error(Pages(pages)));
        let kinds = [of_kind(scans, Error::Scan), of_kind(unreadable, Error::NoUnicode), of_kind(turned, Error::Turned)];
        let mut broken: Vec<Error> = kinds.into_iter().flatten().collect();
        if document.pages.iter().any(|page| !page.glyphs.is_empty()) {
            return Ok(broken);
        }
        Err(match broken.len() {
            0 => Error::Empty,
            1 => broken.swap_remove(0),
            _ => Error::Several(broken),
        })
    }
}

/// Only what is on the page: annotations are remarks about it.
fn settings() -> InterpreterSettings {
    let warning_sink = Arc::new(|warning: InterpreterWarning| tracing::debug!(?warning, "reading a PDF"));
    InterpreterSettings { render_content: RenderContent::PAGE, warning_sink, ..InterpreterSettings::default() }
}

fn refusal(error: LoadPdfError) -> Error {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Error::Encrypted,
        LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm) => {
            Error::Damaged("it is encrypted in a way that is not known".to_owned())
        }
        LoadPdfError::Decryption(DecryptionError::MissingIDEntry | DecryptionError::InvalidEncryption) => {
            Error::Damaged("its encryption is broken".to_owned())
        }
        LoadPdfError::Invalid => Error::Damaged("it is no PDF, or its tables are broken".to_owned()),
    }
}
