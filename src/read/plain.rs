//! Plain prose: the text stays as it is.

use super::Decoded;
use crate::article::{Article, Builder, Record};

/// The article that plain prose is: untouched but for surrounding blank lines.
///
/// A first line that stands alone, short and without a full stop, is the title;
/// it stays in the text, as its first heading.
pub fn prose(decoded: Decoded, stem: &str) -> Article {
    let mut builder = Builder::default();
    let skipped = decoded.text.len() - decoded.text.trim_start_matches(['\n', ' ', '\t', '\u{3000}']).len();
    // Only whole blank lines are dropped at the head.
    let head = decoded.text[..skipped].rfind('\n').map_or(0, |at| at + 1);
    let first_line = decoded.text[..head].matches('\n').count() + 1;
    builder.push_lines(&decoded.text[head..], u32::try_from(first_line).unwrap_or(u32::MAX));
    let title_line = builder.text().split('\n').next().unwrap_or_default();
    let indent = title_line.len() - title_line.trim_start().len();
    let title = title_line.trim().to_owned();
    let titled = is_title(&title) && builder.text().trim().len() > title.len();
    let mut article = builder.finish(Record {
        title: if titled { title.clone() } else { stem.to_owned() },
        encoding: decoded.encoding.to_owned(),
        notes: decoded.notes,
        ..Record::default()
    });
    if titled {
        let span = crate::article::Span::new(indent, indent + title.len());
        article.record.title_lines = article.lines.range(span);
        article.headings.push(crate::article::Heading { level: 1, span });
    }
    article
}

fn is_title(line: &str) -> bool {
    let length = line.chars().count();
    (1..=60).contains(&length) && !line.ends_with(['。', '.', '，', ',', '；', ';', '：', ':', '、'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, title: &str) {
        let decoded = Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] };
        let article = prose(decoded, "stem");
        assert_eq!(article.text.trim(), text.trim());
        assert_eq!(article.record.title, title);
    }

    #[test]
    fn prose_stays_untouched_and_its_first_line_may_be_its_title() {
        check("A walk by the river\n\nIt rained.\nWe went on.\n", "A walk by the river");
        check("\n\n  It rained. We went on.\n", "stem");
        check("只有一行", "stem");
    }
}
