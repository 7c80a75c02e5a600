//! PDFs against their gold files, and each character against its place on the page.

use std::fmt::Write as _;
use std::path::PathBuf;

use ibid::article::{Article, Span};
use ibid::newspaper::{self, Page};
use ibid::read::{self, Printed, Reading, files};
use ibid::text::sentences_of;
use serde_json::Value;

use crate::service::{Service, run};

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
        let page = article
            .places
            .boxes(&article.text, span)
            .first()
            .map(|found| found.page)
            .map_or("-".to_owned(), |page| page.to_string());
        shown.push_str(&[&page, " ", &kind, " ", line, "\n"].concat());
    }
    shown
}

/// All that a PDF gives, as its gold file writes it.
fn given(name: &str) -> String {
    let report = |error: &read::Error| format!("! {}\n", error.to_string().lines().next().unwrap_or_default());
    match printed(bytes(name)) {
        Ok((document, broken)) => {
            let articles = newspaper::printed_articles(&document, name).articles;
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
        for article in newspaper::printed_articles(&document, &name).articles {
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
        let Page { articles, left_out } = newspaper::printed_articles(&document, &name);
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
                newspaper::printed_articles(&document, "a");
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

/// A PDF of these objects; the first is its catalogue.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.7\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let table: String = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
    let (count, start) = (objects.len() + 1, file.len());
    let _ = write!(
        file,
        "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    file.into_bytes()
}

/// A PDF with a page for each of `contents`, all in `font`.
fn pages(font: &str, contents: &[&str]) -> Vec<u8> {
    let kids: String = (0..contents.len()).map(|at| format!("{} 0 R ", 4 + at * 2)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {}/Kids[{kids}]>>", contents.len()),
        font.to_owned(),
    ];
    for (at, content) in contents.iter().enumerate() {
        let stream = 5 + at * 2;
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Resources<</Font<</F 3 0 R>>>>/Contents {stream} 0 R>>"
        ));
        objects.push(format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()));
    }
    pdf(&objects)
}

const HELVETICA: &str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";

#[test]
fn pages_that_do_not_say_their_characters_or_are_turned_are_named_and_the_rest_is_read() {
    let straight = "BT /F 12 Tf 40 300 Td (The keeper rows at noon, and waits for the bell.) Tj ET";
    let turned = "BT /F 12 Tf 0.7 0.7 -0.7 0.7 100 100 Tm (The keeper rows at noon, and waits for the bell.) Tj ET";
    let (document, broken) = printed(pages(HELVETICA, &[straight, turned])).unwrap();
    assert_eq!((document.pages.len(), broken.len()), (1, 1));
    assert!(broken[0].to_string().starts_with("has page 2 with text that is printed at an angle"), "{broken:?}");
    // Numbers of glyphs in a font of nobody's, and no table of what they say.
    let unknown = "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Type/Font/Subtype/CIDFontType2\
                   /BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>]>>";
    let glyphs = "BT /F 12 Tf 40 300 Td <00010002000300040005000600070008000900100011001200130014> Tj ET";
    let error = printed(pages(unknown, &[glyphs])).unwrap_err().to_string();
    assert!(error.contains("page 1 with fonts that do not say") || error == "is empty", "{error}");
    let both = printed(pages(HELVETICA, &[turned, turned])).unwrap_err().to_string();
    assert!(both.starts_with("has pages 1–2 with text that is printed at an angle"), "{both}");
}

#[test]
fn a_pdf_with_more_pages_than_are_read_is_refused() {
    let error = printed(pages(HELVETICA, &vec![""; 10_001])).unwrap_err().to_string();
    assert!(error.starts_with("holds 10001 pages, over the limit of 10000"), "{error}");
}

#[test]
fn the_picture_of_a_page_shows_the_quote_and_a_citation_of_a_pdf_can_be_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("report.pdf"));
    std::fs::copy(self::folder().join("report-zh.pdf"), &file).unwrap();
    let service = Service::start(&data, &["--corpus", file.to_str().unwrap()]);
    let answer = service.ask("二〇二三年渡口共运送旅客多少人次？");
    let citation = &answer["citations"][0];
    let (status, verdict) = service.post("/v1/verify", citation.to_string().as_bytes());
    assert_eq!((status, verdict["status"].as_str()), (200, Some("holds")), "{verdict}");
    let id = citation["article_id"].as_str().unwrap();
    assert!(service.json(&format!("/v1/articles/{id}"))["source"]["pages"][0].as_u64().is_some());
    let place = format!("/v1/articles/{id}/page?start={}&end={}", citation["start"], citation["end"]);
    let (status, head, picture) = service.get(&place);
    assert!(status == 200 && head.to_lowercase().contains("content-type: image/svg+xml"), "{head}");
    let boxes = citation["source"]["boxes"].as_array().unwrap();
    assert_eq!(picture.matches("fill-opacity=\"0.4\"").count(), boxes.len());
    for active in ["<script", "<a ", "<foreignObject", "onload", "href=\"http"] {
        assert!(!picture.contains(active), "{active}");
    }
    let plain = service.get(&format!("/v1/articles/{id}/page?page=1")).2;
    assert!(plain.contains("<path") && !plain.contains("fill-opacity=\"0.4\""));
    assert_eq!(service.get(&format!("/v1/articles/{id}/page?page=99")).0, 404);
    drop(service);
    // What has changed since is not shown for it.
    std::fs::write(&file, bytes("report")).unwrap();
    let service = Service::start(&data, &[]);
    let (status, _, problem) = service.get(&place);
    assert!(status == 404 && problem.contains("no_page"), "{problem}");
}

/// Sets `lines` of type from `(x, y)` downwards.
fn set(page: &mut read::PrintedPage, (x, y): (f32, f32), size: f32, lines: &[&str]) {
    let mut baseline = y;
    for line in lines {
        let mut left = x;
        for character in line.chars() {
            page.glyphs.push(read::Glyph {
                character,
                x0: left,
                y0: baseline - 0.88 * size,
                x1: left + size,
                y1: baseline + 0.22 * size,
                size,
                bold: false,
            });
            left += size;
        }
        baseline += size * 1.5;
    }
}

#[test]
fn an_article_that_goes_on_on_another_page_is_one() {
    let mut pages: Vec<read::PrintedPage> =
        (1..=2).map(|number| read::PrintedPage { number, width: 400.0, height: 500.0, ..read::PrintedPage::default() }).collect();
    let long = "渡口的船工每天清晨五点起身看水位";
    let column = |first: &'static str, last: &'static str| [&[first], [long; 9].as_slice(), &[last]].concat();
    set(&mut pages[0], (30.0, 50.0), 18.0, &["渡口的一年"]);
    set(&mut pages[0], (30.0, 80.0), 10.0, &column("去年渡口换了两条新船一共花去", "船工们商量了三天（下转第二版）"));
    set(&mut pages[0], (220.0, 50.0), 18.0, &["集市搬家"]);
    set(&mut pages[0], (220.0, 80.0), 10.0, &column("集市从西岸搬到了东岸摊位多了", "大家都说方便。"));
    set(&mut pages[1], (30.0, 50.0), 18.0, &["桥要修了"]);
    set(&mut pages[1], (30.0, 80.0), 10.0, &column("老桥今年秋天要修工期四个月整", "到明年春天通车。"));
    set(&mut pages[1], (220.0, 50.0), 18.0, &["渡口的一年"]);
    set(&mut pages[1], (220.0, 80.0), 10.0, &column("（上接第一版）", "最后定下了新的班次。"));
    let document = Printed { pages, ..Printed::default() };
    let Page { articles, left_out } = newspaper::printed_articles(&document, "paper");
    let titles: Vec<&str> = articles.iter().map(|article| article.record.title.as_str()).collect();
    assert_eq!(titles, ["渡口的一年", "集市搬家", "桥要修了"], "{left_out:?}");
    let text = &articles[0].text;
    assert!(text.starts_with("去年渡口") && text.ends_with("最后定下了新的班次。"), "{text}");
    assert!(left_out.iter().any(|left| left.text == "渡口的一年"), "{left_out:?}");
    let boxes = articles[0].places.boxes(text, Span::new(text.find("最后定下").unwrap(), text.len()));
    assert!(boxes.iter().all(|found| found.page == 2));
}

#[test]
fn a_tables_header_that_is_said_again_on_the_next_page_is_left_out() {
    let mut pages: Vec<read::PrintedPage> =
        (1..=2).map(|number| read::PrintedPage { number, width: 400.0, height: 500.0, ..read::PrintedPage::default() }).collect();
    for (page, rows) in pages.iter_mut().zip([["甲", "乙", "丙"], ["丁", "戊", "己"]]) {
        for (at, x) in [40.0, 140.0, 240.0].into_iter().enumerate() {
            let header = ["站名", "旅客", "船只"][at];
            let cells: Vec<String> = rows.iter().map(|row| format!("{row}{at}")).collect();
            let column = [&[header], cells.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat();
            set(page, (x, 150.0), 10.0, &column);
        }
    }
    let document = Printed { pages, ..Printed::default() };
    let Page { articles, left_out } = newspaper::printed_articles(&document, "table");
    let rows: Vec<&str> = articles[0].text.split('\n').collect();
    assert_eq!(
        rows,
        [
            "站名 | 旅客 | 船只",
            "甲0 | 甲1 | 甲2",
            "乙0 | 乙1 | 乙2",
            "丙0 | 丙1 | 丙2",
            "丁0 | 丁1 | 丁2",
            "戊0 | 戊1 | 戊2",
            "己0 | 己1 | 己2"
        ]
    );
    assert_eq!(left_out.iter().map(|left| left.text.as_str()).collect::<Vec<_>>(), ["站名 | 旅客 | 船只"]);
}
