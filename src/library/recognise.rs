//! An article keeps its id when its source is read again.

use std::collections::{HashMap, HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::article::{Article, ArticleId, Record, Source};
use crate::shelf::KnownArticle;
use crate::text::hex;

/// An article with the id that it has or gets.
pub(super) struct Recognised {
    /// The article, as just read.
    pub(super) article: Article,
    /// Its id.
    pub(super) id: ArticleId,
    /// Whether the kept version is the same.
    pub(super) unchanged: bool,
}

/// What an article and a kept one are compared by: two are the same where theirs are, and there is one.
type Likeness = String;

/// A likeness of what has this name in its source, this title and these authors.
type Test = fn(Option<&str>, &str, &[String]) -> Option<Likeness>;

/// The source's own name for it; else its title; else its authors.
const TESTS: [Test; 3] = [
    |key, _, _| key.map(str::to_owned),
    |key, title, _| Some(format!("{key:?}\0{title}")),
    |key, _, authors| (!authors.is_empty()).then(|| format!("{key:?}\0{}", authors.join("\0"))),
];

/// Gives each article its id: the one it had, if the source's earlier reading held it.
///
/// It is the same article when the source's own name for it is, else when the title
/// is, else when the authors are. Each test looks each article up once, however many there are.
pub(super) fn recognise(source: &Source, articles: Vec<Article>, kept: &[KnownArticle]) -> Vec<Recognised> {
    let mut free = vec![true; kept.len()];
    let mut found: Vec<Option<&KnownArticle>> = vec![None; articles.len()];
    for test in TESTS {
        let mut alike: HashMap<Likeness, VecDeque<usize>> = HashMap::new();
        for (at, kept) in kept.iter().enumerate().filter(|(at, _)| free[*at]) {
            if let Some(likeness) = test(kept.key.as_deref(), &kept.title, &kept.authors) {
                alike.entry(likeness).or_default().push_back(at);
            }
        }
        for (article, found) in articles.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let Record { key, title, authors, .. } = &article.record;
            let first = test(key.as_deref(), title, authors).and_then(|likeness| alike.get_mut(&likeness)?.pop_front());
            if let Some(at) = first {
                free[at] = false;
                *found = kept.get(at);
            }
        }
    }
    let mut taken: HashSet<ArticleId> = kept.iter().map(|kept| kept.id.clone()).collect();
    let all = articles.into_iter().zip(found).enumerate();
    all.map(|(ordinal, (article, found))| {
        if let Some(kept) = found {
            return Recognised { unchanged: kept.sha256 == fingerprint(&article), id: kept.id.clone(), article };
        }
        let id = new_id(source, &article, ordinal, &taken);
        taken.insert(id.clone());
        Recognised { article, id, unchanged: false }
    })
    .collect()
}

fn new_id(source: &Source, article: &Article, ordinal: usize, taken: &HashSet<ArticleId>) -> ArticleId {
    let name = article.record.key.as_ref().unwrap_or(&article.record.title);
    let id = |attempt: u32| {
        let seed = format!("{}\0{name}\0{ordinal}\0{attempt}", source.location);
        ArticleId(hex(&Sha256::digest(seed)[..8]))
    };
    // Sixty-four bits about never collide; the attempts are for that case.
    let mut attempt = 0;
    while taken.contains(&id(attempt)) {
        attempt += 1;
    }
    id(attempt)
}

/// SHA-256 of all that readers see of an article.
pub(super) fn fingerprint(article: &Article) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?}{:?}{:?}", article.record, article.headings, article.lines));
    hash.update(&article.text);
    // Texts without pages keep the fingerprints that they had before pages were known.
    if !article.places.is_empty() {
        hash.update(format!("{:?}", article.places));
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Builder;
    use crate::growth::exponent;
    use crate::read::files::source;

    fn article(key: Option<String>, title: &str, author: &str) -> Article {
        let mut builder = Builder::default();
        builder.push("text", 1);
        builder.finish(Record { key, title: title.to_owned(), authors: vec![author.to_owned()], ..Record::default() })
    }

    fn kept(articles: &[Article]) -> Vec<KnownArticle> {
        let one = |(at, article): (usize, &Article)| KnownArticle {
            id: ArticleId(format!("{at:016x}")),
            version: 1,
            key: article.record.key.clone(),
            title: article.record.title.clone(),
            authors: article.record.authors.clone(),
            sha256: fingerprint(article),
        };
        articles.iter().enumerate().map(one).collect()
    }

    fn numbers(articles: Vec<Article>, kept: &[KnownArticle]) -> Vec<Option<usize>> {
        let source = source("a.jsonl".to_owned(), "/a.jsonl".to_owned(), vec![]);
        let recognised = recognise(&source, articles, kept);
        recognised.iter().map(|found| kept.iter().position(|kept| kept.id == found.id)).collect()
    }

    #[test]
    fn an_article_is_known_by_its_key_then_its_title_then_its_authors() {
        let key = |key: &str| Some(key.to_owned());
        let before =
            kept(&[article(None, "A", "x"), article(None, "B", "y"), article(key("k"), "C", "z"), article(None, "A", "w")]);
        let now = vec![
            article(key("k"), "new", "n"),
            article(None, "other", "y"),
            article(None, "A", "n"),
            article(None, "A", "n"),
            article(key("l"), "C", "z"),
        ];
        assert_eq!(numbers(now, &before), [Some(2), Some(1), Some(0), Some(3), None]);
    }

    #[test]
    fn many_articles_in_another_order_take_linear_time() {
        let source = source("a.jsonl".to_owned(), "/a.jsonl".to_owned(), vec![]);
        let all = |text: &str, count: usize| -> Vec<Article> {
            (0..count).map(|n| article(Some(format!("k{n}")), &format!("{text} {n}"), "x")).collect()
        };
        let reversed = |count| {
            let before = kept(&all("before", count));
            let mut now = all("now", count);
            now.reverse();
            let recognised = recognise(&source, now, &before);
            assert!(recognised.iter().rev().zip(&before).all(|(found, kept)| found.id == kept.id && !found.unchanged));
        };
        assert!(exponent(1_000, reversed) < 1.5);
    }
}
