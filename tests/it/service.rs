//! What the tests share: a library in a folder of its own, and a running `ibid serve`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ibid::embed::Embedder;
use ibid::library::{Corpus, IngestReport, Library};
use ibid::settings::{self, Settings};
use serde_json::Value;

/// The built binary.
pub(crate) const IBID: &str = env!("CARGO_BIN_EXE_ibid");

/// Default settings with the library in `data`.
pub(crate) fn settings(data: &Path) -> Settings {
    let mut settings = settings::resolve(None, std::iter::empty(), vec![]).unwrap();
    data.clone_into(&mut settings.library.data);
    settings
}

/// A library in `data` with the bundled model.
pub(crate) fn library(data: &Path) -> Library {
    Library::open(settings(data), Embedder::bundled().unwrap()).unwrap()
}

/// Reads `path` into `library`.
pub(crate) fn ingest(library: &Library, path: &Path) -> IngestReport {
    library.ingest(&Corpus::Paths(vec![path.to_owned()]), &|_| ()).unwrap()
}

/// The folder of sample articles.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Runs `ibid` to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(IBID).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

/// A running `ibid serve`, killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data, arguments, &[])
    }

    /// Starts it with settings from the environment.
    pub(crate) fn start_with(data: &Path, arguments: &[&str], environment: &[(String, String)]) -> Self {
        let mut child = Command::new(IBID)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()])
            .args(arguments)
            .envs(environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The address is printed when the library is open.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").to_owned();
        assert!(!address.is_empty(), "`ibid serve` ended before it was ready");
        let service = Self { child, address };
        let begun = Instant::now();
        while service.get("/readyz").0 != 200 {
            assert!(begun.elapsed() < Duration::from_secs(30), "not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        service
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What its links begin with.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request as written and gives status, head and body.
    pub(crate) fn raw(&self, request: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        // A refusal may come, and the connection close, before all is sent.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, head.to_owned(), body.to_owned())
    }

    /// `GET path`
    pub(crate) fn get(&self, path: &str) -> (u16, String, String) {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes())
    }

    /// `GET path`, read as JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, _, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// `POST path` with a body of JSON.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let (status, _, body) = self.raw(&[head.as_bytes(), body].concat());
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Asks a question and gives the answer.
    pub(crate) fn ask(&self, question: &str) -> Value {
        let (status, answer) = self.post("/v1/ask", serde_json::json!({ "question": question }).to_string().as_bytes());
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Asks it to stop, and gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
