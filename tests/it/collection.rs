//! Questions about the collection, over HTTP, on the sample articles.

use serde_json::{Value, json};

use crate::service::Service;

fn titles(answer: &Value) -> Vec<&str> {
    answer["citations"].as_array().unwrap().iter().map(|citation| citation["title"].as_str().unwrap()).collect()
}

#[test]
fn the_records_answer_what_is_asked_of_the_collection() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let rows: [(&str, &[&str]); 11] = [
        ("常青写了哪些文章？", &["夜市的烟火气从哪里来"]),
        ("常青寫了哪些文章？", &["夜市的烟火气从哪里来"]),
        ("Which articles did G. Reed write?", &["A market that opens at dusk"]),
        ("谁写了《一条河的账本》？", &["一条河的账本"]),
        ("Wer hat „Das Lastenrad ersetzt den Lieferwagen“ geschrieben?", &["Das Lastenrad ersetzt den Lieferwagen"]),
        ("¿Quién escribió «El pueblo que guarda la lluvia»?", &["El pueblo que guarda la lluvia"]),
        ("Which articles were published in 2022?", &["What a suburban train does to a small town", "过江通道怎样改变一座城"]),
        ("最新的文章是哪篇？", &["Parks the size of a living room"]),
        ("What is the oldest article?", &["El pueblo que guarda la lluvia"]),
        ("林泉写了几篇文章？", &["一条河的账本", "青石县建成首座村级污水处理花园"]),
        ("哪些文章谈到夜市？", &["夜市的烟火气从哪里来"]),
    ];
    for (question, expected) in rows {
        let answer = service.ask(question);
        assert_eq!(answer["kind"], "collection", "{question}: {answer}");
        assert!(expected.iter().all(|title| titles(&answer).contains(title)), "{question}: {:?}", titles(&answer));
        assert!(answer["records"]["articles"].as_u64() > Some(20), "{answer}");
        for statement in answer["answer"].as_array().unwrap() {
            assert!(!statement["citations"].as_array().unwrap().is_empty());
        }
        assert!(answer["citations"].as_array().unwrap().iter().all(|citation| citation["kind"] == "article"), "{answer}");
    }
    let counted = service.ask("一共有多少篇文章？");
    let total = service.json("/v1/articles?limit=1")["total"].as_u64().unwrap();
    assert!(counted["answer"][0]["text"].as_str().unwrap().contains(&total.to_string()), "{counted}");
    assert_eq!(counted["records"]["found"], json!(total));
    let headings = service.ask("《县城要有县城的样子》有哪些小标题？");
    let texts: Vec<&str> = headings["answer"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["补短板要补在看得见的地方", "产业要和乡村连得上"], "{headings}");
}

#[test]
fn a_summary_and_a_comparison_are_quoted_in_order() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let summary = service.ask("总结一下《夜市的烟火气从哪里来》");
    assert_eq!(summary["kind"], "summary", "{summary}");
    let starts: Vec<u64> =
        summary["citations"].as_array().unwrap().iter().map(|citation| citation["start"].as_u64().unwrap()).collect();
    assert!((3..=7).contains(&starts.len()) && starts.is_sorted(), "{starts:?}");
    let compared = service.ask("比较一下常青和苏叶对年轻人的看法");
    assert_eq!(compared["kind"], "comparison", "{compared}");
    let sides: Vec<&str> = compared["answer"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert!(
        sides.iter().any(|side| side.starts_with("常青: ")) && sides.iter().any(|side| side.starts_with("苏叶: ")),
        "{sides:?}"
    );
}

#[test]
fn ordinary_questions_are_asked_of_the_passages() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    for question in ["夜市的摊位费每晚收多少元？", "Who may close a stall for three nights?", "谁负责每个公园的开关灯和浇水？"]
    {
        assert_eq!(service.ask(question)["kind"], "passages", "{question}");
    }
    let by_nobody = service.ask("李琳写了哪些文章？");
    assert_eq!((&by_nobody["answerable"], &by_nobody["kind"]), (&json!(false), &json!("collection")), "{by_nobody}");
    assert_eq!(by_nobody["reason"], "not_in_articles");
}
