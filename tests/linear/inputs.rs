//! Inputs of a given size in bytes, each made to be slow to read.

/// A name, under which the input is read, and how it is made.
pub(crate) type Input = (&'static str, &'static str, fn(usize) -> String);

fn repeated(part: &str, size: usize) -> String {
    part.repeat(size.div_ceil(part.len()))
}

/// Parts that a number makes different, until there are enough.
fn numbered(size: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 256);
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&part(number));
    }
    text
}

/// What makes a text a newspaper page: a date, a label, a byline, a paragraph, an affiliation, credits.
const PAGE: &str = "2022年1月5日 星期三 第8版\n导读\n河畔公园开始建设\n李琳\n\
    河畔公园的建设从去年春天开始，工人们沿着岸边种下三\n百棵柳树。\n（作者系市园林局工程师）\n责任编辑：何山\n";

fn page(body: &str) -> String {
    format!("{PAGE}{body}\n周远\n第二篇文章到这里结束。\n")
}

const PROSE: &str = "The river rose in the night, and by morning the lower street was under water. Nobody was hurt. \
    河水在夜里上涨，到早晨下街已经淹了。没有人受伤。\n";

/// Inputs of all formats that are text.
pub(crate) const INPUTS: &[Input] = &[
    ("prose", "a.txt", |size| repeated(PROSE, size)),
    ("short paragraphs", "a.txt", |size| repeated("a\n\n", size)),
    ("spaces after a stop", "a.txt", |size| format!("a.{}b", " ".repeat(size))),
    ("wide spaces after a stop", "a.txt", |size| format!("a.{}b", repeated("\u{3000}", size))),
    ("marks of direction", "a.txt", |size| format!("a{}b", repeated("\u{200f}", size))),
    ("overrides of direction", "a.txt", |size| format!("a{}b", repeated("\u{202e}", size))),
    ("a run of Thai", "a.txt", |size| repeated("ภาษาไทยไม่เว้นวรรค", size)),
    ("a run of Han", "a.txt", |size| repeated("河畔公园开始建设老街茶馆每天开门", size)),
    ("a run of one Han character", "a.txt", |size| repeated("国", size)),
    ("a run of letters", "a.txt", |size| "x".repeat(size)),
    ("marks over one letter", "a.txt", |size| format!("e{}", repeated("\u{301}", size))),
    ("flags", "a.txt", |size| repeated("🇨", size)),
    ("families", "a.txt", |size| repeated("👩\u{200d}", size)),
    ("stops", "a.txt", |size| repeated(".", size)),
    ("stops and letters", "a.txt", |size| repeated("a.", size)),
    ("commas", "a.txt", |size| repeated(",", size)),
    ("brackets", "a.txt", |size| repeated("(", size)),
    ("abbreviations", "a.txt", |size| repeated("Dr. ", size)),
    ("numbers", "a.txt", |size| repeated("1. ", size)),
    ("line ends", "a.txt", |size| format!("a{}b", "\n".repeat(size))),
    ("page of one character a line", "p.txt", |size| page(&repeated("字\n", size))),
    ("page of many articles", "p.txt", |size| {
        page(&numbered(size, |n| format!("第{n}个公园开始建设\n李琳\n公园{n}的建设从去年春天开始，工人们种下三百棵柳树。\n")))
    }),
    ("page of articles and headlines", "p.txt", |size| {
        page(&numbered(size, |n| format!("公园{n}\n\n\n河畔{n}\n\n李琳\n建设从{n}年前开始，工人们种下三百棵柳树。\n\n")))
    }),
    ("page of furniture", "p.txt", |size| page(&repeated("责任编辑：何山\n", size))),
    ("page without stops", "p.txt", |size| page(&repeated("河畔公园开始建设老街茶馆每天开门热闹\n", size))),
    ("page of commas", "p.txt", |size| page(&repeated("，，，，，，，，，，，，，，，，，，\n", size))),
    ("page of halves of sentences", "p.txt", |size| page(&repeated("河畔公园开始建设，老街茶馆每天开门，\n", size))),
    ("page of headings", "p.txt", |size| page(&numbered(size, |n| format!("公园{n}开始建设\n\n")))),
    ("page of questions", "p.txt", |size| page(&repeated("公园什么时候开始建设？\n", size))),
    ("page of bylines", "p.txt", |size| page(&repeated("李琳\n", size))),
    ("page of open affiliations", "p.txt", |size| page(&repeated("（作者系市园林局\n", size))),
    ("page of one long line", "p.txt", |size| page(&repeated("公园建设", size))),
    ("page of steps", "p.txt", |size| page(&numbered(size, |n| "河畔公园开始建设，".repeat(1 + n % 7) + "\n"))),
    ("html of paragraphs", "a.html", |size| repeated("<p>The river rose in the night.</p>\n", size)),
    ("html, nested div", "a.html", |size| format!("{}x", repeated("<div>a", size))),
    ("html, p never closed", "a.html", |size| repeated("<p>a", size)),
    ("html, nested b", "a.html", |size| repeated("<b>a", size)),
    ("html, i closed as b", "a.html", |size| repeated("<i>a</b>", size)),
    ("html, nested of many names", "a.html", |size| numbered(size, |n| format!("<x{n}>a"))),
    ("html, closed in order", "a.html", |size| format!("{}x{}", repeated("<div>", size / 2), repeated("</div>", size / 2))),
    ("html, angles", "a.html", |size| format!("a {}", repeated("<", size))),
    ("html, ampersands", "a.html", |size| repeated("&amp", size)),
    ("html, open comments", "a.html", |size| format!("a {}", repeated("<!--", size))),
    ("html, attributes", "a.html", |size| format!("<p {}>a", numbered(size, |n| format!("a{n}=1 ")))),
    ("html, one long line of words", "a.html", |size| format!("<p>{}", repeated("river ", size))),
    ("html, bold words", "a.html", |size| format!("<p>{}", repeated("<b>a</b> ", size))),
    ("markdown prose", "a.md", |size| repeated("The *river* rose `in` the [night](x).\n\n", size)),
    ("markdown, open comments", "a.md", |size| repeated("a <!--", size)),
    ("markdown, open brackets", "a.md", |size| repeated("[", size)),
    ("markdown, bracket pairs", "a.md", |size| repeated("[a](", size)),
    ("markdown, closed brackets", "a.md", |size| format!("{}a{}", repeated("[", size / 2), repeated("]", size / 2))),
    ("markdown, images", "a.md", |size| repeated("![", size)),
    ("markdown, angles", "a.md", |size| repeated("<", size)),
    ("markdown, angles and letters", "a.md", |size| repeated("<a", size)),
    ("markdown, open tags", "a.md", |size| repeated("<a b=\"", size)),
    ("markdown, instructions", "a.md", |size| repeated("a <?", size)),
    ("markdown, declarations", "a.md", |size| repeated("a <!A ", size)),
    ("markdown, character data", "a.md", |size| repeated("a <![CDATA[", size)),
    ("markdown, stars", "a.md", |size| repeated("*a _b ", size)),
    ("markdown, stars both ways", "a.md", |size| repeated("a**b*c ", size)),
    ("markdown, strokes", "a.md", |size| repeated("~~a ~b ", size)),
    ("markdown, ticks of many lengths", "a.md", |size| numbered(size, |n| "`".repeat(1 + n % 200) + "a")),
    ("markdown, quotes in quotes", "a.md", |size| format!("{}a", repeated("> ", size.min(4000)))),
    ("markdown, quoted lines", "a.md", |size| repeated("> > > > a\n", size)),
    ("markdown, list items", "a.md", |size| repeated("- a\n", size)),
    ("markdown, footnotes", "a.md", |size| numbered(size, |n| format!("[^{n}]: a\n\n[^{n}]\n\n"))),
    ("markdown, definitions", "a.md", |size| numbered(size, |n| format!("[a{n}]: b\n\n[a{n}]\n\n"))),
    ("markdown, undefined references", "a.md", |size| repeated("[a][b] ", size)),
    ("markdown, table cells", "a.md", |size| format!("|a|b|\n|-|-|\n{}", repeated("|a|b|\n", size))),
    ("markdown, table columns", "a.md", |size| format!("{}\n{}\n", repeated("|a", size / 2), repeated("|-", size / 2))),
    ("markdown, rows that are short", "a.md", |size| {
        // Missing cells are filled: the output of a table grows with columns times rows.
        format!("{}|\n{}|\n{}", "|a".repeat(16), "|-".repeat(16), repeated("|a\n", size))
    }),
    ("markdown, entities", "a.md", |size| repeated("&#x", size)),
    ("markdown, backslashes", "a.md", |size| repeated("\\", size)),
    ("markdown, headings", "a.md", |size| repeated("# a\n", size)),
    ("markdown, front matter", "a.md", |size| format!("---\ntitle: a\nauthors: [{}]\n---\nText.", repeated("b, ", size))),
    ("json lines", "a.jsonl", |size| numbered(size, |n| format!("{{\"id\": {n}, \"text\": \"The ferry {n} leaves.\"}}\n"))),
    ("json lines that are broken", "a.jsonl", |size| repeated("{\"text\": \n", size)),
    ("json, one line", "a.jsonl", |size| format!("{{\"text\": \"{}\"}}", repeated("The ferry leaves. ", size))),
];

/// A PDF of many pages, each with some lines.
pub(crate) fn pdf(pages: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    let mut object = |bytes: &mut Vec<u8>, content: String| {
        places.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n{content}\nendobj\n", places.len()).into_bytes());
    };
    object(&mut bytes, "<</Type/Catalog/Pages 2 0 R>>".to_owned());
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let kids = kids.join(" ");
    object(&mut bytes, format!("<</Type/Pages/Count {pages}/Kids[{kids}]>>"));
    object(&mut bytes, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned());
    for page in 0..pages {
        let font = "/Resources<</Font<</F 3 0 R>>>>";
        object(&mut bytes, format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]{font}/Contents {} 0 R>>", 5 + 2 * page));
        let line = |n: usize| format!("BT /F 11 Tf 72 {} Td (Warehouse {page} holds {n} tonnes of grain.) Tj ET\n", 780 - 14 * n);
        let content: String = (0..40).map(line).collect();
        object(&mut bytes, format!("<</Length {}>>stream\n{content}\nendstream", content.len()));
    }
    let start = bytes.len();
    let entries: Vec<String> = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
    let entries = entries.concat();
    let size = places.len() + 1;
    let end =
        format!("xref\n0 {size}\n0000000000 65535 f \n{entries}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend(end.into_bytes());
    bytes
}
