//! EPUB: a book's chapters in the order of its spine.
//!
//! Scripts, styles, pictures and sounds are not read, nor what lies outside of the book.

use std::collections::HashMap;
use std::sync::Arc;

use super::archive::Archive;
use super::document::{self, Block};
use super::html_blocks;
use super::properties::Properties;
use super::xml::{self, Element};
use super::{Error, charset, guard};
use crate::article::{Article, Record};

/// Bytes of one chapter.
const LONGEST_CHAPTER: u64 = 32 << 20;
/// Chapters of one book.
const MOST_CHAPTERS: usize = 10_000;

/// The article that a book is, with its chapters as sections; and what of it cannot be read.
pub(super) fn article(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<(Article, Vec<Error>), Error> {
    let (bytes, stem) = (Arc::clone(bytes), stem.to_owned());
    guard::bounded(move || open(&bytes, &stem))?
}

fn open(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<(Article, Vec<Error>), Error> {
    let damaged = |what: &str| Error::Damaged(what.to_owned());
    let mut archive = Archive::open(bytes)?;
    let container = archive.xml("META-INF/container.xml")?.ok_or_else(|| damaged("it is no EPUB: it has no container"))?;
    let package = xml::parse(&container)?.all("rootfile").first().and_then(|file| file.attribute("full-path"));
    let package = package.ok_or_else(|| damaged("its container names no package"))?;
    let text = archive.xml(&package)?.ok_or_else(|| damaged("its package is not in it"))?;
    let tree = xml::parse(&text)?;
    let locked = archive.xml("META-INF/encryption.xml")?.unwrap_or_default();
    let (mut blocks, mut broken) = (Vec::new(), Vec::new());
    for chapter in spine(&tree, &package)? {
        // Fonts may be disguised; a chapter that is encrypted cannot be read.
        if locked.contains(&format!("\"{chapter}\"")) {
            return Err(Error::Encrypted);
        }
        match read_chapter(&mut archive, &chapter) {
            Ok(found) => blocks.extend(found),
            Err(Error::Empty) => {}
            Err(error @ (Error::Unpacked { .. } | Error::Encrypted)) => return Err(error),
            Err(error) => broken.push(Error::Part { name: chapter, reason: error.to_string() }),
        }
    }
    let record = Record { encoding: "EPUB".to_owned(), ..Record::default() };
    match document::article(&blocks, properties(&tree), record, stem) {
        Err(Error::Empty) if !broken.is_empty() => Err(broken.swap_remove(0)),
        read => Ok((read?, broken)),
    }
}

fn properties(package: &Element<'_>) -> Properties {
    let Some(metadata) = package.all("metadata").first().copied() else { return Properties::default() };
    let all = |name: &str| metadata.all(name).into_iter().map(Element::text).filter(|text| !text.is_empty()).collect::<Vec<_>>();
    // "2019" and "2019-05" are no days.
    Properties::of(all("title").into_iter().next(), &all("creator"), all("date").first().map(String::as_str))
}

/// The names of the chapters in the archive, in reading order, without the table of contents.
fn spine(package: &Element<'_>, place: &str) -> Result<Vec<String>, Error> {
    let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut items: HashMap<String, String> = HashMap::new();
    for item in package.all("manifest").into_iter().flat_map(Element::elements) {
        let is_text = item.attribute("media-type").is_some_and(|kind| kind.contains("html"));
        let is_contents = item.attribute("properties").is_some_and(|all| all.split(' ').any(|one| one == "nav"));
        if let (Some(id), Some(href), true, false) = (item.attribute("id"), item.attribute("href"), is_text, is_contents) {
            items.insert(id, name_in_archive(folder, &href));
        }
    }
    let references = package.all("itemref").into_iter().filter_map(|reference| reference.attribute("idref"));
    // Each once: a hostile book may name one a million times.
    let chapters: Vec<String> = references.filter_map(|id| items.remove(&id)).collect();
    if chapters.len() > MOST_CHAPTERS {
        return Err(Error::TooMany { count: chapters.len(), what: "chapters", limit: MOST_CHAPTERS });
    }
    Ok(chapters)
}

/// The name in the archive that `href`, from a file in `folder`, stands for. It is looked up there and nowhere else.
fn name_in_archive(folder: &str, href: &str) -> String {
    let href = percent_decoded(href.split(['#', '?']).next().unwrap_or_default());
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let number = tail.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let coded = number.filter(|_| *first == b'%');
        bytes.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_chapter(archive: &mut Archive, name: &str) -> Result<Vec<Block>, Error> {
    let bytes = archive.bytes(name, LONGEST_CHAPTER)?.ok_or_else(|| Error::Damaged("it is not in the book".to_owned()))?;
    let text = charset::decode(&bytes, None)?.text;
    let blocks = html_blocks::blocks(&opened(&text)).blocks.into_iter();
    Ok(blocks
        .map(|block| block.heading.map_or_else(|| Block::Paragraph(block.text()), |level| Block::Heading(level, block.text())))
        .collect())
}

/// XHTML may close `<title/>` and `<script/>` at once; HTML takes all that follows for their text.
fn opened(text: &str) -> String {
    use std::sync::LazyLock;
    static CLOSED: LazyLock<regex::Regex> = LazyLock::new(|| {
        let names = "title|script|style|textarea|iframe|noscript|noembed|noframes|xmp";
        regex::Regex::new(&format!(r"(?i)<({names})\b([^<>]*)/>")).expect("it is a pattern")
    });
    CLOSED.replace_all(text, "<$1$2></$1>").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_archive() {
        for (folder, href, expected) in [
            ("OEBPS", "text/a%20b.xhtml#c", "OEBPS/text/a b.xhtml"),
            ("", "../../etc/passwd", "etc/passwd"),
            ("a/b", "../c.xhtml", "a/c.xhtml"),
            ("", "%e6%98%a5%zz%", "春%zz%"),
        ] {
            assert_eq!(name_in_archive(folder, href), expected);
        }
    }

    #[test]
    fn elements_that_are_closed_at_once_hide_nothing() {
        assert_eq!(opened("<title/><script src='a'/><p/>"), "<title></title><script src='a'></script><p/>");
    }
}
