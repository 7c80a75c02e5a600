//! A folder of files of every kind: each is accounted for, at every ingest.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::documents::packed;
use crate::service::{Service, run};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Sixteen files of fourteen kinds, and one that is hidden.
fn fill(folder: &Path) {
    let feed = "<rss><channel><item><title>Weirs</title><description>The lower weir was closed on Monday.</description></item></channel></rss>";
    let inside = packed([("may/n.txt", "集市搬到了东岸。".as_bytes()), ("x.png", b"\x89PNG"), ("b.zip", b"PK")]);
    for (name, bytes) in [
        ("a.txt", "集市每天六点开张。".as_bytes().to_vec()),
        ("b.md", b"| Bridge | Built |\n|---|---|\n| Mill Bridge | 1894 |\n| Long Bridge | 1921 |\n".to_vec()),
        ("c.html", "<p>渡口冬天停航。".as_bytes().to_vec()),
        ("d.jsonl", b"{\"text\":\"The bridge was closed in May.\"}\n{oops\n".to_vec()),
        ("e.pdf", fixture("printed/report-zh.pdf")),
        ("f.pdf", fixture("printed/scan.pdf")),
        ("g.docx", fixture("documents/report.docx")),
        ("h.odt", fixture("documents/market.odt")),
        ("i.epub", fixture("documents/report.epub")),
        ("j.rtf", fixture("documents/market-office.rtf")),
        ("k.csv", b"Mill,Wheels\nUpper,3\nLower,5\n".to_vec()),
        ("l.json", b"[{\"title\":\"Fish\",\"text\":\"The ladder has nine steps.\"}]".to_vec()),
        ("m.rss", feed.as_bytes().to_vec()),
        ("n.zip", inside),
        ("o.png", b"\x89PNG\r\n".to_vec()),
        ("package.json", b"{\"name\": \"x\"}".to_vec()),
        (".draft.txt", b"hidden".to_vec()),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn ingest(data: &Path, folder: &Path, flags: &[&str]) -> (Option<i32>, Value) {
    let place = ["ingest", "--json", "--data", data.to_str().unwrap(), folder.to_str().unwrap()];
    let output = run(&[place.as_slice(), flags].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The paths of one list.
fn paths(report: &Value, list: &str) -> Vec<String> {
    let named = |one: &Value| one.get("path").unwrap_or(one).as_str().unwrap().to_owned();
    report[list].as_array().unwrap().iter().map(named).collect()
}

#[test]
fn each_of_sixteen_files_is_accounted_for_the_first_and_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let (data, corpus) = (folder.path().join("data"), folder.path().join("corpus"));
    std::fs::create_dir(&corpus).unwrap();
    fill(&corpus);
    let read = [
        "a.txt",
        "b.md",
        "c.html",
        "d.jsonl",
        "e.pdf",
        "g.docx",
        "h.odt",
        "i.epub",
        "j.rtf",
        "k.csv",
        "l.json",
        "m.rss",
        "n.zip/may/n.txt",
    ];
    for (list, other) in [("read", "unchanged"), ("unchanged", "read")] {
        let (code, report) = ingest(&data, &corpus, &[]);
        assert_eq!((code, paths(&report, list)), (Some(1), read.map(str::to_owned).to_vec()), "{report}");
        assert!(paths(&report, other).is_empty(), "{report}");
        let mut unusable = paths(&report, "unusable");
        unusable.sort();
        assert_eq!(unusable, ["d.jsonl", "f.pdf", "n.zip/b.zip"], "{report}");
        let mut passed = paths(&report, "not_opened");
        passed.sort();
        assert_eq!(passed, [".draft.txt", "n.zip/x.png", "o.png", "package.json"], "{report}");
    }
    for gone in ["n.zip", "d.jsonl", "f.pdf", "a.txt"] {
        std::fs::remove_file(corpus.join(gone)).unwrap();
    }
    assert_eq!(ingest(&data, &corpus, &[]).1["missing"].as_array().unwrap().len(), 3);
    let (code, report) = ingest(&data, &corpus, &["--prune"]);
    assert_eq!((code, report["pruned"].as_array().unwrap().len()), (Some(0), 3), "{report}");
    assert_eq!(ingest(&data, &corpus, &[]).1["missing"], json!([]));
    assert_eq!(ingest(&data, &corpus, &["--strict"]).0, Some(1));
}

#[test]
fn a_question_about_a_cell_cites_its_row_with_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let (data, corpus) = (folder.path().join("data"), folder.path().join("corpus"));
    std::fs::create_dir(&corpus).unwrap();
    fill(&corpus);
    let service = Service::start(&data, &["--corpus", corpus.to_str().unwrap()]);
    for (question, paths, row) in [
        (
            "How many visitors did the lower weir have?",
            ["g.docx", "i.epub"],
            "Weir: Lower | Visitors: 2,075 | Keeper: Jonas Berg | Open until: 20:00",
        ),
        ("码头区的月租是多少元？", ["h.odt", "j.rtf"], "区域：码头区 | 摊位数：18 | 管理人：李青 | 月租（元）：150"),
        ("When was the Long Bridge built?", ["b.md", "b.md"], "Bridge: Long Bridge | Built: 1921"),
        ("How many wheels does the lower mill have?", ["k.csv", "k.csv"], "Mill: Lower | Wheels: 5"),
    ] {
        let answer = service.ask(question);
        let quotes = answer["citations"].as_array().unwrap();
        let cites = |citation: &&Value| citation["quote"] == row;
        let found = quotes.iter().find(cites).unwrap_or_else(|| panic!("{question}: {answer}"));
        // The same table may stand in two files, and either is right.
        assert!(paths.iter().any(|path| found["source"]["path"] == *path), "{answer}");
        assert_eq!(answer["answerable"], true, "{answer}");
    }
}

#[test]
fn an_archive_is_a_folder_and_the_samples_leave_for_articles_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Service::start(&data, &[]));
    let archive = folder.path().join("news.zip");
    let pack = |entries: &[(&str, &str)]| {
        std::fs::write(&archive, packed(entries.iter().map(|(name, text)| (*name, text.as_bytes())))).unwrap();
    };
    pack(&[("a.txt", "新桥长三百米。"), ("../../etc/b.txt", "旧桥长两百米。")]);
    let (code, report) = ingest(&data, &archive, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(paths(&report, "read"), ["news.zip/a.txt", "news.zip/../../etc/b.txt"]);
    assert!(report["removed"].as_u64().unwrap() > 5, "{report}");
    let service = Service::start(&data, &[]);
    assert_eq!(service.json("/v1/articles")["total"], 2);
    drop(service);
    pack(&[("a.txt", "新桥长三百零五米。")]);
    let (_, report) = ingest(&data, &archive, &["--prune"]);
    assert_eq!((report["articles"].as_u64(), report["pruned"].as_array().unwrap().len()), (Some(1), 1), "{report}");
    std::fs::write(&archive, b"PK\x03\x04 broken").unwrap();
    let (code, report) = ingest(&data, &archive, &["--prune"]);
    assert_eq!((code, report["pruned"].as_array().unwrap().len()), (Some(1), 0), "{report}");
}
