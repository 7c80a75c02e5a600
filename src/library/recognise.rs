//! An article keeps its id when its source is read again.

use std::collections::{HashMap, HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::article::{Article, ArticleId, Record, Source};
use crate::read::files::hex;
use crate::shelf::KnownArticle;

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
    hex(&hash.finalize())
}
