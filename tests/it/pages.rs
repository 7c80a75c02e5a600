//! Newspaper pages: the samples against their gold files, and any page against its own lines.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ibid::article::{Article, Span};
use ibid::embed::Embedder;
use ibid::newspaper::{self, Page};
use ibid::read::{self, Decoded, Reading, files};
use ibid::text::sentences;
use proptest::prelude::*;
use serde_json::Value;

use crate::service::samples;

static EMBEDDER: LazyLock<Embedder> = LazyLock::new(|| Embedder::bundled().unwrap());

fn reconstruct(text: &str) -> Option<Page> {
    let similarity = |a: &str, b: &str| {
        let vectors = EMBEDDER.passages(&[a.to_owned(), b.to_owned()]);
        vectors[0].as_ref().zip(vectors[1].as_ref()).map_or(0.0, |(a, b)| a.dot(b))
    };
    newspaper::reconstruct(&Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] }, &similarity)
}

fn flat(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What must be true of every page: each line is in one place, each character is
/// kept once, and each sentence leads to the lines that hold it.
fn check_lines(text: &str, page: &Page) -> Result<(), String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    let mut kept = String::new();
    for article in &page.articles {
        let mut own: Vec<u32> = article.lines.runs().iter().map(|run| run.1).collect();
        own.dedup();
        for range in [article.record.title_lines, article.record.byline_lines].into_iter().flatten() {
            own.extend(range.first..=range.last);
        }
        own.iter()
            .filter(|line| !lines[**line as usize - 1].trim().is_empty())
            .for_each(|line| *places.entry(*line).or_default() += 1);
        kept.push_str(&flat(&article.text));
        if article.record.title_lines.is_some() {
            kept.push_str(&flat(&article.record.title));
        }
        if let Some(range) = article.record.byline_lines {
            kept.push_str(&flat(&lines[range.first as usize - 1..range.last as usize].concat()));
        }
        check_sentences(article, &lines)?;
    }
    for left in &page.left_out {
        *places.entry(left.line).or_default() += 1;
        kept.push_str(&flat(&left.text));
    }
    for (number, line) in (1_u32..).zip(&lines).filter(|(_, line)| !line.trim().is_empty()) {
        if places.get(&number) != Some(&1) {
            return Err(format!("line {number} `{line}` is in {:?} places", places.get(&number)));
        }
    }
    let sorted = |text: String| {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters
    };
    if sorted(kept) != sorted(flat(text)) {
        return Err("characters are lost or doubled".to_owned());
    }
    Ok(())
}

fn check_sentences(article: &Article, lines: &[&str]) -> Result<(), String> {
    for span in sentences(&article.text, Span::new(0, article.text.len())) {
        let quote = article.quote(span).ok_or("a span is no part of its text")?;
        let range = article.lines.range(span).ok_or("a span leads to no line")?;
        let held = flat(&lines[range.first as usize - 1..range.last as usize].concat());
        if !held.contains(&flat(quote)) {
            return Err(format!("`{quote}` is not in lines {range:?}"));
        }
    }
    Ok(())
}

#[test]
fn each_sample_page_gives_the_articles_of_its_gold_file() {
    let mut pages = 0;
    for entry in std::fs::read_dir(samples().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        pages += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let gold: Vec<Value> = serde_json::from_slice(&std::fs::read(path.with_extension("gold.json")).unwrap()).unwrap();
        let page = reconstruct(&text).unwrap_or_else(|| panic!("{} is no page", path.display()));
        check_lines(&text, &page).unwrap();
        let articles: Vec<&Article> = page.articles.iter().filter(|article| !article.record.authors.is_empty()).collect();
        assert_eq!(articles.len(), gold.len(), "{}", path.display());
        for (article, gold) in articles.iter().zip(&gold) {
            let record = &article.record;
            assert_eq!(record.title, gold["title"], "{}", path.display());
            assert_eq!(Value::from(record.authors.clone()), gold["authors"]);
            assert_eq!(record.affiliation.as_deref(), gold["affiliation"].as_str(), "{}", record.title);
            assert!(article.text.starts_with(gold["starts"].as_str().unwrap()), "{}", record.title);
            assert!(article.text.contains(gold["ends"].as_str().unwrap()), "{}", record.title);
            assert_eq!(Value::from(article.heading_texts().collect::<Vec<_>>()), gold["headings"], "{}", record.title);
        }
    }
    assert_eq!(pages, 4);
}

#[test]
fn what_is_no_page_passes_through_untouched() {
    let verse = "山外青山楼外楼\n西湖歌舞几时休\n暖风熏得游人醉\n直把杭州作汴州\n".repeat(4);
    let wrapped = "老街的茶馆每天清晨五点开门，第\n一批客人多半是附近的老邻居。茶\n水便宜，话题不断，店主说，这样\n的日子过了三十年，也不觉得长。\n".repeat(4);
    let prose = "第一段很短。\n第二段要长一些，写了几句话，又写了几句话。\n".repeat(6);
    let english = "The river rose in the night and by morning the lower street\nwas under water. Nobody was hurt, but the baker lost\nhis flour.\n".repeat(5);
    for text in [verse, wrapped, prose, english] {
        assert!(reconstruct(&text).is_none(), "{text}");
        let source = files::source("a.txt".to_owned(), "/a.txt".to_owned(), text.clone().into_bytes());
        let (Reading::Plain(decoded), _) = read::read(&source).unwrap() else { panic!("plain text is plain") };
        assert_eq!(read::prose(decoded, "a").text, text.trim_end());
    }
}

const SENTENCES: [&str; 12] = [
    "河边的集市从清晨六点开到中午，卖菜的人大多来自对岸的村子。",
    "市里去年修好了三座小桥，孩子上学的路缩短了一半。",
    "“我们不怕路远，只怕没有车。”一位老人这样说。",
    "统计显示，二〇二二年全县新增就业四千二百人，其中三成是返乡青年。",
    "要把图书馆办在人们本来就要去的地方，例如茶馆、诊所（或者小卖部）。",
    "老楼加装电梯的难处不在资金，而在邻里之间怎样商量。",
    "补偿协议签订以后，上游的水质第三年才全年达标！",
    "为什么年轻人愿意留下来？因为住得起，也看得到前途。",
    "快递坐上公交车进村，每件省下一元四角。",
    "G4高速沿线的物流园已经投入使用，仓库面积超过3万平方米。",
    "一是修路，二是引水，三是办学；三件事要一起做。",
    "临江的医院认了云溪的检查单，病人少跑了许多冤枉路。",
];
const TITLES: [[&str; 2]; 5] = [
    ["集市里的早晨", "卖菜人的账"],
    ["小桥通了", "上学路短了"],
    ["电梯怎样装进老楼", ""],
    ["快递进村", "坐的是公交车"],
    ["一张检查单", "走过省界"],
];
const NAMES: [&str; 5] = ["江流", "林 泉", "苏叶 方舟", "高原", "白露"];

#[derive(Debug, Clone)]
struct Layout {
    width: usize,
    spacing: usize,
    below: bool,
    indented: bool,
    spread: bool,
}

fn wrap(text: &str, width: usize, first: usize) -> Vec<String> {
    let (mut lines, mut line, mut room) = (Vec::new(), String::new(), first);
    for character in text.chars() {
        if room == 0 && !"。，、；：！？”）".contains(character) {
            lines.push(std::mem::take(&mut line));
            room = width;
        }
        line.push(character);
        room = room.saturating_sub(1);
    }
    lines.push(line);
    lines
}

fn page_text(articles: &[(usize, Vec<Vec<usize>>)], layout: &Layout) -> String {
    let gap = "\n".repeat(layout.spacing + 1);
    let headline = |at: usize| TITLES[at].iter().filter(|line| !line.is_empty()).copied().collect::<Vec<_>>().join("\n");
    let mut parts: Vec<String> = vec!["2023年6月14日 星期三 第6版".to_owned()];
    for (at, paragraphs) in articles {
        if !layout.below {
            parts.push(headline(*at));
        }
        parts.push(NAMES[*at].to_owned());
        for paragraph in paragraphs {
            let text: String = paragraph.iter().map(|at| SENTENCES[*at]).collect();
            let mut lines = wrap(&text, layout.width, layout.width - 2);
            if layout.indented {
                lines[0] = format!("　　{}", lines[0]);
            }
            if layout.spread && lines.len() > 2 {
                lines[1] = lines[1].chars().map(String::from).collect::<Vec<_>>().join(" ");
            }
            parts.extend(lines);
        }
        parts.extend(wrap("（作者系云溪市城市发展研究所副研究员）", layout.width, layout.width));
    }
    if layout.below {
        parts.extend(articles.iter().rev().map(|(at, _)| headline(*at)));
    }
    parts.push("责任编辑：本版编辑部".to_owned());
    parts.join(&gap) + "\n"
}

proptest! {

    #[test]
    fn on_any_page_every_span_leads_to_its_lines_and_nothing_is_lost_or_doubled(
        order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        count in 1_usize..=5,
        bodies in prop::collection::vec(prop::collection::vec(prop::collection::vec(0_usize..12, 2..6), 1..4), 5),
        width in 13_usize..26,
        spacing in 0_usize..3,
        (below, indented, spread) in any::<(bool, bool, bool)>(),
    ) {
        let articles: Vec<(usize, Vec<Vec<usize>>)> = order.into_iter().zip(bodies).take(count).collect();
        let layout = Layout { width, spacing, below, indented, spread };
        let text = page_text(&articles, &layout);
        let page = reconstruct(&text);
        prop_assert!(page.is_some(), "no page:\n{}", text);
        if let Some(page) = page {
            check_lines(&text, &page).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            let signed = page.articles.iter().filter(|article| !article.record.authors.is_empty()).count();
            prop_assert_eq!(signed, articles.len(), "\n{}", text);
        }
    }
}
