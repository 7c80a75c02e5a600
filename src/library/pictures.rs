//! Pictures of the pages that articles were read from, drawn from the files themselves while these are at hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::Library;
use crate::read::{self, files};
use crate::shelf::{Error, StoredArticle};

/// Bytes of pictures that are kept.
const ROOM: usize = 32 << 20;

/// The pictures drawn last, the latest at the end: the checksum of their source, their page, and themselves.
#[derive(Default)]
pub(super) struct Pictures(Mutex<VecDeque<(String, u32, Arc<str>)>>);

impl Pictures {
    fn find(&self, sha256: &str, page: u32) -> Option<Arc<str>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(of, number, _)| of == sha256 && *number == page).map(|(.., picture)| Arc::clone(picture))
    }

    fn keep(&self, sha256: &str, page: u32, picture: &Arc<str>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((sha256.to_owned(), page, Arc::clone(picture)));
        while kept.iter().map(|(.., picture)| picture.len()).sum::<usize>() > ROOM {
            kept.pop_front();
        }
    }
}

impl Library {
    /// The picture, as SVG, of a page of the PDF that `stored` was read from; `None` when that file is not at hand: it
    /// was sent, has changed or is gone.
    pub fn page_picture(&self, stored: &StoredArticle, page: u32) -> Result<Option<Result<Arc<str>, read::Error>>, Error> {
        let sha256 = &stored.source_sha256;
        if let Some(picture) = self.pictures.find(sha256, page) {
            return Ok(Some(Ok(picture)));
        }
        let Some(location) = self.shelf.location(&stored.id.0, stored.version)? else { return Ok(None) };
        let limit = self.settings.read.max_source_bytes;
        let Some(source) = files::again(&location, limit).filter(|source| source.sha256 == *sha256) else { return Ok(None) };
        Ok(Some(read::page_picture(&source.bytes, page).map(|picture| {
            let picture: Arc<str> = picture.into();
            self.pictures.keep(sha256, page, &picture);
            picture
        })))
    }
}
