//! SQLite: the truth. One file, WAL, `synchronous=FULL`.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::{rows, schema, sums};
use crate::article::ArticleId;
use crate::shelf::{Counts, Error, Identity, KnownArticle, KnownSource};

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
