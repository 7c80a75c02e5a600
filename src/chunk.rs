//! Article → passages: pure, and aware of sentences in every script.
//!
//! A passage is a run of whole sentences under one heading. It is closed at the
//! next end of a sentence once it has enough tokens, earlier at the end of a
//! paragraph. Title and heading path are context for the embedder; they are never
//! inside the span. Only a sentence that is longer than a passage may be is divided.

use crate::article::{Article, Passage, Span};
use crate::text::{self, divide, sentences, trimmed};

/// Names of the rules by which sentences are found and contexts are made: change them with the rules.
const SENTENCES: &str = "sentences-3";
const CONTEXT: &str = "context-2";

/// How long passages are, in the embedder's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A passage is closed once it has so many.
    pub target_tokens: usize,
    /// No sentence keeps more in one piece.
    pub max_tokens: usize,
}

impl Rules {
    /// A name for these rules, and for those of sentences and contexts: passages cut by others, or embedded with
    /// another context, are not the same passages.
    pub fn fingerprint(self) -> String {
        format!("{SENTENCES}/{}/{}/{CONTEXT}", self.target_tokens, self.max_tokens)
    }
}

/// What helps to find a passage and is not in it: its article's title and authors, and its heading, each on a line. It
/// is embedded before the passage's text.
pub fn context(title: &str, authors: &[String], section: Option<&str>) -> String {
    let parts = [title].into_iter().chain(authors.iter().map(String::as_str)).chain(section);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The passages of `article`, in reading order. `count` gives a text's tokens.
pub fn passages(article: &Article, rules: Rules, count: &dyn Fn(&str) -> usize) -> Vec<Passage> {
    let mut cutter = Cutter { article, rules, count, passages: Vec::new(), open: None, tokens: 0, section: None };
    for paragraph in paragraphs(article) {
        match paragraph {
            Paragraph::Heading(span) => cutter.heading(span),
            Paragraph::Text(span) => cutter.paragraph(span),
        }
    }
    cutter.close();
    if cutter.passages.is_empty() && !article.text.trim().is_empty() {
        // Nothing but headings: they are all there is to find.
        cutter.section = None;
        cutter.paragraph(trimmed(&article.text, Span::new(0, article.text.len())));
        cutter.close();
    }
    cutter.passages
}

enum Paragraph {
    Heading(Span),
    Text(Span),
}

/// Headings, and the stretches of text between them that blank lines or line ends separate.
fn paragraphs(article: &Article) -> Vec<Paragraph> {
    let mut parts = Vec::new();
    let mut from = 0;
    for heading in &article.headings {
        parts.extend(text::paragraphs(&article.text, Span::new(from, heading.span.start)).into_iter().map(Paragraph::Text));
        parts.push(Paragraph::Heading(heading.span));
        from = heading.span.end;
    }
    parts.extend(text::paragraphs(&article.text, Span::new(from, article.text.len())).into_iter().map(Paragraph::Text));
    parts
}

struct Cutter<'a> {
    article: &'a Article,
    rules: Rules,
    count: &'a dyn Fn(&str) -> usize,
    passages: Vec<Passage>,
    open: Option<Span>,
    tokens: usize,
    section: Option<String>,
}

impl Cutter<'_> {
    fn heading(&mut self, span: Span) {
        self.close();
        let words = self.article.quote(span).unwrap_or_default().trim().to_owned();
        let is_title = words == self.article.record.title;
        self.section = (!is_title && !words.is_empty()).then_some(words);
    }

    fn paragraph(&mut self, span: Span) {
        let words = self.article.quote(span).unwrap_or_default();
        // Where an author works is asked for by itself; inside another passage it would drown.
        let alone = self.article.record.affiliation.as_deref().is_some_and(|about| !about.is_empty() && words.contains(about));
        if alone {
            self.close();
            self.section = None;
        }
        for sentence in sentences(&self.article.text, span) {
            self.sentence(sentence);
        }
        if alone || self.tokens * 2 >= self.rules.target_tokens {
            self.close();
        }
    }

    fn sentence(&mut self, span: Span) {
        // Counting a megabyte without a full stop would take long, and tell nothing new.
        let endless = span.len() > self.rules.max_tokens * 32;
        let tokens = if endless { usize::MAX } else { (self.count)(self.article.quote(span).unwrap_or_default()) };
        if tokens > self.rules.max_tokens {
            self.close();
            for piece in divide(&self.article.text, span, self.rules.max_tokens, self.count) {
                self.passages.push(Passage { span: piece, section: self.section.clone() });
            }
            return;
        }
        if self.tokens + tokens > self.rules.max_tokens {
            self.close();
        }
        let start = self.open.map_or(span.start, |open| open.start);
        self.open = Some(Span::new(start, span.end));
        self.tokens += tokens;
        if self.tokens >= self.rules.target_tokens {
            self.close();
        }
    }

    fn close(&mut self) {
        self.tokens = 0;
        if let Some(span) = self.open.take() {
            self.passages.push(Passage { span, section: self.section.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::article::{Builder, Record};

    fn article(parts: &[(bool, String)]) -> Article {
        let mut builder = Builder::default();
        for (line, (heading, text)) in (1..).zip(parts) {
            let start = builder.position();
            builder.push_lines(text, line);
            if *heading {
                builder.heading_since(start, 2);
            }
            builder.end_paragraph();
        }
        builder.finish(Record { title: "t".to_owned(), ..Record::default() })
    }

    const RULES: Rules = Rules { target_tokens: 20, max_tokens: 40 };

    #[test]
    fn a_passage_stays_under_its_heading_and_its_heading_out_of_it() {
        let parts = [(true, "一、开头"), (false, "第一句。第二句！"), (true, "二、结尾"), (false, "第三句？")];
        let article = article(&parts.map(|(heading, text)| (heading, text.to_owned())));
        let cut = passages(&article, RULES, &|text| text.chars().count());
        let shown: Vec<(&str, &str)> =
            cut.iter().map(|p| (p.section.as_deref().unwrap_or(""), article.quote(p.span).unwrap())).collect();
        assert_eq!(shown, [("一、开头", "第一句。第二句！"), ("二、结尾", "第三句？")]);
    }

    proptest! {
        #[test]
        fn passages_are_in_order_whole_and_lose_no_word(
            parts in prop::collection::vec((prop::bool::weighted(0.2), "[甲乙丙。！？，“”a-c .\u{301}é👩‍🚀\n]{0,60}"), 1..8)
        ) {
            let article = article(&parts);
            let cut = passages(&article, RULES, &|text| text.chars().count());
            let mut at = 0;
            let mut kept = String::new();
            for passage in &cut {
                prop_assert!(passage.span.start >= at && !passage.span.is_empty());
                let words = article.quote(passage.span);
                prop_assert!(words.is_some_and(|words| words.trim() == words), "{:?}", words);
                prop_assert!(words.unwrap_or_default().chars().count() <= RULES.max_tokens + 8);
                kept.push_str(words.unwrap_or_default());
                at = passage.span.end;
            }
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let mut outside = bare(&article.text).chars().count() - bare(&kept).chars().count();
            // Headings are context, unless there is nothing else.
            if cut.iter().all(|p| article.headings.iter().all(|h| h.span.end <= p.span.start || p.span.end <= h.span.start)) {
                outside -= bare(&article.heading_texts().collect::<String>()).chars().count();
            }
            prop_assert_eq!(outside, 0);
        }
    }
}
