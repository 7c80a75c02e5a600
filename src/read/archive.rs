//! Zip archives: what DOCX, ODT and EPUB are, and what articles are sent in.
//!
//! Nothing is unpacked to a disk, names are never paths, and what is unpacked in all is bounded, whatever the archive
//! says of its sizes. `zip` finds the entries; what is packed is unpacked by `flate2`, which the project has anyway.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{Error, xml};

/// Entries of one archive.
const MOST_ENTRIES: usize = 20_000;
/// Bytes that are unpacked of one archive.
const MOST_BYTES: u64 = 512 << 20;
/// Bytes of one entry.
const LONGEST_ENTRY: u64 = 128 << 20;

/// An archive, and how much may still be unpacked of it.
pub(super) struct Archive {
    zip: ZipArchive<Cursor<Shared>>,
    room: u64,
}

/// Bytes that several hold.
pub(super) struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Archive {
    /// Opens the archive that `bytes` are.
    pub(super) fn open(bytes: &Arc<Vec<u8>>) -> Result<Self, Error> {
        let zip = ZipArchive::new(Cursor::new(Shared(Arc::clone(bytes)))).map_err(|error| refusal(&error))?;
        if zip.len() > MOST_ENTRIES {
            return Err(Error::TooMany { count: zip.len(), what: "entries", limit: MOST_ENTRIES });
        }
        Ok(Self { zip, room: MOST_BYTES })
    }

    /// The names of its files, in its order.
    pub(super) fn names(&self) -> Vec<String> {
        let readable = self.zip.file_names().flatten().filter(|name| !name.ends_with('/'));
        readable.map(std::borrow::Cow::into_owned).collect()
    }

    /// The bytes of the entry `name`, of which it may have `longest`; `None` when there is none of that name.
    pub(super) fn bytes(&mut self, name: &str, longest: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(at) = self.zip.index_for_name(name) else { return Ok(None) };
        let entry = self.zip.by_index_raw(at).map_err(|error| refusal(&error))?;
        let limit = longest.min(LONGEST_ENTRY);
        let (mut bytes, room) = (Vec::new(), self.room);
        let done = unpack(entry, limit.min(room) + 1, name, &mut bytes);
        let size = bytes.len() as u64;
        // Also of what is refused: one entry may be named twenty thousand times.
        self.room = room.saturating_sub(size);
        done?;
        if size > room {
            return Err(Error::Unpacked { limit: MOST_BYTES });
        }
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        Ok(Some(bytes))
    }

    /// The text of the XML entry `name`; `None` when there is none of that name, or nothing in it.
    pub(super) fn xml(&mut self, name: &str) -> Result<Option<String>, Error> {
        let bytes = self.bytes(name, LONGEST_ENTRY)?;
        bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| xml::decode(&bytes)).transpose()
    }
}

/// Adds the bytes of an entry to `bytes`, `most` of them at most.
fn unpack(mut entry: ZipFile<'_, Cursor<Shared>>, most: u64, name: &str, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let broken = |what: &str| Error::Damaged(format!("its entry `{}` is broken: {what}", name.escape_debug()));
    if entry.encrypted() {
        return Err(Error::Encrypted);
    }
    let (method, sum) = (entry.compression(), entry.crc32());
    let read = if method == CompressionMethod::STORE {
        entry.by_ref().take(most).read_to_end(bytes)
    } else if method == CompressionMethod::DEFLATE {
        DeflateDecoder::new(entry).take(most).read_to_end(bytes)
    } else {
        return Err(broken("it is packed in a way that is not known"));
    };
    read.map_err(|error| broken(&error.to_string()))?;
    // What is cut at the limit is refused for that.
    let is_whole = (bytes.len() as u64) < most;
    if is_whole && crc32fast::hash(bytes) != sum { Err(broken("its checksum does not fit")) } else { Ok(()) }
}

fn refusal(error: &ZipError) -> Error {
    if matches!(error, ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) {
        return Error::Encrypted;
    }
    Error::Damaged(format!("it is no zip archive, or a broken one: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_refused_counts_among_what_is_unpacked() {
        let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a", "b", "c"] {
            packed.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            packed.write_all(&[b'a'; 5000]).unwrap();
        }
        let mut archive = Archive::open(&Arc::new(packed.finish().unwrap().into_inner())).unwrap();
        archive.room = 2500;
        let mut refused = |name| archive.bytes(name, 1000).unwrap_err();
        assert!(matches!(refused("a"), Error::TooLarge { .. }) && matches!(refused("b"), Error::TooLarge { .. }));
        assert!(matches!(refused("c"), Error::Unpacked { .. }));
    }
}
