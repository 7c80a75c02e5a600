//! Fetching a model, from a hub in this test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest as _, Sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

struct Hub {
    address: String,
    /// Whether the next fetch of the weights breaks off in the middle.
    breaks: Arc<AtomicBool>,
    /// Request lines and ranges, in order.
    asked: Arc<Mutex<Vec<String>>>,
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-bert")
}

fn files(folder: &Path, below: &str, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), all);
        } else {
            all.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Hub {
    /// A hub that has the tiny model; with a false checksum of its weights if `false_sums`.
    fn start(false_sums: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (breaks, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let mut all = Vec::new();
        files(&model(), "", &mut all);
        let siblings = all.iter().map(|(name, bytes)| {
            let sum = if false_sums { "0".repeat(64) } else { sha256(bytes) };
            let lfs = name.ends_with(".safetensors").then(|| json!({ "sha256": sum }));
            json!({ "rfilename": name, "size": bytes.len(), "lfs": lfs })
        });
        let strangers =
            ["../outside.json", "/etc/outside.json", "onnx/model.safetensors"].map(|name| json!({ "rfilename": name }));
        let listing = json!({ "sha": COMMIT, "siblings": siblings.chain(strangers).collect::<Vec<_>>() }).to_string();
        let (breaking, asking) = (Arc::clone(&breaks), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines: Vec<String> =
                    BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let path = lines[0].split(' ').nth(1).unwrap().to_owned();
                let range = lines
                    .iter()
                    .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
                asking.lock().unwrap().push(format!("{path} {}", range.unwrap_or(0)));
                let named = path.strip_prefix(&format!("/some/tiny/resolve/{COMMIT}/"));
                let body = match named {
                    Some(name) => &all.iter().find(|(file, _)| file == name).unwrap().1[range.unwrap_or(0)..],
                    None if path.starts_with("/api/models/some/tiny/revision/main") => listing.as_bytes(),
                    None => {
                        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
                        continue;
                    }
                };
                let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len()).unwrap();
                let broken = path.ends_with(".safetensors") && breaking.swap(false, Ordering::SeqCst);
                stream.write_all(if broken { &body[..body.len() / 2] } else { body }).unwrap();
            }
        });
        Self { address, breaks, asked }
    }

    fn pull(&self, name: &str, to: &Path) -> Output {
        let to = to.to_str().unwrap();
        Command::new(env!("CARGO_BIN_EXE_ibid"))
            .args(["model", "pull", name, "--to", to, "--from", &self.address, "--quiet"])
            .output()
            .unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_model_is_fetched_resumed_and_verified() {
    let hub = Hub::start(false);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("tiny");
    hub.breaks.store(true, Ordering::SeqCst);
    let broken = hub.pull("some/tiny", &to);
    assert!(!broken.status.success() && !to.join("model.safetensors").exists(), "{}", said(&broken));
    let whole = hub.pull("some/tiny", &to);
    assert!(whole.status.success(), "{}", said(&whole));
    assert!(String::from_utf8_lossy(&whole.stdout).contains(COMMIT));
    let half = std::fs::metadata(model().join("model.safetensors")).unwrap().len() / 2;
    assert!(hub.asked.lock().unwrap().iter().any(|line| line.ends_with(&format!("model.safetensors {half}"))), "it began anew");
    let mut all = Vec::new();
    files(&model(), "", &mut all);
    let fetched: Vec<&(String, Vec<u8>)> = all.iter().filter(|(name, _)| to.join(name).exists()).collect();
    assert!(fetched.iter().all(|(name, bytes)| std::fs::read(to.join(name)).unwrap() == *bytes) && fetched.len() >= 3);
    assert!(!folder.path().join("outside.json").exists() && !to.join("onnx").exists());
    let verify = |expected: bool| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_ibid")).args(["model", "verify", "--model", to.to_str().unwrap()]).output().unwrap();
        assert_eq!(output.status.success(), expected, "{}", said(&output));
    };
    verify(true);
    std::fs::write(to.join("config.json"), "{}").unwrap();
    verify(false);
}

#[test]
fn what_the_hub_did_not_promise_is_not_kept() {
    let hub = Hub::start(true);
    let folder = tempfile::tempdir().unwrap();
    let output = hub.pull("some/tiny", folder.path());
    assert!(!output.status.success() && said(&output).contains("model.safetensors` has SHA-256"), "{}", said(&output));
    assert!(!folder.path().join("model.safetensors").exists() && !folder.path().join("model.safetensors.partial").exists());
    let unknown = hub.pull("no/such", folder.path());
    assert!(
        !unknown.status.success() && said(&unknown).contains("no/such") && said(&unknown).contains("404"),
        "{}",
        said(&unknown)
    );
}
