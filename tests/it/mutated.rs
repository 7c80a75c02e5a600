//! What the fuzz targets say of any input, said of mutated samples: as many of them in every run, always the same.
//!
//! `IBID_MUTATIONS=10` tries ten times as many. An input that breaks a property is kept in the folder for temporary
//! files, under the name that the test tells.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../fuzz/properties/bodies.rs"]
mod bodies;
#[path = "../fuzz/properties/office.rs"]
mod office;
#[path = "../fuzz/properties/page.rs"]
mod page;
#[path = "../fuzz/properties/readers.rs"]
mod readers;
#[path = "../fuzz/properties/stored.rs"]
mod stored;

/// Longer inputs are cut.
const LONGEST: usize = 200_000;

/// Parts of the forms that are read, which a random byte would hardly hit upon.
const WORDS: [&str; 40] = [
    "\n\n",
    "\r",
    "\u{3000}",
    "\u{feff}",
    "\u{202e}",
    "。",
    "<div>",
    "</p>",
    "<table><tr><td>",
    "<!--",
    "-->",
    "]]>",
    "&#0;",
    "&amp;",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "# ",
    "> ",
    "```",
    "---\n",
    "[a](b)",
    "|",
    "{",
    "}",
    "[",
    "\"",
    "\\u0000",
    "\\ud800",
    "1e999",
    "-1",
    ": null,",
    "{\\rtf1",
    "\\bin9999 ",
    "\\'ff",
    "endobj",
    "0 R",
    "/Kids",
    "<<",
    "stream\n",
    "/Length 99999999",
    "PK\u{3}\u{4}",
];

/// Makes inputs from samples.
struct Mutator<'a> {
    random: fastrand::Rng,
    samples: &'a [Vec<u8>],
}

impl Mutator<'_> {
    fn input(&mut self) -> Vec<u8> {
        let mut bytes = self.sample().to_vec();
        for _ in 0..1 << self.random.u32(0..6) {
            self.change(&mut bytes);
            bytes.truncate(LONGEST);
        }
        bytes
    }

    fn sample(&mut self) -> &[u8] {
        &self.samples[self.random.usize(..self.samples.len())]
    }

    /// A part of something so long: mostly a short one.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.random.usize(..=length);
        let longest = if self.random.u8(..) < 200 { 16 } else { length };
        start..(start + self.random.usize(..=longest)).min(length)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes.len());
        match self.random.u8(0..8) {
            0 => drop(bytes.drain(part)),
            1 => bytes[part].iter_mut().for_each(|byte| *byte = self.random.u8(..)),
            2 => {
                let again = bytes[part.clone()].repeat(1 << self.random.u32(0..10));
                drop(bytes.splice(part, again.into_iter().take(LONGEST)));
            }
            3 => {
                let other = self.sample().to_vec();
                let taken = self.part(other.len());
                drop(bytes.splice(part, other[taken].iter().copied()));
            }
            4 => bytes[part].iter_mut().take(1).for_each(|byte| *byte ^= 1 << self.random.u32(0..8)),
            5 => bytes.truncate(part.end),
            _ => {
                let word = WORDS[self.random.usize(..WORDS.len())];
                drop(bytes.splice(part.start..part.start, word.bytes()));
            }
        }
    }
}

/// Holds `count` mutations of `samples`, and each of these as it is, against a property.
fn check(name: &str, samples: &[Vec<u8>], count: u64, property: impl Fn(&[u8])) {
    let more: u64 = std::env::var("IBID_MUTATIONS").ok().and_then(|more| more.parse().ok()).unwrap_or(1);
    let mutated = (0..count * more).map(|seed| Mutator { random: fastrand::Rng::with_seed(seed), samples }.input());
    for (number, input) in samples.iter().cloned().chain(mutated).enumerate() {
        if catch_unwind(AssertUnwindSafe(|| property(&input))).is_err() {
            let kept = std::env::temp_dir().join(format!("ibid-mutated-{name}-{number}"));
            fs::write(&kept, &input).unwrap();
            panic!("{name}: input {number} breaks what must hold; it is kept at {}", kept.display());
        }
    }
}

/// Files of the samples and the fixtures that the reader at `kind` reads, after the byte that says so.
fn files() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["corpus", "tests/fixtures/documents", "tests/fixtures/printed"];
    let found = folders.iter().flat_map(|folder| walkdir::WalkDir::new(root.join(folder)).sort_by_file_name());
    let mut files: Vec<Vec<u8>> = found
        .filter_map(|entry| {
            let path = entry.unwrap().into_path();
            let end = path.extension()?.to_str()?;
            let kind = readers::NAMES.iter().position(|name| name.strip_prefix("a.") == Some(end))?;
            let bytes = fs::read(&path).unwrap();
            (bytes.len() < LONGEST).then(|| of_kind(kind, &bytes))
        })
        .collect();
    let rest = [
        ("a.xml", "<rss><channel><item><title>桥</title><description>新桥在清晨开放。</description></item></channel></rss>"),
        ("a.csv", "title,text\n桥,新桥在清晨开放。\n\"a, b\",\"The mill \"\"stands\"\"\nby the river.\"\n"),
        (
            "a.json",
            "[{\"title\": \"桥\", \"text\": \"新桥在清晨开放。\", \"authors\": [\"陆守真\"], \"published\": \"2021-05-06\"}]",
        ),
    ];
    files.extend(rest.map(|(name, text)| {
        let kind = readers::NAMES.iter().position(|known| *known == name).unwrap();
        of_kind(kind, text.as_bytes())
    }));
    files
}

fn of_kind(kind: usize, bytes: &[u8]) -> Vec<u8> {
    std::iter::once(u8::try_from(kind).unwrap()).chain(bytes.iter().copied()).collect()
}

#[test]
fn readers_take_any_bytes() {
    let files = files();
    let kinds: std::collections::BTreeSet<u8> = files.iter().map(|file| file[0]).collect();
    assert_eq!(kinds.len(), readers::NAMES.len() - 1, "each kind but the archive of others has a sample: {kinds:?}");
    check("readers", &files, 600, readers::hold);
}

#[test]
fn office_readers_take_any_parts() {
    let parts = [
        &b"<w:document><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Gates</w:t></w:r></w:p><w:tbl><w:tr><w:tc>\
           <w:p><w:r><w:t>north</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>\0<w:styles/>\0<w:footnotes/>"[..],
        b"<office:text><text:h text:outline-level=\"1\">Gates</text:h><text:p>The mill<text:s text:c=\"3\"/>stands.</text:p>\
          <table:table><table:table-row><table:table-cell table:number-columns-repeated=\"3\"><text:p>a</text:p></table:table-cell>\
          </table:table-row></table:table></office:text>\0<office:meta><dc:title>a</dc:title></office:meta>",
        b"<html><body><h1>Gates</h1><p>The north gate opens at <b>nine</b>.</p><ul><li>a<li>b</ul></body></html>",
    ];
    let samples: Vec<Vec<u8>> = parts.iter().enumerate().map(|(kind, part)| of_kind(kind, part)).collect();
    check("office", &samples, 600, office::hold);
}

#[test]
fn any_text_is_a_page_without_harm() {
    let pages = files().into_iter().filter(|file| file[0] == 0).map(|file| file[1..].to_vec());
    // Of long ones too many headlines are to be assigned.
    let pages: Vec<Vec<u8>> = pages
        .map(|mut page| {
            page.truncate(3000);
            page
        })
        .collect();
    check("page", &pages, 100, |input| page::hold(&input[..input.len().min(3000)]));
}

#[test]
fn routes_take_any_body() {
    let folder = tempfile::tempdir().unwrap();
    let service = bodies::Service::open(folder.path());
    let said = [
        r#"{"question": "夜市的摊位费每晚收多少元？", "filter": {"author": ["常青"]}, "earlier": ["夜市在哪里？"], "limit": 3}"#,
        r#"{"question": "摊位费", "mode": "lexical", "filter": {"published_from": "2020-01-01", "language": ["zh"]}}"#,
        r#"{"model": "ibid", "messages": [{"role": "user", "content": [{"type": "text", "text": "摊位费？"}]}], "stream": true}"#,
        r#"{"model": "ibid", "input": [{"role": "user", "content": "摊位费？"}], "stream": false}"#,
        r#"{"input": ["夜市", [1, 2]], "dimensions": 16, "encoding_format": "base64"}"#,
        r#"{"query": "摊位费", "documents": ["河水很清", {"text": "每晚二十元"}], "top_n": 1}"#,
        r#"{"knowledge_id": "ibid", "query": "摊位费", "retrieval_setting": {"top_k": 3, "score_threshold": 0.1},
            "metadata_condition": {"conditions": [{"name": "title", "comparison_operator": "contains", "value": "夜市"}]}}"#,
        r#"{"article_id": "0123456789abcdef", "version": 1, "start": 0, "end": 4, "quote": "夜市"}"#,
        r#"[{"key": "a", "title": "桥", "text": "新桥在清晨开放。", "authors": ["陆守真"], "published": "2021-05-06", "url": "http://a/"}]"#,
        "{\"id\": \"a\", \"text\": \"新桥在清晨开放。\"}\n\n{\"text\": \"The mill stands by the river.\"}\n",
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nThe mill stands.\r\n--x--\r\n",
        r#"{"articles": [{"key": "b", "text": "旧码头只停货船。"}]}"#,
        r#"{"name": "news"}"#,
    ];
    assert_eq!(said.len(), bodies::ROUTES.len(), "each route has a sample");
    let samples: Vec<Vec<u8>> = said.iter().enumerate().map(|(route, body)| of_kind(route, body.as_bytes())).collect();
    check("bodies", &samples, 400, |input| service.hold(input));
}

#[test]
fn a_changed_database_serves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let written = stored::Written::into(folder.path());
    check("stored", &[vec![0; 6], (0..24).collect()], 150, |input| written.hold(input));
}
