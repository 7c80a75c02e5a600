//! How large a PDF's streams are when they are unpacked: known before the interpreter unpacks them.
//!
//! A stream of a few kilobytes can unpack to gigabytes. Each compressed stream is unpacked here in small steps and only
//! counted. Pictures are not: nothing unpacks them later either. Not counted are LZW and encrypted streams, and page
//! content that says of itself that it is a picture.

use flate2::{Decompress, FlushDecompress, Status};

use crate::read::Error;

/// Bytes that all streams of a file may unpack to. The text of a thousand pages takes about fifty million.
pub(super) const MOST: u64 = 512 << 20;
/// Bytes before a stream in which its dictionary is looked for.
const DICTIONARY: usize = 2048;
/// Bytes that are unpacked at once.
const STEP: usize = 64 << 10;

/// Refuses `bytes` whose streams would unpack to more than [`MOST`].
pub(super) fn check(bytes: &[u8]) -> Result<(), Error> {
    let (mut at, mut total) = (0, 0);
    while let Some(start) = find(bytes, b"stream", at) {
        let body = start + b"stream".len();
        at = body;
        if bytes[..start].ends_with(b"end") {
            continue;
        }
        let dictionary = dictionary(&bytes[start.saturating_sub(DICTIONARY)..start]);
        let filters = count(dictionary, b"/FlateDecode") + count(dictionary, b"/Fl ") + count(dictionary, b"/Fl]");
        if filters > 1 {
            return Err(Error::Damaged("one of its streams is compressed more than once".to_owned()));
        }
        let packed = bytes.get(body..).unwrap_or_default();
        let breaks = packed.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        // By its own first bytes: a dictionary may be long, or write the filter's name in another way.
        if is_zlib(&packed[breaks..]) && !is_image(dictionary) {
            total += unpacked(&packed[breaks..], MOST - total);
        }
        if total >= MOST {
            return Err(Error::TooMany {
                count: MOST.try_into().unwrap_or(usize::MAX),
                what: "bytes when unpacked",
                limit: limit(),
            });
        }
    }
    Ok(())
}

/// Whether a stream begins as zlib's do (RFC 1950, section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// Images are not unpacked: no text is in them.
fn is_image(dictionary: &[u8]) -> bool {
    [b"/Subtype/Image".as_slice(), b"/Subtype /Image"].iter().any(|name| find(dictionary, name, 0).is_some())
}

/// [`MOST`], for messages.
pub(super) fn limit() -> usize {
    usize::try_from(MOST).unwrap_or(usize::MAX)
}

/// The last dictionary in `head`.
fn dictionary(head: &[u8]) -> &[u8] {
    let start = head.windows(4).rposition(|four| four == b" obj" || four == b"\nobj").unwrap_or(0);
    &head[start..]
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

fn count(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|window| *window == wanted).count()
}

/// How many bytes a compressed stream unpacks to, counted up to `most`; what is damaged ends there.
fn unpacked(packed: &[u8], most: u64) -> u64 {
    let mut unpacker = Decompress::new(true);
    let mut buffer = vec![0; STEP];
    while unpacker.total_out() < most {
        let (read, made) = (unpacker.total_in(), unpacker.total_out());
        let rest = usize::try_from(read).ok().and_then(|read| packed.get(read..)).unwrap_or_default();
        match unpacker.decompress(rest, &mut buffer, FlushDecompress::None) {
            Ok(Status::Ok) if unpacker.total_in() > read || unpacker.total_out() > made => {}
            _ => break,
        }
    }
    unpacker.total_out()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_stream_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        let zeros = vec![0; 1 << 20];
        (0..513).for_each(|_| encoder.write_all(&zeros).unwrap());
        let packed = encoder.finish().unwrap();
        let file = |kind: &str| {
            let head = format!("%PDF-1.7\n1 0 obj\n<</Filter/FlateDecode{kind}/Length {}>>\nstream\n", packed.len());
            [head.as_bytes(), &packed, b"\nendstream"].concat()
        };
        for hidden in ["", "/X/Image", &format!("/X({})", "x".repeat(3000))] {
            assert!(matches!(check(&file(hidden)), Err(Error::TooMany { .. })), "{}", hidden.len());
        }
        let renamed = [b"%PDF-1.7\n1 0 obj\n<</Filter/Fl#61teDecode>>\nstream\n".as_slice(), &packed, b"\nendstream"].concat();
        assert!(matches!(check(&renamed), Err(Error::TooMany { .. })));
        assert!(check(&file("/Subtype/Image")).is_ok());
        assert!(matches!(check(&file("/DecodeParms 1 /FlateDecode")), Err(Error::Damaged(_))));
        assert!(check(&file("")[..4000]).is_ok());
    }
}
