//! Another model, or other rules, for a library that somebody uses.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ibid::embed::Embedder;
use ibid::library::Library;
use serde_json::json;

use crate::service::{IBID, Service, ingest, library, run, samples, settings};

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts `ibid reembed` on `data`.
fn reembedding(data: &Path, arguments: &[&str], environment: &[(String, String)]) -> std::process::Child {
    let mut command = std::process::Command::new(IBID);
    command.args(["reembed", "--data", data.to_str().unwrap()]).args(arguments).envs(environment.iter().cloned());
    command.stderr(std::process::Stdio::piped()).spawn().unwrap()
}

/// Its exit code and words.
fn ended(child: std::process::Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_service_takes_over_another_model_and_answers_throughout() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-bert").to_string_lossy().into_owned();
    let shorter = [("IBID__CHUNK__TARGET_TOKENS".to_owned(), "60".to_owned())];
    let question = "夜市的摊位费每晚收多少元？";
    let service = Service::start(data, &[]);
    let passages = || service.json("/v1/collections")["collections"][0]["passages"].as_u64().unwrap();
    let (before, first) = (passages(), service.ask(question));
    let done = AtomicBool::new(false);
    let going = || !done.load(Ordering::Relaxed);
    let written = std::thread::scope(|threads| {
        threads.spawn(|| {
            while going() {
                service.ask(question);
            }
        });
        let writer = threads.spawn(|| {
            let mut written = 0;
            while going() {
                written += 1;
                let body = json!({ "id": format!("w{written}"), "text": format!("第{written}号泵房每天送水{written}吨。") });
                assert_eq!(service.post("/v1/articles", body.to_string().as_bytes()).0, 200);
            }
            written
        });
        let (code, words) = ended(reembedding(data, &["--model", &tiny], &[]));
        assert!(code == Some(0) && words.contains("`tiny-bert`") && words.contains("answers from them now"), "{code:?} {words}");
        assert_eq!(service.json("/v1/models")["data"][1]["id"], "tiny-bert");
        let (code, words) = ended(reembedding(data, &[], &shorter));
        assert!(code == Some(0) && words.contains("answers from them now"), "{code:?} {words}");
        done.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    assert!(written > 1 && passages() > before + written, "the passages are shorter");
    // What was cited before is still there, and what was written meanwhile is found.
    let url = first["citations"][0]["url"].as_str().unwrap();
    let cited = url.strip_prefix(&service.url()).unwrap_or(url);
    assert_eq!(service.get(cited.split('#').next().unwrap()).0, 200);
    for number in 1..=written {
        let body = json!({ "question": format!("第{number}号泵房每天送水多少吨？") }).to_string();
        let (_, found) = service.post("/v1/search", body.as_bytes());
        assert!(found.to_string().contains(&format!("送水{number}吨。")), "{found}");
    }
    assert!(!data.join("reembed.sqlite").exists() && !data.join("reembed.json").exists());
    assert_eq!(service.stop(), Some(0));
    assert_eq!(run(&["ask", "--data", data.to_str().unwrap(), question]).status.code(), Some(4));
    let service = Service::start_with(data, &[], &shorter);
    assert_eq!(service.ask(question)["answer"][0], first["answer"][0]);
}

#[test]
fn what_a_service_cannot_take_over_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &[]);
    let asked = std::fs::File::create(folder.path().join("reembed.json")).unwrap();
    asked.lock().unwrap();
    std::fs::write(folder.path().join("reembed.json"), r#"{"model": "another"}"#).unwrap();
    let refused = folder.path().join("reembed.refused");
    until("it is refused", || refused.exists());
    assert!(std::fs::read_to_string(refused).unwrap().contains("invalid type"));
    assert_eq!(service.ask("夜市的摊位费每晚收多少元？")["answerable"], true);
    let body = json!({ "text": "泵房每天送水九吨。" }).to_string();
    assert_eq!(service.post("/v1/articles", body.as_bytes()).0, 200);
}

#[test]
fn what_was_half_taken_over_is_ended_when_nobody_waits_for_it_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    ingest(&library, &samples());
    let mut reembedding = reembedding(folder.path(), &[], &[("IBID__CHUNK__TARGET_TOKENS".to_owned(), "60".to_owned())]);
    until("it waits", || library.is_to_be_taken_over());
    // The passages are replaced, and then the index of words cannot be opened.
    let (words, away) = (folder.path().join("words"), folder.path().join("away"));
    std::fs::rename(&words, &away).unwrap();
    std::fs::write(&words, "in the way").unwrap();
    assert!(library.taken_over().is_err());
    let asked = folder.path().join("reembed.json");
    let other = std::fs::read_to_string(&asked).unwrap().replace("60", "61");
    reembedding.kill().unwrap();
    reembedding.wait().unwrap();
    std::fs::remove_file(&words).unwrap();
    assert!(library.is_to_be_taken_over());
    // Somebody waits for yet other rules: what is ended is not theirs, and they wait on.
    let waiting = std::fs::File::create(&asked).unwrap();
    waiting.lock().unwrap();
    std::fs::write(&asked, &other).unwrap();
    let new = library.taken_over().unwrap().unwrap();
    assert!(new.shelf().counts().unwrap().passages > 0);
    assert!(new.is_to_be_taken_over() && std::fs::read_to_string(&asked).unwrap() == other);
    drop(waiting);
    assert!(!new.is_to_be_taken_over());
    ingest(&new, &samples());
}

#[test]
fn what_was_made_beside_a_library_is_taken_over_when_who_used_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let shorter = [("IBID__CHUNK__TARGET_TOKENS".to_owned(), "60".to_owned())];
    let library = library(folder.path());
    ingest(&library, &samples());
    let before = library.shelf().counts().unwrap().passages;
    let reembedding = reembedding(folder.path(), &[], &shorter);
    until("all is made and it waits", || folder.path().join("reembed.json").exists());
    drop(library);
    let (code, words) = ended(reembedding);
    assert!(code == Some(0) && !words.contains("answers from them now"), "{code:?} {words}");
    let mut settings = settings(folder.path());
    settings.chunk.target_tokens = 60;
    let library = Library::open(settings, Embedder::bundled().unwrap()).unwrap();
    assert!(library.shelf().counts().unwrap().passages > before, "they are shorter");
}
