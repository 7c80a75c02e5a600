//! HTML: the main text of a web page, and what its head says of it.

use super::html_blocks::{Block, Page, blocks};
use super::{Decoded, Error, date};
use crate::article::{Article, Builder, Record};

/// Below so many characters, an `<article>` or `<main>` does not hold the text.
const ENOUGH: usize = 120;

/// The charset that the first kilobyte names.
pub(super) fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    let after = head.split_once("charset=")?.1.trim_start_matches(['"', '\'']);
    let label: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    (!label.is_empty()).then_some(label)
}

/// The article that a web page holds.
pub(super) fn article(decoded: &Decoded, stem: &str) -> Result<Article, Error> {
    let page = blocks(&decoded.text);
    let mut builder = Builder::default();
    let mut title_lines = None;
    for block in main_text(&page.blocks) {
        let start = builder.position();
        for (text, line) in &block.pieces {
            builder.push(text, *line);
        }
        if let Some(level) = block.heading {
            if level == 1 && title_lines.is_none() {
                let line = block.pieces.first().map_or(1, |piece| piece.1);
                title_lines = Some(crate::article::LineRange { first: line, last: line });
            }
            builder.heading_since(start, level);
        }
        builder.end_paragraph();
    }
    if builder.text().trim().is_empty() {
        return Err(Error::Empty);
    }
    Ok(builder.finish(Record { title_lines, ..record(&page, decoded, stem) }))
}

fn record(page: &Page, decoded: &Decoded, stem: &str) -> Record {
    let meta = |names: &[&str]| {
        let values = names.iter().filter_map(|name| page.meta.get(*name));
        values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
    };
    let first_heading = page.blocks.iter().find(|block| block.heading == Some(1)).map(Block::text);
    let title = meta(&["og:title"])
        .or(first_heading.filter(|text| !text.is_empty()))
        .or(Some(page.title.trim().to_owned()).filter(|text| !text.is_empty()));
    let authors = meta(&["author", "article:author"]).unwrap_or_default();
    let authors = authors.split(['、', ',', '，', ';']).map(|name| name.trim().to_owned());
    Record {
        title: title.unwrap_or_else(|| stem.to_owned()),
        authors: authors.filter(|name| !name.is_empty()).collect(),
        published: meta(&["article:published_time", "date", "pubdate", "dc.date"]).as_deref().and_then(date),
        url: meta(&["canonical", "og:url"]).filter(|url| url.starts_with("http")),
        encoding: decoded.encoding.to_owned(),
        notes: decoded.notes.clone(),
        ..Record::default()
    }
}

/// The blocks of `<article>`, else of `<main>`, else those that are no furniture and not mostly links.
fn main_text(all: &[Block]) -> Vec<&Block> {
    let length = |blocks: &[&Block]| blocks.iter().map(|block| block.length()).sum::<usize>();
    let readable: Vec<&Block> = all.iter().filter(|block| !block.furniture && block.link_chars * 2 <= block.length()).collect();
    for chosen in [|block: &Block| block.in_article, |block: &Block| block.in_main] {
        let inside: Vec<&Block> = readable.iter().copied().filter(|block| chosen(block)).collect();
        if length(&inside) >= ENOUGH {
            return inside;
        }
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Span;

    #[test]
    fn a_table_that_lays_out_a_page_is_read_cell_by_cell() {
        let text = "<table><tr><td><h2>Left</h2><p>One.</p></td><td><table><tr><td>a<td>b</tr></table></td></tr></table>";
        let decoded = Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] };
        assert_eq!(article(&decoded, "stem").unwrap().text, "Left\nOne.\na: b");
    }

    #[test]
    fn the_main_text_is_read_with_its_lines_and_the_furniture_is_not() {
        let body = "老街的茶馆每天清晨五点开门，".repeat(12);
        let text = format!(
            "<html><head><title>站名</title><meta name=author content=\"周一, 吴二\">\n<meta property='article:published_time' content='2022-03-04T08:00:00Z'>\n</head><body><nav><a href=/>首页</a></nav>\n<script>var x = '<p>no</p>';</script>\n<article><h1>老街茶馆</h1>\n<p>{body}</p>\n<p>茶&amp;点心<br>都便宜。</p>\n<table><tr><th>茶<th>价</tr>\n<tr><td>龙井<td>8元</table></article><footer>版权所有</footer></body></html>"
        );
        let decoded = Decoded { text, encoding: "UTF-8", notes: vec![] };
        let article = article(&decoded, "stem").unwrap();
        assert_eq!(article.text, format!("老街茶馆\n{body}\n茶&点心\n都便宜。\n茶 | 价\n茶：龙井 | 价：8元"));
        assert_eq!(article.record.title, "老街茶馆");
        assert_eq!(article.record.authors, ["周一", "吴二"]);
        assert_eq!(article.record.published.as_deref(), Some("2022-03-04"));
        let at = article.text.find("都便宜").unwrap();
        assert_eq!(article.lines.range(Span::new(at, at + 3)).unwrap().first, 7);
        let at = article.text.find("龙井").unwrap();
        assert_eq!(article.lines.range(Span::new(at, at + 3)).unwrap().first, 9);
    }
}
