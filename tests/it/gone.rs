//! Purged is gone from every file; files are their owner's; what is known of an article is a line each, everywhere.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::service::{IBID, Service, run, samples};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Which of `needles` stand in which file below `folder`.
fn found(folder: &Path, needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap();
        for needle in needles {
            if bytes.windows(needle.len()).any(|part| part == needle.as_bytes()) {
                found.push(format!("`{needle}` in {}", file.display()));
            }
        }
    }
    found
}

fn call(service: &Service, method: &str, path: &str, (kind, body): (&str, &[u8])) -> (u16, Value) {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (status, _, body) = service.raw(&[head.as_bytes(), body].concat());
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn sent(service: &Service, method: &str, path: &str, body: &Value) -> (u16, Value) {
    call(service, method, path, ("application/json", body.to_string().as_bytes()))
}

/// A service without the sample articles.
fn empty(data: &Path, beside: &Path) -> Service {
    let own = beside.join("own.txt");
    std::fs::write(&own, "新桥长三百米。").unwrap();
    Service::start(data, &["--corpus", own.to_str().unwrap()])
}

fn all(service: &Service) -> Vec<Value> {
    service.json("/v1/articles?limit=1000")["articles"].as_array().unwrap().clone()
}

#[test]
fn what_is_purged_is_in_no_file_of_the_folder_nor_in_a_later_copy() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = empty(&data, folder.path());
    // Through a job, by hand, changed, replaced, and on a newspaper page with lines that are in no article.
    let one = json!({ "key": "a", "title": "zanzibarquux title", "text": "The plinthmonger sleeps at quarziddle." });
    assert_eq!(sent(&service, "POST", "/v1/articles?wait=false", &one).0, 202);
    let begun = std::time::Instant::now();
    let id = loop {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "the job does not end");
        if let Some(article) = all(&service).into_iter().find(|article| article["title"] == "zanzibarquux title") {
            break article["id"].as_str().unwrap().to_owned();
        }
    };
    let described = json!({ "authors": ["Vexilographa Murr"], "url": "https://flubbergast.example/secret" });
    assert_eq!(sent(&service, "PATCH", &format!("/v1/articles/{id}"), &described).0, 200);
    let replaced = json!({ "title": "second zyxtitle", "text": "The grombleshank wakes at wimblefarth." });
    assert_eq!(sent(&service, "PUT", &format!("/v1/articles/{id}"), &replaced).0, 200);
    let page = std::fs::read_dir(samples().join("pages")).unwrap().map(|entry| entry.unwrap().path());
    let page = page.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "txt")).min().unwrap();
    let text = std::fs::read_to_string(page).unwrap();
    let form = format!(
        "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"page.txt\"\r\ncontent-type: text/plain\r\n\r\n{text}\r\n--cut--\r\n"
    );
    let (status, taken) = call(&service, "POST", "/v1/articles", ("multipart/form-data; boundary=cut", form.as_bytes()));
    assert_eq!(status, 200, "{taken}");
    let on_page: Vec<&str> = taken["articles"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let about = service.json(&format!("/v1/articles/{}", on_page[0]));
    let left_out = about["source"]["left_out"].as_array().unwrap();
    let left_out = left_out.iter().map(|line| line["text"].as_str().unwrap()).max_by_key(|text| text.len()).unwrap();
    let quote = service.json(&format!("/v1/articles/{}/text?start=0&end=12", on_page[0]))["text"].as_str().unwrap().to_owned();
    let title = about["title"].as_str().unwrap();
    let needles = [
        "zanzibarquux",
        "plinthmonger",
        "quarziddle",
        "Vexilographa",
        "flubbergast",
        "zyxtitle",
        "grombleshank",
        "wimblefarth",
        left_out,
        &quote,
        title,
    ];
    assert!(found(&data, &needles).len() >= needles.len(), "all of it is kept somewhere: {:?}", found(&data, &needles));
    for id in on_page.iter().copied().chain([id.as_str()]) {
        assert_eq!(sent(&service, "DELETE", &format!("/v1/articles/{id}?purge=true"), &Value::Null).0, 204);
    }
    assert_eq!(found(&data, &needles), Vec::<String>::new(), "while it is served");
    let copy = folder.path().join("copy");
    assert!(run(&["backup", "--data", data.to_str().unwrap(), copy.to_str().unwrap()]).status.success());
    assert_eq!(found(folder.path(), &needles), Vec::<String>::new());
    assert_eq!(all(&service).len(), 1, "the rest is kept");
    assert_eq!(service.stop(), Some(0));
    assert_eq!(found(folder.path(), &needles), Vec::<String>::new(), "after it has ended");
    assert!(run(&["check", "--deep", "--data", data.to_str().unwrap()]).status.success());
}

#[test]
fn files_and_folders_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let (shown, restored) = (data.to_str().unwrap().to_owned(), folder.path().join("restored"));
    let started = "umask 022; exec \"$0\" \"$@\"";
    let by_others = |arguments: &[&str]| {
        let done = Command::new("sh").args(["-c", started, IBID]).args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let article = folder.path().join("a.md");
    std::fs::write(&article, "# A\n\nThe mill stands by the river.\n").unwrap();
    for collection in [&[][..], &["--collection", "news"][..]] {
        by_others(&[&["ingest", "--data", &shown], collection, &[article.to_str().unwrap()]].concat());
    }
    by_others(&["backup", "--data", &shown, copy.to_str().unwrap()]);
    by_others(&["restore", "--data", restored.to_str().unwrap(), copy.to_str().unwrap()]);
    let mut open = Vec::new();
    let mut folders = vec![data, copy, restored];
    while let Some(next) = folders.pop() {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        if mode(&next) != 0o700 {
            open.push(format!("{:o} {}", mode(&next), next.display()));
        }
        for path in std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if mode(&path) != 0o600 {
                open.push(format!("{:o} {}", mode(&path), path.display()));
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn what_is_known_of_an_article_is_a_line_on_every_way_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = empty(&data, folder.path());
    let hostile = "Mill\r\n[2] Forged: the bank\u{1b}[2J\0\u{202e} end\nTY  - BOOK";
    let (status, taken) =
        sent(&service, "POST", "/v1/articles", &json!({ "key": "a", "title": hostile, "text": "The mill has 7 wheels." }));
    assert_eq!(status, 200, "{taken}");
    let path = format!("/v1/articles/{}", taken["articles"][0]["id"].as_str().unwrap());
    let described = json!({ "title": hostile, "authors": [hostile], "affiliation": hostile, "url": "https://a.example/x" });
    assert_eq!(sent(&service, "PATCH", &path, &described).0, 200);
    let file = folder.path().join("front.md");
    std::fs::write(
        &file,
        "---\ntitle: \"Front\\n[3] Forged\\e[2J\"\nauthor: \"A\\nB\"\nurl: \"javascript:alert(1)\"\n---\n\nThe dam has 9 gates.\n",
    )
    .unwrap();
    let line = json!({ "id": "x\ny", "title": "Line\n[4]", "text": "The lock has 3 doors.", "url": "data:text/html,x" });
    std::fs::write(folder.path().join("l.jsonl"), format!("{line}\n")).unwrap();
    for name in ["front.md", "l.jsonl"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        let form = [
            format!("--cut\r\ncontent-disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n").as_bytes(),
            &bytes,
            b"\r\n--cut--\r\n",
        ]
        .concat();
        let (status, taken) = call(&service, "POST", "/v1/articles", ("multipart/form-data; boundary=cut", &form));
        assert_eq!(status, 200, "{name}: {taken}");
    }
    for article in all(&service) {
        for part in [&article["title"], &article["affiliation"], &article["authors"][0], &article["url"]] {
            let text = part.as_str().unwrap_or_default();
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}') && !text.contains("script:"), "{article}");
        }
        let id = article["id"].as_str().unwrap();
        for (style, begins) in [("bibtex", "@article{"), ("ris", "TY  - NEWS\r\n"), ("gb7714", ""), ("apa", "")] {
            let entry = service.get(&format!("/v1/articles/{id}/citation?style={style}")).2;
            assert!(entry.starts_with(begins) && !entry.contains('\u{1b}') && !entry.contains("javascript"), "{entry}");
            assert_eq!(entry.matches("\nTY  - ").count(), 0, "{entry}");
        }
    }
    for url in ["javascript:alert(1)", "https://a/\nTY  - BOOK", "file:///etc/passwd", "//a.example"] {
        let (status, body) = sent(&service, "PATCH", &path, &json!({ "url": url }));
        assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains("url"), "{url}: {body}");
        let (status, body) = sent(&service, "POST", "/v1/articles", &json!({ "text": "The mill.", "url": url }));
        assert_eq!(status, 400, "{url}: {body}");
    }
    for long in [
        json!({ "title": "x".repeat(1001) }),
        json!({ "authors": ["x".repeat(501)] }),
        json!({ "authors": vec!["x"; 201] }),
        json!({ "url": format!("https://{}", "x".repeat(2000)) }),
    ] {
        assert_eq!(sent(&service, "PATCH", &path, &long).0, 400, "{long}");
    }
    assert_eq!(service.stop(), Some(0));
    let asked = run(&["ask", "--data", data.to_str().unwrap(), "How many wheels does the mill have?"]);
    let words = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(!words.contains('\u{1b}') && !words.lines().any(|line| line.trim_start().starts_with("[2] Forged")), "{words}");
}

#[test]
fn two_of_one_name_in_one_request_are_refused_and_one_twice_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let service = empty(&folder.path().join("data"), folder.path());
    let text = "The ferry leaves at nine.";
    let twice =
        json!([{ "title": "one", "text": text }, { "title": "two", "text": text }, { "key": "c", "text": "Another text." }]);
    let (status, body) = sent(&service, "POST", "/v1/articles", &twice);
    assert!(status == 400 && body["error"]["hint"].as_str().unwrap().contains("key"), "{body}");
    assert_eq!(all(&service).len(), 1, "nothing of it was taken");
    let same = json!([{ "title": "one", "text": text }, { "title": "one", "text": text }]);
    let (status, taken) = sent(&service, "POST", "/v1/articles", &same);
    assert_eq!((status, taken["articles"].as_array().unwrap().len()), (200, 1), "{taken}");
    assert_eq!(all(&service).len(), 2);
    let found =
        service.post("/v1/search", json!({ "question": "When does the ferry leave?", "limit": 1 }).to_string().as_bytes());
    assert!(found.1.to_string().contains("leaves at nine"), "{}", found.1);
}
