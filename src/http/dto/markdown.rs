//! Texts that become Markdown in somebody's window: article text is never markup.

use std::fmt::Write as _;

use super::{AnswerBody, CitationBody, StatementBody};
use crate::article::one_line;
use crate::text::language;

/// `text` so that a Markdown reader shows exactly its characters: no emphasis, no link, no mark.
pub(in crate::http) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut line_starts = true;
    // Where the line began, while it holds digits alone.
    let mut numbered = Some(0);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let opens_line = line_starts && matches!(character, '#' | '-' | '+' | '=' | '~' | ':');
        let numbers_line = matches!(character, '.' | ')') && numbered.is_some_and(|start| (1..10).contains(&(out.len() - start)));
        // Also what makes addresses into links by themselves: `://`, `www.`, `@`.
        let links = (character == ':' && rest.peek() == Some(&'/'))
            || character == '@'
            || (character == '.' && out.as_bytes().last_chunk::<3>().is_some_and(|last| last.eq_ignore_ascii_case(b"www")));
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '$' | '&')
            || opens_line
            || numbers_line
            || links
        {
            out.push('\\');
        }
        out.push(if character.is_control() && character != '\n' { ' ' } else { character });
        numbered = if character == '\n' { Some(out.len()) } else { numbered.filter(|_| character.is_ascii_digit()) };
        line_starts = character == '\n' || (line_starts && character.is_whitespace());
    }
    out
}

/// Words that a reader of `question` understands.
pub(in crate::http) struct Phrases {
    /// "The articles do not say."
    pub(in crate::http) refusal: &'static str,
    /// Before the nearest passages.
    pub(in crate::http) nearest: &'static str,
    /// Heads the list of sources.
    pub(in crate::http) sources: &'static str,
    /// Behind a sentence that has no source.
    unsupported: &'static str,
    /// "From the records of so many articles."
    records: fn(usize) -> String,
    /// "lines", with a place for both numbers.
    lines: fn(u32, u32) -> String,
    /// "page", with a place for its number.
    page: fn(u32) -> String,
}

/// The phrases in the question's language, English where it is none of ours.
pub(in crate::http) fn phrases(question: &str) -> Phrases {
    match language(question) {
        Some("zh") => Phrases {
            refusal: "文章中没有说到。",
            nearest: "最接近的段落，都没有回答这个问题：",
            sources: "出处",
            unsupported: "（无出处）",
            records: |articles| format!("（据 {articles} 篇文章的记录）"),
            lines: |first, last| if first == last { format!("第 {first} 行") } else { format!("第 {first}–{last} 行") },
            page: |page| format!("第 {page} 页"),
        },
        Some("zh-Hant") => Phrases {
            refusal: "文章中沒有說到。",
            nearest: "最接近的段落，都沒有回答這個問題：",
            sources: "出處",
            unsupported: "（無出處）",
            records: |articles| format!("（據 {articles} 篇文章的記錄）"),
            lines: |first, last| if first == last { format!("第 {first} 行") } else { format!("第 {first}–{last} 行") },
            page: |page| format!("第 {page} 頁"),
        },
        _ => Phrases {
            refusal: "The articles do not say.",
            nearest: "The nearest passages, none of which answers:",
            sources: "Sources",
            unsupported: "(no source)",
            records: |articles| format!("(from the records of {articles} articles)"),
            lines: |first, last| if first == last { format!("line {first}") } else { format!("lines {first}–{last}") },
            page: |page| format!("page {page}"),
        },
    }
}

/// The sentences, each with its marks, and where each mark stands: code points from and to, and its citation.
pub(in crate::http) fn marked(answer: &AnswerBody, question: &str) -> (String, Vec<(usize, usize, usize)>) {
    let (mut text, mut marks) = (String::new(), Vec::new());
    if !answer.answerable {
        text.push_str(answer.help.unwrap_or_else(|| phrases(question).refusal));
    }
    for statement in &answer.answer {
        let (words, numbers) = stated(statement, question, text.is_empty());
        text.push_str(&words);
        for n in numbers {
            let start = text.chars().count();
            let mark = format!("[{n}]");
            text.push_str(&mark);
            marks.push((start, start + mark.len(), *n));
        }
    }
    text.push_str(&from_records(answer, question));
    (text, marks)
}

/// "From the records of 26 articles", for an answer about the collection.
fn from_records(answer: &AnswerBody, question: &str) -> String {
    let told = answer.records.map(|records| (phrases(question).records)(records.articles));
    told.map(|told| format!("\n\n{told}")).unwrap_or_default()
}

/// A statement's words as they stand in the text, and the numbers of the marks that follow them.
fn stated<'s>(statement: &'s StatementBody, question: &str, is_first: bool) -> (String, &'s [usize]) {
    let apart = if is_first { "" } else { "\n\n" };
    let unsupported = if statement.citations.is_empty() { phrases(question).unsupported } else { "" };
    (format!("{apart}{} {unsupported}", plain(statement.text.trim())), &statement.citations)
}

/// A statement with its marks, as [`marked`] has it: for streams.
pub(in crate::http) fn piece(statement: &StatementBody, question: &str, is_first: bool) -> String {
    let (mut words, numbers) = stated(statement, question, is_first);
    for n in numbers {
        // Writing to a String cannot fail.
        let _ = write!(words, "[{n}]");
    }
    words
}

/// The list of sources, each a link; for a refusal, the nearest passages.
pub(in crate::http) fn sources(answer: &AnswerBody, question: &str) -> String {
    let phrases = phrases(question);
    if answer.citations.is_empty() {
        return String::new();
    }
    let head = if answer.answerable { format!("**{}**", phrases.sources) } else { phrases.nearest.to_owned() };
    let lines = answer.citations.iter().map(|citation| source(citation, answer.answerable, &phrases));
    format!("\n\n{head}\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn source(citation: &CitationBody, answers: bool, phrases: &Phrases) -> String {
    let CitationBody { n, title, authors, published, source, url, .. } = citation;
    let authors = authors.join("、");
    let lines = (phrases.lines)(source.line_start, source.line_end);
    let page = source.page.map(phrases.page).unwrap_or_default();
    let about = [authors.as_str(), published.as_deref().unwrap_or_default(), source.path.as_str(), page.as_str(), lines.as_str()];
    let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).map(|part| plain(&one_line(part))).collect();
    // A refusal marks nothing, so that nothing can be taken for an answer.
    let number = if answers { format!("{n}. ") } else { "- ".to_owned() };
    format!("{number}[{}](<{url}>) — {}", plain(&one_line(title)), about.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::exponent;

    #[test]
    fn article_text_is_shown_and_never_read_as_markdown() {
        let rows = [
            ("[1] 假的", "\\[1\\] 假的"),
            ("![x](http://evil)", "!\\[x\\](http\\://evil)"),
            ("# 标题\n- 一\n1. 二", "\\# 标题\n\\- 一\n1\\. 二"),
            ("<script>", "\\<script\\>"),
            ("www.evil.example a@b", "www\\.evil.example a\\@b"),
            ("12) 二\n1a. 三\n1234567890. 四", "12\\) 二\n1a. 三\n1234567890. 四"),
            ("上涨3.5%，共2.1万", "上涨3.5%，共2.1万"),
        ];
        for (text, expected) in rows {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn a_long_line_takes_linear_time() {
        for part in [".", "1", "www."] {
            let long = |count| assert!(plain(&part.repeat(count)).len() >= part.len() * count);
            assert!(exponent(1 << 15, long) < 1.5, "{part}");
        }
    }
}
