//! Databases as earlier versions wrote them: each is brought to today's form, and says what it said.
//!
//! `fixtures/formats/N.sqlite` was written by the last version of format N: two articles of `gates.jsonl`, read twice,
//! the second time with another hour in one of them.

use ibid::embed::ModelInfo;
use ibid::shelf::embedded::{self, inspect::Inspection};
use ibid::shelf::{Filter, Identity, Shelf};

use crate::service::settings;

/// Formats of which there is a database.
const FORMATS: [&str; 1] = ["5"];

/// What filled them.
fn identity() -> Identity {
    let model = ModelInfo {
        id: "contextual-multilingual".to_owned(),
        sha256: "88ca26a0e3b5dddd".to_owned(),
        dimension: 384,
        pooling: "mean",
        question_prefix: "query: ".to_owned(),
        passage_prefix: "passage: ".to_owned(),
    };
    Identity { model, chunk_rules: "sentences-2/140/320/context-2".to_owned() }
}

#[test]
fn a_database_of_an_earlier_format_says_what_it_said() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let fixture = format!("{}/tests/fixtures/formats/{format}.sqlite", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(fixture, data.join(embedded::DATABASE)).unwrap();
        let shelf = Shelf::open(&data, identity(), &settings(&data).search).unwrap();
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
