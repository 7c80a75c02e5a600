//! Passages of another model, made beside those that answer, until all are there.
//!
//! A file of its own in the data folder: the library is only read meanwhile, by whoever makes them
//! and by whoever answers. A process that was killed goes on with what is here; the last step takes
//! all of it over in one transaction of the library.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::placing::clear_file;
use crate::article::{ArticleId, Passage, Span};
use crate::embed::UnitVector;
use crate::shelf::{Error, Identity, NewPassage, SentenceVectors};

const FILE: &str = "reembed.sqlite";
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (identity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS articles (id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (id, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passages (
  article TEXT NOT NULL, version INTEGER NOT NULL, ordinal INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  section TEXT, vector BLOB, sentences BLOB NOT NULL, PRIMARY KEY (article, version, ordinal));
";

/// The file, open.
pub struct Beside {
    path: PathBuf,
    connection: Connection,
    dimension: usize,
}

/// An article's passages.
pub type Embedded = (ArticleId, u32, Vec<NewPassage>);

impl Beside {
    /// Opens what was begun in `folder` for `identity`, or begins it; what was begun for another goes.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let begun = Self::connect(&path, identity);
        let (connection, filled) = if let Ok(begun) = begun {
            begun
        } else {
            // Damaged: it can be made again.
            remove(&path)?;
            Self::connect(&path, identity)?
        };
        let now = identity.to_string();
        if filled != now {
            drop(connection);
            remove(&path)?;
            return Self::open(folder, identity);
        }
        Ok(Self { path, connection, dimension: identity.model.dimension })
    }

    fn connect(path: &Path, identity: &Identity) -> rusqlite::Result<(Connection, String)> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute_batch(SCHEMA)?;
        let filled: Option<String> = connection.query_row("SELECT identity FROM meta", [], |row| row.get(0)).optional()?;
        if let Some(filled) = filled {
            return Ok((connection, filled));
        }
        connection.execute("INSERT INTO meta VALUES (?1)", [identity.to_string()])?;
        Ok((connection, identity.to_string()))
    }

    /// Whether the passages of this version are here.
    pub fn holds(&self, id: &ArticleId, version: u32) -> Result<bool, Error> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM articles WHERE id = ?1 AND version = ?2")?;
        Ok(statement.exists(params![id.0, version])?)
    }

    /// Keeps the passages of some articles.
    pub fn keep(&mut self, embedded: &[Embedded]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for (id, version, passages) in embedded {
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO passages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
            for (ordinal, NewPassage { passage, vector, sentences }) in passages.iter().enumerate() {
                let Passage { span, section } = passage;
                let (vector, sentences) = (vector.as_ref().map(UnitVector::to_bytes), sentences.as_bytes());
                insert.execute(params![id.0, version, ordinal, span.start, span.end, section, vector, sentences])?;
            }
            transaction.execute("INSERT OR REPLACE INTO articles VALUES (?1, ?2)", params![id.0, version])?;
        }
        Ok(transaction.commit()?)
    }

    /// The passages of a version, in reading order.
    pub fn passages(&self, id: &ArticleId, version: u32) -> Result<Vec<NewPassage>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT start, stop, section, vector, sentences FROM passages WHERE article = ?1 AND version = ?2 ORDER BY ordinal",
        )?;
        let rows = statement.query_map(params![id.0, version], |row| {
            let vector: Option<Vec<u8>> = row.get(3)?;
            Ok(NewPassage {
                passage: Passage { span: Span::new(row.get(0)?, row.get(1)?), section: row.get(2)? },
                vector: vector.and_then(|bytes| UnitVector::from_bytes(&bytes, self.dimension)),
                sentences: SentenceVectors::from_bytes(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Removes the file: its passages are the library's own now.
    pub fn remove(self) -> Result<(), Error> {
        drop(self.connection);
        remove(&self.path)
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        clear_file(Path::new(&file))?;
    }
    Ok(())
}
