//! What grows has a bound: jobs that wait, versions that are kept. What is refused or changed is written down.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use ibid::article::ArticleId;
use ibid::deadline::Deadline;
use ibid::embed::Embedder;
use ibid::http::keys::{NewKey, add};
use ibid::library::Library;
use ibid::read::files::source;
use ibid::retrieve::{Mode, Question};
use ibid::settings::Settings;
use ibid::shelf::{Error, Filter};
use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Script};
use crate::service::{Service, settings};

fn sent(number: usize, size: usize) -> ibid::article::Source {
    let text = format!("{number}号闸门今天开了。{}", "由值班员记下。".repeat(size / 21));
    source("gate.jsonl".to_owned(), "api:gate".to_owned(), json!({ "id": "gate", "text": text }).to_string().into_bytes())
}

fn library(settings: Settings) -> Library {
    Library::open(settings, Embedder::bundled().unwrap()).unwrap()
}

fn kept(library: &Library, number: usize, size: usize) -> ArticleId {
    let report = library.add(&[sent(number, size)]).unwrap();
    library.shelf().refresh().unwrap();
    report.kept[0].0.clone()
}

#[test]
fn as_many_jobs_wait_as_may_and_no_more_bytes() {
    let data = tempfile::tempdir().unwrap();
    let mut limited = settings(data.path());
    (limited.server.max_jobs, limited.server.max_job_bytes) = (2, 5000);
    let library = library(limited);
    let first = library.begin_job(&[sent(1, 2000)]).unwrap();
    let refused = library.begin_job(&[sent(2, 4000)]).unwrap_err();
    assert!(matches!(refused, Error::TooManyJobs { what: "bytes of jobs", limit: 5000, .. }), "{refused}");
    library.begin_job(&[sent(3, 100)]).unwrap();
    let refused = library.begin_job(&[sent(4, 100)]).unwrap_err();
    assert!(matches!(refused, Error::TooManyJobs { what: "jobs", waiting: 3, limit: 2 }), "{refused}");
    library.work_off(first).unwrap();
    library.begin_job(&[sent(4, 100)]).unwrap();
}

#[test]
fn a_job_too_many_is_told_when_to_come_back() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start_with(data.path(), &[], &[("IBID__SERVER__MAX_JOBS".to_owned(), "0".to_owned())]);
    let body = json!({ "text": "The ferry leaves at nine." }).to_string();
    let head = format!(
        "POST /v1/articles?wait=false HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let (status, head, body) = service.raw(format!("{head}{body}").as_bytes());
    assert!(status == 429 && head.contains("retry-after: ") && body.contains("too_many_jobs"), "{head} {body}");
}

#[test]
fn what_an_article_cannot_have_is_named_and_not_dropped() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let article = json!({ "text": "The ferry leaves at nine.", "titel": "The ferry" });
    for body in [article.clone(), json!([article]), json!({ "articles": [{ "text": "The mill turns." }, article] })] {
        let (status, said) = service.post("/v1/articles", body.to_string().as_bytes());
        assert!(status == 400 && said["error"]["message"].as_str().unwrap().contains("titel"), "{said}");
    }
    for body in ["[]", "{}", "7", "null", "[{\"text\": \"a b\"}", "{\"articles\": {}}"] {
        let (status, said) = service.post("/v1/articles", body.as_bytes());
        assert_eq!((status, &said["error"]["code"]), (400, &json!("invalid_request")), "{body}: {said}");
    }
}

#[test]
fn the_last_versions_are_kept_and_no_others() {
    let data = tempfile::tempdir().unwrap();
    let mut limited = settings(data.path());
    limited.library.keep_versions = 3;
    let library = library(limited);
    let id = kept(&library, 1, 100);
    for number in 2..=12 {
        assert_eq!(kept(&library, number, 100), id);
    }
    let there = |version| library.shelf().article(&id.0, Some(version)).unwrap().is_some();
    assert_eq!([1, 8, 9, 10, 11, 12].map(there), [false, false, false, true, true, true]);
    let found =
        library.search(&Question::parse("12号闸门今天开了吗？", None).unwrap(), &Filter::default(), Mode::Hybrid, 3).unwrap();
    assert_eq!(found.evidence.iter().map(|one| one.passage.version).collect::<Vec<_>>(), [12]);
}

#[test]
fn a_version_goes_some_days_after_another_came() {
    let data = tempfile::tempdir().unwrap();
    let mut limited = settings(data.path());
    limited.library.keep_days = 7;
    let library = library(limited);
    let id = kept(&library, 1, 100);
    kept(&library, 2, 100);
    kept(&library, 3, 100);
    let day = 24 * 60 * 60;
    let now = jiff::Timestamp::now().as_second();
    let database = rusqlite::Connection::open(data.path().join("ibid.sqlite")).unwrap();
    for (version, days) in [(1, 8), (2, 6)] {
        database.execute("UPDATE outlines SET ended = ?1 WHERE version = ?2", (now - days * day, version)).unwrap();
    }
    kept(&library, 4, 100);
    let there = |version| library.shelf().article(&id.0, Some(version)).unwrap().is_some();
    assert_eq!([1, 2, 3, 4].map(there), [false, true, true, true]);
}

#[test]
fn a_question_whose_time_is_over_is_given_up() {
    let data = tempfile::tempdir().unwrap();
    let library = library(settings(data.path()));
    kept(&library, 1, 100);
    let question = Question::parse("几号闸门今天开了？", None).unwrap();
    let filter = Filter { languages: vec!["zh".to_owned()], ..Filter::default() };
    for filter in [Filter::default(), filter] {
        let ask = || library.search(&question, &filter, Mode::Hybrid, 3);
        assert_eq!(ask().unwrap().evidence.len(), 1);
        let late = Deadline::within(Duration::ZERO).apply(ask);
        assert!(matches!(late, Err(Error::Late)), "{late:?}");
    }
}

#[test]
fn a_question_waits_for_no_answer_that_a_language_model_writes() {
    let data = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start(vec![Script::Silent]);
    let environment = [
        ("IBID__SERVER__WORKERS", "1"),
        ("IBID__GENERATE__CONCURRENCY", "1"),
        ("IBID__GENERATE__ENDPOINT", endpoint.url.as_str()),
        ("IBID__GENERATE__MODEL", "silent"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let service = Service::start_with(data.path(), &[], &environment);
    let ask = |mode: &str| {
        let body = json!({ "question": "夜市的摊位费每晚收多少元？", "mode": mode });
        service.post("/v1/ask", body.to_string().as_bytes())
    };
    std::thread::scope(|scope| {
        let written = scope.spawn(|| ask("written"));
        while endpoint.requests().is_empty() && !written.is_finished() {
            std::thread::yield_now();
        }
        assert_eq!(ask("extractive").0, 200);
        assert!(!written.is_finished(), "it waited for the language model");
    });
}

/// A text that takes minutes to embed.
fn long_text() -> String {
    (0..60_000).map(|n| format!("Warehouse number {n} holds {} tonnes of grain, kept by team {n}. ", n * 7)).collect()
}

fn small(service: &Service, number: usize) -> Value {
    let body = json!({ "key": format!("small-{number}"), "text": format!("Ferry {number} leaves at nine.") });
    let (status, body) = service.post("/v1/articles", body.to_string().as_bytes());
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn small_changes_and_questions_go_between_while_a_long_one_is_made() {
    let data = tempfile::tempdir().unwrap();
    let body = [("IBID__SERVER__MAX_BODY_BYTES".to_owned(), "20000000".to_owned())];
    let service = Service::start_with(data.path(), &[], &body);
    let long = json!({ "key": "long", "text": long_text() }).to_string();
    // As a job, which a kill would not end, and by a client that waits.
    let (status, job) = service.post("/v1/articles?wait=false", long.as_bytes());
    assert_eq!(status, 202, "{job}");
    let job = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    // It waits for its answer, as long as it takes.
    let longer = long.replace("\"long\"", "\"longer\"");
    let mut waiting = TcpStream::connect(service.address()).unwrap();
    let head = format!(
        "POST /v1/articles HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        longer.len()
    );
    waiting.write_all(head.as_bytes()).unwrap();
    waiting.write_all(longer.as_bytes()).unwrap();
    let begun = Instant::now();
    let is_worked_on = || service.get("/metrics").2.contains("ibid_writing 1\n");
    while !is_worked_on() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is never worked on");
    }
    for number in 0..5 {
        small(&service, number);
        assert!(!service.ask("夜市的摊位费每晚收多少元？")["citations"].as_array().unwrap().is_empty());
    }
    assert!(is_worked_on(), "the small ones did not wait for the long one");
    assert_eq!(service.json(&job)["done"], 0, "nor for the job");
    // Cancelled, it is given up where it stands, and the next is read.
    let cancelled = format!("DELETE {job} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(service.raw(cancelled.as_bytes()).0, 200);
    let next = json!({ "key": "next", "text": "The next ferry leaves at ten." }).to_string();
    let (_, next) = service.post("/v1/articles?wait=false", next.as_bytes());
    let next = format!("/v1/jobs/{}", next["id"].as_str().unwrap());
    let begun = Instant::now();
    while service.json(&next)["state"] != "done" {
        assert!(begun.elapsed() < Duration::from_mins(1), "it waits behind the cancelled one");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_worked_on(), "nor did the job");
}

fn with_key(service: &Service, method: &str, path: &str, key: &str, body: &str) -> u16 {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    service.raw(format!("{head}{body}").as_bytes()).0
}

fn audited(file: &Path) -> Vec<Value> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_change_and_each_refusal_is_written_down_by_the_name_of_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("audit"), folder.path().join("keys"));
    let key = |name: &str, scope: &str, byte| {
        let made = NewKey::of(&[byte; 32], name, &[scope.to_owned()]);
        add(&keys, &made).unwrap();
        made.key
    };
    let (reader, writer) = (key("reader", "read", 1), key("desk", "write", 2));
    let set = [("IBID__SERVER__KEYS", &keys), ("IBID__SERVER__AUDIT", &file)];
    let set = set.map(|(name, value)| (name.to_owned(), value.display().to_string()));
    let service = Service::start_with(&folder.path().join("data"), &[], &set);
    let article = json!({ "key": "a", "text": "The quarziddle leaves at nine." }).to_string();
    let question = json!({ "question": "When does the quarziddle leave?" }).to_string();
    assert_eq!(with_key(&service, "POST", "/v1/articles", &writer, &article), 200);
    assert_eq!(with_key(&service, "POST", "/v1/ask", &reader, &question), 200);
    assert_eq!(with_key(&service, "GET", "/v1/articles", &reader, ""), 200);
    assert_eq!(with_key(&service, "POST", "/v1/articles", &reader, &article), 403);
    assert_eq!(with_key(&service, "DELETE", "/v1/articles/0000000000000000?purge=true", &writer, ""), 403);
    assert_eq!(with_key(&service, "POST", "/collections/none/v1/articles", "ibid_wrong", &article), 401);
    let lines = audited(&file);
    let told: Vec<(&str, &str, u64)> = lines
        .iter()
        .map(|line| (line["key"].as_str().unwrap_or(""), line["path"].as_str().unwrap(), line["status"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("desk", "/v1/articles", 200),
        ("reader", "/v1/articles", 403),
        ("desk", "/v1/articles/0000000000000000", 403),
        ("", "/collections/none/v1/articles", 401),
    ];
    assert_eq!(told, expected);
    assert_eq!((&lines[2]["purge"], &lines[0]["method"]), (&json!(true), &json!("POST")));
    assert!(lines.iter().all(|line| line["time"].is_string() && line["request"].is_string() && line["from"] == "127.0.0.1"));
    assert!(!std::fs::read_to_string(&file).unwrap().contains("quarziddle"), "no text is written down");
}
