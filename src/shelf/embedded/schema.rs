//! The tables, and how those of earlier versions become them.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{jobs, outlines, rows, sums};
use crate::text::language;

/// The form of the tables. An earlier one is migrated, any other refused.
pub(super) const FORMAT: &str = "6";

/// The key of `meta` that says that all that was ever deleted has been overwritten.
pub(super) const ERASES: &str = "erases";

/// Forms that [`migrate`] knows.
pub(super) const EARLIER: [&str; 5] = ["1", "2", "3", "4", "5"];

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
  id INTEGER PRIMARY KEY, location TEXT NOT NULL UNIQUE, path TEXT NOT NULL, sha256 TEXT NOT NULL, left_out TEXT NOT NULL,
  broken TEXT NOT NULL DEFAULT '[]', sum INTEGER);
-- With row numbers: without them SQLite copies whole texts to compare keys.
-- The current version of an article has superseded NULL, otherwise the change that ended it.
CREATE TABLE IF NOT EXISTS articles (
  id TEXT NOT NULL, version INTEGER NOT NULL, source INTEGER NOT NULL, ordinal INTEGER NOT NULL, superseded INTEGER,
  sha256 TEXT NOT NULL, key TEXT, title TEXT NOT NULL, authors TEXT NOT NULL, affiliation TEXT, published TEXT, url TEXT,
  encoding TEXT NOT NULL, notes TEXT NOT NULL, title_lines TEXT, byline_lines TEXT, text BLOB NOT NULL,
  headings TEXT NOT NULL, lines BLOB NOT NULL, language TEXT, places BLOB, sum INTEGER, PRIMARY KEY (id, version));
CREATE INDEX IF NOT EXISTS articles_of_source ON articles (source) WHERE superseded IS NULL;
-- Numbers are dense and never used again: a removal is a bit in the view.
CREATE TABLE IF NOT EXISTS passages (
  id INTEGER PRIMARY KEY, article TEXT NOT NULL, version INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  section TEXT, vector BLOB, added INTEGER NOT NULL, removed INTEGER, sentences BLOB, sum INTEGER);
CREATE INDEX IF NOT EXISTS passages_of_article ON passages (article, version);
CREATE INDEX IF NOT EXISTS passages_added ON passages (added);
CREATE INDEX IF NOT EXISTS passages_removed ON passages (removed) WHERE removed IS NOT NULL;
";

/// Indexes that databases of the same format may lack: what was superseded, and current articles as they are listed.
pub(super) const LATER_INDEXES: &str =
    "CREATE INDEX IF NOT EXISTS articles_superseded ON articles (superseded) WHERE superseded IS NOT NULL;
     CREATE INDEX IF NOT EXISTS articles_listed ON articles (source, ordinal, superseded) WHERE superseded IS NULL";

/// Makes the tables.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    let (jobs, outlines) = (jobs::SCHEMA, outlines::SCHEMA);
    connection.execute_batch(&format!(
        "BEGIN; {SCHEMA} {LATER_INDEXES}; {outlines} {jobs} INSERT INTO meta VALUES ('format', '{FORMAT}'), ('change', '0'), ('{ERASES}', '1'); COMMIT;"
    ))
}

/// Brings tables of `format` to [`FORMAT`]; `false` when nobody knows how.
pub(super) fn migrate(connection: &Connection, format: &str) -> rusqlite::Result<bool> {
    if format != FORMAT && !EARLIER.contains(&format) {
        return Ok(false);
    }
    for from in EARLIER.iter().skip_while(|from| **from != format) {
        match *from {
            "1" => migrate_1(connection)?,
            "2" => migrate_2(connection)?,
            "3" => migrate_3(connection)?,
            "4" => migrate_4(connection)?,
            _ => migrate_5(connection)?,
        }
    }
    Ok(true)
}

/// Format 1 → 2: articles know their language; passages had their tokens until format 4.
fn migrate_1(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch("ALTER TABLE articles ADD COLUMN language TEXT; ALTER TABLE passages ADD COLUMN tokens BLOB")?;
    {
        let mut articles = transaction.prepare("SELECT rowid, text FROM articles")?;
        let mut update = transaction.prepare("UPDATE articles SET language = ?2 WHERE rowid = ?1")?;
        let mut rows = articles.query([])?;
        while let Some(row) = rows.next()? {
            let text: Vec<u8> = row.get(1)?;
            update.execute(params![row.get::<_, i64>(0)?, language(&String::from_utf8_lossy(&text))])?;
        }
    }
    transaction.execute("UPDATE meta SET value = '2' WHERE key = 'format'", [])?;
    transaction.commit()
}

/// Format 2 → 3: rows have checksums; jobs are kept.
fn migrate_2(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for table in ["sources", "articles", "passages"] {
        transaction.execute(&format!("ALTER TABLE {table} ADD COLUMN sum INTEGER"), [])?;
    }
    for (table, sum) in [("sources", SOURCE_OF_5), ("articles", ARTICLE_OF_4), ("passages", PASSAGE_OF_3)] {
        transaction.execute(&format!("UPDATE {table} SET sum = {sum}"), [])?;
    }
    transaction.execute_batch(jobs::SCHEMA_OF_5)?;
    transaction.execute("UPDATE meta SET value = '3' WHERE key = 'format'", [])?;
    transaction.commit()
}

/// The checksum of a passage in format 3.
const PASSAGE_OF_3: &str = "checksum(id, article, version, start, stop, section, vector, added, tokens)";

/// Format 3 → 4: passages have vectors of their sentences, which are filled when they are embedded anew, and no tokens.
///
/// What is damaged is refused: new checksums would make it look whole.
fn migrate_3(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let damaged = format!("SELECT id FROM passages WHERE removed IS NULL AND sum IS NOT {PASSAGE_OF_3} LIMIT 1");
    if let Some(id) = transaction.query_row(&damaged, [], |row| row.get::<_, i64>(0)).optional()? {
        return Err(rusqlite::Error::UserFunctionError(format!("passage {id} is not as it was written").into()));
    }
    transaction.execute_batch("ALTER TABLE passages DROP COLUMN tokens; ALTER TABLE passages ADD COLUMN sentences BLOB")?;
    transaction.execute(&format!("UPDATE passages SET sum = {}", sums::PASSAGE), [])?;
    transaction.execute("UPDATE meta SET value = '4' WHERE key = 'format'", [])?;
    transaction.commit()
}

/// The checksum of an article in formats 3 and 4.
const ARTICLE_OF_4: &str = "checksum(id, version, source, sha256, key, title, authors, affiliation, published, url, \
    encoding, notes, title_lines, byline_lines, text, headings, lines, language)";

/// Format 4 → 5: articles from printed documents know their pages, sources what could not be used of them.
///
/// What is damaged is refused, as above.
fn migrate_4(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let damaged = format!("SELECT id FROM articles WHERE sum IS NOT {ARTICLE_OF_4} LIMIT 1");
    if let Some(id) = transaction.query_row(&damaged, [], |row| row.get::<_, String>(0)).optional()? {
        return Err(rusqlite::Error::UserFunctionError(format!("article `{id}` is not as it was written").into()));
    }
    transaction.execute_batch(
        "ALTER TABLE articles ADD COLUMN places BLOB; ALTER TABLE sources ADD COLUMN broken TEXT NOT NULL DEFAULT '[]'",
    )?;
    transaction.execute(&format!("UPDATE articles SET sum = {}", sums::ARTICLE), [])?;
    transaction.execute("UPDATE meta SET value = '5' WHERE key = 'format'", [])?;
    transaction.commit()
}

/// The checksum of a source up to format 5.
const SOURCE_OF_5: &str = "checksum(location, path, sha256, left_out)";

/// Format 5 → 6: what is told of articles in lists is kept apart from their texts, a source's checksum is of all of
/// it, and jobs know how many bytes they hold.
///
/// What is damaged is refused, as above. Versions that are superseded already have ended now.
fn migrate_5(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let damaged = format!("SELECT path FROM sources WHERE sum IS NOT {SOURCE_OF_5} LIMIT 1");
    if let Some(path) = transaction.query_row(&damaged, [], |row| row.get::<_, String>(0)).optional()? {
        let reason = format!("source `{}` is not as it was written", path.escape_debug());
        return Err(rusqlite::Error::UserFunctionError(reason.into()));
    }
    transaction.execute(&format!("UPDATE sources SET sum = {}", sums::SOURCE), [])?;
    transaction.execute_batch(outlines::SCHEMA)?;
    let mut after = 0;
    loop {
        let (versions, last) = rows::versions(&transaction, rows::Versions::All, after, 1)?;
        let Some(stored) = versions.first() else { break };
        outlines::insert(&transaction, &stored.id, stored.version, &stored.article)?;
        after = last;
    }
    transaction.execute(
        "UPDATE outlines SET ended = ?1 WHERE (id, version) IN (SELECT id, version FROM articles WHERE superseded IS NOT NULL)",
        [super::retention::now()],
    )?;
    transaction.execute_batch(
        "ALTER TABLE jobs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
         UPDATE jobs SET bytes = (SELECT coalesce(sum(length(s.bytes)), 0) FROM job_sources s WHERE s.job = jobs.id)",
    )?;
    transaction.execute("UPDATE meta SET value = '6' WHERE key = 'format'", [])?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of format 4, on which `then` is run.
    fn earlier(then: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        sums::teach(&connection).unwrap();
        begin(&connection).unwrap();
        let back = "ALTER TABLE articles DROP COLUMN places; ALTER TABLE sources DROP COLUMN broken;
                    DROP TABLE outlines; ALTER TABLE jobs DROP COLUMN bytes;
                    UPDATE meta SET value = '4' WHERE key = 'format';";
        connection.execute_batch(&format!("{back} {then}")).unwrap();
        connection
    }

    /// A database of format 3 with one passage, whose checksum is of `start`.
    fn of_format_3(start: i64) -> Connection {
        earlier(&format!(
            "ALTER TABLE passages DROP COLUMN sentences; ALTER TABLE passages ADD COLUMN tokens BLOB;
                 UPDATE meta SET value = '3' WHERE key = 'format';
                 INSERT INTO passages (id, article, version, start, stop, vector, added, tokens) VALUES (0, 'a', 1, {start}, 9, x'00', 1, x'01');
                 UPDATE passages SET sum = {PASSAGE_OF_3}; UPDATE passages SET start = 3;"
        ))
    }

    #[test]
    fn a_database_of_format_3_keeps_its_passages_and_a_damaged_one_is_refused() {
        let connection = of_format_3(3);
        assert!(migrate(&connection, "3").unwrap());
        let sound = format!("SELECT sum IS {} AND sentences IS NULL FROM passages", sums::PASSAGE);
        assert!(connection.query_row(&sound, [], |row| row.get::<_, bool>(0)).unwrap());
        assert!(migrate(&connection, FORMAT).unwrap() && !migrate(&connection, "7").unwrap());
        let error = migrate(&of_format_3(4), "3").unwrap_err().to_string();
        assert!(error.contains("passage 0 is not as it was written"), "{error}");
    }

    /// A database of format 4 with one article, whose checksum is of `title`.
    fn of_format_4(title: &str) -> Connection {
        earlier(&format!(
            "INSERT INTO articles (id, version, source, ordinal, sha256, title, authors, encoding, notes, text, headings, lines)
                 VALUES ('a', 1, 1, 0, '', '{title}', '[]', 'UTF-8', '[]', x'61', '[]', x'');
                 UPDATE articles SET sum = {ARTICLE_OF_4}; UPDATE articles SET title = 'A ferry';"
        ))
    }

    #[test]
    fn a_database_of_format_4_keeps_its_articles_and_a_damaged_one_is_refused() {
        let connection = of_format_4("A ferry");
        assert!(migrate(&connection, "4").unwrap());
        let sound = format!("SELECT sum IS {} AND places IS NULL FROM articles", sums::ARTICLE);
        assert!(connection.query_row(&sound, [], |row| row.get::<_, bool>(0)).unwrap());
        let error = migrate(&of_format_4("A boat"), "4").unwrap_err().to_string();
        assert!(error.contains("article `a` is not as it was written"), "{error}");
    }
}
