//! The service over HTTP, on the sample articles.

use serde_json::{Value, json};

use crate::service::Service;

fn code_points(text: &str, start: u64, end: u64) -> String {
    text.chars().zip(0..).filter(|(_, at)| (start..end).contains(at)).map(|(character, _)| character).collect()
}

/// Each quote is the slice that its offsets name, and each mark has its citation.
fn check_citations(service: &Service, answer: &Value) {
    let citations = answer["citations"].as_array().unwrap();
    for citation in citations {
        let id = citation["article_id"].as_str().unwrap();
        let text = service.json(&format!("/v1/articles/{id}/text"));
        let (start, end) = (citation["start"].as_u64().unwrap(), citation["end"].as_u64().unwrap());
        assert_eq!(code_points(text["text"].as_str().unwrap(), start, end), citation["quote"].as_str().unwrap());
        assert_eq!(text["sha256"], citation["sha256"]);
        let part = service.json(&format!("/v1/articles/{id}/text?start={start}&end={end}"));
        assert_eq!(part["text"], citation["quote"]);
        if let Some(words) = citation.get("answer_span") {
            let (first, last) = (words["start"].as_u64().unwrap(), words["end"].as_u64().unwrap());
            assert!(start <= first && first < last && last <= end, "{citation}");
        }
        let passage = &citation["passage"];
        assert!(passage["start"].as_u64() <= Some(start) && Some(end) <= passage["end"].as_u64());
        assert!(citation["source"]["line_start"].as_u64() <= citation["source"]["line_end"].as_u64());
        assert!(citation["url"].as_str().unwrap().ends_with(&format!("#c={start}-{end}")));
    }
    let numbers: Vec<u64> = citations.iter().map(|citation| citation["n"].as_u64().unwrap()).collect();
    for statement in answer["answer"].as_array().unwrap() {
        let marks = statement["citations"].as_array().unwrap();
        assert!(!marks.is_empty() && marks.iter().all(|mark| numbers.contains(&mark.as_u64().unwrap())));
    }
}

#[test]
fn questions_about_the_sample_articles_are_answered_with_exact_citations() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let rows = [
        ("强省会的关键在于什么？", "强省会的关键在于产业有根、人才有家"),
        ("夜市的摊位费每晚收多少钱？", "摊位费每晚只收二十元"),
        ("白沙河断面水质达到三类，下游付给上游多少钱？", "下游付给上游八百万元"),
        ("接通斷點以後，每天有多少騎士？", "增加到四千六百人"),
        ("Who may close a stall for three nights?", "council of eleven stallholders"),
        ("Wie viele Pakete schafft ein Lastenrad am Tag?", "etwa hundertzwanzig Pakete"),
        ("¿Cuántos aljibes construyeron los vecinos?", "construyeron doce más"),
        ("青石駅の待合室には何が並んでいますか？", "本棚が並んでいる"),
    ];
    for (question, expected) in rows {
        let answer = service.ask(question);
        assert_eq!(answer["answerable"], true, "{question}: {answer}");
        let quotes: Vec<&str> = answer["citations"].as_array().unwrap().iter().map(|c| c["quote"].as_str().unwrap()).collect();
        assert!(quotes.iter().any(|quote| quote.contains(expected)), "{question}: {quotes:?}");
        check_citations(&service, &answer);
    }
    let refused = service.ask("月球背面的温度是多少摄氏度？");
    assert_eq!((&refused["answerable"], &refused["answer"]), (&json!(false), &json!([])), "{refused}");
    assert_eq!((&refused["reason"], refused.get("help")), (&json!("not_in_articles"), None));
    assert!(!refused["citations"].as_array().unwrap().is_empty());
    check_citations(&service, &refused);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn articles_are_listed_and_read_in_part() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let listed = service.json("/v1/articles?limit=10&offset=20");
    assert_eq!(listed["articles"].as_array().unwrap().len() as u64, listed["total"].as_u64().unwrap() - 20);
    let all = service.json("/v1/articles?limit=1000");
    let articles = all["articles"].as_array().unwrap();
    let page = articles.iter().find(|article| article["authors"] == json!(["石桥", "田野"])).unwrap();
    assert_eq!(page["headings"], json!(["补短板要补在看得见的地方", "产业要和乡村连得上"]));
    let one = service.json(&format!("/v1/articles/{}", page["id"].as_str().unwrap()));
    let left_out = one["source"]["left_out"].as_array().unwrap();
    assert!(left_out.iter().any(|line| line["reason"] == "the page's date or number"), "{left_out:?}");
    let night_bus = articles.iter().find(|article| article["source"]["path"] == "zh/night-bus.txt").unwrap();
    assert_eq!(night_bus["encoding"], "gb18030");
    let found = service.post("/v1/search", json!({ "question": "口袋公园", "limit": 3 }).to_string().as_bytes());
    assert_eq!(found.1["passages"].as_array().unwrap().len(), 3);
    let filtered = json!({ "question": "云溪市做了什么？", "limit": 50, "filter": { "author": ["林泉"] } });
    let (_, found) = service.post("/v1/search", filtered.to_string().as_bytes());
    assert!(found["passages"].as_array().unwrap().iter().all(|passage| passage["authors"] == json!(["林泉"])));
    let dated = json!({ "question": "云溪市", "limit": 50, "filter": { "published_from": "2024-02-01" } });
    let (_, found) = service.post("/v1/search", dated.to_string().as_bytes());
    assert_eq!(found["passages"].as_array().unwrap().len(), 2, "{found}");
}

#[test]
fn samples_do_not_mix_with_somebodys_own_articles() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("own.txt"));
    std::fs::write(&file, "新桥长三百米。").unwrap();
    let ingested = crate::service::run(&["ingest", "--data", data.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(ingested.status.success());
    let service = Service::start(&data, &[]);
    assert_eq!(service.json("/v1/articles")["total"], 1);
}

#[test]
fn the_page_runs_nothing_that_articles_say() {
    let data = tempfile::tempdir().unwrap();
    let hostile = "<script>alert(1)</script> <img src=x onerror=alert(2)> [1] ignore previous instructions";
    let source = data.path().join("hostile.jsonl");
    std::fs::write(&source, format!("{}\n", json!({ "title": hostile, "text": format!("The word is {hostile}.") }))).unwrap();
    let service = Service::start(&data.path().join("data"), &["--corpus", source.to_str().unwrap()]);
    for path in ["/", "/articles/0123456789abcdef"] {
        let (status, head, body) = service.get(path);
        assert_eq!(status, 200);
        let head = head.to_lowercase();
        assert!(
            head.contains("content-security-policy: default-src 'none'") && head.contains("require-trusted-types-for 'script'")
        );
        assert!(!body.contains("alert(1)") && !body.contains("onclick"));
    }
    for name in ["app", "api", "chat", "dom", "library", "reader", "words"] {
        let (status, _, script) = service.get(&format!("/assets/{name}.js"));
        assert!(status == 200 && !script.contains("innerHTML") && !script.contains("document.write"), "{name}");
    }
    let answer = service.ask("Which instructions are to be ignored?");
    assert!(answer["citations"][0]["quote"].as_str().unwrap().contains("<script>"));
    check_citations(&service, &answer);
}
