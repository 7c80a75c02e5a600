//! Nothing takes for ever: changes end at their deadline, stopping at its own, and lists have bounds.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::Service;

/// A text that takes minutes to embed.
fn long_text() -> String {
    (0..60_000).map(|n| format!("Warehouse number {n} holds {} tonnes of grain, kept by team {n}. ", n * 7)).collect()
}

fn with(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| (format!("IBID__SERVER__{name}"), (*value).to_owned())).collect()
}

fn total(service: &Service) -> u64 {
    service.json("/v1/articles?limit=1")["total"].as_u64().unwrap()
}

#[test]
fn a_change_that_takes_too_long_is_given_up_and_others_write_again() {
    let data = tempfile::tempdir().unwrap();
    let own = data.path().join("own.txt");
    std::fs::write(&own, "The mill stands by the river.").unwrap();
    let settings = with(&[("CHANGE_SECONDS", "3"), ("MAX_BODY_BYTES", "20000000")]);
    let service = Service::start_with(&data.path().join("data"), &["--corpus", own.to_str().unwrap()], &settings);
    let begun = Instant::now();
    let (status, body) = service.post("/v1/articles", json!({ "key": "long", "text": long_text() }).to_string().as_bytes());
    assert_eq!((status, &body["error"]["code"]), (503, &json!("deadline")), "{body}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    // What it was busy with ends soon after, and nothing of it is kept.
    let small = json!({ "key": "small", "text": "The ferry leaves at nine." }).to_string();
    while service.post("/v1/articles", small.as_bytes()).0 != 200 {
        assert!(begun.elapsed() < Duration::from_mins(2), "the place of the long one is never free");
    }
    assert_eq!(total(&service), 2);
}

#[test]
fn asked_to_stop_it_ends_in_its_time_whatever_runs() {
    let data = tempfile::tempdir().unwrap();
    let own = data.path().join("own.txt");
    std::fs::write(&own, "The mill stands by the river.").unwrap();
    let corpus = ["--corpus", own.to_str().unwrap()];
    let folder = data.path().join("data");
    let service = Service::start_with(&folder, &corpus, &with(&[("DRAIN_SECONDS", "1"), ("MAX_BODY_BYTES", "20000000")]));
    let body = json!({ "key": "long", "text": long_text() }).to_string();
    let head = format!(
        "POST /v1/articles HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    // It is being embedded when the signal comes, and would be for minutes.
    let begun = Instant::now();
    while !service.get("/metrics").2.contains("ibid_writing 1\n") {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is never worked on");
    }
    assert_eq!(total(&service), 1);
    let begun = Instant::now();
    assert_eq!(service.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(total(&Service::start(&folder, &corpus)), 1, "what was not committed has not happened");
}

#[test]
fn lists_in_questions_have_bounds() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let many: Vec<String> = (0..1001).map(|n| format!("x{n}")).collect();
    for name in ["author", "article_id", "source", "language"] {
        let ask = |values: &[String]| {
            let body = json!({ "question": "How high is the mill?", "filter": { name: values } });
            service.post("/v1/search", body.to_string().as_bytes())
        };
        let (status, body) = ask(&many);
        assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains(name), "{name}: {body}");
        assert_eq!(ask(&many[1..]).0, 200, "{name}");
        assert_eq!(ask(&["x".repeat(5000)]).0, 400);
    }
    let condition = json!({ "name": "title", "comparison_operator": "contains", "value": "x" });
    let conditions: Vec<&Value> = vec![&condition; 51];
    let asked = |conditions: &[&Value]| {
        let body = json!({ "query": "How high is the mill?", "metadata_condition": { "conditions": conditions } });
        service.post("/retrieval", body.to_string().as_bytes()).0
    };
    assert_eq!((asked(&conditions), asked(&conditions[1..])), (400, 200));
    let of = |names: &[String], values: &[String]| json!({ "name": names, "comparison_operator": "is", "value": values });
    let (names, values) = (vec!["title".to_owned(); 9], &many[..501]);
    assert_eq!((asked(&[&of(&names, values)]), asked(&[&of(&names[1..], values)])), (400, 200));
    assert_eq!(asked(&[&of(&names[1..], values), &of(&names[1..], values)]), 400);
}

#[test]
fn assistants_are_answered_without_a_session_that_they_could_fill() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let call = |method: &str, parameters: Value| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        service.raw(format!("{head}{body}").as_bytes())
    };
    let client = json!({ "name": "x".repeat(100_000), "version": "1" });
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    for _ in 0..50 {
        let (status, head, body) = call("initialize", hello.clone());
        assert!(status == 200 && body.contains("serverInfo"), "{head} {body}");
        assert!(!head.to_lowercase().contains("mcp-session-id"), "{head}");
    }
    let (status, head, body) = call("tools/call", json!({ "name": "search", "arguments": { "query": "夜市" } }));
    assert!(status == 200 && body.contains("夜市"), "{head} {body}");
}
