//! What a question names of the records: authors, titles, institutions, sources, times.
//!
//! Names are compared folded: width, case, and traditional characters as simplified ones make no difference. A record
//! that has a transcription in brackets behind a name is found by both.

use std::collections::BTreeSet;

use super::super::written::fold;
use super::period::{Period, period};
use crate::shelf::Described;
use crate::text::is_unspaced;

/// What a question names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Authors, as their records write them, in the question's order.
    pub authors: Vec<String>,
    /// Ids of articles whose titles it names.
    pub articles: Vec<String>,
    /// Ids of articles whose authors work where it says.
    pub from_institution: Vec<String>,
    /// Paths of sources.
    pub sources: Vec<String>,
    /// A time.
    pub period: Option<Period>,
    /// Whether something stands in marks of quotation, as titles do.
    pub quotes_something: bool,
    /// The question without all of these, folded.
    pub rest: String,
}

impl Named {
    /// Whether it names anything that records have.
    pub fn names_something(&self) -> bool {
        let Self { authors, articles, from_institution, sources, period, .. } = self;
        let lists = [authors, articles, from_institution, sources];
        period.is_some() || lists.iter().any(|list| !list.is_empty())
    }

    /// What `question` names of `records`; `today` is `YYYY-MM-DD`.
    pub fn of(question: &str, records: &[Described], today: &str) -> Self {
        let folded = fold(question);
        let mut rest = folded.clone();
        let mut take = |name: &str| rest = rest.replace(name, " ");
        let (articles, titles) = titles(&folded, records);
        for title in &titles {
            take(title);
        }
        let authors = authors(&folded, records);
        for (_, name) in &authors {
            take(name);
        }
        let (sources, paths) = sources(&folded, records);
        for path in &paths {
            take(path);
        }
        let (from_institution, institution) = institution(&folded, records);
        if let Some(name) = &institution {
            take(name);
        }
        let period = period(&folded, today);
        let quotes_something = !quoted(&folded).is_empty();
        Self {
            authors: authors.into_iter().map(|(author, _)| author).collect(),
            articles,
            from_institution,
            sources,
            period,
            quotes_something,
            rest,
        }
    }
}

/// Whether `name` stands in `text` as a word of its own; in scripts without spaces anywhere. Both are folded.
fn holds(text: &str, name: &str) -> bool {
    if name.chars().count() < 2 {
        return false;
    }
    text.match_indices(name).any(|(at, _)| {
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c));
        let unspaced = name.chars().any(is_unspaced);
        unspaced || !(joined(text[..at].chars().next_back()) || joined(text[at + name.len()..].chars().next()))
    })
}

/// Authors and the names that they were found by, folded.
fn authors(question: &str, records: &[Described]) -> Vec<(String, String)> {
    let all: BTreeSet<&String> = records.iter().flat_map(|record| &record.authors).collect();
    let mut found: Vec<(usize, String, String)> = Vec::new();
    for author in all {
        let whole = fold(author);
        let parts: Vec<&str> = whole.split(['(', ')', '/', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
        // Of "maria lopez" the family name is enough, where it is long enough to be one.
        let family = |part: &&str| {
            part.rsplit(' ').next().filter(|name| name.chars().count() > 3 && !name.chars().any(is_unspaced)).map(str::len)
        };
        let names = parts.iter().copied().chain(parts.iter().filter_map(|part| Some(&part[part.len() - family(part)?..])));
        let names = names.into_iter().find(|name| holds(question, name));
        if let Some(name) = names {
            found.push((question.find(name).unwrap_or(0), author.clone(), name.to_owned()));
        }
    }
    found.sort();
    found.into_iter().map(|(_, author, name)| (author, name)).collect()
}

/// What stands in marks of quotation.
fn quoted(question: &str) -> Vec<&str> {
    const MARKS: [(char, char); 8] =
        [('《', '》'), ('「', '」'), ('『', '』'), ('“', '”'), ('«', '»'), ('„', '“'), ('"', '"'), ('〈', '〉')];
    let inside = |(open, close): &(char, char)| {
        let (_, rest) = question.split_once(*open)?;
        let (inside, _) = rest.split_once(*close)?;
        Some(inside.trim()).filter(|inside| inside.chars().count() > 1)
    };
    let mut found: Vec<&str> = MARKS.iter().filter_map(inside).collect();
    // A second one in the same marks: two titles are compared.
    found.extend(MARKS.iter().filter_map(|(open, close)| {
        let rest = question.split_once(*open)?.1.split_once(*close)?.1;
        Some(rest.split_once(*open)?.1.split_once(*close)?.0.trim())
    }));
    found.dedup();
    found
}

/// A title that the classifier of kinds was taught with: the words of others may be about anything.
const KNOWN_TITLE: &str = "Trains and towns";

/// The question with a title that was taught in place of the titles of `records` that it quotes; `None` where it quotes none.
pub fn with_known_titles(question: &str, records: &[Described]) -> Option<String> {
    let bare = |text: &str| -> String { fold(text).chars().filter(|c| c.is_alphanumeric()).collect() };
    let is_title = |quote: &&str| {
        let quote = bare(quote);
        !quote.is_empty() && records.iter().any(|record| bare(&record.title).contains(&quote))
    };
    let titles: Vec<&str> = quoted(question).into_iter().filter(is_title).collect();
    let replaced = titles.iter().fold(question.to_owned(), |text, title| text.replace(title, KNOWN_TITLE));
    (!titles.is_empty()).then_some(replaced)
}

/// Ids of articles whose titles are named, and the words that name them.
fn titles(question: &str, records: &[Described]) -> (Vec<String>, Vec<String>) {
    /// Characters of a title that names its article without marks of quotation.
    const LONG: usize = 4;
    let bare = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let (flat, quoted) = (bare(question), quoted(question));
    let (mut ids, mut words) = (Vec::new(), Vec::new());
    for record in records {
        let folded = fold(&record.title);
        let title = bare(&folded);
        let by_quote = quoted.iter().find(|quote| !bare(quote).is_empty() && title.contains(&bare(quote)));
        if let Some(quote) = by_quote {
            ids.push(record.id.clone());
            words.push((*quote).to_owned());
        } else if title.chars().count() >= LONG && flat.contains(&title) {
            ids.push(record.id.clone());
            words.push(folded);
        }
    }
    (ids, words)
}

/// Paths of sources that are named, and the words that name them.
fn sources(question: &str, records: &[Described]) -> (Vec<String>, Vec<String>) {
    let paths: BTreeSet<&String> = records.iter().map(|record| &record.source_path).collect();
    let mut found = (Vec::new(), Vec::new());
    for path in paths {
        let folded = fold(path);
        let name = folded.rsplit('/').next().unwrap_or(&folded);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let named = [folded.as_str(), name, stem].into_iter().find(|name| name.chars().count() > 3 && holds(question, name));
        if let Some(name) = named {
            found.0.push(path.clone());
            found.1.push(name.to_owned());
        }
    }
    found
}

/// Ids of articles whose authors' institution shares the longest words with the question, and those words.
fn institution(question: &str, records: &[Described]) -> (Vec<String>, Option<String>) {
    let mut best: (usize, Vec<String>, Option<String>) = (0, vec![], None);
    for record in records {
        let Some(affiliation) = record.affiliation.as_deref().map(fold) else { continue };
        let common = common(question, &affiliation);
        let length = common.chars().count();
        let least = if common.chars().any(is_unspaced) { 4 } else { 10 };
        if length < least || length < best.0 {
            continue;
        }
        if length > best.0 {
            best = (length, vec![], Some(common));
        }
        best.1.push(record.id.clone());
    }
    (best.1, best.2)
}

/// The longest run of characters that both have.
fn common(a: &str, b: &str) -> String {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut best, mut end) = (0, 0);
    let mut before = vec![0_usize; b.len() + 1];
    for (row, left) in a.iter().enumerate() {
        let mut now = vec![0; b.len() + 1];
        for (column, right) in b.iter().enumerate() {
            if left == right {
                now[column + 1] = before[column] + 1;
                if now[column + 1] > best {
                    (best, end) = (now[column + 1], row + 1);
                }
            }
        }
        before = now;
    }
    a[end - best..end].iter().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, title: &str, author: &str, affiliation: &str) -> Described {
        Described {
            id: id.to_owned(),
            title: title.to_owned(),
            authors: vec![author.to_owned()],
            affiliation: Some(affiliation.to_owned()),
            published: None,
            language: None,
            source_path: "zh/notes.jsonl".to_owned(),
        }
    }

    #[test]
    fn a_question_names_what_the_records_hold() {
        let records = [
            record("1", "夜市的烟火气从哪里来", "常青", "云溪商学院"),
            record("2", "A market that opens at dusk", "Maria Lopez (李琳)", "University of Yunxi"),
        ];
        let named = |question: &str| Named::of(question, &records, "2024-06-01");
        assert_eq!(named("常青寫了哪些文章？").authors, ["常青"]);
        assert_eq!(named("李琳 wrote what?").authors, ["Maria Lopez (李琳)"]);
        assert_eq!(named("What did LOPEZ write?").authors, ["Maria Lopez (李琳)"]);
        assert_eq!(named("谁写了《夜市的烟火气》？").articles, ["1"]);
        assert_eq!(named("Who wrote A market that opens at dusk?").articles, ["2"]);
        let with_known = |question: &str| with_known_titles(question, &records);
        assert_eq!(with_known("谁写了《夜市的烟火气》？").as_deref(), Some("谁写了《Trains and towns》？"));
        assert_eq!(with_known("谁写了《红楼梦》？"), None);
        assert_eq!(named("云溪商学院的作者写了什么？").from_institution, ["1"]);
        assert_eq!(named("What is in notes.jsonl?").sources, ["zh/notes.jsonl"]);
        let period = |question: &str| named(question).period.map(|period| (period.from, period.to));
        let days = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(period("2023年5月的文章"), days("2023-05-01", "2023-05-31"));
        assert_eq!(period("articles since March 2021"), days("2021-03-01", "9999-12-31"));
        assert_eq!(period("去年的文章"), days("2023-01-01", "2023-12-31"));
        assert_eq!(period("二〇二四年的文章"), days("2024-01-01", "2024-12-31"));
        assert_eq!(period("Who may come?"), None);
    }
}
