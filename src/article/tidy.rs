//! What is known of an article beside its text is a line each, of bounded length, and its address one of the web.
//!
//! It reaches terminals, bibliographies and pages, where a line break would begin another entry and a control
//! character moves the cursor. Every way in leads through here.

use super::{Article, Record};

/// Characters that a title may have.
pub const LONGEST_TITLE: usize = 1000;
/// Characters that each author, and an affiliation, may have.
pub const LONGEST_NAME: usize = 500;
/// Authors that an article may have.
pub const MOST_AUTHORS: usize = 200;
/// Characters that an address may have.
pub const LONGEST_URL: usize = 2000;
/// Characters of a title that is made from the text.
const OPENING: usize = 24;

/// Whether `c` would end a line, move a cursor or turn the reading order.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` as one line: what would end it, move a cursor or turn the reading order is a space.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_control(c) {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.trim().to_owned()
}

/// Whether `text` is an address of the web: `http` or `https`, and nothing in it that an address cannot hold.
pub fn is_web_address(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    let rest = ["http://", "https://"].into_iter().find(|scheme| begins(scheme)).map(|scheme| &text[scheme.len()..]);
    let unfit = |c: char| is_control(c) || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\' | '`' | '{' | '}');
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(unfit))
}

/// `text` as one line of at most `longest` characters; notes what was cut off.
fn bounded(text: &str, longest: usize, name: &str, notes: &mut Vec<String>) -> String {
    let line = one_line(text);
    if line.chars().count() <= longest {
        return line;
    }
    notes.push(format!("`{name}` had more than {longest} characters, and was cut"));
    let head: String = line.chars().take(longest - 1).collect();
    format!("{head}…")
}

impl Article {
    /// Makes its record lines of bounded length. What is left out or cut is noted, and a title that says nothing is
    /// made from the first words.
    pub fn tidy(&mut self) {
        let Record { key, title, authors, affiliation, url, notes, .. } = &mut self.record;
        let mut told = Vec::new();
        *title = bounded(title, LONGEST_TITLE, "title", &mut told);
        if title.is_empty() {
            *title = opening(&self.text);
        }
        if authors.len() > MOST_AUTHORS {
            told.push(format!("there were more than {MOST_AUTHORS} authors, and the rest was left out"));
            authors.truncate(MOST_AUTHORS);
        }
        for author in &mut *authors {
            *author = bounded(author, LONGEST_NAME, "author", &mut told);
        }
        authors.retain(|author| !author.is_empty());
        *affiliation = affiliation.take().map(|text| bounded(&text, LONGEST_NAME, "affiliation", &mut told));
        *key = key.take().map(|key| one_line(&key));
        if let Some(address) = url.take_if(|address| !is_web_address(address) || address.chars().count() > LONGEST_URL) {
            let shown: String = one_line(&address).chars().take(100).collect();
            told.push(format!("`url` is no address of the web, and was left out: `{shown}`"));
        }
        *notes = notes.iter().map(|note| bounded(note, LONGEST_TITLE, "note", &mut vec![])).collect();
        notes.extend(told.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
    }
}

/// The first words of a text, for a title where it has none: its first sentence, or as much of it as a title holds.
pub fn opening(text: &str) -> String {
    let line = one_line(text.trim().lines().next().unwrap_or_default());
    let mut head = String::new();
    for c in line.chars().take(OPENING) {
        head.push(c);
        if matches!(c, '。' | '！' | '？' | '!' | '?' | '…') {
            return head;
        }
    }
    if head.is_empty() || head.len() < line.len() {
        head.push('…');
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Builder;

    #[test]
    fn a_line_holds_nothing_that_ends_it() {
        for (text, expected) in [
            ("a\r\nb\u{1b}[31m\0c", "a b [31m c"),
            (" \u{202e}x\u{2028}y\t", "x y"),
            ("把强省会　战略", "把强省会　战略"),
            ("\n\n", ""),
        ] {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_such() {
        for (text, expected) in [
            ("https://example.org/a?b=c#d", true),
            ("HTTP://example.org", true),
            ("https://例子.测试/路", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://", false),
            ("https:///x", false),
            ("https://a/\nTY  - BOOK", false),
            ("https://a/ b", false),
            (" https://a/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_web_address(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_record_is_tidied_once_and_for_all() {
        let mut builder = Builder::default();
        builder.push("First words of it.\nMore.", 1);
        let mut article = builder.finish(Record {
            title: "\n\0".to_owned(),
            authors: vec!["A\nB".to_owned(), "\u{1b}".to_owned(), "x".repeat(600)],
            url: Some("javascript:alert(1)".to_owned()),
            ..Record::default()
        });
        article.tidy();
        let record = article.record.clone();
        assert_eq!((record.title.as_str(), record.url.as_ref(), record.authors.len()), ("First words of it.", None, 2));
        assert!(record.authors[0] == "A B" && record.authors[1].chars().count() == LONGEST_NAME, "{record:?}");
        assert_eq!(record.notes.len(), 2, "{record:?}");
        article.tidy();
        assert_eq!(article.record, record);
    }
}
