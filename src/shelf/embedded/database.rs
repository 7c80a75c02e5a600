//! SQLite: the truth. One file, WAL, `synchronous=FULL`.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Passages, Retention, retention, rows, schema, sums};
use crate::article::{ArticleId, Passage};
use crate::shelf::{Change, Content, Counts, Error, Identity, Incoming, KnownArticle, KnownSource, NewPassage};

/// Its name in the data folder.
pub(super) const FILE: &str = "ibid.sqlite";

/// Bytes that the log keeps when it begins anew.
const LOG_BYTES: i64 = 16 << 20;

/// Opens the database in `folder`, making it if it is not there. One of an earlier format is migrated once it is
/// `claimed`: what is refused stays as it was. Whether all of it is [`sound`] is not known yet.
pub(super) fn open(folder: &Path, claimed: impl Fn(&Connection) -> Result<(), Error>) -> Result<Connection, Error> {
    let file = folder.join(FILE);
    let damaged = |reason: rusqlite::Error| Error::Damaged { file: file.display().to_string(), reason: reason.to_string() };
    let connection = connect(folder)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table'", [], |row| row.get(0)).map_err(damaged)?;
    if tables > 0 {
        let format = meta(&connection, "format").map_err(damaged)?.unwrap_or_default();
        if format != schema::FORMAT {
            structure(&connection, &file)?;
            if schema::EARLIER.contains(&format.as_str()) {
                claimed(&connection)?;
            }
        }
        if !schema::migrate(&connection, &format).map_err(damaged)? {
            return Err(Error::OtherFormat { file: file.display().to_string(), format, known: schema::FORMAT });
        }
    } else {
        schema::begin(&connection).map_err(damaged)?;
    }
    Ok(connection)
}

/// Whether the database in `folder` is as it was written: its structure, its sources and its articles. Passages
/// are compared as they are loaded.
pub(super) fn sound(folder: &Path) -> Result<(), Error> {
    let file = folder.join(FILE);
    let connection = connect(folder)?;
    structure(&connection, &file)?;
    let found = sums::damage(&connection)
        .map_err(|reason| Error::Damaged { file: file.display().to_string(), reason: reason.to_string() })?;
    found.map_or(Ok(()), |reason| Err(Error::Damaged { file: file.display().to_string(), reason }))
}

fn structure(connection: &Connection, file: &Path) -> Result<(), Error> {
    let state = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let reason = state.unwrap_or_else(|reason: rusqlite::Error| reason.to_string());
    if reason == "ok" { Ok(()) } else { Err(Error::Damaged { file: file.display().to_string(), reason }) }
}

/// Adds what databases of the same format may lack.
pub(super) fn add_indexes(connection: &Connection) {
    if let Err(error) = connection.execute_batch(&format!("{}; {}", schema::LATER_INDEXES, super::filter::INDEX)) {
        // As where the disk is full: what it makes faster goes on without it.
        tracing::warn!(%error, "an index could not be added");
    }
}

/// One more connection to the database in `folder`.
pub(super) fn connect(folder: &Path) -> Result<Connection, Error> {
    let file = folder.join(FILE);
    let open = || {
        let connection = Connection::open(&file)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        // Room is only given back to the disk by a file that was begun so. On another this changes nothing, but waits
        // for whoever writes.
        if connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted is overwritten: nobody can say later which of it was to be gone for good.
        connection.pragma_update(None, "secure_delete", true)?;
        // After a large change the log is as long as that; it is cut when it begins anew.
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        connection.set_prepared_statement_cache_capacity(64);
        sums::teach(&connection)?;
        Ok(connection)
    };
    open().map_err(|reason: rusqlite::Error| Error::Damaged { file: file.display().to_string(), reason: reason.to_string() })
}

pub(super) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

/// The number of the last change.
pub(super) fn last_change(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(meta(connection, "change")?.and_then(|value| value.parse().ok()).unwrap_or(0))
}

/// What filled the shelf: `Err` names both when it is not `identity`.
pub(super) fn claim(connection: &Connection, identity: &Identity, folder: &Path) -> Result<(), Error> {
    let now = identity.to_string();
    match meta(connection, "identity")? {
        Some(filled) if filled == now => Ok(()),
        Some(filled) if last_change(connection)? > 0 => {
            Err(Error::OtherModel { folder: folder.display().to_string(), filled, now })
        }
        _ => set_identity(connection, identity).map_err(Error::from),
    }
}

/// Writes down what fills the shelf from now on.
pub(super) fn set_identity(connection: &Connection, identity: &Identity) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('identity', ?1)", [identity.to_string()])?;
    Ok(())
}

/// Counts what is current by indexes alone: the rows are most of the file.
pub(super) const ARTICLES: &str =
    "SELECT (SELECT count(*) FROM articles) - (SELECT count(*) FROM articles WHERE superseded IS NOT NULL)";
pub(super) const PASSAGES: &str =
    "SELECT (SELECT count(*) FROM passages) - (SELECT count(*) FROM passages WHERE removed IS NOT NULL)";

/// How much is kept.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| usize::try_from(n).unwrap_or(0));
    Ok(Counts { sources: count("SELECT count(*) FROM sources")?, articles: count(ARTICLES)?, passages: count(PASSAGES)? })
}

/// All sources, with what it takes to recognise their articles.
pub(super) fn sources(connection: &Connection) -> rusqlite::Result<Vec<KnownSource>> {
    let mut statement = connection.prepare("SELECT id, location, path, sha256, broken FROM sources ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        let broken = rows::from_json(&row.get::<_, String>(4)?);
        let (id, location) = (row.get(0)?, row.get(1)?);
        Ok(KnownSource { id, location, path: row.get(2)?, sha256: row.get(3)?, broken, articles: vec![] })
    })?;
    let mut sources: Vec<KnownSource> = rows.collect::<rusqlite::Result<_>>()?;
    for source in &mut sources {
        source.articles = known_articles(connection, source.id)?;
    }
    Ok(sources)
}

/// One source, by its location.
pub(super) fn source(connection: &Connection, location: &str) -> rusqlite::Result<Option<KnownSource>> {
    let mut statement = connection.prepare_cached("SELECT id, path, sha256, broken FROM sources WHERE location = ?1")?;
    let found = statement.query_row([location], |row| {
        let (id, location) = (row.get(0)?, location.to_owned());
        let broken = rows::from_json(&row.get::<_, String>(3)?);
        let articles = known_articles(connection, id)?;
        Ok(KnownSource { id, location, path: row.get(1)?, sha256: row.get(2)?, broken, articles })
    });
    found.optional()
}

/// Where the source of an article was read from.
pub(super) fn location(connection: &Connection, article: &str, version: u32) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT sources.location FROM articles JOIN sources ON sources.id = articles.source WHERE articles.id = ?1 AND version = ?2",
    )?;
    statement.query_row((article, version), |row| row.get(0)).optional()
}

fn known_articles(connection: &Connection, source: i64) -> rusqlite::Result<Vec<KnownArticle>> {
    let mut articles = connection.prepare_cached(
        "SELECT id, version, key, title, authors, sha256 FROM articles WHERE source = ?1 AND superseded IS NULL ORDER BY ordinal",
    )?;
    let rows = articles.query_map([source], |row| {
        Ok(KnownArticle {
            id: ArticleId(row.get(0)?),
            version: row.get(1)?,
            key: row.get(2)?,
            title: row.get(3)?,
            authors: rows::from_json(&row.get::<_, String>(4)?),
            sha256: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// Writes `change` in one transaction and gives it a number.
pub(super) fn commit(connection: &mut Connection, change: &Change, retention: Retention) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = last_change(&transaction)? + 1;
    transaction.execute(
        "INSERT INTO sources (location, path, sha256, left_out, broken, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, checksum(?1, ?2, ?3, ?4, ?5))
         ON CONFLICT (location) DO UPDATE SET path = excluded.path, sha256 = excluded.sha256,
           left_out = excluded.left_out, broken = excluded.broken, sum = excluded.sum",
        params![
            change.location,
            change.path,
            change.sha256,
            rows::left_out_to_json(&change.left_out),
            rows::to_json(&change.broken)
        ],
    )?;
    let source: i64 =
        transaction.query_row("SELECT id FROM sources WHERE location = ?1", [&change.location], |row| row.get(0))?;
    let kept: Vec<String> = {
        let mut statement = transaction.prepare_cached("SELECT id FROM articles WHERE source = ?1 AND superseded IS NULL")?;
        let rows = statement.query_map([source], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let there: HashSet<&str> = change.articles.iter().map(|incoming| incoming.id.0.as_str()).collect();
    for id in kept.iter().filter(|id| !there.contains(id.as_str())) {
        supersede(&transaction, id, number)?;
    }
    for (ordinal, incoming) in change.articles.iter().enumerate() {
        match &incoming.content {
            Some(content) => {
                insert_version(&transaction, (source, ordinal), incoming, content, number)?;
                retention.cut(&transaction, &incoming.id)?;
            }
            None => {
                transaction
                    .prepare_cached("UPDATE articles SET ordinal = ?2 WHERE id = ?1 AND superseded IS NULL")?
                    .execute(params![incoming.id.0, ordinal])?;
            }
        }
    }
    retention.expire(&transaction)?;
    set_change(&transaction, number)?;
    transaction.commit()?;
    Ok(number)
}

/// Ends an article's current version, if it has one, and adds the next.
fn insert_version(
    connection: &Connection,
    (source, ordinal): (i64, usize),
    incoming: &Incoming,
    content: &Content,
    change: u64,
) -> rusqlite::Result<()> {
    let id = &incoming.id;
    supersede(connection, &id.0, change)?;
    // Passages stay when their article is purged: a number that was cited never names another text.
    let version: u32 = connection.query_row(
        "SELECT 1 + max(coalesce((SELECT max(version) FROM articles WHERE id = ?1), 0),
                        coalesce((SELECT max(version) FROM passages WHERE article = ?1), 0))",
        [&id.0],
        |row| row.get(0),
    )?;
    rows::insert_article(connection, source, ordinal, version, incoming, &content.article)?;
    insert_passages(connection, id, version, &content.passages, change)
}

/// Makes a new version of an article where it stands, in one transaction.
pub(super) fn amend(connection: &mut Connection, incoming: &Incoming, retention: Retention) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = last_change(&transaction)? + 1;
    let place: (i64, usize) = transaction.query_row(
        "SELECT source, ordinal FROM articles WHERE id = ?1 AND superseded IS NULL",
        [&incoming.id.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if let Some(content) = &incoming.content {
        insert_version(&transaction, place, incoming, content, number)?;
        retention.cut(&transaction, &incoming.id)?;
    }
    retention.expire(&transaction)?;
    set_change(&transaction, number)?;
    transaction.commit()?;
    Ok(number)
}

/// Removes an article in one transaction; purged, its bytes are overwritten, and with them those lines of its
/// sources that are in no article, and what could not be used of them: its reasons quote the file.
pub(super) fn remove_article(connection: &mut Connection, id: &ArticleId, purge: bool) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = last_change(&transaction)? + 1;
    let known: i64 = transaction.query_row("SELECT count(*) FROM articles WHERE id = ?1", [&id.0], |row| row.get(0))?;
    supersede(&transaction, &id.0, number)?;
    if purge {
        const SOURCES: &str = "id IN (SELECT source FROM articles WHERE id = ?1)";
        transaction.execute(&format!("UPDATE sources SET left_out = '[]', broken = '[]' WHERE {SOURCES}"), [&id.0])?;
        transaction.execute(&format!("UPDATE sources SET sum = {} WHERE {SOURCES}", sums::SOURCE), [&id.0])?;
        transaction.execute("DELETE FROM outlines WHERE id = ?1", [&id.0])?;
        transaction.execute("DELETE FROM articles WHERE id = ?1", [&id.0])?;
        // The rows stay: their numbers are never given again.
        transaction.execute("UPDATE passages SET section = NULL, start = 0, stop = 0 WHERE article = ?1", [&id.0])?;
    }
    set_change(&transaction, number)?;
    transaction.commit()?;
    Ok(known > 0)
}

/// Leaves no byte of what was deleted in the database's files; `false` while a reader still needs some of them.
pub(super) fn erase(connection: &Connection) -> rusqlite::Result<bool> {
    if meta(connection, schema::ERASES)?.is_none() {
        // Earlier versions of ibid freed pages without overwriting them.
        connection.execute_batch("VACUUM")?;
        connection.execute("INSERT INTO meta VALUES (?1, '1')", [schema::ERASES])?;
    }
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// Removes a source and its articles in one transaction.
pub(super) fn remove(connection: &mut Connection, location: &str) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = last_change(&transaction)? + 1;
    let ids: Vec<String> = {
        let mut statement = transaction.prepare(
            "SELECT a.id FROM articles a JOIN sources s ON s.id = a.source WHERE s.location = ?1 AND a.superseded IS NULL",
        )?;
        let rows = statement.query_map([location], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for id in &ids {
        supersede(&transaction, id, number)?;
    }
    // The row stays when old citations point to it, so that they still resolve.
    transaction.execute("UPDATE sources SET sha256 = '' WHERE location = ?1", [location])?;
    transaction.execute(&format!("UPDATE sources SET sum = {} WHERE location = ?1", sums::SOURCE), [location])?;
    set_change(&transaction, number)?;
    transaction.commit()?;
    Ok(number)
}

fn supersede(connection: &Connection, id: &str, change: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE outlines SET ended = ?2 WHERE id = ?1 AND ended IS NULL")?
        .execute(params![id, retention::now()])?;
    connection
        .prepare_cached("UPDATE articles SET superseded = ?2 WHERE id = ?1 AND superseded IS NULL")?
        .execute(params![id, change])?;
    connection
        .prepare_cached(
            "UPDATE passages SET removed = ?2, vector = NULL, sentences = NULL WHERE article = ?1 AND removed IS NULL",
        )?
        .execute(params![id, change])?;
    Ok(())
}

fn set_change(connection: &Connection, number: u64) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET value = ?1 WHERE key = 'change'", [number.to_string()])?;
    Ok(())
}

/// Adds passages; their numbers follow the largest ever given.
pub(super) fn insert_passages(
    connection: &Connection,
    article: &ArticleId,
    version: u32,
    passages: &[NewPassage],
    change: u64,
) -> rusqlite::Result<()> {
    let next: i64 = connection.query_row("SELECT coalesce(max(id), -1) + 1 FROM passages", [], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO passages (id, article, version, start, stop, section, vector, added, sentences, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
    )?;
    for (id, NewPassage { passage, vector, sentences }) in (next..).zip(passages) {
        let bytes = vector.as_ref().map(crate::embed::UnitVector::to_bytes);
        let Passage { span, section } = passage;
        insert.execute(params![id, article.0, version, span.start, span.end, section, bytes, change, sentences.as_bytes()])?;
    }
    Ok(())
}

/// Replaces the passages of all current articles by what `made` gives, and what filled the shelf, in one transaction.
pub(super) fn replace_passages(connection: &mut Connection, identity: &Identity, made: &mut Passages<'_>) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let number = last_change(&transaction)? + 1;
    transaction
        .execute("UPDATE passages SET removed = ?1, vector = NULL, sentences = NULL WHERE removed IS NULL", params![number])?;
    let current: Vec<(ArticleId, u32)> = {
        let mut statement =
            transaction.prepare("SELECT id, version FROM articles WHERE superseded IS NULL ORDER BY source, ordinal")?;
        let rows = statement.query_map([], |row| Ok((ArticleId(row.get(0)?), row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (id, version) in current {
        insert_passages(&transaction, &id, version, &made(&id, version)?, number)?;
    }
    set_identity(&transaction, identity)?;
    set_change(&transaction, number)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_connection_does_not_wait_for_whoever_writes() {
        let folder = tempfile::tempdir().unwrap();
        let writer = connect(folder.path()).unwrap();
        schema::begin(&writer).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let reader = connect(folder.path()).unwrap();
        assert_eq!(last_change(&reader).unwrap(), 0);
        assert_eq!(writer.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, i64>(0)).unwrap(), 2);
    }
}
