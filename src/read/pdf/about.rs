//! What a PDF says of itself: title, authors, the day it was made; only what can be true.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use hayro_interpret::hayro_syntax::metadata::Metadata;

use crate::read::printed::Printed;
use crate::read::properties::{is_title, names_in};

/// Longer titles and lists of authors are something else.
const LONGEST: usize = 200;
/// The first year in which a PDF can have been made.
const FIRST_YEAR: u16 = 1993;

/// A document without pages, with what is known of it.
pub(super) fn about(metadata: &Metadata) -> Printed {
    let text = |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(text).filter(|text| text.chars().count() <= LONGEST);
    let title = text(&metadata.title).filter(|title| is_title(title));
    let authors = text(&metadata.author).map(|names| names_in(&names)).unwrap_or_default();
    let created = metadata.creation_date.filter(|date| date.year >= FIRST_YEAR).and_then(|date| {
        let day =
            jiff::civil::Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
        day.ok().filter(|day| *day <= jiff::Zoned::now().date()).map(|day| day.to_string())
    });
    Printed { title, authors, created, ..Printed::default() }
}

/// A text string of a PDF: UTF-16 or UTF-8 with its mark, else a charset that is Latin-1 where it matters.
fn text(bytes: &[u8]) -> String {
    let decoded = match bytes {
        [0xfe, 0xff, rest @ ..] => UTF_16BE.decode_without_bom_handling(rest).0,
        [0xff, 0xfe, rest @ ..] => UTF_16LE.decode_without_bom_handling(rest).0,
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => std::str::from_utf8(bytes).map_or_else(|_| WINDOWS_1252.decode_without_bom_handling(bytes).0, Into::into),
    };
    let shown: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_string_is_decoded_by_its_mark() {
        assert_eq!(text(b"\xfe\xff\x6c\xb3\x8f\xb9"), "河边");
    }
}
