//! The request, and the lines of its response as they come.
//!
//! A thread reads them, so that whoever waits can look at the clock and go: a read cannot be broken off.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use ureq::Agent;
use ureq::http::{Request, header};

use super::{Failure, Prompt};
use crate::settings;

/// Bytes of a response at most.
const LARGEST: u64 = 8 << 20;
/// Lines that wait to be read at most.
const AHEAD: usize = 64;

/// Sends prompts to one endpoint.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    address: String,
    host: String,
    model: String,
    key: Key,
}

/// Where the key is.
#[derive(Debug, Clone)]
enum Key {
    None,
    Known(settings::Secret),
    File(PathBuf),
}

/// A line of the response, or what came instead.
pub(super) enum Line {
    Text(String),
    /// Nothing yet.
    Nothing,
    Failed(Failure),
    End,
}

/// A request on its way.
pub(super) struct Sending {
    lines: Receiver<Result<String, Failure>>,
    retry_after: Arc<OnceLock<Duration>>,
}

impl Sending {
    /// The next line, waited for at most so long.
    pub(super) fn next(&self, time: Duration) -> Line {
        match self.lines.recv_timeout(time) {
            Ok(Ok(line)) => Line::Text(line),
            Ok(Err(failure)) => Line::Failed(failure),
            Err(RecvTimeoutError::Timeout) => Line::Nothing,
            Err(RecvTimeoutError::Disconnected) => Line::End,
        }
    }

    /// When the endpoint wants to be asked again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after.get().copied()
    }
}

impl Client {
    pub(super) fn of(settings: &settings::Generate) -> Self {
        let base = settings.endpoint.trim_end_matches('/');
        let host = base.split_once("://").map_or(base, |(_, rest)| rest).split('/').next().unwrap_or_default();
        // Who writes a name and a password into the address has them there, and not on a page.
        let host = host.rsplit('@').next().unwrap_or_default();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // The key and the articles' sentences go to the address that was named, and to no other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(settings.seconds)));
        if is_here(host) {
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            address: format!("{base}/chat/completions"),
            host: host.to_owned(),
            model: settings.model.clone(),
            key: Key::of(settings),
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Sends `prompt`; what comes is read from what this returns.
    pub(super) fn send(&self, prompt: &Prompt, limits: &settings::Generate) -> Result<Sending, Failure> {
        let body = json!({
            "model": self.model,
            "messages": [{ "role": "system", "content": prompt.system }, { "role": "user", "content": prompt.user }],
            "temperature": limits.temperature, "max_tokens": limits.max_tokens,
            "stream": true, "stream_options": { "include_usage": true },
        });
        let mut request = Request::post(&self.address).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = self.key.read()? {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose()));
        }
        let request = request.body(body.to_string()).map_err(|_| Failure::Unreachable)?;
        let (sender, lines) = sync_channel(AHEAD);
        let retry_after = Arc::new(OnceLock::new());
        let (agent, told) = (self.agent.clone(), Arc::clone(&retry_after));
        std::thread::spawn(move || exchange(&agent, request, &told, &sender));
        Ok(Sending { lines, retry_after })
    }
}

impl Key {
    fn of(settings: &settings::Generate) -> Self {
        if !settings.key_file.as_os_str().is_empty() {
            Self::File(settings.key_file.clone())
        } else if settings.key.expose().is_empty() {
            Self::None
        } else {
            Self::Known(settings.key.clone())
        }
    }

    /// A file is read each time: a key that was changed there holds at once.
    fn read(&self) -> Result<Option<settings::Secret>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::Known(key) => Ok(Some(key.clone())),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    tracing::error!(path = %path.display(), %error, "the file of the generator's key cannot be read");
                    Failure::NoKey
                })?;
                Ok(Some(settings::Secret::new(text.trim())))
            }
        }
    }
}

/// Whether a host is this machine: nothing for a proxy.
fn is_here(host: &str) -> bool {
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    let name = name.unwrap_or_default().trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Sends the request and hands on the lines of the response, until nobody reads them.
fn exchange(
    agent: &Agent,
    request: Request<String>,
    retry_after: &OnceLock<Duration>,
    sender: &SyncSender<Result<String, Failure>>,
) {
    // Who does not listen any more needs nothing.
    let fail = |failure| drop(sender.send(Err(failure)));
    let response = match agent.run(request) {
        Ok(response) => response,
        Err(error) => return fail(failure(&error)),
    };
    let status = response.status().as_u16();
    if status != 200 {
        let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        seconds.map(|seconds| retry_after.set(Duration::from_secs(seconds)));
        return fail(Failure::Status(status));
    }
    let mut reader = BufReader::new(response.into_body().into_reader().take(LARGEST));
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {
                if sender.send(Ok(String::from_utf8_lossy(&line).into_owned())).is_err() {
                    return;
                }
            }
            Err(error) => return fail(failure(&error.into())),
        }
    }
}

fn failure(error: &ureq::Error) -> Failure {
    if matches!(error, ureq::Error::Timeout(_)) { Failure::Late } else { Failure::Unreachable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine_needs_no_proxy() {
        let rows =
            [("localhost:8080", true), ("127.0.0.1", true), ("[::1]:80", true), ("api.example", false), ("127.example", false)];
        for (host, here) in rows {
            assert_eq!(is_here(host), here, "{host}");
        }
    }
}
