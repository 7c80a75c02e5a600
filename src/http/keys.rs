//! Who may do what: keys, kept as checksums in a file that is read again when it changes.
//!
//! One key a line: `NAME SCOPES SHA256 [LAST-DAY]`; a scope is `read`, or `read@news` for one collection. `ibid key new` makes one and adds its line. A key has
//! 256 random bits, so that its checksum needs no slow hash. Without a file everybody may do everything,
//! which is why a service without keys listens on this machine only.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::collections::{self, Grant};
use super::error::Problem;
use super::rates::Rates;
use crate::read::files::hex;

/// What every key begins with, so that it is known for one where it leaks.
const PREFIX: &str = "ibid_";

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Ask, search, read articles.
    Read,
    /// Add, change and remove articles.
    Write,
    /// Remove bytes for ever; see figures.
    Admin,
}

impl Scope {
    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// What a request to `path` needs; `None` for what is open to all.
    fn of(method: &Method, path: &str, query: &str) -> Option<Self> {
        let admin = path.starts_with("/v1/collections") && *method != Method::GET && *method != Method::HEAD;
        let open = matches!(path, "/" | "/healthz" | "/readyz" | "/openapi.json" | "/v1");
        if open || path.starts_with("/assets/") || path.starts_with("/articles/") || path.starts_with("/docs") {
            return None;
        }
        if admin || path == "/metrics" || (*method == Method::DELETE && query.contains("purge=true")) {
            return Some(Self::Admin);
        }
        let changes = (path.starts_with("/v1/articles") || path.starts_with("/v1/jobs"))
            && *method != Method::GET
            && *method != Method::HEAD;
        Some(if changes { Self::Write } else { Self::Read })
    }
}

/// A scope that a key has, in one collection or in all.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    scope: Scope,
    collection: Option<String>,
}

impl Granted {
    /// From `read`, or `read@news` for one collection.
    fn parse(text: &str) -> Result<Self, String> {
        let (name, collection) = text.split_once('@').map_or((text, None), |(name, collection)| (name, Some(collection)));
        let scope = Scope::named(name).ok_or_else(|| format!("`{name}` is no scope"))?;
        match collection.filter(|name| *name != collections::FIRST && !collections::is_name(name)) {
            Some(name) => Err(format!("`{name}` is no name for a collection")),
            None => Ok(Self { scope, collection: collection.map(str::to_owned) }),
        }
    }

    /// Whether it allows this in this collection.
    pub(super) fn allows(&self, scope: Scope, collection: &str) -> bool {
        self.scope == scope && self.collection.as_deref().is_none_or(|only| only == collection)
    }
}

/// Routes whose requests may name another collection inside; their handlers ask the [`Grant`] again.
const NAMING: [&str; 10] = [
    "/v1/ask",
    "/v1/search",
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/responses",
    "/responses",
    "/retrieval",
    "/v1/models",
    "/models",
    "/v1/collections",
];

/// Whether `text` is a scope that a key can have.
pub fn is_scope(text: &str) -> bool {
    Granted::parse(text).is_ok()
}

/// A key, as it is kept.
#[derive(Debug, Clone)]
struct Kept {
    name: String,
    scopes: Vec<Granted>,
    sha256: Vec<u8>,
    last_day: Option<jiff::civil::Date>,
}

/// The keys of a file.
pub(super) struct Keys {
    file: Option<PathBuf>,
    rates: Rates,
    read: Mutex<(Option<SystemTime>, Vec<Kept>)>,
}

/// A new key: what its owner is given, and the line that is kept.
pub struct NewKey {
    /// Shown once.
    pub key: String,
    /// For the file.
    pub line: String,
}

impl NewKey {
    /// Makes a key from 32 random bytes.
    pub fn of(random: &[u8; 32], name: &str, scopes: &[String]) -> Self {
        let key = format!("{PREFIX}{}", hex(random));
        let line = format!("{name} {} {}", scopes.join(","), hex(&Sha256::digest(&key)));
        Self { key, line }
    }
}

fn parse(line: &str) -> Result<Kept, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, scopes, sha256, rest @ ..] = words.as_slice() else {
        return Err("a name, scopes and a checksum are needed".to_owned());
    };
    let scopes = scopes.split(',').map(Granted::parse);
    let bytes =
        (0..sha256.len()).step_by(2).map(|at| sha256.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()));
    let sha256: Option<Vec<u8>> = bytes.collect();
    let sha256 = sha256.filter(|bytes| bytes.len() == 32).ok_or("the checksum is not 64 hexadecimal digits")?;
    let last_day = rest.first().map(|day| day.parse().map_err(|_| format!("`{day}` is no day"))).transpose()?;
    Ok(Kept { name: (*name).to_owned(), scopes: scopes.collect::<Result<_, _>>()?, sha256, last_day })
}

/// How many keys `file` holds.
///
/// # Errors
/// When the file cannot be read, or a line of it is no key.
pub fn count(file: &Path) -> Result<usize, String> {
    Keys::load(file).map(|(_, keys)| keys.len())
}

impl Keys {
    /// The keys in `file`; an empty path means that there are none.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is no key.
    pub(super) fn open(file: &Path, rates: Rates) -> Result<Self, String> {
        if file.as_os_str().is_empty() {
            return Ok(Self { file: None, rates, read: Mutex::default() });
        }
        let (changed, keys) = Self::load(file)?;
        Ok(Self { file: Some(file.to_owned()), rates, read: Mutex::new((changed, keys)) })
    }

    fn load(file: &Path) -> Result<(Option<SystemTime>, Vec<Kept>), String> {
        let shown = file.display();
        let changed = std::fs::metadata(file).and_then(|about| about.modified()).ok();
        let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read keys `{shown}`: {error}"))?;
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let keys = lines.map(|(number, line)| parse(line).map_err(|reason| format!("`{shown}` line {number}: {reason}")));
        Ok((changed, keys.collect::<Result<_, _>>()?))
    }

    /// Whether requests need a key.
    pub(super) fn are_needed(&self) -> bool {
        self.file.is_some()
    }

    /// The keys as the file has them now. One that was broken meanwhile changes nothing, and is told.
    fn current(&self) -> Vec<Kept> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let changed = std::fs::metadata(file).and_then(|about| about.modified()).ok();
            if changed != read.0 {
                match Self::load(file) {
                    Ok(fresh) => *read = fresh,
                    Err(reason) => {
                        tracing::error!(reason, "the keys are not read again");
                        read.0 = changed;
                    }
                }
            }
        }
        read.1.clone()
    }

    /// What the key of a request allows; refuses a request that it does not allow, or not so often.
    pub(super) fn check(&self, request: &Request) -> Result<Grant, Problem> {
        let (uri, headers) = (request.uri(), request.headers());
        let (collection, path) = collections::split(uri.path());
        let query = uri.query().unwrap_or_default();
        let Some(needed) = Scope::of(request.method(), path, query).filter(|_| self.are_needed()) else {
            return Ok(Grant::default());
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        let given = bearer.or_else(|| text("x-api-key")).map(str::trim).unwrap_or_default();
        let sha256 = Sha256::digest(given);
        let today = jiff::Zoned::now().date();
        // All are compared, each in constant time: how long it takes tells nothing.
        let known = self
            .current()
            .into_iter()
            .fold(None, |known, kept| if bool::from(kept.sha256.as_slice().ct_eq(&sha256)) { Some(kept) } else { known });
        let known = known.filter(|kept| kept.last_day.is_none_or(|day| today <= day));
        // Dify takes 401 for a broken address; 403 is shown to whoever sets it up.
        let refused = if path == "/retrieval" { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        match known {
            None => {
                if !given.is_empty() {
                    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                    self.rates.wrong(peer.map(|ConnectInfo(peer)| peer.ip()))?;
                }
                let message = "a key is needed\nhint: send `Authorization: Bearer KEY`; `ibid key new` makes one";
                Err(Problem::new(refused, "key_needed", message))
            }
            Some(kept) => {
                let inside = needed == Scope::Read && NAMING.contains(&path);
                let fits = |granted: &Granted| granted.allows(needed, collection) || (inside && granted.scope == needed);
                if !kept.scopes.iter().any(fits) {
                    let message = format!("key `{}` does not allow this: scope `{needed:?}` is needed", kept.name).to_lowercase();
                    return Err(Problem::new(StatusCode::FORBIDDEN, "scope_needed", message));
                }
                self.rates.ask(&kept.name)?;
                Ok(Grant(Some(kept.scopes)))
            }
        }
    }
}
