//! Whether a library is what it was when it was written.
//!
//! The database, its rows' checksums and the caches' files are compared; a deep check also reads
//! every article, and cuts and embeds it anew.

use std::path::Path;

use super::{Progress, identity, making};
use crate::embed::{Embedder, UnitVector};
use crate::settings::Settings;
use crate::shelf::embedded::inspect::{Inspection, Versions};
use crate::shelf::{Counts, Error, StoredArticle};

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// How much is kept.
    pub counts: Counts,
    /// Damage to what cannot be made again, in words.
    pub damage: Vec<String>,
    /// Caches that will be built again.
    pub stale: Vec<String>,
    /// Citable versions of articles that were read, in a deep check.
    pub articles: usize,
    /// Passages that were embedded anew, in a deep check with the model that filled the library.
    pub passages: usize,
}

/// Cosine that a vector and its remaking have at least: the same model on another processor.
const SAME: f32 = 0.9999;
/// Articles that are read at once.
const ARTICLES: usize = 64;

/// Checks the library in `folder`, which may be in use; deeply, when there is an `embedder`.
pub fn check(
    folder: &Path,
    settings: &Settings,
    embedder: Option<&Embedder>,
    progress: &dyn Fn(Progress<'_>),
) -> Result<Checked, Error> {
    let inspection = Inspection::open(folder)?;
    let damage = inspection.damage(embedder.is_some())?;
    if !damage.is_empty() {
        let counts = inspection.counts().unwrap_or(Counts { sources: 0, articles: 0, passages: 0 });
        return Ok(Checked { counts, damage, stale: vec![], articles: 0, passages: 0 });
    }
    let (counts, stale) = (inspection.counts()?, inspection.stale()?);
    let mut checked = Checked { counts, damage, stale, articles: 0, passages: 0 };
    let Some(embedder) = embedder else { return Ok(checked) };
    let same = inspection.filled()?.is_none_or(|filled| filled == identity(settings, embedder).to_string());
    if !same {
        checked.stale.push("the vectors: another model filled them, and they were not compared".to_owned());
    }
    let mut after = 0;
    loop {
        let (versions, last) = inspection.versions(Versions::All, after, ARTICLES)?;
        if versions.is_empty() {
            break;
        }
        after = last;
        for stored in versions {
            let path = stored.article.record.title.clone();
            progress(Progress { done: checked.articles, all: counts.articles, passages: checked.passages, path: &path });
            checked.articles += 1;
            read(&inspection, &stored, &mut checked)?;
            if same && !stored.superseded {
                embed(&inspection, &stored, settings, embedder, &mut checked)?;
            }
        }
    }
    Ok(checked)
}

/// Each passage and heading of an article is a part of it.
fn read(inspection: &Inspection, stored: &StoredArticle, checked: &mut Checked) -> Result<(), Error> {
    let StoredArticle { id, version, article, .. } = stored;
    if article.headings.iter().any(|heading| article.quote(heading.span).is_none()) {
        checked.damage.push(format!("a heading is no part of version {version} of article `{}`", id.0));
    }
    for (span, _) in inspection.passages_of(id, *version)? {
        if article.quote(span).is_none() {
            let place = format!("{}..{}", span.start, span.end);
            checked.damage.push(format!("`{place}` is no part of version {version} of article `{}`", id.0));
        }
    }
    Ok(())
}

/// The passages and vectors of an article are those that cutting and embedding it gives.
fn embed(
    inspection: &Inspection,
    stored: &StoredArticle,
    settings: &Settings,
    embedder: &Embedder,
    checked: &mut Checked,
) -> Result<(), Error> {
    let kept = inspection.passages_of(&stored.id, stored.version)?;
    let made = making::content(settings, embedder, stored.article.clone())?.passages;
    if kept.len() != made.len() || kept.iter().zip(&made).any(|((span, _), made)| *span != made.passage.span) {
        checked.stale.push(format!("the passages of article `{}`: they are cut otherwise today", stored.id.0));
        return Ok(());
    }
    let dimension = embedder.info().dimension;
    for ((_, bytes), made) in kept.iter().zip(made) {
        checked.passages += 1;
        let kept = bytes.as_deref().and_then(|bytes| UnitVector::from_bytes(bytes, dimension));
        let alike = match (&kept, &made.vector) {
            (Some(kept), Some(vector)) => kept.dot(vector) >= SAME,
            (None, None) => true,
            _ => false,
        };
        if !alike {
            checked.damage.push(format!("a vector of article `{}` is not what its text gives", stored.id.0));
        }
    }
    Ok(())
}
