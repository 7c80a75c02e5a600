//! Bytes → characters: which charset a source is written in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

use super::Error;

/// A decoded source. Line breaks are `\n`, whatever they were.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// The charset's name.
    pub encoding: &'static str,
    /// What was doubtful.
    pub notes: Vec<String>,
}

/// Decodes `bytes`: a byte order mark decides, then valid UTF-8, then what the
/// file declares if that fits, then the detector.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>) -> Result<Decoded, Error> {
    let mut notes = Vec::new();
    let (encoding, body) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, &bytes[mark..]),
        None => (guess(bytes, declared, &mut notes)?, bytes),
    };
    let (text, _) = encoding.decode_without_bom_handling(body);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    if is_binary(&text) {
        return Err(Error::Binary);
    }
    notes.extend(replacements(&text));
    Ok(Decoded { text, encoding: encoding.name(), notes })
}

fn guess(bytes: &[u8], declared: Option<&str>, notes: &mut Vec<String>) -> Result<&'static Encoding, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Ok(UTF_8);
    }
    if let Some(encoding) = wide(bytes) {
        return Ok(encoding);
    }
    if bytes.contains(&0) {
        return Err(Error::Binary);
    }
    let detected = detect(bytes);
    let Some(label) = declared else { return Ok(detected) };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if damage(encoding, bytes) <= damage(detected, bytes) => Ok(encoding),
        _ => {
            notes.push(format!("declares charset `{label}`, which does not fit; read as {}", detected.name()));
            Ok(detected)
        }
    }
}

/// The detector's choice, unless UTF-8 with a few broken bytes explains the file better.
fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guessed = detector.guess(None, Utf8Detection::Deny);
    // GB18030 is a superset of what the detector calls GBK.
    let guessed = if guessed == GBK { GB18030 } else { guessed };
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let broken = damage(UTF_8, bytes);
    // A text in another charset breaks UTF-8 at nearly every foreign character.
    if broken * 20 < foreign || (guessed != GB18030 && guessed != BIG5 && broken * 4 < damage(guessed, bytes)) {
        UTF_8
    } else {
        guessed
    }
}

fn damage(encoding: &'static Encoding, bytes: &[u8]) -> usize {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    text.matches('\u{fffd}').count()
}

/// UTF-16 without a mark: line breaks, spaces and digits leave zero bytes on one side.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let plausible = |encoding: &'static Encoding| {
        let (text, broken) = encoding.decode_without_bom_handling(bytes);
        let odd = |c: char| c == '\0' || (c.is_control() && !c.is_whitespace()) || ('\u{e000}'..='\u{f8ff}').contains(&c);
        !broken && text.contains(['\n', ' ', '。', '，']) && !text.contains(odd)
    };
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if even + odd == 0 {
        return None;
    }
    [UTF_16LE, UTF_16BE]
        .into_iter()
        .filter(|encoding| plausible(encoding))
        .max_by_key(|encoding| if *encoding == UTF_16LE { odd } else { even })
}

/// Control characters do not occur in text, but for white space and a few of old printers.
fn is_binary(text: &str) -> bool {
    let (mut controls, mut all) = (0_usize, 0_usize);
    for character in text.chars().take(65_536) {
        all += 1;
        let harmless = character.is_whitespace() || character == '\u{1b}' || character == '\u{1a}';
        controls += usize::from(character == '\0' || (character.is_control() && !harmless));
    }
    controls * 50 > all
}

/// One note a line for the first lines that hold what could not be decoded.
fn replacements(text: &str) -> Vec<String> {
    const NAMED: usize = 5;
    let lines: Vec<usize> =
        (1..).zip(text.split('\n')).filter(|(_, line)| line.contains('\u{fffd}')).map(|(number, _)| number).collect();
    let mut notes: Vec<String> =
        lines.iter().take(NAMED).map(|line| format!("line {line}: a character could not be decoded")).collect();
    if lines.len() > NAMED {
        notes.push(format!("{} more lines hold characters that could not be decoded", lines.len() - NAMED));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTENCE: &str = "城市更新不是推倒重来，而是在原有的街巷里慢慢修补。\n居民们说，这样的改造让人安心。\n";
    const TRADITIONAL: &str = "城市更新不是推倒重來，而是在原有的街巷裡慢慢修補。\n居民們說，這樣的改造讓人安心。\n";

    #[test]
    fn every_charset_gives_the_same_text() {
        let utf16 = |big: bool, mark: bool| {
            let units = SENTENCE.encode_utf16();
            let bytes = units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
            let head: &[u8] = match (mark, big) {
                (false, _) => &[],
                (true, true) => &[0xfe, 0xff],
                (true, false) => &[0xff, 0xfe],
            };
            head.iter().copied().chain(bytes).collect::<Vec<u8>>()
        };
        let rows = [
            (SENTENCE.as_bytes().to_vec(), "UTF-8"),
            ([b"\xef\xbb\xbf", SENTENCE.as_bytes()].concat(), "UTF-8"),
            (GB18030.encode(SENTENCE).0.into_owned(), "gb18030"),
            (utf16(false, true), "UTF-16LE"),
            (utf16(true, true), "UTF-16BE"),
            (utf16(false, false), "UTF-16LE"),
            (utf16(true, false), "UTF-16BE"),
        ];
        for (bytes, name) in rows {
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.encoding), (SENTENCE, name));
            assert_eq!(decoded.notes, Vec::<String>::new(), "{name}");
        }
        let decoded = decode(&BIG5.encode(TRADITIONAL).0, None).unwrap();
        assert_eq!((decoded.text.as_str(), decoded.encoding), (TRADITIONAL, "Big5"));
    }

    #[test]
    fn a_wrong_declaration_loses_to_the_bytes_and_is_noted() {
        let bytes = GB18030.encode(SENTENCE).0;
        let decoded = decode(&bytes, Some("utf-8")).unwrap();
        assert_eq!(decoded.text, SENTENCE);
        assert_eq!(decoded.notes, ["declares charset `utf-8`, which does not fit; read as gb18030"]);
        assert_eq!(decode(SENTENCE.as_bytes(), Some("gbk")).unwrap().text, SENTENCE);
    }

    #[test]
    fn a_broken_byte_is_a_warning_with_its_line() {
        let mut bytes = format!("{}\n", SENTENCE.repeat(3)).into_bytes();
        let second = SENTENCE.find("居民").unwrap();
        bytes[second] = 0xff;
        let decoded = decode(&bytes, None).unwrap();
        assert_eq!(decoded.encoding, "UTF-8");
        assert_eq!(decoded.notes, ["line 2: a character could not be decoded"]);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert!(matches!(decode(b"", None), Err(Error::Empty)));
        assert!(matches!(decode(b"\xef\xbb\xbf \n", None), Err(Error::Empty)));
        assert!(matches!(decode(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\xff\xfe", None), Err(Error::Binary)));
    }
}
