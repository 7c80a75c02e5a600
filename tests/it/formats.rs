//! Databases as versions wrote them, today's form among them: each is brought to it, and says what it said.
//!
//! `fixtures/formats/N.sqlite` was written by a version of format N: two articles of `gates.jsonl`, read twice, the
//! second time with another hour in one of them. Of formats 1 to 4 there is none: `living` and the tests of the schema take a
//! database of today back to them.

use ibid::embed::ModelInfo;
use ibid::shelf::embedded::{self, inspect::Inspection};
use ibid::shelf::{Error, Filter, Identity, Shelf};

use crate::service::settings;

/// Formats of which there is a database, and the rules of its passages.
const FORMATS: [(&str, &str); 2] = [("5", "sentences-2/140/320/context-2"), ("6", "sentences-3/140/320/context-2")];

/// What filled one.
fn identity(chunk_rules: &str) -> Identity {
    let model = ModelInfo {
        id: "contextual-multilingual".to_owned(),
        sha256: "88ca26a0e3b5dddd".to_owned(),
        dimension: 384,
        pooling: "mean",
        question_prefix: "query: ".to_owned(),
        passage_prefix: "passage: ".to_owned(),
    };
    Identity { model, chunk_rules: chunk_rules.to_owned() }
}

#[test]
fn a_database_of_any_format_says_what_it_said() {
    for (format, rules) in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let fixture = format!("{}/tests/fixtures/formats/{format}.sqlite", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(fixture, data.join(embedded::DATABASE)).unwrap();
        let shelf = Shelf::open(&data, identity(rules), &settings(&data).search).unwrap();
        let outlines = shelf.outlines(0, 9).unwrap();
        let told: Vec<(&str, u32, &str)> = outlines
            .iter()
            .map(|one| (one.record.title.as_str(), one.version, one.record.language.as_deref().unwrap()))
            .collect();
        assert_eq!(told, [("北闸", 1, "zh"), ("The south gate", 2, "en")], "format {format}");
        assert_eq!((outlines[0].record.authors[0].as_str(), outlines[0].length), ("陆守真", 20), "format {format}");
        let south = &outlines[1].id.0;
        let said = |version| shelf.article(south, Some(version)).unwrap().unwrap().article.text;
        assert!(said(1).contains("opens at nine") && said(2).contains("opens at ten"), "format {format}");
        let found = |word: &str| shelf.snapshot().unwrap().search(word, None, 9, &Filter::default()).unwrap().1.len();
        assert_eq!((found("清晨"), found("Marlow"), found("nine")), (1, 1, 0), "format {format}");
        assert_eq!(Inspection::open(&data).unwrap().damage(true).unwrap(), Vec::<String>::new(), "format {format}");
        embedded::backup(&data, &folder.path().join("copy")).unwrap();
    }
}

#[test]
fn a_database_of_a_later_format_is_told_from_a_damaged_one() {
    let data = tempfile::tempdir().unwrap();
    let database = data.path().join(embedded::DATABASE);
    std::fs::copy(format!("{}/tests/fixtures/formats/6.sqlite", env!("CARGO_MANIFEST_DIR")), &database).unwrap();
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute("UPDATE meta SET value = '7' WHERE key = 'format'", []).unwrap();
    drop(connection);
    let refused = Shelf::open(data.path(), identity(FORMATS[1].1), &settings(data.path()).search).map(drop).unwrap_err();
    assert!(matches!(refused, Error::OtherFormat { .. }), "{refused}");
    assert!(refused.to_string().contains("has format `7`"), "{refused}");
}
