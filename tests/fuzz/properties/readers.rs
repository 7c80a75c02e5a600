//! Bytes under each file name that is read: no panic; every passage is a part of its article and leads to lines.

use ibid::chunk::{self, Rules};
use ibid::newspaper;
use ibid::read::{self, Bundle, Reading, files};

/// The first byte says which of these the others are.
pub(crate) const NAMES: [&str; 13] =
    ["a.txt", "a.md", "a.html", "a.jsonl", "a.pdf", "a.rtf", "a.xml", "a.csv", "a.json", "a.docx", "a.odt", "a.epub", "a.zip"];

pub(crate) fn hold(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*kind) % NAMES.len()];
    let source = files::source(name.to_owned(), format!("/{name}"), bytes.to_vec());
    if Bundle::is_one(&source) {
        // What is inside is read as it is outside.
        return Bundle::open(&source, 1 << 20).into_iter().flatten().for_each(drop);
    }
    let Ok((reading, _)) = read::read(&source) else { return };
    let articles = match reading {
        Reading::Articles(articles) => articles,
        Reading::Plain(decoded) => vec![read::prose(decoded, "a")],
        Reading::Printed(document) => newspaper::printed_articles(&document, "a").articles,
    };
    let rules = Rules { target_tokens: 20, max_tokens: 40 };
    for article in articles {
        assert!(article.headings.iter().all(|heading| article.quote(heading.span).is_some()));
        for passage in chunk::passages(&article, rules, &|text| text.chars().count()) {
            assert!(article.quote(passage.span).is_some_and(|quote| !quote.trim().is_empty()), "{passage:?}");
            assert!(article.lines.range(passage.span).is_some_and(|lines| lines.first >= 1));
        }
    }
}
