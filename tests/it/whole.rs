//! Collections are whole: every route answers below them, one that is damaged says so, and copies hold all.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::service::{IBID, Service, run};

fn call(service: &Service, method: &str, path: &str, body: &Value) -> (u16, String, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        method.to_uppercase(),
        body.len()
    );
    let (status, head, body) = service.raw(request.as_bytes());
    (status, head, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn make(service: &Service, name: &str) {
    assert_eq!(call(service, "post", "/v1/collections", &json!({ "name": name })).0, 201);
}

fn ferry(key: &str) -> Value {
    json!({ "key": key, "title": "新渡口", "text": "新渡口每天开十二班船，最后一班在晚上九点。" })
}

/// A request for each operation of the document, in an order in which all can be answered.
fn requests(article: &str, job: &str) -> Vec<(&'static str, &'static str, String, Value)> {
    let question = "新渡口最后一班船几点开？";
    let messages = json!([{ "role": "user", "content": question }]);
    let claim = json!({ "article_id": article, "quote": "新渡口", "start": 0, "end": 3 });
    let at = |path: &str| path.replace("{id}", if path.contains("jobs") { job } else { article });
    let row = |method, path: &'static str, body: Value| (method, path, at(path), body);
    vec![
        row("post", "/v1/articles", ferry("second")),
        row("get", "/v1/articles", Value::Null),
        row("get", "/v1/articles/{id}", Value::Null),
        row("get", "/v1/articles/{id}/text", Value::Null),
        row("get", "/v1/articles/{id}/citation", Value::Null),
        row("get", "/v1/articles/{id}/page", Value::Null),
        row("post", "/v1/ask", json!({ "question": question })),
        row("post", "/v1/search", json!({ "question": question })),
        row("post", "/v1/verify", claim),
        row("post", "/v1/chat/completions", json!({ "model": "ibid", "messages": messages })),
        row("post", "/v1/responses", json!({ "model": "ibid", "input": messages })),
        row("post", "/v1/embeddings", json!({ "input": question })),
        row("post", "/v1/rerank", json!({ "query": question, "documents": ["渡口"] })),
        row("post", "/retrieval", json!({ "query": question, "knowledge_id": "any", "retrieval_setting": {} })),
        row("get", "/v1/models", Value::Null),
        ("get", "/v1/models/{id}", "/v1/models/ibid".to_owned(), Value::Null),
        row("get", "/v1/jobs", Value::Null),
        row("get", "/v1/jobs/{id}", Value::Null),
        row("get", "/v1/jobs/{id}/events", Value::Null),
        row("delete", "/v1/jobs/{id}", Value::Null),
        row("get", "/healthz", Value::Null),
        row("get", "/readyz", Value::Null),
        row("get", "/metrics", Value::Null),
        row("patch", "/v1/articles/{id}", json!({ "authors": ["童舟"] })),
        row("put", "/v1/articles/{id}", json!({ "title": "新渡口", "text": "新渡口每天开十三班船。" })),
        row("delete", "/v1/articles/{id}", Value::Null),
    ]
}

/// All texts below `url` in a body.
fn urls(body: &Value, found: &mut Vec<String>) {
    match body {
        Value::Object(fields) => {
            found.extend(fields.get("url").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| urls(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| urls(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_route_answers_below_a_collection_as_it_does_without_and_its_links_lead_there() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    make(&service, "harbour");
    let document = service.json("/openapi.json");
    let operations = document["paths"].as_object().unwrap().iter();
    let mut missing: Vec<String> = operations
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .filter(|operation| !operation.contains("/v1/collections"))
        .collect();
    for prefix in ["", "/collections/harbour"] {
        let at = |path: &str| format!("{prefix}{path}");
        let (_, _, taken) = call(&service, "post", &at("/v1/articles"), &ferry("first"));
        let article = taken["articles"][0]["id"].as_str().unwrap().to_owned();
        let (status, head, job) = call(&service, "post", &at("/v1/articles?wait=false"), &json!([ferry("third")]));
        let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
        let job = job["id"].as_str().unwrap().to_owned();
        assert_eq!((status, location), (202, format!("{}{prefix}/v1/jobs/{job}", service.url())));
        for (method, template, path, body) in requests(&article, &job) {
            missing.retain(|operation| *operation != format!("{method} {template}"));
            let (status, _, answer) = call(&service, method, &at(&path), &body);
            // The article has no pages to picture.
            let without_pages = status == 404 && template.ends_with("/page") && answer["error"]["code"] == "no_page";
            assert!(status < 300 || without_pages, "{method} {prefix}{path}: {status} {answer}");
            let mut found = Vec::new();
            urls(&answer, &mut found);
            // The samples also name where their originals are.
            for url in found.iter().filter(|url| !url.starts_with("https://example.org/")) {
                let begin = format!("{}{prefix}/articles/", service.url());
                assert!(url.starts_with(&begin), "{method} {prefix}{path} leads to {url}");
                let path = url.strip_prefix(&service.url()).unwrap().split('#').next().unwrap().to_owned();
                assert_eq!(service.get(&path).0, 200, "{url}");
            }
        }
        for path in ["/", "/docs/", "/docs/swagger-ui.css", "/assets/app.js", "/openapi.json", "/models", "/v1"] {
            assert_eq!(service.get(&at(path)).0, 200, "{prefix}{path}");
        }
        assert!(service.get(&at("/docs/swagger-initializer.js")).2.contains("\"../openapi.json\""));
        assert!(service.get(&at("/docs")).1.contains("location: docs/"));
    }
    assert!(missing.is_empty(), "no request is sent to {missing:?}");
    let own = service.json("/collections/harbour/openapi.json");
    assert_eq!(own["servers"], json!([{ "url": "." }]));
    assert!(own["paths"].get("/v1/collections").is_none() && service.get("/collections/harbour/v1/collections").0 == 404);
}

#[test]
fn a_damaged_collection_is_told_everywhere_and_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data, &[]);
    for name in ["sound", "torn"] {
        make(&service, name);
        assert_eq!(call(&service, "post", &format!("/collections/{name}/v1/articles"), &ferry("k")).0, 200);
    }
    assert_eq!(service.stop(), Some(0));
    std::fs::write(data.join("collections/torn/ibid.sqlite"), "this is no database".repeat(1000)).unwrap();
    let service = Service::start(&data, &[]);
    let ready = service.json("/readyz");
    assert_eq!((&ready["status"], &ready["unusable"]), (&json!("degraded"), &json!(["torn"])), "{ready}");
    let listed = service.json("/v1/collections");
    let kinds: Vec<&Value> = listed["collections"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(kinds, ["ready", "ready", "unusable"], "{listed}");
    assert!(listed["collections"][2]["reason"].as_str().unwrap().contains("ibid.sqlite"));
    assert!(service.get("/metrics").2.contains("ibid_unusable_collections 1"));
    let question = json!({ "question": "新渡口最后一班船几点开？" });
    assert_eq!(call(&service, "post", "/collections/sound/v1/ask", &question).0, 200);
    let query = json!({ "query": "新渡口", "knowledge_id": "torn", "retrieval_setting": {} });
    let named = json!({ "question": "新渡口", "collection": "torn" });
    let model = json!({ "model": "ibid/torn", "messages": [{ "role": "user", "content": "新渡口" }] });
    for (path, body) in [
        ("/collections/torn/v1/ask", &question),
        ("/collections/torn/v1/articles", &ferry("k")),
        ("/v1/ask", &named),
        ("/retrieval", &query),
        ("/v1/chat/completions", &model),
    ] {
        let (status, _, body) = call(&service, "post", path, body);
        assert!(status == 503 && body.to_string().contains("torn"), "{path}: {status} {body}");
    }
    assert_eq!(service.get("/collections/torn/readyz").0, 503);
    let checked = run(&["check", "--data", data.to_str().unwrap()]);
    let words = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.code() == Some(3) && words.contains("torn") && words.contains("sound"), "{words}");
    let examined = run(&["doctor", "--data", data.to_str().unwrap()]);
    let words = String::from_utf8_lossy(&examined.stdout).into_owned();
    assert!(words.lines().any(|line| line.starts_with("FAIL") && line.contains("collection `torn`")), "{words}");
    assert_eq!(call(&service, "delete", "/v1/collections/torn", &Value::Null).0, 204);
    assert_eq!(service.json("/readyz")["status"], "ready");
    make(&service, "torn");
    assert_eq!(service.json("/collections/torn/v1/articles")["total"], 0);
}

#[test]
fn a_collection_gets_another_name_in_one_step() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    for name in ["old", "taken"] {
        make(&service, name);
    }
    assert_eq!(call(&service, "post", "/collections/old/v1/articles", &ferry("k")).0, 200);
    let rename = |from: &str, to: &str| call(&service, "patch", &format!("/v1/collections/{from}"), &json!({ "name": to }));
    assert_eq!([rename("old", "taken").0, rename("old", "Bad Name").0, rename("none", "new").0], [409, 400, 404]);
    assert_eq!([rename("old", "default").0, rename("default", "new").0], [409, 404]);
    let (status, _, renamed) = rename("old", "new");
    assert_eq!((status, &renamed["name"], &renamed["articles"]), (200, &json!("new"), &json!(1)), "{renamed}");
    let total = |service: &Service| service.json("/collections/new/v1/articles")["total"].clone();
    assert_eq!((total(&service), service.get("/collections/old/v1/articles").0), (json!(1), 404));
    assert_eq!(call(&service, "post", "/collections/new/v1/articles", &ferry("l")).0, 200);
    drop(service);
    let service = Service::start(data.path(), &[]);
    assert_eq!((total(&service), service.get("/collections/old/v1/articles").0), (json!(2), 404));
}

#[test]
fn what_was_half_removed_or_half_made_is_gone_and_its_name_is_free() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    make(&service, "news");
    assert_eq!(call(&service, "post", "/collections/news/v1/articles", &ferry("k")).0, 200);
    drop(service);
    let folder = data.path().join("collections");
    // As a kill leaves it after the step that removes, and before the step that makes.
    std::fs::rename(folder.join("news"), folder.join(".removed-news")).unwrap();
    std::fs::create_dir_all(folder.join(".making-more")).unwrap();
    std::fs::write(folder.join(".making-more/ibid.sqlite"), "half").unwrap();
    let service = Service::start(data.path(), &[]);
    assert_eq!(service.json("/v1/collections")["collections"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    for name in ["news", "more"] {
        make(&service, name);
        assert_eq!(service.json(&format!("/collections/{name}/v1/articles"))["total"], 0);
    }
}

fn with_rules(arguments: &[&str], tokens: &str) -> (Option<i32>, String) {
    let done = Command::new(IBID).args(arguments).env("IBID__CHUNK__TARGET_TOKENS", tokens).output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn backup_check_and_reembedding_cover_all_collections_and_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, copy, other) = (at("data"), at("copy"), at("other"));
    let service = Service::start(Path::new(&data), &[]);
    make(&service, "harbour");
    assert_eq!(call(&service, "post", "/collections/harbour/v1/articles", &ferry("k")).0, 200);
    let copied = run(&["backup", "--data", &data, &copy]);
    let words = String::from_utf8_lossy(&copied.stderr).into_owned();
    assert!(copied.status.success() && words.contains("collection `harbour`"), "{words}");
    assert_eq!(run(&["backup", "--data", &data, &copy]).status.code(), Some(1), "nothing is written over");
    drop(service);
    assert!(run(&["restore", "--data", &other, &copy]).status.success());
    assert_eq!(run(&["restore", "--data", &other, &copy]).status.code(), Some(1), "nothing is written over");
    let checked = run(&["check", "--data", &other]);
    let words = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && words.contains("harbour"), "{words}");
    let service = Service::start(Path::new(&other), &[]);
    assert_eq!(service.json("/collections/harbour/v1/articles")["total"], 1);
    drop(service);
    // Other chunk rules: all of them are made anew, and all of them open.
    let (code, words) = with_rules(&["reembed", "--data", &other], "60");
    assert!(code == Some(0) && words.contains("collection `harbour`"), "{words}");
    let environment = [("IBID__CHUNK__TARGET_TOKENS".to_owned(), "60".to_owned())];
    let service = Service::start_with(Path::new(&other), &[], &environment);
    assert_eq!(service.json("/readyz")["status"], "ready");
    assert_eq!(service.json("/collections/harbour/v1/articles")["total"], 1);
}
