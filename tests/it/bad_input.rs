//! Bad input: a clear error, and nothing lost.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use ibid::library::Corpus;
use serde_json::json;

use crate::service::{IBID, Service, ingest, library, run, samples};

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn broken_files_are_reported_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir(&corpus).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(corpus.join(name), bytes).unwrap();
    write("empty.txt", b"");
    write("blank.md", b"---\ntitle: x\n---\n \n");
    write("binary.txt", b"\x7fELF\x02\x01\x01\0\0\0\0\0\x03\0\xff\xfe\x90");
    write("matter.md", b"---\ntitle: [\n---\ntext\n");
    write("lines.jsonl", b"{\"title\":\"kept\",\"text\":\"The bridge was closed in May.\"}\n{oops\n");
    write("good.txt", "集市每天六点开张。\n".as_bytes());
    write("declared.html", b"<meta charset=utf-8><p>\xba\xd3\xb1\xdf\xb5\xc4\xbc\xaf\xca\xd0\xba\xdc\xc8\xc8\xc4\xd6\xa1\xa3\xc0\xcf\xc8\xcb\xba\xcd\xba\xa2\xd7\xd3\xb6\xbc\xc0\xb4\xc1\xcb\xa1\xa3</p>");
    // 200 MB of one line.
    let long = std::fs::File::create(corpus.join("long.txt")).unwrap();
    long.set_len(200 << 20).unwrap();
    let data = folder.path().join("data");
    let output = run(&["ingest", "--data", data.to_str().unwrap(), corpus.to_str().unwrap()]);
    let said = words(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for expected in [
        "`empty.txt` is empty",
        "`blank.md` is empty",
        "`binary.txt` is binary, not text",
        "`matter.md` front matter:",
        "`lines.jsonl` line 2:",
        "`long.txt` is 209715200 bytes long, over the limit of 33554432",
        "ingested 3 articles",
        "6 unusable",
    ] {
        assert!(said.contains(expected), "`{expected}` in:\n{said}");
    }
    let library = library(&data);
    let articles = library.shelf().articles(0, 10).unwrap();
    let html = articles.iter().find(|article| article.source_path == "declared.html").unwrap();
    assert_eq!(html.article.text, "河边的集市很热闹。老人和孩子都来了。");
    assert!(html.article.record.notes[0].contains("declares charset `utf-8`"), "{:?}", html.article.record.notes);
}

#[test]
fn each_file_of_a_folder_is_read_or_named_with_its_reason_at_every_ingest() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir_all(corpus.join(".git")).unwrap();
    let printed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/printed");
    for name in ["report-zh.pdf", "scan-behind-text.pdf", "scan.pdf", "locked.pdf"] {
        std::fs::copy(printed.join(name), corpus.join(name)).unwrap();
    }
    let write = |name: &str, bytes: &[u8]| std::fs::write(corpus.join(name), bytes).unwrap();
    write("good.txt", "集市每天六点开张。\n".as_bytes());
    write("lines.jsonl", b"{\"title\":\"kept\",\"text\":\"The bridge was closed in May.\"}\n{oops\n");
    write("cut.pdf", b"%PDF-1.7\n1 0 obj <<");
    write("picture.png", b"\x89PNG\r\n");
    write(".draft.txt", b"hidden");
    let data = folder.path().join("data");
    let ingest = |flags: &[&str]| {
        let output = run(&[&["ingest", "--data", data.to_str().unwrap(), corpus.to_str().unwrap()], flags].concat());
        (output.status.code(), words(&output.stderr))
    };
    for round in ["first", "second"] {
        let (code, said) = ingest(&[]);
        assert_eq!(code, Some(1), "{said}");
        for expected in [
            "`scan-behind-text.pdf` has pages 2–3 without text: a scan",
            "`scan.pdf` has page 1 without text: a scan",
            "`locked.pdf` is encrypted",
            "`cut.pdf` cannot be read: it is no PDF",
            "`lines.jsonl` line 2:",
            "5 unusable",
            "not opened (of an unsupported type): `picture.png`",
            "not opened (hidden): `.draft.txt`, `.git`",
        ] {
            assert!(said.contains(expected), "{round}: `{expected}` in:\n{said}");
        }
    }
    for name in ["scan-behind-text.pdf", "scan.pdf", "locked.pdf", "cut.pdf", "lines.jsonl"] {
        std::fs::remove_file(corpus.join(name)).unwrap();
    }
    assert_eq!(ingest(&["--quiet"]).0, Some(0));
    assert_eq!(ingest(&["--strict"]).0, Some(1));
}

#[test]
fn a_long_line_within_the_limit_is_cut_into_passages() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.txt");
    std::fs::write(&file, "河边没有句号的长文".repeat(60_000)).unwrap();
    let library = library(&folder.path().join("data"));
    let report = ingest(&library, &file);
    assert!(report.unusable.is_empty() && report.passages > 500, "{report:?}");
}

#[test]
fn a_file_that_goes_away_is_reported_and_what_it_said_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.txt"), folder.path().join("two.txt"));
    std::fs::write(&one, "第一篇说的是河。").unwrap();
    std::fs::write(&two, "第二篇说的是山。").unwrap();
    let library = library(&folder.path().join("data"));
    let both = Corpus::Paths(vec![one.clone(), two]);
    assert_eq!(library.ingest(&both, &|_| ()).unwrap().articles, 2);
    // It is listed, and gone when its turn comes.
    let report = library.ingest(&both, &|_| drop(std::fs::remove_file(&one))).unwrap();
    assert_eq!(report.unusable.len(), 1, "{report:?}");
    assert_eq!(library.shelf().counts().unwrap().articles, 2);
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let output = run(&["ask", "--data", file.join("data").to_str().unwrap(), "为什么？"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output.stderr).contains("cannot use data folder"), "{}", words(&output.stderr));
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("ibid.sqlite"), "this is no database, but a text of some length".repeat(100)).unwrap();
    let output = run(&["ask", "--data", data.to_str().unwrap(), "为什么？"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(words(&output.stderr).contains("ibid.sqlite` cannot be used"), "{}", words(&output.stderr));
}

#[test]
fn another_model_is_refused_until_the_articles_are_embedded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_string_lossy().into_owned();
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-bert").to_string_lossy().into_owned();
    let corpus = samples().join("en").to_string_lossy().into_owned();
    assert!(run(&["ingest", "--data", &data, &corpus]).status.success());
    let output = run(&["ask", "--data", &data, "--model", &tiny, "Who runs the market?"]);
    let said = words(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("`contextual-multilingual`") && said.contains("`tiny-bert`") && said.contains("ibid reembed"),
        "{said}"
    );
    assert!(run(&["reembed", "--data", &data, "--model", &tiny]).status.success());
    assert!(run(&["ask", "--data", &data, "--model", &tiny, "Who runs the market?"]).status.success());
    assert_eq!(run(&["ask", "--data", &data, "Who runs the market?"]).status.code(), Some(4));
    assert!(run(&["reembed", "--data", &data]).status.success());
    let output = run(&["ask", "--data", &data, "--json", "How much is the rent for a pitch a night?"]);
    assert!(words(&output.stdout).contains("twenty yuan a night"), "{}", words(&output.stdout));
}

#[test]
fn a_second_process_is_told_who_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &[]);
    let output = run(&["ask", "--data", folder.path().to_str().unwrap(), "为什么？"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(words(&output.stderr).contains("is in use by process "), "{}", words(&output.stderr));
    assert_eq!(service.stop(), Some(0));
    assert!(run(&["ask", "--data", folder.path().to_str().unwrap(), "为什么？"]).status.success());
}

#[test]
fn wrong_questions_and_requests_get_plain_errors() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &[]);
    let long = json!({ "question": "长".repeat(100_000) }).to_string();
    let rows: [(&[u8], u16, &str); 8] = [
        (br#"{"question":""}"#, 400, "invalid_question"),
        (br#"{"question":" \n"}"#, 400, "invalid_question"),
        ("{\"question\":\"？？\"}".as_bytes(), 400, "invalid_question"),
        (long.as_bytes(), 400, "invalid_question"),
        (b"{\"question\":\"\xff\xfe\"}", 400, "invalid_request"),
        (br#"{"question":"x","limit":0}"#, 400, "invalid_request"),
        (br#"{"question":"x","filter":{"published_from":"2024-13-01"}}"#, 400, "invalid_request"),
        (br#"{"question""#, 400, "invalid_request"),
    ];
    for (body, status, code) in rows {
        let (got, answer) = service.post("/v1/ask", body);
        assert_eq!((got, answer["error"]["code"].as_str()), (status, Some(code)), "{answer}");
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    let huge = json!({ "question": "x".repeat(3 << 20) }).to_string();
    assert_eq!(service.post("/v1/ask", huge.as_bytes()).0, 413);
    assert_eq!(service.get("/v1/articles/nothing").0, 404);
    assert_eq!(service.get("/v1/articles/..%2f..%2fetc%2fpasswd").0, 404);
    assert_eq!(service.get("/nowhere").0, 404);
    assert_eq!(service.get("/v1/ask").0, 405);
    assert_eq!(service.get("/healthz").0, 200);
    // Still there, and still right.
    assert_eq!(service.ask("夜市的摊位费每晚收多少元？")["answerable"], true);
}

#[test]
fn the_command_line_refuses_what_it_cannot_ask() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    assert_eq!(run(&["ask", "--data", data, ""]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--data", data, "--corpus", "/nowhere/at/all"]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--data", data, "--listen", "nonsense"]).status.code(), Some(1));
    let broken = std::ffi::OsStr::from_bytes(b"\xff\xfe?");
    let output = Command::new(IBID).args(["ask", "--data", data]).arg(broken).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("not UTF-8"));
    let output = Command::new(IBID).args(["ask", "--data", data, "x"]).env("IBID__SERVER__LISTN", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("did you mean `server.listen`?"));
}
