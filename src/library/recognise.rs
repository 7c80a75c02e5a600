//! An article keeps its id when its source is read again.

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

/// Gives each article its id: the one it had, if the source's earlier reading held it.
///
/// It is the same article when the source's own name for it is, else when the title
/// is, else when the authors are.
pub(super) fn recognise(source: &Source, articles: Vec<Article>, kept: &[KnownArticle]) -> Vec<Recognised> {
    let tests: [fn(&Record, &KnownArticle) -> bool; 3] = [
        |record, kept| kept.key.is_some() && record.key == kept.key,
        |record, kept| record.key == kept.key && record.title == kept.title,
        |record, kept| record.key == kept.key && !kept.authors.is_empty() && record.authors == kept.authors,
    ];
    let mut free: Vec<&KnownArticle> = kept.iter().collect();
    let mut found: Vec<Option<&KnownArticle>> = vec![None; articles.len()];
    for test in tests {
        for (article, found) in articles.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            if let Some(at) = free.iter().position(|kept| test(&article.record, kept)) {
                *found = Some(free.remove(at));
            }
        }
    }
    let mut taken: Vec<ArticleId> = kept.iter().map(|kept| kept.id.clone()).collect();
    let all = articles.into_iter().zip(found).enumerate();
    all.map(|(ordinal, (article, found))| {
        if let Some(kept) = found {
            return Recognised { unchanged: kept.sha256 == fingerprint(&article), id: kept.id.clone(), article };
        }
        let id = new_id(source, &article, ordinal, &taken);
        taken.push(id.clone());
        Recognised { article, id, unchanged: false }
    })
    .collect()
}

fn new_id(source: &Source, article: &Article, ordinal: usize, taken: &[ArticleId]) -> ArticleId {
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
