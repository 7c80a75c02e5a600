//! The shelf: versions, removal, filters, and caches that may be damaged.

use std::path::{Path, PathBuf};

use ibid::embed::{Embedder, Reranker};
use ibid::library::{Asking, Library};
use ibid::retrieve::{Mode, Question};
use ibid::shelf::Filter;
use serde_json::json;

use crate::service::{ingest, library, samples, settings};

fn ids(library: &Library, question: &str, mode: Mode, filter: &Filter, limit: usize) -> Vec<u32> {
    let question = Question::parse(question, None).unwrap();
    library.search(&question, filter, mode, limit).unwrap().evidence.iter().map(|evidence| evidence.passage.id).collect()
}

#[test]
fn an_edit_keeps_the_id_and_the_old_version_still_resolves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.md");
    let text = |length: &str| format!("---\ntitle: 桥\n---\n新桥长{length}米。\n");
    std::fs::write(&file, text("三百")).unwrap();
    let library = library(&folder.path().join("data"));
    assert_eq!(ingest(&library, &file).articles, 1);
    let before = library.shelf().articles(0, 1).unwrap().remove(0);
    assert_eq!(ingest(&library, &file).unchanged, 1);
    std::fs::write(&file, text("四百")).unwrap();
    ingest(&library, &file);
    let after = library.shelf().articles(0, 10).unwrap();
    assert_eq!((after.len(), &after[0].id, after[0].version), (1, &before.id, 2));
    let old = library.shelf().article(&before.id.0, Some(1)).unwrap().unwrap();
    assert!(old.superseded && old.article.text.contains("三百"));
    let answer = library.ask(&Asking::of(Question::parse("新桥有多长？", None).unwrap(), 5), &mut |_| ()).unwrap().0;
    assert!(answer.citations.iter().all(|citation| citation.quote().contains("四百")));
}

#[test]
fn an_article_that_left_its_source_answers_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    let line = |id: &str, text: &str| format!("{}\n", json!({ "id": id, "title": id, "text": text }));
    std::fs::write(&file, line("桥", "新桥长三百米。") + &line("塔", "旧塔高九十米。")).unwrap();
    let library = library(&folder.path().join("data"));
    ingest(&library, &file);
    assert_eq!(ids(&library, "旧塔有多高", Mode::Hybrid, &Filter::default(), 5).len(), 2);
    std::fs::write(&file, line("桥", "新桥长三百米。")).unwrap();
    let report = ingest(&library, &file);
    assert_eq!((report.articles, report.removed), (0, 1), "{report:?}");
    assert_eq!(ids(&library, "旧塔有多高", Mode::Hybrid, &Filter::default(), 5).len(), 1);
    library.remove(&std::fs::canonicalize(&file).unwrap().to_string_lossy()).unwrap();
    library.shelf().refresh().unwrap();
    for mode in [Mode::Hybrid, Mode::Dense, Mode::Lexical] {
        assert_eq!(ids(&library, "新桥有多长", mode, &Filter::default(), 5), Vec::<u32>::new());
    }
}

#[test]
fn the_graph_finds_what_the_exact_scan_finds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.jsonl");
    let places = ["河", "山", "桥", "街", "塔", "湖", "田", "林", "站", "港"];
    let things = ["集市", "学校", "医院", "茶馆", "书店", "工厂", "公园", "车站", "剧院", "码头"];
    let lines: String = (0..800)
        .map(|n| {
            let (place, thing, year) = (places[n % 10], things[n / 10 % 10], 1950 + n / 10);
            format!("{}\n", json!({ "id": n, "title": format!("{place}边的{thing}"), "text": format!("{year}年，{place}边开了一家{thing}，来的人有{n}个。") }))
        })
        .collect();
    std::fs::write(&file, lines).unwrap();
    let exact = library(&folder.path().join("exact"));
    ingest(&exact, &file);
    let mut with_graph = settings(&folder.path().join("graph"));
    with_graph.search.exact_below = 10;
    let open = || Library::open(with_graph.clone(), Embedder::bundled().unwrap()).unwrap();
    let graph = open();
    ingest(&graph, &file);
    graph.settle(&|_| ()).unwrap();
    assert_eq!(graph.shelf().graphs().len(), 1);
    let questions = ["河边的集市", "哪一年开了医院", "山上有几个人", "1999年的车站", "a factory by the lake"];
    let recall = |library: &Library| {
        let hits: usize = questions
            .iter()
            .map(|question| {
                let truth = ids(&exact, question, Mode::Dense, &Filter::default(), 10);
                ids(library, question, Mode::Dense, &Filter::default(), 10).iter().filter(|id| truth.contains(id)).count()
            })
            .sum();
        hits
    };
    assert!(recall(&graph) >= 48, "{} of 50", recall(&graph));
    drop(graph);
    // Saved, and loaded again.
    let loaded = recall(&open());
    assert!(loaded >= 48, "{loaded} of 50");
    // A flipped bit anywhere in it is found, and the graph built again.
    for damaged in below(&folder.path().join("graph")).iter().filter(|path| path.to_string_lossy().contains("graph-")) {
        flip(damaged);
        let library = open();
        library.settle(&|_| ()).unwrap();
        assert!(library.shelf().graphs().len() == 1 && recall(&library) >= 48, "{}", damaged.display());
    }
}

#[test]
fn half_of_what_a_graph_holds_may_go_and_the_rest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.jsonl");
    let write = |kept: &dyn Fn(usize) -> bool| {
        let line = |n: usize| json!({ "id": n, "title": format!("{n}号站"), "text": format!("{n}号站在第{}区，每天有{}班车，站长姓{}。", n % 37, n % 11, ["林", "周", "何", "沈"][n % 4]) });
        let lines: String = (0..1000).filter(|n| kept(*n)).map(|n| format!("{}\n", line(n))).collect();
        std::fs::write(&file, lines).unwrap();
    };
    write(&|_| true);
    let mut settings = settings(&folder.path().join("data"));
    settings.search.exact_below = 10;
    let library = Library::open(settings, Embedder::bundled().unwrap()).unwrap();
    ingest(&library, &file);
    library.settle(&|_| ()).unwrap();
    write(&|n| n % 2 == 0 || n % 25 == 1);
    ingest(&library, &file);
    library.settle(&|_| ()).unwrap();
    let (mut found, mut wanted) = (0, 0);
    for n in 0..100 {
        let question = Question::parse(&format!("第{}区的{}号站每天有几班车", n % 37, n * 10), None).unwrap();
        let vector = library.embedder().question(question.as_str()).unwrap();
        let snapshot = library.shelf().snapshot().unwrap();
        let truth = snapshot.scan(&vector, 10);
        let near = snapshot.search(question.as_str(), Some(&vector), 10, &Filter::default()).unwrap().0;
        // Passages that are equally near may stand for each other.
        let last = truth.last().unwrap().score - 1e-5;
        found += near.iter().filter(|neighbor| neighbor.score >= last).count();
        wanted += truth.len();
    }
    assert!(found * 100 >= wanted * 99, "{found} of {wanted}");
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 4;
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_or_missing_word_files_are_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = library(&data);
    ingest(&first, &samples().join("pages"));
    let question = "夜市的摊位费";
    let truth = ids(&first, question, Mode::Lexical, &Filter::default(), 5);
    assert!(!truth.is_empty());
    drop(first);
    // Rebuilding gives the files new names, so they are taken by their place.
    for place in 0..below(&data.join("words")).len() {
        let Some(file) = below(&data.join("words")).get(place).cloned() else { break };
        if file.extension().is_some_and(|extension| extension == "lock") {
            continue;
        }
        flip(&file);
        assert_eq!(ids(&library(&data), question, Mode::Lexical, &Filter::default(), 5), truth, "{}", file.display());
    }
    std::fs::remove_dir_all(data.join("words")).unwrap();
    assert_eq!(ids(&library(&data), question, Mode::Lexical, &Filter::default(), 5), truth);
}

#[test]
fn passages_come_by_their_totals_and_a_cross_encoder_orders_the_best_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zh.jsonl");
    let things = ["渡口", "图书馆", "夜市", "灯塔", "水库", "剧院", "茶馆", "码头", "医院", "学校"];
    let line = |(n, thing): (usize, &&str)| {
        format!("{}\n", json!({ "id": n, "text": format!("{thing}每天开放{}小时，由三个人看守。", n + 7) }))
    };
    std::fs::write(&file, things.iter().enumerate().map(line).collect::<String>()).unwrap();
    let found = |embedder: Embedder, name: &str| {
        let library = Library::open(settings(&folder.path().join(name)), embedder).unwrap();
        ingest(&library, &file);
        let question = Question::parse("How many hours a day is the lighthouse open?", None).unwrap();
        library.search(&question, &Filter::default(), Mode::Hybrid, 10).unwrap().evidence
    };
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-reranker");
    let reranking = Embedder::bundled().unwrap().with_reranker(Reranker::load(&tiny, None).unwrap());
    let best = Embedder::bundled().unwrap().parameters().reading.passages;
    for evidence in [found(Embedder::bundled().unwrap(), "bundled"), found(reranking, "reranking")] {
        assert_eq!(evidence.len(), 10);
        assert!(evidence.is_sorted_by(|one, other| one.scores.total >= other.scores.total));
        let with_sentences = evidence.iter().take_while(|one| one.sentences.len() == 1).count();
        assert_eq!(with_sentences, best, "the best are looked at sentence by sentence");
        let same = |one: &ibid::retrieve::Evidence| (one.scores.sentence - one.sentences[0].meaning).abs() < 1e-6;
        assert!(evidence[..best].iter().all(same));
    }
}

#[test]
fn a_filter_restricts_both_legs() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    ingest(&library, &samples());
    let filter = Filter { authors: vec!["常青".to_owned()], ..Filter::default() };
    for mode in [Mode::Hybrid, Mode::Dense, Mode::Lexical] {
        let question = Question::parse("夜市的河水", None).unwrap();
        let found = library.search(&question, &filter, mode, 50).unwrap().evidence;
        assert!(!found.is_empty() && found.iter().all(|evidence| evidence.passage.authors == ["常青"]), "{mode:?}");
    }
}

#[test]
fn a_syndicated_copy_is_folded_and_named_and_other_numbers_are_another_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("news.jsonl");
    let report = "南门夜市今年三月换上节能灯，一年省电四万度，换灯的钱由电力公司先垫付，三年还清，摊主不出一分钱。";
    let rows = [
        ("晨报", report.to_owned()),
        ("晚报", report.replace("换灯", "更换灯具")),
        ("次年", report.replace("四万", "五万")),
        ("别的", "县图书馆每周一闭馆，其余日子早上九点开门。".to_owned()),
    ];
    let lines = rows.iter().map(|(title, text)| json!({ "id": title, "title": title, "text": text }).to_string() + "\n");
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let library = library(&folder.path().join("data"));
    ingest(&library, &file);
    let question = Question::parse("南门夜市换灯一年省电多少度？", None).unwrap();
    let found = library.find(&question, &Filter::default(), Mode::Hybrid, 10).unwrap().evidence;
    let told: Vec<(&str, usize)> = found.iter().map(|one| (one.passage.title.as_str(), one.copies.len())).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|(title, copies)| ["晨报", "晚报"].contains(title) && *copies == 1), "{told:?}");
    assert!(told.contains(&("次年", 0)) && told.contains(&("别的", 0)), "{told:?}");
    let answer = library.ask(&Asking::of(question.clone(), 5), &mut |_| ()).unwrap().0;
    let of_copies =
        |citation: &ibid::answer::Citation| ["晨报", "晚报"].contains(&citation.article().article.record.title.as_str());
    assert!(answer.citations.iter().filter(|citation| of_copies(citation)).all(|citation| citation.copies().len() == 1));
    // An evaluation's ranking is not folded: each document counts.
    let found = library.search(&question, &Filter::default(), Mode::Hybrid, 10).unwrap();
    assert_eq!(found.evidence.len(), 4);
}
