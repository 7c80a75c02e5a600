//! Articles come, change and go one by one, in a library that is asked meanwhile.

use ibid::article::ArticleId;
use ibid::embed::Embedder;
use ibid::library::{Asking, Library, Outcome};
use ibid::read::files::source;
use ibid::retrieve::{Mode, Question};
use ibid::shelf::Filter;
use serde_json::json;

use crate::service::{Service, library, settings};

fn sent(id: &str, text: &str) -> ibid::article::Source {
    source(format!("{id}.jsonl"), format!("api:{id}"), json!({ "id": id, "text": text }).to_string().into_bytes())
}

fn found(library: &Library, question: &str) -> Vec<String> {
    library.shelf().refresh().unwrap();
    let question = Question::parse(question, None).unwrap();
    let found = library.search(&question, &Filter::default(), Mode::Hybrid, 20).unwrap();
    found.evidence.into_iter().map(|evidence| evidence.passage.article.0).collect()
}

#[test]
fn an_article_is_added_replaced_removed_and_added_again() {
    let data = tempfile::tempdir().unwrap();
    let library = library(data.path());
    let first = sent("ferry", "新渡口每天开十二班船。");
    let id = library.add(std::slice::from_ref(&first)).unwrap().kept[0].0.clone();
    assert_eq!(library.add(std::slice::from_ref(&first)).unwrap().kept, [(id.clone(), Outcome::Unchanged)]);
    assert_eq!(library.add(&[sent("ferry", "新渡口每天开十五班船。")]).unwrap().kept, [(id.clone(), Outcome::Replaced)]);
    let old = library.shelf().article(&id.0, Some(1)).unwrap().unwrap();
    assert!(old.superseded && old.article.text.contains("十二"));
    assert!(library.remove_article(&id, false).unwrap() && found(&library, "新渡口开几班船").is_empty());
    assert!(library.shelf().article(&id.0, Some(1)).unwrap().is_some());
    let again = library.add(&[first]).unwrap();
    assert_eq!(again.kept, [(id.clone(), Outcome::Added)]);
    assert_eq!(found(&library, "新渡口开几班船"), [id.0.as_str()]);
    assert!(library.remove_article(&id, true).unwrap());
    assert!(library.shelf().article(&id.0, Some(1)).unwrap().is_none());
    let anew = library.add(&[sent("ferry", "新渡口停开了。")]).unwrap();
    assert_eq!(
        library.shelf().article(&anew.kept[0].0.0, None).unwrap().unwrap().version,
        4,
        "a cited number names no other text"
    );
    // Purged bytes are nowhere in the database's files.
    drop(library);
    for file in ["ibid.sqlite", "ibid.sqlite-wal"] {
        let bytes = std::fs::read(data.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(12).any(|part| part == "新渡口每".as_bytes()), "{file}");
    }
    assert!(!self::library(data.path()).remove_article(&ArticleId("0".repeat(16)), false).unwrap());
}

#[test]
fn what_comes_after_the_graph_was_built_is_found_beside_it() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = settings(data.path());
    settings.search.exact_below = 40;
    let open = || Library::open(settings.clone(), Embedder::bundled().unwrap()).unwrap();
    let library = open();
    let many: Vec<_> = (0..60).map(|n| sent(&format!("n{n}"), &format!("第{n}号仓库存着{}吨粮食。", n * 7))).collect();
    let settled = |library: &Library| {
        library.shelf().refresh().unwrap();
        library.settle(&|_| ()).unwrap();
    };
    library.add(&many).unwrap();
    settled(&library);
    let graphs = || {
        let entries = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.to_string_lossy().starts_with("graph-")).collect::<Vec<_>>()
    };
    let built = graphs();
    assert_eq!(built.len(), 1);
    let ferry = library.add(&[sent("ferry", "新渡口每天开十二班船。")]).unwrap().kept[0].0.clone();
    settled(&library);
    assert_eq!(graphs(), built, "the graph is not built again for one article");
    assert_eq!(found(&library, "新渡口开几班船")[0], ferry.0);
    drop(library);
    let library = open();
    assert_eq!((found(&library, "新渡口开几班船")[0].as_str(), graphs()), (ferry.0.as_str(), built.clone()));
    library.remove_article(&ferry, false).unwrap();
    assert!(!found(&library, "新渡口开几班船").contains(&ferry.0));
    // A great part that is new is reason to build.
    library.add(&(0..30).map(|n| sent(&format!("m{n}"), &format!("第{n}座灯塔高{n}米。"))).collect::<Vec<_>>()).unwrap();
    settled(&library);
    assert_ne!(graphs(), built);
}

#[test]
fn libraries_of_all_earlier_formats_are_migrated() {
    let to_3 = "DROP TABLE outlines; ALTER TABLE articles DROP COLUMN places; ALTER TABLE sources DROP COLUMN broken;
                ALTER TABLE passages DROP COLUMN sentences; ALTER TABLE passages ADD COLUMN tokens BLOB;
                UPDATE meta SET value = '3' WHERE key = 'format';
                UPDATE meta SET value = 'model `of old` and chunk rules sentences-1/140/320' WHERE key = 'identity';";
    let to_2 = "ALTER TABLE sources DROP COLUMN sum; ALTER TABLE articles DROP COLUMN sum; ALTER TABLE passages DROP COLUMN sum;
                DROP TABLE jobs; DROP TABLE job_sources; UPDATE meta SET value = '2' WHERE key = 'format';";
    let to_1 = "DROP INDEX articles_filtered; ALTER TABLE articles DROP COLUMN language; ALTER TABLE passages DROP COLUMN tokens;
                UPDATE meta SET value = '1' WHERE key = 'format';";
    for back in [vec![to_3, to_2], vec![to_3, to_2, to_1]] {
        let data = tempfile::tempdir().unwrap();
        let library = library(data.path());
        library.add(&[sent("ferry", "新渡口每天开十二班船，最后一班在晚上九点。")]).unwrap();
        drop(library);
        let database = rusqlite::Connection::open(data.path().join("ibid.sqlite")).unwrap();
        database.execute_batch(&back.concat()).unwrap();
        drop(database);
        // Its passages have no vectors of their sentences.
        let refused = Library::open(settings(data.path()), Embedder::bundled().unwrap()).map(drop).unwrap_err().to_string();
        assert!(refused.contains("sentences-1/140/320") && refused.contains("`ibid reembed --data"), "{refused}");
        assert!(crate::service::run(&["reembed", "--data", data.path().to_str().unwrap()]).status.success());
        let library = self::library(data.path());
        let asking = Asking::of(Question::parse("新渡口最后一班船几点开？", None).unwrap(), 5);
        let answer = library.ask(&asking, &mut |_| ()).unwrap().0;
        assert!(answer.answerable && answer.citations[0].quote().contains("九点"));
        assert_eq!(answer.citations[0].article().article.record.language.as_deref(), Some("zh"));
        assert!(library.begin_job(&[sent("pier", "旧码头只停货船。")]).is_ok());
        drop(library);
        assert!(crate::service::run(&["check", "--deep", "--data", data.path().to_str().unwrap()]).status.success());
    }
}

#[test]
fn a_language_restricts_both_legs_and_zh_allows_traditional_characters() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let languages = |wanted: &[&str], mode: &str| -> Vec<String> {
        let body = json!({ "question": "接通断点以后每天有多少骑士 cargo bikes", "limit": 100, "mode": mode, "filter": { "language": wanted } });
        let (status, found) = service.post("/v1/search", body.to_string().as_bytes());
        assert_eq!(status, 200, "{found}");
        let ids = found["passages"].as_array().unwrap().iter().map(|passage| passage["article_id"].as_str().unwrap().to_owned());
        let mut found: Vec<String> =
            ids.map(|id| service.json(&format!("/v1/articles/{id}"))["language"].as_str().unwrap_or("?").to_owned()).collect();
        found.sort();
        found.dedup();
        found
    };
    for mode in ["hybrid", "dense", "lexical"] {
        assert_eq!(languages(&["zh"], mode), ["zh", "zh-Hant"], "{mode}");
        assert_eq!(languages(&["zh-Hant"], mode), ["zh-Hant"], "{mode}");
    }
    assert_eq!(languages(&["de", "en"], "dense"), ["de", "en"]);
}
