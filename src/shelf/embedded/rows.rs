//! Rows of the database ↔ the types of the other rooms.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::{outlines, places};
use crate::article::{Article, ArticleId, Heading, LineMap, LineRange, Passage, Record, Span};
use crate::embed::UnitVector;
use crate::newspaper::LeftOut;
use crate::shelf::sentences::cosines;
use crate::shelf::{Incoming, PassageId, StoredArticle, StoredPassage};

#[derive(Serialize, Deserialize)]
struct LeftOutRow(u32, String, String);

/// A list of texts from its JSON; a damaged one is empty, for the text itself is what counts.
pub(super) fn from_json(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists of numbers and texts are JSON")
}

pub(super) fn left_out_to_json(left_out: &[LeftOut]) -> String {
    let rows = left_out.iter().map(|left| LeftOutRow(left.line, left.text.clone(), left.reason.to_owned()));
    to_json(&rows.collect::<Vec<_>>())
}

/// Lines of a source that are in no article: line, text, reason.
pub(super) fn left_out(connection: &Connection, path: &str) -> rusqlite::Result<Vec<(u32, String, String)>> {
    let json: Option<String> =
        connection.query_row("SELECT left_out FROM sources WHERE path = ?1", [path], |row| row.get(0)).optional()?;
    let rows: Vec<LeftOutRow> = json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    Ok(rows.into_iter().map(|LeftOutRow(line, text, reason)| (line, text, reason)).collect())
}

pub(super) fn range_to_text(range: Option<LineRange>) -> Option<String> {
    range.map(|range| format!("{}-{}", range.first, range.last))
}

pub(super) fn range_from_text(text: Option<String>) -> Option<LineRange> {
    let text = text?;
    let (first, last) = text.split_once('-')?;
    Some(LineRange { first: first.parse().ok()?, last: last.parse().ok()? })
}

/// Writes one version of an article, in its place among those of its source.
pub(super) fn insert_article(
    connection: &Connection,
    (source, ordinal): (i64, usize),
    version: u32,
    incoming: &Incoming,
    article: &Article,
) -> rusqlite::Result<()> {
    let Record { key, title, authors, affiliation, published, url, language, encoding, notes, title_lines, byline_lines } =
        &article.record;
    let headings: Vec<(u8, usize, usize)> = article.headings.iter().map(|h| (h.level, h.span.start, h.span.end)).collect();
    let lines: Vec<u8> = article
        .lines
        .runs()
        .iter()
        .flat_map(|(start, line)| [(*start as u64).to_le_bytes(), u64::from(*line).to_le_bytes()])
        .flatten()
        .collect();
    connection
        .prepare_cached(
            "INSERT INTO articles (id, version, source, ordinal, sha256, key, title, authors, affiliation, published, url, encoding,
             notes, title_lines, byline_lines, text, headings, lines, language, places, sum)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,
                     checksum(?1,?2,?3,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20))",
        )?
        .execute(params![
            incoming.id.0,
            version,
            source,
            ordinal,
            incoming.sha256,
            key,
            title,
            to_json(authors),
            affiliation,
            published,
            url,
            encoding,
            to_json(notes),
            range_to_text(*title_lines),
            range_to_text(*byline_lines),
            article.text.as_bytes(),
            to_json(&headings),
            lines,
            language,
            places::to_bytes(&article.places)
        ])?;
    outlines::insert(connection, &incoming.id, version, article)
}

const ARTICLE: &str =
    "SELECT a.id, a.version, a.superseded, a.sha256, s.path, s.sha256, a.key, a.title, a.authors, a.affiliation,
    a.published, a.url, a.encoding, a.notes, a.title_lines, a.byline_lines, a.text, a.headings, a.lines, a.language, a.places, a.rowid
    FROM articles a JOIN sources s ON s.id = a.source";

/// The column of the row's number.
const ROW: usize = 21;

/// The record of an article whose ten columns, from `key` to `byline_lines`, begin at column `first` of `row`.
pub(super) fn record_from(row: &Row<'_>, first: usize, language: usize) -> rusqlite::Result<Record> {
    Ok(Record {
        key: row.get(first)?,
        title: row.get(first + 1)?,
        authors: from_json(&row.get::<_, String>(first + 2)?),
        affiliation: row.get(first + 3)?,
        published: row.get(first + 4)?,
        url: row.get(first + 5)?,
        encoding: row.get(first + 6)?,
        notes: from_json(&row.get::<_, String>(first + 7)?),
        title_lines: range_from_text(row.get(first + 8)?),
        byline_lines: range_from_text(row.get(first + 9)?),
        language: row.get(language)?,
    })
}

fn article_from(row: &Row<'_>) -> rusqlite::Result<StoredArticle> {
    let broken = |column: usize| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, "a stored article is damaged".into())
    };
    let text = String::from_utf8(row.get(16)?).map_err(|_| broken(16))?;
    let headings: Vec<(u8, usize, usize)> = serde_json::from_str(&row.get::<_, String>(17)?).map_err(|_| broken(17))?;
    let headings: Vec<Heading> =
        headings.into_iter().map(|(level, start, end)| Heading { level, span: Span::new(start, end) }).collect();
    let bytes: Vec<u8> = row.get(18)?;
    let numbers: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    let run = |pair: &[u64; 2]| Some((usize::try_from(pair[0]).ok()?, u32::try_from(pair[1]).ok()?));
    let runs: Option<Vec<(usize, u32)>> = numbers.as_chunks::<2>().0.iter().map(run).collect();
    let lines = runs.and_then(LineMap::from_runs).ok_or_else(|| broken(18))?;
    let places: Option<Vec<u8>> = row.get(20)?;
    let places = places::from_bytes(&places.unwrap_or_default()).ok_or_else(|| broken(20))?;
    let record = record_from(row, 6, 19)?;
    Ok(StoredArticle {
        id: ArticleId(row.get(0)?),
        version: row.get(1)?,
        superseded: row.get::<_, Option<i64>>(2)?.is_some(),
        sha256: row.get(3)?,
        source_path: row.get(4)?,
        source_sha256: row.get(5)?,
        article: Article { record, text, headings, lines, places },
    })
}

/// An article: the version asked for, or the latest.
pub(super) fn article(connection: &Connection, id: &str, version: Option<u32>) -> rusqlite::Result<Option<StoredArticle>> {
    let sql = format!("{ARTICLE} WHERE a.id = ?1 AND (?2 IS NULL OR a.version = ?2) ORDER BY a.version DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row(params![id, version], article_from).optional()
}

/// Current articles in the order of their sources, after skipping `offset`. What is passed over is not read.
pub(super) fn articles(connection: &Connection, offset: usize, limit: usize) -> rusqlite::Result<Vec<StoredArticle>> {
    let mut chosen = connection
        .prepare_cached("SELECT rowid FROM articles WHERE superseded IS NULL ORDER BY source, ordinal LIMIT ?1 OFFSET ?2")?;
    let rows: Vec<i64> = chosen.query_map(params![limit, offset], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut one = connection.prepare_cached(&format!("{ARTICLE} WHERE a.rowid = ?1"))?;
    // One that was purged meanwhile is in no list.
    rows.into_iter().filter_map(|row| one.query_row([row], article_from).optional().transpose()).collect()
}

/// Which versions of articles are read, in the order in which they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Those that nothing has superseded.
    Current,
    /// All.
    All,
}

/// Versions of articles, a part at a time: those after row `after`, and the row to go on from.
pub(super) fn versions(
    connection: &Connection,
    which: Versions,
    after: i64,
    limit: usize,
) -> rusqlite::Result<(Vec<StoredArticle>, i64)> {
    let current = if which == Versions::Current { "AND a.superseded IS NULL" } else { "" };
    let sql = format!("{ARTICLE} WHERE a.rowid > ?1 {current} ORDER BY a.rowid LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut last = after;
    let rows = statement.query_map(params![after, limit], |row| {
        last = row.get(ROW)?;
        article_from(row)
    })?;
    let found = rows.collect::<rusqlite::Result<_>>()?;
    Ok((found, last))
}

/// Cosine similarity of `question` with each sentence of passages, in the order asked for; none for one that is gone.
pub(super) fn sentence_cosines(
    connection: &Connection,
    question: &UnitVector,
    ids: &[PassageId],
) -> rusqlite::Result<Vec<Vec<f32>>> {
    let mut statement = connection.prepare_cached("SELECT sentences FROM passages WHERE id = ?1 AND removed IS NULL")?;
    let mut of_one = |id: &PassageId| {
        let cosines = statement.query_row([id], |row| {
            let bytes = row.get_ref(0)?.as_blob_or_null()?;
            Ok(bytes.map(|bytes| cosines(bytes, question)))
        });
        Ok(cosines.optional()?.flatten().unwrap_or_default())
    };
    ids.iter().map(&mut of_one).collect()
}

/// What is read of an article for all its passages at once.
struct Around {
    text: String,
    title: String,
    authors: Vec<String>,
    language: Option<String>,
}

fn around(connection: &Connection, id: &str, version: u32) -> rusqlite::Result<Around> {
    let mut statement =
        connection.prepare_cached("SELECT text, title, authors, language FROM articles WHERE id = ?1 AND version = ?2")?;
    statement.query_row(params![id, version], |row| {
        let bytes: Vec<u8> = row.get(0)?;
        Ok(Around {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            title: row.get(1)?,
            authors: from_json(&row.get::<_, String>(2)?),
            language: row.get(3)?,
        })
    })
}

/// The numbers of an article's passages, in reading order.
pub(super) fn of_article(connection: &Connection, id: &str, version: u32) -> rusqlite::Result<Vec<PassageId>> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM passages WHERE article = ?1 AND version = ?2 AND removed IS NULL ORDER BY start, id")?;
    let rows = statement.query_map(params![id, version], |row| row.get(0))?;
    rows.collect()
}

/// Passages by number, in the order asked for; those that are gone are left out.
///
/// Each article is read once: its text lies before its language in the row, and SQLite would read all of it for
/// each passage.
pub(super) fn passages(connection: &Connection, ids: &[PassageId]) -> rusqlite::Result<Vec<StoredPassage>> {
    let mut statement = connection
        .prepare_cached("SELECT id, article, version, start, stop, section FROM passages WHERE id = ?1 AND removed IS NULL")?;
    let mut articles: HashMap<(String, u32), Around> = HashMap::new();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let row = statement.query_row([id], |row| {
            let passage = Passage { span: Span::new(row.get(3)?, row.get(4)?), section: row.get(5)? };
            Ok((row.get::<_, PassageId>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?, passage))
        });
        let Some((id, article, version, passage)) = row.optional()? else { continue };
        let Around { text, title, authors, language } = match articles.entry((article.clone(), version)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(around(connection, &article, version)?),
        };
        let Span { start, end } = passage.span;
        found.push(StoredPassage {
            id,
            article: ArticleId(article),
            version,
            passage,
            text: text.get(start..end).unwrap_or_default().to_owned(),
            title: title.clone(),
            authors: authors.clone(),
            language: language.clone(),
        });
    }
    Ok(found)
}
