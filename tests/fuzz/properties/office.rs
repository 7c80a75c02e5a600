//! The parts of a DOCX, an ODT and an EPUB: the bytes are packed, so that they are met beyond the archive's checksums.

use std::io::{Cursor, Write as _};

use ibid::chunk::{self, Rules};
use ibid::read::{self, Reading, files};

/// The parts of each kind that are fed; the rest is as it must be for them to be read.
const KINDS: [(&str, &[&str]); 3] = [
    ("a.docx", &["word/document.xml", "word/styles.xml", "word/footnotes.xml", "docProps/core.xml"]),
    ("a.odt", &["content.xml", "meta.xml"]),
    ("a.epub", &["a.xhtml", "a.opf"]),
];
const CONTAINER: &str = "<container><rootfiles><rootfile full-path=\"a.opf\"/></rootfiles></container>";
const PACKAGE: &str = "<package><manifest><item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest>\
    <spine><itemref idref=\"a\"/></spine></package>";

pub(crate) fn hold(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let (name, parts) = KINDS[usize::from(*kind) % KINDS.len()];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, bytes: &[u8]| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a new entry");
        archive.write_all(bytes).expect("memory");
    };
    put("META-INF/container.xml", CONTAINER.as_bytes());
    // Parts are parted by a zero byte; an EPUB without its second has a package that leads to its first.
    let given: Vec<&[u8]> = bytes.splitn(parts.len(), |byte| *byte == 0).collect();
    for (part, bytes) in parts.iter().zip(&given) {
        put(part, bytes);
    }
    if given.len() == 1 && name == "a.epub" {
        put("a.opf", PACKAGE.as_bytes());
    }
    let packed = archive.finish().expect("memory").into_inner();
    let source = files::source(name.to_owned(), format!("/{name}"), packed);
    let Ok((Reading::Articles(articles), _)) = read::read(&source) else { return };
    for article in articles {
        assert!(article.headings.iter().all(|heading| article.quote(heading.span).is_some()));
        for passage in chunk::passages(&article, Rules { target_tokens: 20, max_tokens: 40 }, &|text| text.chars().count()) {
            assert!(article.lines.range(passage.span).is_some_and(|lines| lines.first >= 1));
        }
    }
}
