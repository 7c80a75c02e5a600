//! Checksums of rows: a flipped bit in a text or a vector is found before it is served.
//!
//! SQLite finds damage to its own structure, and takes the bytes of a value as they are. So each
//! row that holds part of the truth carries a CRC-32 of its values, made by the SQL function
//! `checksum`. What a later change may alter (who supersedes it, its place in its source) is left out.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};

use super::outlines;

/// Of a row of `sources`.
pub(super) const SOURCE: &str = "checksum(location, path, sha256, left_out, broken)";
/// Of a row of `articles`.
pub(super) const ARTICLE: &str = "checksum(id, version, source, sha256, key, title, authors, affiliation, published, url, \
    encoding, notes, title_lines, byline_lines, text, headings, lines, language, places)";
/// Of a row of `passages` that is current.
pub(super) const PASSAGE: &str = "checksum(id, article, version, start, stop, section, vector, added, sentences)";

/// Makes `checksum` known to SQL.
pub(super) fn teach(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("checksum", -1, flags, |context: &Context<'_>| {
        let mut hasher = crc32fast::Hasher::new();
        for place in 0..context.len() {
            let (kind, bytes): (u8, &[u8]) = match context.get_raw(place) {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(number) => (1, &number.to_le_bytes()),
                ValueRef::Real(number) => (2, &number.to_le_bytes()),
                ValueRef::Text(text) => (3, text),
                ValueRef::Blob(bytes) => (4, bytes),
            };
            // Lengths keep neighbours apart.
            hasher.update(&[kind]);
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        Ok(i64::from(hasher.finalize()))
    })
}

/// The first row that is not what was written, in words; passages are compared as they are loaded.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let source = format!("SELECT 'source `' || path || '`' FROM sources WHERE sum IS NOT {SOURCE} LIMIT 1");
    let article =
        format!("SELECT 'version ' || version || ' of article `' || id || '`' FROM articles WHERE sum IS NOT {ARTICLE} LIMIT 1");
    for sql in [source, article] {
        let found: Option<String> = connection.query_row(&sql, [], |row| row.get(0)).optional()?;
        if let Some(row) = found {
            return Ok(Some(format!("{} is not as it was written", row.escape_debug())));
        }
    }
    outlines::damage(connection)
}
