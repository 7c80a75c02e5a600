//! Changes of the database, each one transaction with a number.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::database::{last_change, meta, set_identity};
use super::{Passages, Retention, retention, rows, schema, sums};
use crate::article::{ArticleId, Passage};
use crate::shelf::{Change, Content, Error, Identity, Incoming, NewPassage};

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
    place: (i64, usize),
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
    rows::insert_article(connection, place, version, incoming, &content.article)?;
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
