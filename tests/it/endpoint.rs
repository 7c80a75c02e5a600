//! A scripted endpoint that speaks OpenAI's chat completions, with all that can go wrong with one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What is written of the sentences that were sent.
type Written = Box<dyn Fn(&[Sent]) -> String + Send>;

/// What becomes of a request.
pub(crate) enum Script {
    /// Writes what is made of the sentences that were sent, a few characters at a time.
    Writes(Written),
    /// The same, in one JSON object.
    WritesWhole(Written),
    /// The same, and the connection ends before the stream does.
    CutOff(Written),
    /// The same over and over, without an end.
    Endless(Written),
    /// Accepts and says nothing.
    Silent,
    /// Keeps the connection open with comments alone.
    Comments,
    /// A stream of what is no JSON.
    Garbage,
    /// An error in place of a chunk.
    Error,
    /// This status, with `Retry-After: 0`.
    Status(u16),
    /// Sent on to another address.
    Redirect(String),
    /// The connection ends before anything is said.
    HangsUp,
}

/// A sentence that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A running endpoint; it ends with the process.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Endpoint {
    /// Answers one request by each script, and all further ones by the last.
    pub(crate) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (kept, scripts) = (Arc::clone(&requests), Arc::new(Mutex::new(scripts)));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, kept, scripts) = (stream.unwrap(), Arc::clone(&kept), Arc::clone(&scripts));
                std::thread::spawn(move || serve(stream, &kept, &scripts, number));
            }
        });
        Self { url, requests }
    }

    /// One that always writes.
    pub(crate) fn writing(text: impl Fn(&[Sent]) -> String + Send + 'static) -> Self {
        Self::start(vec![Script::Writes(Box::new(text))])
    }

    /// The heads and bodies of all requests so far.
    pub(crate) fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }
}

/// The sentences of a prompt.
pub(crate) fn sentences(body: &Value) -> Vec<Sent> {
    let prompt = body["messages"][1]["content"].as_str().unwrap_or_default();
    let sentence = |line: &str| {
        let (id, text) = line.strip_prefix('[')?.split_once("] ")?;
        Some(Sent { id: id.to_owned(), text: text.to_owned() })
    };
    prompt.lines().filter_map(sentence).collect()
}

type Kept = Mutex<Vec<(String, Value)>>;

fn serve(mut stream: TcpStream, kept: &Kept, scripts: &Mutex<Vec<Script>>, number: usize) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        head.push_str(&line.to_lowercase());
        line.clear();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    kept.lock().unwrap().push((head, body.clone()));
    let scripts = scripts.lock().unwrap();
    let script = &scripts[number.min(scripts.len() - 1)];
    let sent = sentences(&body);
    // What is said takes no lock: another request may come meanwhile.
    let said = match script {
        Script::Writes(text) => Said { head: STREAM.into(), body: chunks(&text(&sent)) + LAST, goes_on: GoesOn::No },
        Script::CutOff(text) => Said { head: STREAM.into(), body: chunks(&text(&sent)), goes_on: GoesOn::No },
        Script::Endless(text) => Said { head: STREAM.into(), body: chunks(&text(&sent)), goes_on: GoesOn::Again },
        Script::Comments => Said { head: STREAM.into(), body: ": still here\n\n".into(), goes_on: GoesOn::Slowly },
        Script::Silent => Said { head: String::new(), body: String::new(), goes_on: GoesOn::Slowly },
        Script::Garbage => Said { head: STREAM.into(), body: "data: {\"choices\": [\u{1}\n\n".into(), goes_on: GoesOn::No },
        Script::Error => {
            Said { head: STREAM.into(), body: "data: {\"error\":{\"message\":\"no\"}}\n\n".into(), goes_on: GoesOn::No }
        }
        Script::WritesWhole(text) => {
            let body =
                json!({ "choices": [{ "message": { "role": "assistant", "content": text(&sent) }, "finish_reason": "stop" }] });
            Said { head: head_of("200 OK", "application/json", ""), body: body.to_string(), goes_on: GoesOn::No }
        }
        Script::Status(status) => {
            let head = head_of(&format!("{status} Refused"), "application/json", "retry-after: 0\r\n");
            Said { head, body: "{}".into(), goes_on: GoesOn::No }
        }
        Script::Redirect(to) => {
            let head = head_of("307 Elsewhere", "text/plain", &format!("location: {to}\r\n"));
            Said { head, body: String::new(), goes_on: GoesOn::No }
        }
        Script::HangsUp => return,
    };
    drop(scripts);
    said.send(&mut stream);
}

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const LAST: &str = "data: {\"choices\":[],\"usage\":{\"total_tokens\":77}}\n\ndata: [DONE]\n\n";

fn head_of(status: &str, kind: &str, more: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}connection: close\r\n\r\n")
}

enum GoesOn {
    No,
    Again,
    Slowly,
}

struct Said {
    head: String,
    body: String,
    goes_on: GoesOn,
}

impl Said {
    fn send(&self, stream: &mut TcpStream) {
        let mut write = |text: &str| stream.write_all(text.as_bytes()).is_ok() && stream.flush().is_ok();
        let mut open = write(&self.head) && write(&self.body);
        while open {
            open = match self.goes_on {
                GoesOn::No => return,
                GoesOn::Again => write(&self.body),
                GoesOn::Slowly => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    self.body.is_empty() || write(&self.body)
                }
            };
        }
    }
}

/// A text in events of a few characters each.
fn chunks(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let event = |piece: &[char]| {
        let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": piece.iter().collect::<String>() }, "finish_reason": null }] });
        format!("data: {chunk}\n\n")
    };
    characters.chunks(3).map(event).collect()
}
