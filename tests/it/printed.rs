//! PDFs against their gold files, and each character against its place on the page.

use std::path::PathBuf;

use ibid::article::{Article, Span};
use ibid::chunk::sentences_of;
use ibid::page::{self, Page};
use ibid::read::{self, Printed, Reading, files};
use serde_json::Value;

use crate::service::run;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/printed")
}

/// The names of all PDFs here.
fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter_map(|name| name.strip_suffix(".pdf").map(str::to_owned)).collect();
    names.sort();
    names
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.pdf"))).unwrap()
}

fn printed(bytes: Vec<u8>) -> Result<(Printed, Vec<read::Error>), read::Error> {
    let source = files::source("a.pdf".to_owned(), "/a.pdf".to_owned(), bytes);
    match read::read(&source)? {
        (Reading::Printed(document), broken) => Ok((document, broken)),
        (other, _) => panic!("{other:?} is no printed document"),
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
        let kind = heading.map_or_else(|| if line.contains(" | ") { "r" } else { "p" }.to_owned(), |h| format!("h{}", h.level));
        let page = article.places.page(&article.text, span).map_or("-".to_owned(), |page| page.to_string());
        shown.push_str(&[&page, " ", &kind, " ", line, "\n"].concat());
    }
    shown
}

/// All that a PDF gives, as its gold file writes it.
fn given(name: &str) -> String {
    let report = |error: &read::Error| format!("! {}\n", error.to_string().lines().next().unwrap_or_default());
    match printed(bytes(name)) {
        Ok((document, broken)) => {
            let articles = page::printed_articles(&document, name).articles;
            broken.iter().map(report).chain(articles.iter().map(shown)).collect()
        }
        Err(error) => report(&error),
    }
}

#[test]
fn each_pdf_gives_the_articles_of_its_gold_file() {
    let mut wrong = Vec::new();
    for name in names() {
        let gold = std::fs::read_to_string(folder().join(format!("{name}.gold.txt"))).unwrap();
        let given = given(&name);
        let differs = gold.lines().zip(given.lines()).find(|(gold, given)| gold != given);
        if let Some((gold, given)) = differs {
            wrong.push(format!("{name}:\n  gold  {gold}\n  given {given}"));
        } else if gold.lines().count() != given.lines().count() {
            wrong.push(format!("{name}: {} lines instead of {}", given.lines().count(), gold.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names().len() >= 12);
}

fn flat(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '|').collect()
}

/// The characters whose middle lies in a box.
fn under(document: &Printed, found: &ibid::article::PageBox) -> Vec<char> {
    let page = document.pages.iter().find(|page| page.number == found.page).unwrap();
    let inside = |glyph: &&read::Glyph| {
        let (x, y) = (f32::midpoint(glyph.x0, glyph.x1), f32::midpoint(glyph.y0, glyph.y1));
        found.x0 <= x && x <= found.x1 && found.y0 <= y && y <= found.y1
    };
    page.glyphs.iter().filter(inside).map(|glyph| glyph.character).collect()
}

#[test]
fn the_boxes_of_each_sentence_hold_its_characters_and_no_others() {
    for name in names() {
        let Ok((document, _)) = printed(bytes(&name)) else { continue };
        for article in page::printed_articles(&document, &name).articles {
            for span in sentences_of(&article.text) {
                let quote = article.quote(span).unwrap();
                let boxes = article.places.boxes(&article.text, span);
                let mut held: Vec<char> = boxes.iter().flat_map(|found| under(&document, found)).collect();
                let mut said: Vec<char> = flat(quote).chars().collect();
                held.retain(|c| !c.is_whitespace());
                // A hyphen that broke a word is printed and not said.
                for list in [&mut held, &mut said] {
                    list.retain(|c| *c != '-' && *c != '\u{2010}');
                    list.sort_unstable();
                }
                assert_eq!(held, said, "{name}: `{quote}` in {boxes:?}");
                assert!(article.lines.range(span).is_some());
                assert!(boxes.iter().all(|found| found.x1 - found.x0 > 1.0 && found.y1 - found.y0 > 1.0), "{name}: {boxes:?}");
            }
        }
    }
}

#[test]
fn each_printed_character_is_in_one_place() {
    for name in names() {
        let Ok((document, _)) = printed(bytes(&name)) else { continue };
        let Page { articles, left_out } = page::printed_articles(&document, &name);
        let mut kept: String = left_out.iter().map(|left| left.text.as_str()).collect();
        let mut lines: Vec<u32> = left_out.iter().map(|left| left.line).collect();
        for article in &articles {
            kept.push_str(&article.text);
            let mut own: Vec<u32> = article.lines.runs().iter().map(|run| run.1).collect();
            let record = &article.record;
            // A newspaper's title and byline stand apart from its text.
            for (range, words) in [(record.title_lines, record.title.clone()), (record.byline_lines, record.authors.concat())] {
                let apart = range.filter(|range| !own.contains(&range.first));
                if let Some(range) = apart {
                    own.extend(range.first..=range.last);
                    kept.push_str(&words);
                }
            }
            lines.extend(own);
        }
        lines.sort_unstable();
        let last = lines.last().copied().unwrap_or_default();
        assert_eq!(lines, (1..=last).collect::<Vec<u32>>(), "{name}");
        let all: String = document.pages.iter().flat_map(|page| &page.glyphs).map(|glyph| glyph.character).collect();
        let sorted = |text: &str| {
            let mut characters: Vec<char> = flat(text).chars().filter(|c| !matches!(c, '-' | '\u{2010}')).collect();
            characters.sort_unstable();
            characters
        };
        assert_eq!(sorted(&kept), sorted(&all), "{name}");
    }
}

#[test]
fn damaged_pdfs_are_read_or_reported_and_nothing_else_happens() {
    let mut random = fastrand::Rng::with_seed(20);
    let names: Vec<String> = names().into_iter().filter(|name| bytes(name).len() < 64 << 10).collect();
    let (mut read, mut reported) = (0, 0);
    for round in 0..300 {
        let mut bytes = bytes(&names[round % names.len()]);
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
        match printed(bytes) {
            Ok((document, _)) => {
                read += 1;
                page::printed_articles(&document, "a");
            }
            Err(error) => {
                reported += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(read > 30 && reported > 30, "{read} read, {reported} reported");
}

#[test]
fn a_citation_of_a_pdf_names_its_page_and_the_boxes_that_hold_the_quote() {
    let data = tempfile::tempdir().unwrap();
    let file = folder().join("report-zh.pdf");
    let place = ["--data", data.path().to_str().unwrap(), "--corpus", file.to_str().unwrap()];
    let output = run(&[&["ask", "--json"], place.as_slice(), &["二〇二三年渡口共运送旅客多少人次？"]].concat());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let citation = &answer["citations"][0];
    let quote = citation["quote"].as_str().unwrap();
    assert!(quote.contains("三十一万人次"), "{answer}");
    let (document, _) = printed(bytes("report-zh")).unwrap();
    let mut held = String::new();
    for one in citation["source"]["boxes"].as_array().unwrap() {
        #[expect(clippy::cast_possible_truncation, reason = "a length on a page")]
        let edge = |name: &str| one[name].as_f64().unwrap() as f32;
        let page = u32::try_from(one["page"].as_u64().unwrap()).unwrap();
        let found = ibid::article::PageBox { page, x0: edge("x0"), y0: edge("y0"), x1: edge("x1"), y1: edge("y1") };
        held.extend(under(&document, &found));
    }
    assert_eq!(held, quote);
    assert_eq!(citation["source"]["page"], citation["source"]["boxes"][0]["page"]);
}
