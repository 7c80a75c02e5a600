//! What a PDF says of itself: title, authors, the day it was made; only what can be true.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use hayro_interpret::hayro_syntax::metadata::Metadata;

use crate::read::printed::Printed;

/// Longer titles and lists of authors are something else.
const LONGEST: usize = 200;
/// The first year in which a PDF can have been made.
const FIRST_YEAR: u16 = 1993;

/// A document without pages, with what is known of it.
pub(super) fn about(metadata: &Metadata) -> Printed {
    let text = |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(text).filter(|text| text.chars().count() <= LONGEST);
    let title = text(&metadata.title).filter(|title| is_title(title));
    let authors = text(&metadata.author).map(|names| authors(&names)).unwrap_or_default();
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

/// Whether it is a title, and not what a program fills in where nobody has written one.
fn is_title(text: &str) -> bool {
    let lower = text.to_lowercase();
    let file = [".doc", ".docx", ".indd", ".qxd", ".tex", ".dvi", ".pdf", ".odt", ".wps", ".ppt", ".pptx", ".xls", ".html"];
    let filler =
        ["untitled", "microsoft word", "microsoft powerpoint", "about:blank", "document", "无标题", "未命名", "幻灯片", "title"];
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 2
        && !file.iter().any(|end| lower.ends_with(end))
        && !filler
            .iter()
            .any(|word| lower == *word || lower.starts_with(&format!("{word} ")) || lower.starts_with(&format!("{word}-")))
}

fn authors(names: &str) -> Vec<String> {
    let filler = [
        "user",
        "admin",
        "administrator",
        "owner",
        "author",
        "unknown",
        "anonymous",
        "root",
        "windows user",
        "作者",
        "用户",
        "微软用户",
    ];
    let parts = names.split([';', '、', '，', ',', '；']).flat_map(|part| part.split(" and ")).map(str::trim);
    let real = parts.filter(|name| name.chars().filter(|c| c.is_alphabetic()).count() >= 2);
    real.filter(|name| !filler.contains(&name.to_lowercase().as_str())).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_programs_fill_in_are_none() {
        assert!(is_title("河边的集市") && is_title("A Report on Ferries"));
        for filler in ["Microsoft Word - report.doc", "untitled", "Untitled 1", "report.indd", "--", "幻灯片 1"] {
            assert!(!is_title(filler), "{filler}");
        }
        assert_eq!(authors("Administrator"), Vec::<String>::new());
        assert_eq!(authors("Ada Lin and Bo Chen; 周一"), ["Ada Lin", "Bo Chen", "周一"]);
        assert_eq!(text(b"\xfe\xff\x6c\xb3\x8f\xb9"), "河边");
    }
}
