//! Any order of adding, replacing, removing and opening again leaves what a plain map says.

use std::collections::BTreeMap;

use ibid::article::ArticleId;
use ibid::library::Library;
use ibid::read::files::source;
use ibid::retrieve::{Mode, Question};
use ibid::shelf::Filter;
use proptest::prelude::*;
use serde_json::json;

use crate::service::library;

#[derive(Debug, Clone)]
enum Act {
    Add(u8, u16),
    Remove(u8, bool),
    Job(Vec<u8>, u16),
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let key = 0_u8..6;
    prop_oneof![
        4 => (key.clone(), 0_u16..1000).prop_map(|(key, number)| Act::Add(key, number)),
        2 => (key.clone(), any::<bool>()).prop_map(|(key, purge)| Act::Remove(key, purge)),
        1 => (proptest::collection::vec(key, 1..4), 0_u16..1000).prop_map(|(keys, number)| Act::Job(keys, number)),
        1 => Just(Act::Reopen),
    ]
}

fn sent(key: u8, number: u16) -> ibid::article::Source {
    let text = format!("{key}号闸门今天开了{number}次，由值班员记下。");
    source(format!("{key}.jsonl"), format!("api:{key}"), json!({ "id": key.to_string(), "text": text }).to_string().into_bytes())
}

/// What the library says: for each key its number, and its id.
fn said(library: &Library) -> BTreeMap<u8, (u16, ArticleId)> {
    let articles = library.shelf().articles(0, 100).unwrap();
    let number = |text: &str| text.split("开了").nth(1).unwrap().split('次').next().unwrap().parse().unwrap();
    articles
        .into_iter()
        .map(|one| (one.article.record.key.unwrap().parse().unwrap(), (number(&one.article.text), one.id)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_library_is_what_its_changes_say(acts in proptest::collection::vec(act(), 1..20)) {
        let data = tempfile::tempdir().unwrap();
        let mut library = library(data.path());
        let mut model: BTreeMap<u8, u16> = BTreeMap::new();
        // Texts that were there once, by id and version: they say the same for ever, or are gone.
        let mut cited: BTreeMap<(ArticleId, u32), String> = BTreeMap::new();
        for act in acts {
            match act {
                Act::Add(key, number) => {
                    library.add(&[sent(key, number)]).unwrap();
                    library.shelf().refresh().unwrap();
                    model.insert(key, number);
                }
                Act::Remove(key, purge) => {
                    if let Some((_, id)) = said(&library).remove(&key) {
                        prop_assert!(library.remove_article(&id, purge).unwrap());
                        library.shelf().refresh().unwrap();
                    }
                    model.remove(&key);
                }
                Act::Job(keys, number) => {
                    let sources: Vec<_> = keys.iter().map(|key| sent(*key, number)).collect();
                    let job = library.begin_job(&sources).unwrap();
                    library.work_off(job).unwrap();
                    model.extend(keys.into_iter().map(|key| (key, number)));
                }
                Act::Reopen => {
                    drop(library);
                    library = crate::service::library(data.path());
                }
            }
            let now = said(&library);
            prop_assert_eq!(now.iter().map(|(key, (number, _))| (*key, *number)).collect::<BTreeMap<_, _>>(), model.clone());
            for (key, (_, id)) in &now {
                let question = Question::parse(&format!("{key}号闸门今天开了几次？"), None).unwrap();
                let found = library.search(&question, &Filter::default(), Mode::Hybrid, 10).unwrap().evidence;
                prop_assert_eq!(found.len(), model.len(), "what is gone is not found, and nothing twice");
                prop_assert!(found.iter().any(|one| one.passage.article == *id));
                let stored = library.shelf().article(&id.0, None).unwrap().unwrap();
                cited.insert((id.clone(), stored.version), stored.article.text);
            }
            for ((id, version), text) in &cited {
                let stored = library.shelf().article(&id.0, Some(*version)).unwrap();
                prop_assert!(stored.is_none_or(|stored| stored.article.text == *text), "{id} {version} says something else");
            }
        }
    }
}
