//! Keys: who asks, by a file of checksums that is read for each request that needs a right.
//!
//! A key has 256 random bits, so that its checksum needs no slow hash. Without a file everybody may do
//! everything, which is why a service without keys listens on this machine only. While the file is missing or
//! a line of it is wrong, no key is taken: which of them were meant to go cannot be known.

mod error;
mod file;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::rates::Rates;
use super::rights::{Grant, Granted, Right};
use crate::http::dto::error::Problem;

pub use error::{KeyFileError, KeyLineError};
pub use file::{Kept, NewKey, add, listed, remove};

/// Whether `text` is a scope that a key can have.
pub fn is_scope(text: &str) -> bool {
    Granted::parse(text).is_ok()
}

/// The keys of a file.
pub(in crate::http) struct Keys {
    file: Option<PathBuf>,
    rates: Rates,
    read: Mutex<Read>,
}

/// What was read last: the file's text, `None` where it could not be read, and what it says.
struct Read {
    text: Option<String>,
    keys: Result<Arc<[Kept]>, Arc<KeyFileError>>,
}

impl Read {
    fn of(file: &Path, text: Result<String, KeyFileError>) -> Self {
        match text {
            Ok(text) => Self { keys: file::parse(file, &text).map(Into::into).map_err(Arc::new), text: Some(text) },
            Err(error) => Self { text: None, keys: Err(Arc::new(error)) },
        }
    }
}

impl Keys {
    /// The keys in `file`; an empty path means that there are none.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is no key.
    pub(in crate::http) fn open(file: &Path, rates: Rates) -> Result<Self, Arc<KeyFileError>> {
        if file.as_os_str().is_empty() {
            let none = Read { text: None, keys: Ok([].into()) };
            return Ok(Self { file: None, rates, read: Mutex::new(none) });
        }
        let read = Read::of(file, file::text(file));
        read.keys.as_ref().map_err(Arc::clone)?;
        Ok(Self { file: Some(file.to_owned()), rates, read: Mutex::new(read) })
    }

    /// Whether requests need a key.
    pub(in crate::http) fn are_needed(&self) -> bool {
        self.file.is_some()
    }

    /// The keys as the file has them now. Its text is compared, not its time: two changes may have the same.
    fn current(&self) -> Result<Arc<[Kept]>, Problem> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let text = file::text(file);
            if text.as_ref().ok() != read.text.as_ref() {
                *read = Read::of(file, text);
                match &read.keys {
                    Ok(keys) => tracing::info!(keys = keys.len(), "the keys were read again"),
                    Err(reason) => tracing::error!(%reason, "the keys are unusable: no key is taken until they are mended"),
                }
            }
        }
        read.keys.clone().map_err(|_| {
            let message = "no key can be checked now, and none is taken\nhint: the service's log, and `ibid doctor`, say why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "keys_unusable", message).retry_after(30)
        })
    }

    /// The key that `given` is, if it is one today.
    fn known(&self, given: &str) -> Result<Option<Kept>, Problem> {
        let sha256 = Sha256::digest(given);
        // All are compared, each in constant time: how long it takes tells nothing.
        let matching = |known: Option<usize>, (at, kept): (usize, &Kept)| {
            if bool::from(kept.sha256.as_slice().ct_eq(&sha256)) { Some(at) } else { known }
        };
        let keys = self.current()?;
        let known = keys.iter().enumerate().fold(None, matching).map(|at| &keys[at]);
        let today = jiff::Zoned::now().date();
        Ok(known.filter(|kept| kept.last_day.is_none_or(|day| today <= day)).cloned())
    }

    /// What the key of a request may do, for questions beside those of a route; a wrong one nothing.
    pub(in crate::http) fn grant(&self, headers: &HeaderMap) -> Grant {
        if !self.are_needed() {
            return Grant::All;
        }
        let known = given(headers).and_then(|given| self.known(given).ok().flatten());
        known.map_or(Grant::Nothing, |kept| Grant::Key(kept.granted))
    }

    /// The name of the key that a request sends, if it is one today.
    pub(in crate::http) fn name(&self, headers: &HeaderMap) -> Option<String> {
        let given = given(headers).filter(|_| self.are_needed())?;
        self.known(given).ok().flatten().map(|kept| kept.name)
    }

    /// What a request may do that comes to a route of `collection`; refuses one whose key does not cover
    /// what the route needs, or comes too often. The key's name comes with it, where one is needed.
    pub(in crate::http) fn check(
        &self,
        right: Right,
        collection: &str,
        request: &Request,
    ) -> Result<(Grant, Option<String>), Problem> {
        if !self.are_needed() {
            return Ok((Grant::All, None));
        }
        if right == Right::Open {
            return Ok((Grant::Nothing, None));
        }
        let given = given(request.headers());
        let Some(kept) = self.known(given.unwrap_or_default())? else {
            if given.is_some() {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                self.rates.wrong(peer.map(|ConnectInfo(peer)| peer.ip()))?;
            }
            let message = "a key is needed\nhint: send `Authorization: Bearer KEY`; `ibid key new` makes one";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "key_needed", message));
        };
        let grant = Grant::Key(kept.granted);
        grant.satisfy(right, collection)?;
        self.rates.ask(&kept.name)?;
        Ok((grant, Some(kept.name)))
    }
}

/// The key that a request sends. The name of the scheme may be in any case (RFC 9110, 11.1).
fn given(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key);
    bearer.or_else(|| text("x-api-key")).map(str::trim).filter(|given| !given.is_empty())
}
