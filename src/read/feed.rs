//! RSS and Atom: an article for each entry.
//!
//! No link is followed: what an entry says is what stands in the file.

use super::columns::names;
use super::html_blocks;
use super::line_starts::LineStarts;
use super::xml::{self, Element};
use super::{Error, date};
use crate::article::{Article, Builder, Record};

/// The articles, and an error for each entry without text.
///
/// # Errors
/// When it is no XML, or XML of another kind.
pub(super) fn articles(text: &str) -> Result<(Vec<Article>, Vec<Error>), Error> {
    let tree = xml::parse(text)?;
    let root = tree.elements().next().ok_or(Error::Empty)?;
    let entries = match root.name() {
        "rss" | "RDF" => root.all("item"),
        "feed" => root.all("entry"),
        _ => return Err(Error::NoArticles),
    };
    let starts = LineStarts::of(text);
    let (mut articles, mut errors) = (Vec::new(), Vec::new());
    for entry in entries {
        match article(entry, text, &starts) {
            Some(article) => articles.push(article),
            None => errors.push(Error::Line { line: starts.line(entry.inside.start), reason: "has no text".to_owned() }),
        }
    }
    if articles.is_empty() && errors.is_empty() { Err(Error::Empty) } else { Ok((articles, errors)) }
}

fn article(entry: &Element<'_>, text: &str, starts: &LineStarts) -> Option<Article> {
    // The whole text, else what stands for it.
    let body = ["encoded", "content", "description", "summary"]
        .into_iter()
        .find_map(|name| entry.elements().find(|element| element.name() == name && !element.raw_text().trim().is_empty()))?;
    let mut builder = Builder::default();
    let first = starts.line(body.inside.start);
    for block in html_blocks::blocks(&html(body, text)).blocks {
        let start = builder.position();
        for (piece, line) in &block.pieces {
            builder.push(piece, first + line - 1);
        }
        if let Some(level) = block.heading {
            builder.heading_since(start, level);
        }
        builder.end_paragraph();
    }
    if builder.text().trim().is_empty() {
        return None;
    }
    let said =
        |names: &[&str]| names.iter().find_map(|name| entry.child(name)).map(Element::text).filter(|text| !text.is_empty());
    let link = || entry.elements().filter(|element| element.name() == "link");
    let address = link().find(|link| link.attribute("rel").is_none_or(|rel| rel == "alternate"));
    Some(builder.finish(Record {
        key: said(&["guid", "id"]),
        title: said(&["title"]).map(|title| bare(&title)).unwrap_or_default(),
        authors: authors(entry),
        published: said(&["pubDate", "published", "updated", "date"]).and_then(|text| day(&text)),
        url: address.map(|link| link.attribute("href").unwrap_or_else(|| link.text())),
        encoding: "XML".to_owned(),
        ..Record::default()
    }))
}

/// What an element holds, as HTML.
fn html(body: &Element<'_>, text: &str) -> String {
    if body.elements().next().is_some() {
        return text.get(body.inside.clone()).unwrap_or_default().to_owned();
    }
    let words = body.raw_text();
    // In Atom, what is no HTML is text.
    if body.attribute("type").is_some_and(|kind| kind == "text") { words.replace('<', "&lt;") } else { words }
}

/// A title without the tags that some feeds put into it.
fn bare(title: &str) -> String {
    let blocks = html_blocks::blocks(title).blocks;
    blocks.iter().map(html_blocks::Block::text).collect::<Vec<_>>().join(" ")
}

fn authors(entry: &Element<'_>) -> Vec<String> {
    let named = entry.elements().filter(|element| matches!(element.name(), "author" | "creator"));
    let of_one = |element: &Element<'_>| {
        let text = element.child("name").map_or_else(|| element.text(), Element::text);
        // "mail@example.org (Name)"
        let name = text.split_once(" (").map(|(_, name)| name.trim_end_matches(')').to_owned()).filter(|_| text.contains('@'));
        names(&name.unwrap_or(text))
    };
    named.flat_map(of_one).collect()
}

/// "Mon, 06 May 2024 08:00:00 GMT", "2024-05-06T08:00:00Z"
fn day(text: &str) -> Option<String> {
    let mail = || jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.date().to_string());
    date(text).or_else(mail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_of_rss_and_atom_is_an_article() {
        let rss = "<rss><channel><title>站</title><item><title>春&lt;b&gt;水&lt;/b&gt;</title>\n<link>https://example.org/1</link>\
                   <pubDate>Mon, 06 May 2024 23:00:00 +0800</pubDate><author>a@b.c (李明)</author>\n<description><![CDATA[<p>一。</p>\n<p>二。</p>]]></description></item>\
                   \n<item><title>x</title></item></channel></rss>";
        let (articles, errors) = self::articles(rss).unwrap();
        let record = &articles[0].record;
        assert_eq!((articles[0].text.as_str(), record.title.as_str()), ("一。\n二。", "春水"));
        assert_eq!((record.published.as_deref(), record.authors.join("/").as_str()), (Some("2024-05-06"), "李明"));
        assert_eq!(record.url.as_deref(), Some("https://example.org/1"));
        assert_eq!(articles[0].lines.runs().iter().map(|run| run.1).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(errors[0].to_string(), "line 5: has no text");
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>7</id><title>T</title><author><name>Ada</name></author>\
                    <link rel='self' href='x'/><link href='https://example.org/2'/><updated>2023-01-02T03:04:05Z</updated>\
                    <content type='xhtml'><div><h2>A</h2><p>1 &lt; 2</p></div></content></entry></feed>";
        let (articles, _) = self::articles(atom).unwrap();
        let record = &articles[0].record;
        assert_eq!((articles[0].text.as_str(), record.key.as_deref()), ("A\n1 < 2", Some("7")));
        assert_eq!((record.url.as_deref(), record.published.as_deref()), (Some("https://example.org/2"), Some("2023-01-02")));
        assert!(matches!(self::articles("<html/>"), Err(Error::NoArticles)));
    }
}
