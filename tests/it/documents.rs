//! Documents made by pandoc and `LibreOffice` against their gold files, and files of every kind that is read.

use std::path::{Path, PathBuf};

use ibid::article::{Article, Span};
use ibid::read::{self, Reading, files};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents")
}

/// The names of the files in the folder with one of these extensions.
fn names(extensions: &[&str]) -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let wanted = |name: &String| extensions.iter().any(|extension| name.ends_with(&format!(".{extension}")));
    let mut names: Vec<String> = files.filter(wanted).collect();
    names.sort();
    names
}

/// What `bytes` give, read as a file called `name`.
fn given(name: &str, bytes: Vec<u8>) -> Result<(Vec<Article>, Vec<read::Error>), read::Error> {
    let source = files::source(name.to_owned(), format!("/{name}"), bytes);
    match read::read(&source)? {
        (Reading::Articles(articles), broken) => Ok((articles, broken)),
        (other, _) => panic!("{other:?} is no list of articles"),
    }
}

/// An article as its gold file writes it.
fn shown(article: &Article) -> String {
    let record = &article.record;
    let date = record.published.as_deref().unwrap_or_default();
    let mut shown = format!("# {} | {} | {date}\n", record.title, record.authors.join("; "));
    let mut start = 0;
    for line in article.text.split('\n') {
        let span = Span::new(start, start + line.len());
        start = span.end + 1;
        let heading = article.headings.iter().find(|heading| heading.span == span);
        let kind = heading.map_or("p".to_owned(), |heading| format!("h{}", heading.level));
        let number = article.lines.range(span).unwrap().first;
        shown.push_str(&[&number.to_string(), " ", &kind, " ", line, "\n"].concat());
    }
    shown
}

#[test]
fn each_document_gives_the_article_of_its_gold_file() {
    let mut wrong = Vec::new();
    for name in names(&["docx", "odt", "epub", "rtf"]) {
        let (articles, broken) = given(&name, std::fs::read(folder().join(&name)).unwrap()).unwrap();
        assert!(broken.is_empty(), "{name}: {broken:?}");
        let given: String = articles.iter().map(shown).collect();
        let gold = std::fs::read_to_string(folder().join(format!("{name}.gold.txt"))).unwrap_or_default();
        if given != gold {
            wrong.push(format!("{name}:\n{given}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names(&["docx", "odt", "epub", "rtf"]).len() >= 11);
}

#[test]
fn damaged_documents_are_read_or_reported_and_nothing_else_happens() {
    for kind in ["docx", "odt", "epub", "rtf"] {
        let mut random = fastrand::Rng::with_seed(22);
        let whole: Vec<Vec<u8>> = names(&[kind]).iter().map(|name| std::fs::read(folder().join(name)).unwrap()).collect();
        let (mut read, mut reported) = (0, 0);
        for round in 0..300 {
            let mut bytes = whole[round % whole.len()].clone();
            damage(&mut bytes, round, &mut random);
            match given(&format!("a.{kind}"), bytes) {
                Ok(_) => read += 1,
                Err(error) => {
                    reported += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
        assert!(read > 0 && reported > 10, "{kind}: {read} read, {reported} reported");
    }
}

/// The same with the parts of each archive damaged before they are packed: these are read beyond their checksums.
#[test]
fn damaged_parts_of_documents_are_read_or_reported_and_nothing_else_happens() {
    for (kind, part) in [("docx", "word/document.xml"), ("odt", "content.xml"), ("epub", "EPUB/text/ch001.xhtml")] {
        let mut random = fastrand::Rng::with_seed(23);
        let name = &names(&[kind])[0];
        let (mut read, mut reported) = (0, 0);
        for round in 0..300 {
            let bytes = repacked(&folder().join(name), |entry, bytes| {
                if entry == part {
                    damage(bytes, round, &mut random);
                }
            });
            match given(name, bytes) {
                Ok((_, broken)) if broken.is_empty() => read += 1,
                Ok(_) | Err(_) => reported += 1,
            }
        }
        // A chapter is HTML, in which nothing is an error.
        assert!(read > 10 && (reported > 10 || kind == "epub"), "{kind}: {read} read, {reported} reported");
    }
}

fn damage(bytes: &mut Vec<u8>, round: usize, random: &mut fastrand::Rng) {
    match round % 3 {
        0 => bytes.truncate(random.usize(..bytes.len())),
        1 => (0..=random.usize(..40)).for_each(|_| {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }),
        _ => {
            let (from, length) = (random.usize(..bytes.len()), random.usize(..2000));
            let part: Vec<u8> = bytes.iter().copied().skip(from).take(length).collect();
            let at = random.usize(..bytes.len());
            bytes.splice(at..at, part);
        }
    }
}

/// The archive `file` packed again, each entry changed by `change`.
fn repacked(file: &Path, mut change: impl FnMut(&str, &mut Vec<u8>)) -> Vec<u8> {
    use std::io::{Cursor, Read as _};
    let mut whole = zip::ZipArchive::new(Cursor::new(std::fs::read(file).unwrap())).unwrap();
    let mut entries = Vec::new();
    for at in 0..whole.len() {
        let mut entry = whole.by_index_raw(at).unwrap();
        let (name, mut bytes) = (entry.name().unwrap().into_owned(), Vec::new());
        if entry.compression() == zip::CompressionMethod::DEFLATE {
            flate2::read::DeflateDecoder::new(entry).read_to_end(&mut bytes).unwrap();
        } else {
            entry.read_to_end(&mut bytes).unwrap();
        }
        change(&name, &mut bytes);
        entries.push((name, bytes));
    }
    packed(entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// An archive of these entries.
pub(crate) fn packed<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    use std::io::{Cursor, Write as _};
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_that_unpacks_without_end_is_refused_and_no_entity_is_followed() {
    let document = |body: &str| {
        let text =
            format!("<!DOCTYPE w [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><w:document><w:body>{body}</w:body></w:document>");
        packed([("word/document.xml", text.as_bytes())])
    };
    let (articles, _) = given("a.docx", document("<w:p><w:r><w:t>One &x; two.</w:t></w:r></w:p>")).unwrap();
    assert_eq!(articles[0].text, "One  two.");
    let bomb = given("a.docx", document(&" ".repeat(200 << 20))).unwrap_err().to_string();
    assert!(bomb.contains("over the limit"), "{bomb}");
    let deep = document(&["<w:sdt>".repeat(100_000), "</w:sdt>".repeat(100_000)].concat());
    assert!(given("a.docx", deep).unwrap_err().to_string().contains("nests"));
}
