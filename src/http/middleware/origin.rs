//! Where a request comes from: pages of other sites send none through somebody's browser.

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri};

use crate::http::dto::error::Problem;
use crate::http::server::{App, host_of};

impl App {
    /// Refuses what a page of another site sends through somebody's browser: its name does not lead
    /// here (`Host`), or it says that it is another (`Origin`). What cannot be read, or is there twice, is
    /// refused as well.
    pub(super) fn admits(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = authority(uri, headers);
        if self.on_loopback && !host.as_ref().is_ok_and(|host| self.hosts.iter().any(|known| known == host_of(host))) {
            return Err(foreign("Host", &host.unwrap_or_else(|UnfitHeader(shown)| shown)));
        }
        let Some(origin) = only(headers, &ORIGIN) else { return Ok(()) };
        let allowed = |origin: &str| {
            let same = origin.split_once("://").is_some_and(|(_, authority)| host.as_ref().is_ok_and(|host| host == authority));
            same || origin == origin_of(&self.public_url)
        };
        match origin {
            Ok(origin) if allowed(&origin) => Ok(()),
            Ok(origin) | Err(UnfitHeader(origin)) => Err(foreign("Origin", &origin)),
        }
    }
}

fn foreign(what: &str, value: &str) -> Problem {
    let message = format!(
        "`{what}: {}` is not this service\nhint: set `server.public_url` to the address that readers use",
        value.escape_debug()
    );
    Problem::new(StatusCode::FORBIDDEN, "foreign_origin", message)
}

/// A header that is missing, is there twice or is not ASCII: its first value, to be shown.
struct UnfitHeader(String);

/// The text of a header in small letters; `None` where it is not there.
fn only(headers: &HeaderMap, name: &HeaderName) -> Option<Result<String, UnfitHeader>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    let shown = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    Some(text.map(str::to_ascii_lowercase).ok_or(UnfitHeader(shown)))
}

/// The name and port that a request is sent to: of the address where that has one, else of `Host`.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<String, UnfitHeader> {
    let named = only(headers, &HOST);
    match (uri.authority(), named) {
        (_, Some(Err(unfit))) => Err(unfit),
        (Some(authority), _) => Ok(authority.as_str().to_ascii_lowercase()),
        (None, Some(Ok(host))) => Ok(host),
        (None, None) => Err(UnfitHeader(String::new())),
    }
}

/// `scheme://name:port` of an address.
fn origin_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    url[after..].find('/').map_or(url, |at| &url[..after + at])
}
