//! An answer or an article as other programs read it: Markdown, CSL-JSON, a bibliography's entry.

use std::sync::LazyLock;

use hayagriva::archive::{ArchivedStyle, locales};
use hayagriva::citationberg::json::Item;
use hayagriva::citationberg::{IndependentStyle, Locale, LocaleCode, Style};
use hayagriva::{BibliographyDriver, BibliographyRequest, BufWriteFormat, CitationItem, CitationRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::markdown;
use super::{AnswerBody, CitationBody};
use crate::article::{is_web_address, one_line};
use crate::shelf::StoredArticle;

static LOCALES: LazyLock<Vec<Locale>> = LazyLock::new(locales);

/// How an article is cited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::http) enum CitationStyle {
    /// GB/T 7714—2015, numeric.
    #[default]
    Gb7714,
    /// American Psychological Association, 7th edition.
    Apa,
    /// A BibTeX entry.
    Bibtex,
    /// A RIS record.
    Ris,
    /// CSL-JSON.
    CslJson,
}

/// The question, the answer with its marks, and the sources with their quotes.
pub(in crate::http) fn markdown(answer: &AnswerBody, question: &str) -> String {
    let (text, _) = markdown::marked(answer, question);
    let quotes = answer.citations.iter().map(|citation| {
        let quote = markdown::plain(&citation.quote).replace('\n', "\n> ");
        format!("\n\n\\[{}\\]\n\n> {quote}", citation.n)
    });
    let (sources, quotes) = (markdown::sources(answer, question), quotes.collect::<String>());
    format!("# {}\n\n{text}{sources}{quotes}\n", markdown::plain(question))
}

/// The cited articles, each once, with the quotes as a note.
pub(in crate::http) fn csl_json(citations: &[CitationBody]) -> String {
    let mut items: Vec<Value> = Vec::new();
    for citation in citations {
        if items.iter().any(|item| item["id"] == citation.article_id.as_str()) {
            continue;
        }
        let CitationBody { article_id, title, authors, published, language, url, .. } = citation;
        let mut item = csl_item(article_id, title, authors, published.as_deref(), Some(url));
        let quotes = citations.iter().filter(|other| other.article_id == *article_id).map(|other| other.quote.as_str());
        item["note"] = quotes.collect::<Vec<_>>().join("\n").into();
        item["language"] = json!(language);
        items.push(item);
    }
    serde_json::to_string_pretty(&items).expect("texts are JSON")
}

fn csl_item(id: &str, title: &str, authors: &[String], published: Option<&str>, url: Option<&str>) -> Value {
    let names: Vec<Value> = authors.iter().map(|name| json!({ "literal": name })).collect();
    let mut item = json!({ "id": id, "type": "article-newspaper", "title": title });
    // What is not known is left out, never made up.
    if !names.is_empty() {
        item["author"] = names.into();
    }
    if let Some(published) = published {
        let parts: Vec<i64> = published.split('-').filter_map(|part| part.parse().ok()).collect();
        item["issued"] = json!({ "date-parts": [parts] });
    }
    if let Some(url) = url {
        item["URL"] = url.into();
    }
    item
}

/// An article in a bibliography; `base` begins its address here.
pub(in crate::http) fn entry(stored: &StoredArticle, style: CitationStyle, base: &str) -> String {
    let record = &stored.article.record;
    let here = format!("{base}/articles/{}?version={}", stored.id, stored.version);
    // Kept before addresses were looked at, it may be no address.
    let url = record.url.as_deref().filter(|url| is_web_address(url)).unwrap_or(&here);
    let item = || csl_item(&stored.id.0, &record.title, &record.authors, record.published.as_deref(), Some(url));
    match style {
        CitationStyle::Gb7714 => styled(ArchivedStyle::Gb77142015Numeric, &item(), "zh-CN"),
        CitationStyle::Apa => styled(ArchivedStyle::AmericanPsychologicalAssociation, &item(), "en-US"),
        CitationStyle::CslJson => serde_json::to_string_pretty(&[item()]).expect("texts are JSON"),
        CitationStyle::Bibtex => bibtex(stored, url),
        CitationStyle::Ris => ris(stored, url),
    }
}

fn styled(style: ArchivedStyle, item: &Value, locale: &str) -> String {
    let Style::Independent(style) = style.get() else { return String::new() };
    let Ok(item) = serde_json::from_value::<Item>(item.clone()) else { return String::new() };
    rendered(&style, &item, locale)
}

fn rendered(style: &IndependentStyle, item: &Item, locale: &str) -> String {
    let mut driver = BibliographyDriver::new();
    driver.citation(CitationRequest::from_items(vec![CitationItem::with_entry(item)], style, &LOCALES));
    let locale = Some(LocaleCode(locale.to_owned()));
    let done = driver.finish(BibliographyRequest { style, locale, locale_files: &LOCALES });
    let Some(entry) = done.bibliography.and_then(|bibliography| bibliography.items.into_iter().next()) else {
        return String::new();
    };
    let mut text = String::new();
    // Writing to a String cannot fail; the number of a numeric style is left out.
    let _ = entry.content.write_buf(&mut text, BufWriteFormat::Plain);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bibtex(stored: &StoredArticle, url: &str) -> String {
    let record = &stored.article.record;
    let escape = |text: &str| {
        let escaped = text.chars().flat_map(|c| {
            let marked = matches!(c, '{' | '}' | '%' | '&' | '#' | '$' | '_' | '\\').then_some('\\');
            marked.into_iter().chain([if c.is_control() { ' ' } else { c }])
        });
        escaped.collect::<String>()
    };
    let names: Vec<String> = record.authors.iter().map(|name| format!("{{{}}}", escape(name))).collect();
    let fields = [
        ("title", Some(format!("{{{}}}", escape(&record.title)))),
        ("author", (!names.is_empty()).then(|| names.join(" and "))),
        ("date", record.published.as_deref().map(escape)),
        ("url", Some(one_line(&url.replace(['{', '}', '\\'], "")))),
    ];
    let lines = fields.into_iter().filter_map(|(key, value)| Some(format!("  {key} = {{{}}},\n", value?)));
    format!("@article{{ibid-{},\n{}}}\n", stored.id, lines.collect::<String>())
}

fn ris(stored: &StoredArticle, url: &str) -> String {
    let record = &stored.article.record;
    let mut lines = vec![("TY", "NEWS".to_owned()), ("ID", stored.id.0.clone()), ("TI", one_line(&record.title))];
    lines.extend(record.authors.iter().map(|name| ("AU", one_line(name))));
    lines.extend(record.published.as_ref().map(|date| ("DA", one_line(&date.replace('-', "/")))));
    lines.extend([("UR", one_line(url)), ("ER", String::new())]);
    let lines: Vec<String> = lines.into_iter().map(|(tag, value)| format!("{tag}  - {value}\r\n")).collect();
    lines.concat()
}
