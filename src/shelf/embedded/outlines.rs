//! What is told of an article in a list, beside its text: so that a list reads no text.
//!
//! SQLite reads a row from its beginning, so what stands behind a long text costs as much as the text. Each version's
//! outline is a row of its own, made from the article when that is kept.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use super::rows::{from_json, range_from_text, range_to_text, record_from, to_json};
use crate::article::{Article, ArticleId, LineRange, Span};
use crate::shelf::{ArticleOutline, StoredArticle};
use crate::text::hex;

/// `ended` is when the version was superseded, in seconds since 1970.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS outlines (
  id TEXT NOT NULL, version INTEGER NOT NULL, text_sha256 TEXT NOT NULL, length INTEGER NOT NULL, headings TEXT NOT NULL,
  language TEXT, lines TEXT, pages TEXT, ended INTEGER, sum INTEGER, PRIMARY KEY (id, version)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outlines_ended ON outlines (ended) WHERE ended IS NOT NULL;
";
/// The checksum of a row.
pub(super) const SUM: &str = "checksum(id, version, text_sha256, length, headings, language, lines, pages)";

impl ArticleOutline {
    /// The outline of an article that was read whole.
    pub fn of(stored: &StoredArticle) -> Self {
        let Told { text_sha256, length, headings, lines, pages } = Told::of(&stored.article);
        Self {
            id: stored.id.clone(),
            version: stored.version,
            superseded: stored.superseded,
            record: stored.article.record.clone(),
            source_path: stored.source_path.clone(),
            source_sha256: stored.source_sha256.clone(),
            text_sha256,
            length,
            headings,
            lines,
            pages,
        }
    }
}

/// What has to be read of a text.
struct Told {
    text_sha256: String,
    length: usize,
    headings: Vec<String>,
    lines: Option<LineRange>,
    pages: Option<[u32; 2]>,
}

impl Told {
    fn of(article: &Article) -> Self {
        Self {
            text_sha256: hex(&Sha256::digest(&article.text)),
            length: article.text.chars().count(),
            headings: article.heading_texts().map(str::to_owned).collect(),
            lines: article.lines.range(Span::new(0, article.text.len())),
            pages: article.places.pages(),
        }
    }
}

/// Writes the outline of a version.
pub(super) fn insert(connection: &Connection, id: &ArticleId, version: u32, article: &Article) -> rusqlite::Result<()> {
    let Told { text_sha256, length, headings, lines, pages } = Told::of(article);
    let mut insert = connection.prepare_cached(
        "INSERT INTO outlines (id, version, text_sha256, length, headings, language, lines, pages, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))",
    )?;
    let (headings, lines, pages) = (to_json(&headings), range_to_text(lines), pages.map(|pages| to_json(&pages)));
    insert.execute(params![id.0, version, text_sha256, length, headings, article.record.language, lines, pages])?;
    Ok(())
}

/// Current articles in the order of their sources, after skipping `offset`; no text is read.
pub(super) fn listed(connection: &Connection, offset: usize, limit: usize) -> rusqlite::Result<Vec<ArticleOutline>> {
    let mut statement = connection.prepare_cached(
        "WITH chosen AS MATERIALIZED (
           SELECT rowid AS row, source, ordinal FROM articles WHERE superseded IS NULL
           ORDER BY source, ordinal LIMIT ?1 OFFSET ?2)
         SELECT a.id, a.version, a.key, a.title, a.authors, a.affiliation, a.published, a.url, a.encoding, a.notes,
           a.title_lines, a.byline_lines, s.path, s.sha256, o.text_sha256, o.length, o.headings, o.language, o.lines, o.pages
         FROM chosen c CROSS JOIN articles a ON a.rowid = c.row JOIN sources s ON s.id = a.source
           JOIN outlines o ON o.id = a.id AND o.version = a.version ORDER BY c.source, c.ordinal",
    )?;
    let rows = statement.query_map(params![limit, offset], outline_from)?;
    rows.collect()
}

fn outline_from(row: &Row<'_>) -> rusqlite::Result<ArticleOutline> {
    let record = record_from(row, 2, 17)?;
    Ok(ArticleOutline {
        id: ArticleId(row.get(0)?),
        version: row.get(1)?,
        superseded: false,
        record,
        source_path: row.get(12)?,
        source_sha256: row.get(13)?,
        text_sha256: row.get(14)?,
        length: row.get(15)?,
        headings: from_json(&row.get::<_, String>(16)?),
        lines: range_from_text(row.get(18)?),
        pages: row.get::<_, Option<String>>(19)?.and_then(|pages| serde_json::from_str(&pages).ok()),
    })
}

/// The first outline that is not what was written, in words.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = format!("SELECT id, version FROM outlines WHERE sum IS NOT {SUM} LIMIT 1");
    let found: Option<(String, u32)> = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.map(|(id, version)| {
        format!("the outline of version {version} of article `{}` is not as it was written", id.escape_debug())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::embedded::database;

    #[test]
    fn a_list_goes_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database::open(folder.path(), |_| Ok(())).unwrap();
        assert_eq!(listed(&connection, 0, 10).unwrap().len(), 0);
        let plan =
            "EXPLAIN QUERY PLAN SELECT rowid FROM articles WHERE superseded IS NULL ORDER BY source, ordinal LIMIT 9 OFFSET 9";
        let step: String = connection.query_row(plan, [], |row| row.get(3)).unwrap();
        assert!(step.contains("COVERING INDEX articles_listed"), "{step}");
    }
}
