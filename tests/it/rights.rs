//! Every route of the API's document × key × place: what needs which right, and who is refused.

use ibid::http::keys::{NewKey, add};
use serde_json::{Value, json};

use crate::service::Service;

/// What a route needs: scopes, and where.
type Needed = (&'static [&'static str], &'static str);

const OPEN: Needed = (&[], "nowhere");
const READ: Needed = (&["read"], "collection");
const WRITE: Needed = (&["write"], "collection");
const NAMED: Needed = (&["read"], "named collection");

/// Every operation of the document, and what it needs. One that is not here has no business there.
const ROUTES: [(&str, &str, Needed); 30] = [
    ("post", "/v1/articles", WRITE),
    ("put", "/v1/articles/{id}", WRITE),
    ("patch", "/v1/articles/{id}", WRITE),
    ("delete", "/v1/articles/{id}", (&["write", "admin"], "collection")),
    ("post", "/v1/ask", NAMED),
    ("post", "/v1/search", NAMED),
    ("get", "/v1/articles", READ),
    ("get", "/v1/articles/{id}", READ),
    ("get", "/v1/articles/{id}/text", READ),
    ("get", "/v1/articles/{id}/citation", READ),
    ("get", "/v1/articles/{id}/page", READ),
    ("get", "/v1/jobs", READ),
    ("get", "/v1/jobs/{id}", READ),
    ("get", "/v1/jobs/{id}/events", READ),
    ("delete", "/v1/jobs/{id}", WRITE),
    ("post", "/v1/verify", READ),
    ("get", "/v1/models", NAMED),
    ("get", "/v1/models/{id}", NAMED),
    ("post", "/v1/chat/completions", NAMED),
    ("post", "/v1/responses", NAMED),
    ("post", "/v1/embeddings", READ),
    ("post", "/v1/rerank", READ),
    ("post", "/retrieval", NAMED),
    ("get", "/healthz", OPEN),
    ("get", "/readyz", OPEN),
    ("get", "/metrics", (&["admin"], "service")),
    ("get", "/v1/collections", NAMED),
    ("post", "/v1/collections", (&["admin"], "named collection")),
    ("patch", "/v1/collections/{name}", (&["admin"], "named collection")),
    ("delete", "/v1/collections/{name}", (&["admin"], "named collection")),
];

/// Routes that are in no document: other addresses of those that are, and what anybody may load.
const OTHERS: [(&str, &str, Needed); 14] = [
    ("get", "/models", NAMED),
    ("get", "/models/{id}", NAMED),
    ("post", "/chat/completions", NAMED),
    ("post", "/responses", NAMED),
    ("post", "/embeddings", READ),
    ("post", "/rerank", READ),
    ("post", "/v2/rerank", READ),
    ("post", "/mcp", READ),
    ("get", "/", OPEN),
    ("get", "/articles/{id}", OPEN),
    ("get", "/assets/app.js", OPEN),
    ("get", "/docs/", OPEN),
    ("get", "/openapi.json", OPEN),
    ("get", "/v1", OPEN),
];

/// A key: its scope, the collection that it is for (all, when empty), and its words.
struct Key {
    scope: &'static str,
    collection: &'static str,
    words: String,
}

impl Key {
    fn concerns(&self, collection: &str) -> bool {
        !self.words.is_empty() && (self.collection.is_empty() || self.collection == collection)
    }

    /// Whether it covers `needed` at the address of `place`, for a request that names `named`.
    fn covers(&self, needed: Needed, place: &str, named: &str) -> bool {
        let (scopes, kind) = needed;
        let inside = match kind {
            "nowhere" => return true,
            "service" if place == "default" => self.collection.is_empty() && !self.words.is_empty(),
            "named collection" => self.concerns(named) && (place == "default" || self.concerns(place)),
            _ => self.concerns(place),
        };
        inside && scopes.contains(&self.scope)
    }
}

/// A service with collections `red` and `blue`, and a key for each scope in each and in all; the first is none.
fn started(folder: &std::path::Path) -> (Service, Vec<Key>) {
    let file = folder.join("keys");
    let mut keys = vec![Key { scope: "", collection: "", words: String::new() }];
    for scope in ["read", "write", "admin"] {
        for collection in ["", "default", "red", "blue"] {
            let granted = if collection.is_empty() { scope.to_owned() } else { format!("{scope}@{collection}") };
            let key = NewKey::of(&[u8::try_from(keys.len()).unwrap(); 32], &granted.replace('@', "-"), &[granted]);
            add(&file, &key).unwrap();
            keys.push(Key { scope, collection, words: key.key });
        }
    }
    let environment = [("IBID__SERVER__KEYS".to_owned(), file.to_str().unwrap().to_owned())];
    let service = Service::start_with(&folder.join("data"), &[], &environment);
    let admin = keys.iter().find(|key| key.scope == "admin" && key.collection.is_empty()).unwrap();
    for name in ["red", "blue"] {
        assert_eq!(send(&service, ("post", "/v1/collections"), admin, &json!({ "name": name })).0, 201);
    }
    (service, keys)
}

fn send(service: &Service, (method, path): (&str, &str), key: &Key, body: &Value) -> (u16, Value) {
    let authorization = if key.words.is_empty() { String::new() } else { format!("authorization: Bearer {}\r\n", key.words) };
    let (method, body) = (method.to_uppercase(), body.to_string());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, _, body) = service.raw(request.as_bytes());
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// A path with something in the place of its parameters that is not there.
fn filled(path: &str) -> String {
    path.replace("{id}", "0123456789abcdef").replace("{name}", "green")
}

/// A body that is looked at for the collection that it names, and is then found to ask nothing.
fn asking_nothing(collection: &str) -> Value {
    let model = if collection == "default" { "ibid".to_owned() } else { format!("ibid/{collection}") };
    let mut body = json!({ "question": "", "query": "", "messages": [], "input": [], "name": "no name", "model": model });
    body["collection"] = collection.into();
    body["knowledge_id"] = collection.into();
    body
}

/// Whether a refusal has the shape that the clients of its route read.
fn is_shaped(path: &str, status: u16, body: &Value) -> bool {
    let openai = ["chat/completions", "responses", "embeddings", "rerank", "models"];
    if path.starts_with("/retrieval") {
        body["error_code"] == status && body["error_msg"].is_string()
    } else if openai.iter().any(|one| path.contains(one)) {
        body["error"]["type"].is_string() && body["error"]["code"].is_string()
    } else {
        body["error"]["code"].is_string() && body["error"]["type"].is_null()
    }
}

#[test]
fn every_operation_of_the_document_declares_its_right() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let document = service.json("/openapi.json");
    let mut undeclared = Vec::new();
    let mut known = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let expected = ROUTES.iter().find(|(one, other, _)| one == method && other == path);
            let right = &operation["x-right"];
            match expected {
                Some((.., (scopes, place))) if *right == json!({ "scopes": scopes, "in": place }) => known += 1,
                _ => undeclared.push(format!("{method} {path}: {right}")),
            }
        }
    }
    assert_eq!((undeclared, known), (Vec::<String>::new(), ROUTES.len()));
}

#[test]
fn each_route_lets_in_the_keys_that_cover_it_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let mut wrong = Vec::new();
    for (method, path, needed) in ROUTES.iter().chain(&OTHERS).copied() {
        for place in ["default", "red", "blue", "green"] {
            let prefix = if place == "default" { String::new() } else { format!("/collections/{place}") };
            let of_the_list = path.starts_with("/v1/collections");
            if of_the_list && place != "default" {
                continue;
            }
            // A collection's state is not for everybody.
            let needed = if path == "/readyz" && place != "default" { READ } else { needed };
            // Only purging takes `admin`; that has a test of its own.
            let needed = if (method, path) == ("delete", "/v1/articles/{id}") { WRITE } else { needed };
            let asked: &[&str] = match (needed.1, method, place) {
                ("named collection", "post", "default") if !of_the_list => &["default", "red", "blue"],
                _ => &[place],
            };
            for (key, named) in keys.iter().flat_map(|key| asked.iter().map(move |named| (key, *named))) {
                let body = if of_the_list { json!({ "name": "no name" }) } else { asking_nothing(named) };
                let (status, body) = send(&service, (method, &format!("{prefix}{}", filled(path))), key, &body);
                let missing = place == "green" && key.concerns("green");
                let meant = if of_the_list && path.ends_with("{name}") { "green" } else { named };
                // What only lists shows each key its own.
                let lists = needed.1 == "named collection" && method == "get" && place == "default";
                let covered = if lists {
                    needed.0.contains(&key.scope)
                } else if of_the_list && method == "post" {
                    key.scope == "admin" && key.collection.is_empty()
                } else {
                    key.covers(needed, place, meant)
                };
                let expected = match (missing, covered, key.words.is_empty()) {
                    (true, ..) => status == 404,
                    (_, true, _) => status != 401 && status != 403 && status != 0,
                    (_, false, true) if !path.starts_with("/retrieval") => status == 401,
                    (_, false, _) => status == 403,
                };
                let shaped = status < 400 || is_shaped(path, status, &body) || path == "/mcp";
                if !expected || !shaped {
                    wrong.push(format!(
                        "{method} {prefix}{path} naming {named} by {}@{}: {status} {body}",
                        key.scope, key.collection
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn purging_needs_admin_however_it_is_spelt() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let status = |scope: &str, query: &str| {
        let key = keys.iter().find(|key| key.scope == scope && key.collection.is_empty()).unwrap();
        send(&service, ("delete", &format!("/v1/articles/0123456789abcdef{query}")), key, &Value::Null).0
    };
    for query in ["?purge=true", "?purge=%74rue", "?%70urge=true", "?x=1&purge=true", "?purge=tru%65"] {
        assert_eq!([status("read", query), status("write", query), status("admin", query)], [403, 403, 404], "{query}");
    }
    for query in ["", "?purge=false", "?purge=fals%65"] {
        assert_eq!([status("read", query), status("write", query), status("admin", query)], [403, 404, 403], "{query}");
    }
    assert_eq!([status("write", "?purge=True"), status("write", "?purge=1"), status("write", "?purge")], [400; 3]);
}

#[test]
fn admin_of_one_collection_rules_that_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let key = |collection: &str| keys.iter().find(|key| key.scope == "admin" && key.collection == collection).unwrap();
    let remove = |collection: &str, name: &str| {
        send(&service, ("delete", &format!("/v1/collections/{name}")), key(collection), &Value::Null).0
    };
    let make =
        |collection: &str, name: &str| send(&service, ("post", "/v1/collections"), key(collection), &json!({ "name": name })).0;
    assert_eq!([remove("default", "red"), remove("blue", "red"), make("default", "green"), make("red", "green")], [403; 4]);
    assert_eq!([remove("red", "red"), make("red", "red"), make("red", "red"), remove("", "blue")], [204, 201, 409, 204]);
    let figures = |collection: &str, path: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {}\r\n\r\n",
            key(collection).words
        );
        service.raw(request.as_bytes()).2
    };
    let own = figures("red", "/collections/red/metrics");
    assert!(own.contains("ibid_articles 0") && !own.contains("ibid_requests"), "{own}");
    assert!(figures("", "/metrics").contains("ibid_requests"));
}

#[test]
fn without_a_key_nobody_learns_which_collections_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let nobody = &keys[0];
    let blue = keys.iter().find(|key| key.scope == "read" && key.collection == "blue").unwrap();
    let rest = ["", "/", "/docs", "/v1/none", "/assets/none", "/articles/x"];
    let all = ROUTES.iter().chain(&OTHERS).map(|(method, path, _)| (*method, *path)).chain(rest.map(|path| ("get", path)));
    for (method, path) in all {
        for key in [nobody, blue] {
            let at = |place: &str| {
                let (status, body) =
                    send(&service, (method, &format!("/collections/{place}{}", filled(path))), key, &Value::Null);
                (status, if status < 400 { Value::Null } else { body })
            };
            assert_eq!(at("red"), at("green"), "{method} {path}");
        }
        if method == "get" {
            let (get, head) = (
                send(&service, ("get", &filled(path)), nobody, &Value::Null).0,
                send(&service, ("head", &filled(path)), nobody, &Value::Null).0,
            );
            assert_eq!(get, head, "HEAD {path}");
        }
    }
    let ready = send(&service, ("get", "/readyz"), nobody, &Value::Null);
    assert_eq!(ready, (200, json!({ "status": "ready" })), "how much there is needs a right");
}

#[test]
fn a_changed_file_of_keys_is_noticed_whatever_its_time_says() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let file = folder.path().join("keys");
    let reader = keys.iter().find(|key| key.scope == "read" && key.collection.is_empty()).unwrap();
    let status = || send(&service, ("get", "/v1/articles"), reader, &Value::Null);
    assert_eq!(status().0, 200);
    let whole = std::fs::read_to_string(&file).unwrap();
    let time = std::fs::metadata(&file).unwrap().modified().unwrap();
    let write = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
    };
    let without: String = whole.lines().filter(|line| !line.starts_with("read read ")).flat_map(|line| [line, "\n"]).collect();
    write(&without);
    assert_eq!(status().0, 401, "its line is gone");
    write(&whole);
    assert_eq!(status().0, 200);
    // One bad line, and no key is taken: which were meant to go cannot be known.
    for broken in [format!("{without}somebody read\n"), format!("{whole}{}", whole.lines().next().unwrap())] {
        write(&broken);
        let (code, body) = status();
        assert_eq!((code, &body["error"]["code"]), (503, &json!("keys_unusable")), "{body}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(status().0, 503, "a file that is gone takes its keys with it");
    assert_eq!(service.get("/healthz").0, 200);
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(status().0, 200);
}

#[test]
fn keys_are_listed_and_removed_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let file = folder.path().join("keys");
    let command = |arguments: &[&str]| {
        let done = std::process::Command::new(crate::service::IBID)
            .args(["key"])
            .args(arguments)
            .env("IBID__SERVER__KEYS", file.to_str().unwrap())
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, listed) = command(&["list"]);
    assert!(code == Some(0) && listed.lines().count() == 12 && listed.contains("read-red read@red\n"), "{listed}");
    let reader = keys.iter().find(|key| key.scope == "read" && key.collection.is_empty()).unwrap();
    assert_eq!(send(&service, ("get", "/v1/articles"), reader, &Value::Null).0, 200);
    assert_eq!(command(&["remove", "read"]).0, Some(0));
    assert_eq!(send(&service, ("get", "/v1/articles"), reader, &Value::Null).0, 401);
    assert_eq!(command(&["remove", "read"]).0, Some(1));
    assert_eq!(command(&["list"]).1.lines().count(), 11);
}

#[test]
fn a_scheme_in_small_letters_is_one_and_a_request_from_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (service, keys) = started(folder.path());
    let reader = keys.iter().find(|key| key.scope == "read" && key.collection.is_empty()).unwrap();
    let status = |head: &str| service.raw(format!("GET {head}\r\nconnection: close\r\n\r\n").as_bytes()).0;
    let key = &reader.words;
    assert_eq!(status(&format!("/v1/articles HTTP/1.1\r\nhost: localhost\r\nauthorization: bearer {key}")), 200);
    assert_eq!(status(&format!("/v1/articles HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic {key}")), 401);
    for (head, expected) in [
        ("/healthz HTTP/1.1\r\nhost: LOCALHOST:9", 200),
        ("http://localhost/healthz HTTP/1.1\r\nhost: localhost", 200),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://localhost:9", 200),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://LocalHost:9", 200),
        ("/healthz HTTP/1.0", 403),
        ("http://evil.example/healthz HTTP/1.1\r\nhost: localhost", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost.", 403),
        ("/healthz HTTP/1.1\r\nhost: l\u{f6}calhost", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://localhost:3000", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://localhost", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: localhost:9", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://l\u{f6}calhost:9", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: http://localhost:9\r\norigin: http://evil.example", 403),
        ("/healthz HTTP/1.1\r\nhost: localhost:9\r\norigin: null", 403),
    ] {
        let refused = status(head);
        assert!(refused == expected || (expected == 403 && refused == 400), "{head}: {refused}");
    }
}

#[test]
fn a_methods_name_is_no_label_of_ours() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    for method in ["QUUX", "X1", "PURGE", &"A".repeat(2000)] {
        service.raw(format!("{method} /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes());
    }
    let figures = service.get("/metrics").2;
    assert!(figures.contains("method=\"other\"") && !figures.contains("QUUX") && !figures.contains("AAAA"), "{figures}");
}
