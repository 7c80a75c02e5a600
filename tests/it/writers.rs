//! Many who write and ask at once: what the library ends up saying is what some order of the writes says.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::service::Service;

const WRITERS: usize = 64;
const ROUNDS: usize = 5;
const GATES: usize = 7;

/// A write that was acknowledged: what it left of a gate, and when.
struct Done {
    number: Option<usize>,
    from: Instant,
    to: Instant,
}

/// Sends until there is a place for it: one that is refused for want of room has changed nothing.
fn acknowledged<T>(send: impl Fn() -> (u16, T)) -> (u16, T) {
    loop {
        let (status, answer) = send();
        if !matches!(status, 429 | 503) {
            return (status, answer);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn write(service: &Service, gate: usize, number: usize) -> String {
    let body = json!({ "id": format!("gate-{gate}"), "text": format!("{gate}号闸门今天开了{number}次，由值班员记下。") });
    let (status, answer) = acknowledged(|| service.post("/v1/articles", body.to_string().as_bytes()));
    assert_eq!(status, 200, "{answer}");
    answer["articles"][0]["id"].as_str().unwrap().to_owned()
}

fn remove(service: &Service, id: &str) {
    let request = format!("DELETE /v1/articles/{id} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let (status, _) = acknowledged(|| {
        let (status, _, body) = service.raw(request.as_bytes());
        (status, body)
    });
    assert_eq!(status, 204);
}

#[test]
fn sixty_four_writers_at_once_lose_no_update_and_questions_see_whole_articles() {
    let data = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &["--corpus", empty.path().to_str().unwrap()]);
    let ids: Vec<String> = (0..GATES).map(|gate| write(&service, gate, 0)).collect();
    let done: Mutex<BTreeMap<usize, Vec<Done>>> = Mutex::default();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (service, ids, done) = (&service, &ids, &done);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let (gate, number) = ((writer + round) % GATES, 1 + writer * ROUNDS + round);
                    let from = Instant::now();
                    let number = if (writer + 3 * round) % 5 == 0 {
                        remove(service, &ids[gate]);
                        None
                    } else {
                        assert_eq!(write(service, gate, number), ids[gate], "an article keeps its id");
                        Some(number)
                    };
                    done.lock().unwrap().entry(gate).or_default().push(Done { number, from, to: Instant::now() });
                    let (_, answer) = acknowledged(|| {
                        service.post("/v1/ask", json!({ "question": format!("{gate}号闸门开了几次？") }).to_string().as_bytes())
                    });
                    for citation in answer["citations"].as_array().unwrap() {
                        assert!(citation["quote"].as_str().unwrap().ends_with("次，由值班员记下。"), "{citation}");
                    }
                }
            });
        }
    });
    for (gate, done) in done.into_inner().unwrap() {
        let (status, _, text) = service.get(&format!("/v1/articles/{}/text", ids[gate]));
        let said = (status == 200).then(|| text.split("开了").nth(1).unwrap().split('次').next().unwrap().parse().unwrap());
        // Only a write that no other one followed may have the last word.
        let last = done.iter().filter(|one| done.iter().all(|other| other.from <= one.to));
        let possible: Vec<Option<usize>> = last.map(|one| one.number).collect();
        assert!(possible.contains(&said), "gate {gate}: {said:?}, not one of {possible:?}");
    }
}

#[test]
fn what_was_acknowledged_is_found_at_once_however_many_write() {
    let (data, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let service = Service::start(data.path(), &["--corpus", empty.path().to_str().unwrap()]);
    let sent = |path: &str, body: serde_json::Value| acknowledged(|| service.post(path, body.to_string().as_bytes()));
    std::thread::scope(|scope| {
        for writer in 0..24 {
            scope.spawn(move || {
                for round in 0..6 {
                    let said = format!("{}号浮标在第{round}轮测得水深{}米。", 100 + writer, 1000 + writer * 10 + round);
                    let (status, answer) = sent("/v1/articles", json!({ "id": format!("buoy-{writer}-{round}"), "text": said }));
                    assert_eq!(status, 200, "{answer}");
                    let question = format!("{}号浮标在第{round}轮测得水深多少米？", 100 + writer);
                    let (_, found) = sent("/v1/search", json!({ "question": question, "limit": 30 }));
                    assert!(found.to_string().contains(&said), "{said} {found}");
                }
            });
        }
    });
}
