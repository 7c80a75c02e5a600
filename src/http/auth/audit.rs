//! The audit log: each change and each refusal, by whose key, when, and how it ended. Never a text.
//!
//! One JSON object a line, added to the file before the answer is sent. A line that cannot be written is told in the
//! service's log and keeps nobody from working.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::extract::{ConnectInfo, Query, Request};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::{Deserialize, Serialize};

/// Characters of an address that are written down.
const LONGEST: usize = 200;

/// The file, if one is kept.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Audit {
    file: Option<PathBuf>,
}

/// Whose key came with a request, and whether the request changes something: left with its response by the check of
/// rights.
#[derive(Debug, Clone)]
pub(in crate::http) struct Caller {
    pub(in crate::http) key: Option<String>,
    pub(in crate::http) writes: bool,
}

/// What is known of a request before it is answered.
pub(in crate::http) struct AuditedRequest {
    method: &'static str,
    path: String,
    purge: bool,
    from: Option<IpAddr>,
}

/// A line of the log.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    request: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<IpAddr>,
    method: &'static str,
    path: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    purge: bool,
    status: u16,
}

#[derive(Deserialize)]
struct Purging {
    #[serde(default)]
    purge: bool,
}

impl AuditedRequest {
    /// What `request` asks for: its address without its parameters, but for the one that removes bytes.
    pub(in crate::http) fn of(request: &Request, method: &'static str) -> Self {
        let purge = |uri: &Uri| Query::<Purging>::try_from_uri(uri).is_ok_and(|Query(Purging { purge })| purge);
        Self {
            method,
            path: request.uri().path().chars().take(LONGEST).collect(),
            purge: method == "DELETE" && purge(request.uri()),
            from: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip()),
        }
    }
}

impl Audit {
    /// Written to `file`; an empty path means that none is kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::http) fn open(file: &Path) -> std::io::Result<Self> {
        if file.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        append(file, "")?;
        Ok(Self { file: Some(file.to_owned()) })
    }

    /// Whether one is kept.
    pub(in crate::http) fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Writes down a change or a refusal; nothing of other requests.
    pub(in crate::http) fn note(
        &self,
        asked: &AuditedRequest,
        request: &str,
        response: &Response,
    ) -> impl Future<Output = ()> + use<> {
        let file = self.file.clone().zip(line(asked, request, response));
        async move {
            let Some((file, line)) = file else { return };
            let written = tokio::task::spawn_blocking(move || append(&file, &line)).await;
            if let Ok(Err(error)) = written {
                tracing::error!(%error, "the audit log cannot be written");
            }
        }
    }
}

/// The line that a request is worth, if any.
fn line(asked: &AuditedRequest, request: &str, response: &Response) -> Option<String> {
    let caller = response.extensions().get::<Caller>();
    let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if !refused && !caller.is_some_and(|caller| caller.writes) {
        return None;
    }
    let line = Line {
        time: jiff::Timestamp::now().to_string(),
        request,
        key: caller.and_then(|caller| caller.key.as_deref()),
        from: asked.from,
        method: asked.method,
        path: &asked.path,
        purge: asked.purge,
        status: response.status().as_u16(),
    };
    Some(serde_json::to_string(&line).expect("texts and numbers are JSON") + "\n")
}

/// Adds `line` at the end of `file`, which is made for its owner alone where it is not there.
fn append(file: &Path, line: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(line.as_bytes())
}
