//! Text as a newspaper page: no panic; no article is empty, and headings lead to lines.

use ibid::newspaper;
use ibid::read::{self, Reading, files};

pub(crate) fn hold(data: &[u8]) {
    let source = files::source("a.txt".to_owned(), "/a.txt".to_owned(), data.to_vec());
    let Ok((Reading::Plain(decoded), _)) = read::read(&source) else { return };
    // Likeness by length alone: any answer must do.
    let alike = |a: &str, b: &str| if a.len() % 3 == b.len() % 3 { 0.9 } else { 0.1 };
    let Some(page) = newspaper::reconstruct(&decoded, &alike) else { return };
    for article in &page.articles {
        assert!(!article.text.trim().is_empty());
        let spans = article.headings.iter().map(|heading| heading.span);
        for span in spans {
            assert!(article.quote(span).is_some());
            assert!(article.lines.range(span).is_some_and(|lines| lines.first >= 1));
        }
    }
}
