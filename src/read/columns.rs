//! Articles by named columns: which column or field of a CSV or JSON file holds an article's title, text, authors, day,
//! address or name.

use super::date;
use crate::article::{Article, Builder, Record, opening};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Key,
    Title,
    Text,
    Authors,
    Published,
    Url,
}

/// Names of columns, in small letters; of two that a file has, the one that stands first here.
const NAMES: [(Field, &[&str]); 6] = [
    (Field::Key, &["id", "_id", "key", "guid", "编号", "編號"]),
    (Field::Title, &["title", "headline", "标题", "標題", "题目"]),
    (Field::Text, &["text", "body", "content", "content_text", "article", "正文", "内容", "內容", "文本", "全文"]),
    (Field::Authors, &["authors", "author", "by", "byline", "creator", "作者"]),
    (
        Field::Published,
        &["published", "date", "date_published", "published_at", "pubdate", "日期", "发布日期", "发表日期", "時間", "时间"],
    ),
    (Field::Url, &["url", "link", "链接", "網址", "网址"]),
];

/// The name, among `names`, of the column that holds `field`.
pub(super) fn find<'a>(field: Field, names: &(impl Iterator<Item = &'a str> + Clone)) -> Option<&'a str> {
    let (_, known) = NAMES.iter().find(|(of, _)| *of == field)?;
    known.iter().find_map(|wanted| names.clone().find(|name| name.trim().to_lowercase() == **wanted))
}

/// What a file says of one article.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) key: Option<String>,
    pub(super) title: Option<String>,
    pub(super) text: String,
    pub(super) authors: Vec<String>,
    pub(super) published: Option<String>,
    pub(super) url: Option<String>,
}

/// The names in one text.
pub(super) fn names(text: &str) -> Vec<String> {
    let names = text.split(['、', ',', '，', ';', '；']).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Fields {
    /// The article, which stands on `line` of a source in `encoding`.
    pub(super) fn article(self, line: u32, encoding: &str) -> Article {
        let mut builder = Builder::default();
        builder.push(self.text.trim_end(), line);
        let mut notes = Vec::new();
        let said = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let published = said(&self.published).and_then(|text| {
            let known = date(&text);
            if known.is_none() {
                notes.push(format!("`published` is no date: `{text}`"));
            }
            known
        });
        let title = said(&self.title).unwrap_or_else(|| opening(&self.text));
        let (key, url) = (said(&self.key), said(&self.url));
        let Self { authors, .. } = self;
        builder.finish(Record { key, title, authors, published, url, encoding: encoding.to_owned(), notes, ..Record::default() })
    }
}
