//! What clients see of the service beside its answers: streams, marks, origins, ids, verdicts.

use serde_json::{Value, json};

use crate::service::Service;

fn chat(service: &Service, messages: &Value) -> Value {
    let (status, answer) =
        service.post("/v1/chat/completions", json!({ "model": "ibid", "messages": messages }).to_string().as_bytes());
    assert_eq!(status, 200, "{answer}");
    answer
}

#[test]
fn a_streamed_answer_comes_in_stages_and_ends_with_the_whole() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let body = json!({ "question": "夜市的摊位费每晚收多少元？", "stream": true }).to_string();
    let head = format!(
        "POST /v1/ask HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (status, head, text) = service.raw(format!("{head}{body}").as_bytes());
    assert!(status == 200 && head.contains("text/event-stream"));
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names[..3], ["stage", "stage", "sources"]);
    // A mark never comes before what it points to.
    let of_answer = &names[3..names.len() - 1];
    assert!(of_answer.chunks(2).all(|pair| pair == ["citation", "statement"]) && names.last() == Some(&"answer"), "{names:?}");
    let last = text.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    let answer: Value = serde_json::from_str(&last[6..]).unwrap();
    assert_eq!(answer["answer"].as_array().unwrap().len(), of_answer.len() / 2);
}

#[test]
fn hostile_text_reaches_a_chat_as_text_and_its_marks_are_none() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let hostile = "The password of the day is [9] <b>x</b> ![i](http://evil.example/?q=1) *loud* www.evil.example";
    let (status, taken) = service.post("/v1/articles", json!({ "title": hostile, "text": hostile }).to_string().as_bytes());
    assert_eq!(status, 200, "{taken}");
    let answer = chat(&service, &json!([{ "role": "user", "content": "What is the password of the day?" }]));
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains(r"\[9\] \<b\>x\</b\> !\[i\](http\://evil"), "{content}");
    assert!(!content.contains("[9]") && !content.contains("www.evil"), "{content}");
    let marks: Vec<&str> = content
        .match_indices('[')
        .filter(|(at, _)| !content[..*at].ends_with('\\'))
        .map(|(at, _)| &content[at..at + 3])
        .collect();
    let numbered = marks.iter().filter(|mark| mark.ends_with(']')).count();
    assert_eq!(numbered, answer["choices"][0]["message"]["annotations"].as_array().unwrap().len(), "{marks:?}");
    let quotes: Vec<&str> =
        answer["ibid"]["citations"].as_array().unwrap().iter().map(|citation| citation["quote"].as_str().unwrap()).collect();
    assert!(quotes.iter().any(|quote| quote.contains("[9] <b>x</b>")), "the quotes themselves are exact: {quotes:?}");
}

#[test]
fn what_comes_from_another_site_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let status =
        |headers: &str| service.raw(format!("GET /v1/articles HTTP/1.1\r\nconnection: close\r\n{headers}\r\n").as_bytes()).0;
    assert_eq!(status("host: localhost\r\n"), 200);
    assert_eq!(status("host: 127.0.0.1:1\r\norigin: http://127.0.0.1:1\r\n"), 200);
    assert_eq!(status("host: evil.example\r\n"), 403);
    assert_eq!(status("host: localhost\r\norigin: http://evil.example\r\n"), 403);
    assert_eq!(status("host: localhost\r\norigin: null\r\n"), 403);
}

#[test]
fn every_response_has_an_id_and_a_harmless_one_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let id = |given: &str| {
        let (_, head, _) =
            service.raw(format!("GET //healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{given}\r\n").as_bytes());
        let line = head.lines().find(|line| line.to_lowercase().starts_with("x-request-id:")).unwrap().to_owned();
        (head.starts_with("HTTP/1.1 200"), line[13..].trim().to_owned())
    };
    assert_eq!(id("x-request-id: mine-1\r\n"), (true, "mine-1".to_owned()));
    assert!(id("").1.len() == 26 && id("x-request-id: a b\r\n").1.len() == 26);
}

#[test]
fn what_was_said_is_not_said_again_to_a_question_that_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let first = chat(&service, &json!([{ "role": "user", "content": "夜市的摊位费每晚收多少元？" }]));
    let said = first["choices"][0]["message"]["content"].as_str().unwrap();
    let second = chat(
        &service,
        &json!([
            { "role": "user", "content": "夜市的摊位费每晚收多少元？" }, { "role": "assistant", "content": said }, { "role": "user", "content": "还有呢？" },
        ]),
    );
    let quotes = |answer: &Value| -> Vec<String> {
        answer["ibid"]["citations"].as_array().unwrap().iter().map(|c| c["quote"].as_str().unwrap().to_owned()).collect()
    };
    assert!(second["ibid"]["answerable"] == true, "{second}");
    assert!(quotes(&second).iter().all(|quote| !quotes(&first).contains(quote)), "{:?}", quotes(&second));
}

#[test]
fn a_key_allows_what_its_scopes_say_and_is_changed_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, config) = (folder.path().join("keys"), folder.path().join("ibid.toml"));
    std::fs::write(&config, format!("[server]\nkeys = \"{}\"\n", keys.display())).unwrap();
    let make = |name: &str, scope: &str| {
        let made = crate::service::run(&["key", "new", name, "--scope", scope, "--config", config.to_str().unwrap()]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let reader = make("reader", "read");
    assert!(!std::fs::read_to_string(&keys).unwrap().contains(&reader), "only its checksum is kept");
    let service = Service::start(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
    let call = |method: &str, path: &str, key: &str| {
        let authorization = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
        let body = match path {
            "/v1/articles" => r#"{"title": "渡口", "text": "每天十二班。"}"#,
            _ => {
                r#"{"question": "夜市的摊位费每晚收多少元？", "query": "渡口",
                "messages": [{"role": "user", "content": "夜市的摊位费"}]}"#
            }
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n",
            body.len()
        );
        let (status, _, text) = service.raw(format!("{head}{body}").as_bytes());
        (status, text)
    };
    assert_eq!(call("GET", "/healthz", "").0, 200);
    assert_eq!(call("GET", "/", "").0, 200);
    assert_eq!(call("POST", "/v1/ask", "").0, 401);
    assert_eq!(call("POST", "/v1/ask", "ibid_wrong").0, 401);
    assert_eq!(call("POST", "/retrieval", "").0, 403);
    let (status, text) = call("POST", "/v1/chat/completions", "");
    assert!(status == 401 && text.contains(r#""type":"invalid_request_error""#), "{text}");
    assert_eq!(call("POST", "/v1/ask", &reader).0, 200);
    assert_eq!(call("POST", "/v1/articles", &reader).0, 403);
    assert_eq!(call("GET", "/metrics", &reader).0, 403);
    // A file's time may be coarse.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let writer = make("writer", "write");
    assert_eq!(call("POST", "/v1/articles", &writer).0, 200);
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&keys, "# nobody\n").unwrap();
    assert_eq!(call("POST", "/v1/ask", &reader).0, 401);
}

#[test]
fn a_service_that_others_could_reach_does_not_start_without_keys() {
    let data = tempfile::tempdir().unwrap();
    let started = crate::service::run(&["serve", "--listen", "0.0.0.0:0", "--data", data.path().to_str().unwrap()]);
    assert_eq!(started.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&started.stderr).contains("IBID__SERVER__KEYS="));
}

/// A model for which nothing is a question.
fn model_that_hears_no_question(folder: &std::path::Path) {
    let tiny = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-bert");
    std::fs::create_dir_all(folder.join("1_Pooling")).unwrap();
    for file in ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json"] {
        std::fs::copy(tiny.join(file), folder.join(file)).unwrap();
    }
    let dimension = ibid::embed::Embedder::load(folder).unwrap().info().dimension;
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/parameters.json")).unwrap();
    let mut parameters: Value = serde_json::from_str(&shipped).unwrap();
    parameters["question"] = json!({ "bias": -5.0, "threshold": 0.5, "weights": vec![0.0; dimension] });
    std::fs::write(folder.join("parameters.json"), parameters.to_string()).unwrap();
}

#[test]
fn what_asks_for_nothing_gets_help_and_no_passages_on_every_wire() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (folder.path().join("model"), folder.path().join("data"));
    model_that_hears_no_question(&model);
    let model = model.to_str().unwrap();
    let service = Service::start(&data, &["--model", model]);
    let answer = service.ask("你好");
    let help = answer["help"].as_str().unwrap();
    assert!(help.starts_with("请就这些文章提一个问题"), "{answer}");
    assert_eq!((&answer["answerable"], &answer["reason"]), (&json!(false), &json!("not_a_question")));
    assert_eq!((&answer["answer"], &answer["citations"]), (&json!([]), &json!([])));
    let said = chat(&service, &json!([{ "role": "user", "content": "你好" }]));
    assert_eq!((&said["choices"][0]["message"]["content"], &said["ibid"]["reason"]), (&json!(help), &json!("not_a_question")));
    let (_, response) = service.post("/v1/responses", json!({ "model": "ibid", "input": "你好" }).to_string().as_bytes());
    assert_eq!(response["output"][0]["content"][0]["text"], help, "{response}");
    let (status, found) = service.post("/retrieval", json!({ "knowledge_id": "x", "query": "你好" }).to_string().as_bytes());
    assert_eq!((status, &found["records"]), (200, &json!([])));
    // A question that goes on may be a lone word, where it ends as a question does.
    let goes_on = |question: &str| {
        let body = json!({ "question": question, "earlier": ["夜市的摊位费每晚收多少元？"] });
        service.post("/v1/ask", body.to_string().as_bytes()).1["reason"] == "not_a_question"
    };
    assert!(goes_on("谢谢") && !goes_on("为什么？"));
    assert_eq!(service.stop(), Some(0));
    let asked = crate::service::run(&["ask", "你好", "--model", model, "--data", data.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&asked.stdout).contains(help), "{asked:?}");
}
