//! Looking at a library that another process may be using: nothing is written, no lock is taken.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

pub use super::rows::Versions;
use super::{WORDS, database, rows, schema, sums, words};
use crate::article::{ArticleId, Span};
use crate::shelf::{Counts, Error, StoredArticle};

/// A library that is only read.
pub struct Inspection {
    folder: PathBuf,
    connection: Connection,
}

/// A passage as it is kept: where it stands, and its vector's bytes.
pub type KeptPassage = (Span, Option<Vec<u8>>);

/// Opens a database to read it.
pub(super) fn connect(file: &Path) -> Result<Connection, Error> {
    if let Err(reason) = std::fs::metadata(file) {
        return Err(Error::Folder { folder: file.display().to_string(), reason });
    }
    let open = || {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        sums::teach(&connection)?;
        Ok(connection)
    };
    open().map_err(|reason: rusqlite::Error| Error::Damaged { file: file.display().to_string(), reason: reason.to_string() })
}

/// What is wrong with a database, in words; nothing when it is sound. `deep` compares the indexes with the tables.
pub(super) fn damage(connection: &Connection, deep: bool) -> rusqlite::Result<Vec<String>> {
    const FINDINGS: usize = 20;
    let pragma = if deep { "integrity_check" } else { "quick_check" };
    let mut statement = connection.prepare(&format!("PRAGMA {pragma}({FINDINGS})"))?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found: Vec<String> = rows.filter(|row| row.as_deref() != Ok("ok")).collect::<rusqlite::Result<_>>()?;
    if !found.is_empty() {
        return Ok(found);
    }
    let format = database::meta(connection, "format")?.unwrap_or_default();
    if format != schema::FORMAT {
        return Ok(vec![format!("it has format `{format}`, this version of ibid checks format `{}`", schema::FORMAT)]);
    }
    found.extend(sums::damage(connection)?);
    let sql = format!("SELECT id FROM passages WHERE removed IS NULL AND sum IS NOT {} LIMIT {FINDINGS}", sums::PASSAGE);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get::<_, u32>(0))?;
    for id in rows {
        found.push(format!("passage {} is not as it was written", id?));
    }
    Ok(found)
}

impl Inspection {
    /// Opens the library in `folder`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self { connection: connect(&folder.join(database::FILE))?, folder: folder.to_owned() })
    }

    /// What is wrong with the database, in words.
    pub fn damage(&self, deep: bool) -> Result<Vec<String>, Error> {
        Ok(damage(&self.connection, deep)?)
    }

    /// What is wrong with the caches, in words: they are built again when the library is opened next.
    pub fn stale(&self) -> Result<Vec<String>, Error> {
        let newest = database::last_change(&self.connection)?;
        let words = words::look(&self.folder.join(WORDS), newest).err();
        let words = words.map(|reason| format!("the index of words: {reason}"));
        let graphs = crate::shelf::vectors::look(&self.folder).into_iter().map(|reason| format!("the graph: {reason}"));
        Ok(words.into_iter().chain(graphs).collect())
    }

    /// How much is kept.
    pub fn counts(&self) -> Result<Counts, Error> {
        Ok(database::counts(&self.connection)?)
    }

    /// What filled the library, in words.
    pub fn filled(&self) -> Result<Option<String>, Error> {
        Ok(database::meta(&self.connection, "identity")?)
    }

    /// Current articles, in the order of their sources.
    pub fn current(&self, offset: usize, limit: usize) -> Result<Vec<StoredArticle>, Error> {
        Ok(rows::articles(&self.connection, offset, limit)?)
    }

    /// Versions of articles, a part at a time: those after row `after`, and the row to go on from.
    pub fn versions(&self, which: Versions, after: i64, limit: usize) -> Result<(Vec<StoredArticle>, i64), Error> {
        Ok(rows::versions(&self.connection, which, after, limit)?)
    }

    /// The passages of a current article, in reading order.
    pub fn passages_of(&self, id: &ArticleId, version: u32) -> Result<Vec<KeptPassage>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT start, stop, vector FROM passages WHERE article = ?1 AND version = ?2 AND removed IS NULL ORDER BY id",
        )?;
        let rows = statement.query_map(params![id.0, version], |row| Ok((Span::new(row.get(0)?, row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
