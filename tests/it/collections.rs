//! Several libraries in one service, each with its own articles, address and keys.

use serde_json::{Value, json};

use crate::service::{IBID, Service, run};

fn send(service: &Service, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, _, body) = service.raw(request.as_bytes());
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

#[test]
fn a_collection_has_its_own_articles_and_answers_in_every_way_that_names_it() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let call = |method: &str, path: &str, body: Value| send(&service, method, path, "", &body);
    assert_eq!(call("POST", "/v1/collections", json!({ "name": "harbour" })).0, 201);
    assert_eq!(call("POST", "/v1/collections", json!({ "name": "harbour" })).0, 409);
    assert_eq!(call("POST", "/v1/collections", json!({ "name": "../x" })).0, 400);
    let article = json!({ "key": "ferry", "title": "新渡口", "text": "新渡口每天开十二班船，最后一班在晚上九点。" });
    let (status, taken) = call("POST", "/collections/harbour/v1/articles", article);
    assert_eq!(status, 200, "{taken}");
    let question = "新渡口最后一班船几点开？";
    let says = |answer: &Value| answer.to_string().contains("最后一班在晚上九点");
    let (_, here) = call("POST", "/v1/ask", json!({ "question": question }));
    assert_eq!((&here["answerable"], says(&here)), (&json!(false), false), "the first library does not know it");
    let (_, there) = call("POST", "/collections/harbour/v1/ask", json!({ "question": question }));
    assert!(there["answerable"] == true && says(&there), "{there}");
    let url = there["citations"][0]["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/collections/harbour/articles/", service.url())), "{url}");
    assert!(service.get(url.strip_prefix(&service.url()).unwrap().split('#').next().unwrap()).2.contains("<html"));
    assert!(says(&call("POST", "/v1/ask", json!({ "question": question, "collection": "harbour" })).1));
    assert!(says(&call("POST", "/v1/search", json!({ "question": question, "collection": "harbour" })).1));
    assert!(says(
        &call("POST", "/retrieval", json!({ "query": question, "knowledge_id": "harbour", "retrieval_setting": {} })).1
    ));
    let message = json!([{ "role": "user", "content": question }]);
    let chat = |model: &str| call("POST", "/v1/chat/completions", json!({ "model": model, "messages": message }));
    assert!(says(&chat("ibid/harbour").1) && !says(&chat("ibid").1) && chat("ibid/nowhere").0 == 404);
    assert!(service.json("/v1/models").to_string().contains("ibid/harbour"));
    let names = |service: &Service| -> Vec<(String, u64)> {
        let listed = service.json("/v1/collections");
        let one = |body: &Value| (body["name"].as_str().unwrap().to_owned(), body["articles"].as_u64().unwrap());
        listed["collections"].as_array().unwrap().iter().map(one).collect()
    };
    assert_eq!(names(&service)[1], ("harbour".to_owned(), 1));
    assert_eq!(call("POST", "/v1/ask", json!({ "question": question, "collection": "nowhere" })).0, 404);
    // It is there after a start, on the command line too, and gone once it is removed.
    drop(service);
    let asked = run(&["ask", "--json", "--collection", "harbour", "--data", data.path().to_str().unwrap(), question]);
    assert!(says(&serde_json::from_slice(&asked.stdout).unwrap()));
    let service = Service::start(data.path(), &[]);
    assert_eq!(names(&service).len(), 2);
    assert_eq!(send(&service, "DELETE", "/v1/collections/harbour", "", &Value::Null).0, 204);
    assert_eq!((names(&service).len(), service.get("/collections/harbour/v1/articles").0), (1, 404));
    assert!(!data.path().join("collections/harbour").exists());
}

#[test]
fn a_key_for_one_collection_sees_nothing_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let environment = [("IBID__SERVER__KEYS".to_owned(), file.to_str().unwrap().to_owned())];
    let key = |name: &str, scopes: &[&str]| {
        let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
        let made = std::process::Command::new(IBID).args(["key", "new", name]).args(scopes).envs(environment.clone()).output();
        String::from_utf8(made.unwrap().stdout).unwrap().trim().to_owned()
    };
    let (all, one, first) = (key("all", &["read", "write", "admin"]), key("one", &["read@red"]), key("first", &["read@default"]));
    let service = Service::start_with(&folder.path().join("data"), &[], &environment);
    for name in ["red", "blue"] {
        assert_eq!(send(&service, "POST", "/v1/collections", &all, &json!({ "name": name })).0, 201);
        let article = json!({ "key": "k", "title": name, "text": format!("The {name} lighthouse is 31 metres high.") });
        assert_eq!(send(&service, "POST", &format!("/collections/{name}/v1/articles"), &all, &article).0, 200);
    }
    let question = "How high is the lighthouse?";
    let ask = |key: &str, path: &str, collection: Value| {
        send(&service, "POST", path, key, &json!({ "question": question, "collection": collection }))
    };
    assert_eq!(ask(&one, "/v1/ask", json!("red")).0, 200);
    assert_eq!(ask(&one, "/collections/red/v1/ask", Value::Null).0, 200);
    for (path, collection) in [
        ("/v1/ask", Value::Null),
        ("/v1/ask", json!("blue")),
        ("/collections/blue/v1/ask", Value::Null),
        ("/v1/search", json!("blue")),
    ] {
        let (status, body) = ask(&one, path, collection);
        assert!(status == 403 && !body.to_string().contains("31 metres"), "{path}: {body}");
    }
    let chat = |key: &str, model: &str| {
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": question }] });
        send(&service, "POST", "/v1/chat/completions", key, &body).0
    };
    assert_eq!((chat(&one, "ibid/red"), chat(&one, "ibid/blue"), chat(&one, "ibid")), (200, 403, 403));
    assert_eq!((chat(&first, "ibid"), chat(&first, "ibid/red")), (200, 403));
    let retrieval = |id: &str| {
        send(&service, "POST", "/retrieval", &one, &json!({ "query": question, "knowledge_id": id, "retrieval_setting": {} })).0
    };
    assert_eq!((retrieval("red"), retrieval("blue"), retrieval("other")), (200, 403, 403));
    for path in ["/v1/articles", "/collections/blue/v1/articles", "/v1/jobs", "/collections/blue/openapi.json/x"] {
        assert_ne!(send(&service, "GET", path, &one, &Value::Null).0, 200, "{path}");
    }
    assert_eq!(send(&service, "GET", "/collections/red/v1/articles", &one, &Value::Null).0, 200);
    let article = json!({ "text": "One more." });
    assert_eq!(send(&service, "POST", "/collections/red/v1/articles", &one, &article).0, 403, "it may only read");
    for (key, seen) in [(&one, vec!["red"]), (&first, vec!["default"]), (&all, vec!["default", "blue", "red"])] {
        let listed = send(&service, "GET", "/v1/collections", key, &Value::Null).1;
        let names: Vec<&str> =
            listed["collections"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, seen);
        let models = send(&service, "GET", "/v1/models", key, &Value::Null).1.to_string();
        assert_eq!(models.contains("ibid/blue"), seen.contains(&"blue"), "{models}");
    }
}
