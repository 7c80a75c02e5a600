//! What operators do: jobs, copies, checks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Service, ingest, library, run, samples};

/// Articles that differ in one number each, as a body.
fn articles(count: usize) -> Vec<u8> {
    let article = |n: usize| json!({ "key": format!("n{n}"), "title": format!("第{n}号仓库"), "text": format!("第{n}号仓库存着{}吨粮食，由{n}队看守。", n * 7) });
    serde_json::to_vec(&(1..=count).map(article).collect::<Vec<_>>()).unwrap()
}

fn begin(service: &Service, count: usize) -> String {
    let (status, job) = service.post("/v1/articles?wait=false", &articles(count));
    assert_eq!((status, &job["state"], &job["sources"]), (202, &json!("waiting"), &json!(count)), "{job}");
    job["id"].as_str().unwrap().to_owned()
}

fn ended(service: &Service, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let job = service.json(&format!("/v1/jobs/{id}"));
        if !["waiting", "running"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        assert!(begun.elapsed() < Duration::from_mins(10), "{job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_job_is_acknowledged_at_once_watched_and_found() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let id = begin(&service, 40);
    let (_, _, events) = service.get(&format!("/v1/jobs/{id}/events"));
    let last = events.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!((&last["state"], &last["added"], &last["done"]), (&json!("done"), &json!(40), &json!(40)), "{events}");
    assert_eq!(ended(&service, &id), last);
    let answer = service.ask("第17号仓库存着多少吨粮食？");
    assert!(answer["answer"][0]["text"].as_str().is_some_and(|text| text.contains("119")), "{answer}");
    // Sent again, nothing is new; both are listed, the later first.
    let again = ended(&service, &begin(&service, 40));
    assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(40)));
    let listed = service.json("/v1/jobs");
    assert_eq!(listed["jobs"], json!([again, last]));
    assert_eq!(service.get("/v1/jobs/job_none").0, 404);
}

#[test]
fn a_killed_job_goes_on_and_a_cancelled_one_does_not() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let id = begin(&service, 1500);
    drop(service);
    let service = Service::start(data.path(), &[]);
    let job = ended(&service, &id);
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(1500)), "{job}");
    let samples = service.json("/v1/articles?limit=1")["total"].as_u64().unwrap() - 1500;
    let id = begin(&service, 3000);
    let (status, _, body) =
        service.raw(format!("DELETE /v1/jobs/{id} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes());
    assert!(status == 200 && body.contains("cancelled"), "{body}");
    drop(service);
    let service = Service::start(data.path(), &[]);
    let job = service.json(&format!("/v1/jobs/{id}"));
    assert_eq!(job["state"], "cancelled");
    let total = service.json("/v1/articles?limit=1")["total"].as_u64().unwrap();
    assert!((samples + 1500..samples + 3000).contains(&total), "{total} articles");
}

#[test]
fn a_copy_taken_while_serving_is_verified_and_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, copy, other) = (at("data"), at("copy"), at("other"));
    let service = Service::start(Path::new(&data), &[]);
    let question = "夜市的摊位费每晚收多少元？";
    let answer = |service: &Service| {
        let mut answer = service.ask(question);
        for volatile in ["id", "timings_ms"] {
            answer.as_object_mut().unwrap().remove(volatile);
        }
        answer.to_string().replace(&service.url(), "")
    };
    let before = answer(&service);
    assert!(run(&["backup", "--data", &data, &copy]).status.success());
    let refused = run(&["backup", "--data", &data, &copy]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("is there already"));
    assert!(!run(&["restore", "--data", &data, &copy]).status.success(), "over a library that is in use");
    drop(service);
    let restored = run(&["restore", "--data", &other, &copy]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert!(run(&["check", "--deep", "--data", &other]).status.success());
    assert_eq!(answer(&Service::start(Path::new(&other), &[])), before);
    // A copy with one bit turned is not put back.
    let mut bytes = std::fs::read(&copy).unwrap();
    let text = "摊位费".as_bytes();
    let place = bytes.windows(text.len()).position(|part| part == text).unwrap();
    bytes[place] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let refused = run(&["restore", "--data", &at("third"), &copy]);
    assert_eq!(refused.status.code(), Some(3), "{}", String::from_utf8_lossy(&refused.stderr));
}

#[test]
fn an_older_database_beside_newer_indexes_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = library(&data);
    ingest(&first, &samples().join("pages"));
    drop(first);
    std::fs::copy(data.join("ibid.sqlite"), folder.path().join("old")).unwrap();
    let second = library(&data);
    ingest(&second, &samples());
    drop(second);
    std::fs::copy(folder.path().join("old"), data.join("ibid.sqlite")).unwrap();
    let refused = run(&["ask", "--data", data.to_str().unwrap(), "夜市"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(3) && words.contains("ibid.sqlite") && words.contains("older state"), "{words}");
}

#[test]
fn every_file_of_the_library_may_be_damaged_and_nothing_wrong_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, data) = (folder.path().join("whole"), folder.path().join("data"));
    let graph = |library: &mut ibid::settings::Settings| library.search.exact_below = 5;
    let mut settings = crate::service::settings(&whole);
    graph(&mut settings);
    let first = ibid::library::Library::open(settings, ibid::embed::Embedder::bundled().unwrap()).unwrap();
    ingest(&first, &samples().join("pages"));
    first.settle(&|_| ()).unwrap();
    drop(first);
    let files = walk(&whole);
    assert!(files.iter().any(|file| file.starts_with("graph-")) && files.iter().any(|file| file.starts_with("words")));
    let ask = || {
        let arguments = ["ask", "--json", "--data", data.to_str().unwrap(), "夜市的摊位费每晚收多少元？"];
        let asked = std::process::Command::new(crate::service::IBID)
            .args(arguments)
            .env("IBID__SEARCH__EXACT_BELOW", "5")
            .output()
            .unwrap();
        let answer: Value = serde_json::from_slice(&asked.stdout).unwrap_or_default();
        (asked.status.code(), answer["answer"].clone(), String::from_utf8_lossy(&asked.stderr).into_owned())
    };
    let copy = |damage: &dyn Fn(&Path)| {
        let _ = std::fs::remove_dir_all(&data);
        for file in &files {
            std::fs::create_dir_all(data.join(file).parent().unwrap()).unwrap();
            std::fs::copy(whole.join(file), data.join(file)).unwrap();
        }
        damage(&data);
    };
    copy(&|_| ());
    let (code, truth, words) = ask();
    assert!(code == Some(0) && truth[0]["text"].is_string(), "{words}");
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let mut outcomes = [0, 0];
    for file in &files {
        let length = std::fs::metadata(whole.join(file)).unwrap().len();
        for round in 0..8 {
            let (place, bit) = (random.u64(0..length.max(1)), 1 << random.u8(0..8));
            copy(&|data| {
                let path = data.join(file);
                let mut bytes = std::fs::read(&path).unwrap();
                let at = usize::try_from(place).unwrap();
                match round {
                    0 => return std::fs::remove_file(path).unwrap(),
                    1 => bytes.truncate(at),
                    2 => bytes.clear(),
                    3 => bytes[at..].iter_mut().take(4096).for_each(|byte| *byte = 0),
                    _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit),
                }
                std::fs::write(path, bytes).unwrap();
            });
            let (code, answer, words) = ask();
            match code {
                // Built again, or not read for this; or, with all of the truth gone, an empty library.
                Some(0) if answer == truth || (file == "ibid.sqlite" && answer == json!([])) => outcomes[0] += 1,
                Some(3) if words.contains("ibid.sqlite") && file.starts_with("ibid.sqlite") => outcomes[1] += 1,
                _ => panic!("{file}, damage {round} at {place}: {code:?} {answer} {words}"),
            }
        }
    }
    assert!(outcomes[0] > 20 && outcomes[1] > 3, "{outcomes:?}");
}

fn walk(folder: &Path) -> Vec<String> {
    let inside = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let below = entry.path().is_dir().then(|| walk(&entry.path()));
        below.map_or_else(|| vec![name.clone()], |below| below.iter().map(|file| format!("{name}/{file}")).collect())
    };
    let mut found: Vec<String> = std::fs::read_dir(folder).unwrap().flat_map(|entry| inside(entry.unwrap())).collect();
    found.retain(|file| file != "LOCK" && Path::new(file).extension().is_none_or(|extension| extension != "lock"));
    found.sort();
    found
}

#[test]
fn a_slow_client_is_let_go_and_one_too_many_is_told_to_come_back() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("MAX_CONNECTIONS", "16"), ("HEAD_SECONDS", "4"), ("BODY_SECONDS", "1")];
    let environment = settings.map(|(name, value)| (format!("IBID__SERVER__{name}"), value.to_owned()));
    let service = Service::start_with(data.path(), &[], &environment);
    let open = |sent: &[u8]| {
        let mut stream = TcpStream::connect(service.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(sent).unwrap();
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    };
    let begun = Instant::now();
    assert_eq!(rest(open(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ")), "", "half a head");
    let slow =
        rest(open(b"POST /v1/ask HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"));
    assert!(slow.contains("400") || slow.contains("408") || slow.is_empty(), "half a body: {slow}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // Places of those that were let go are free a moment later: a few more may be told to come back.
    let crowd: Vec<TcpStream> = (0..24).map(|_| open(b"")).collect();
    let ends: Vec<String> = crowd.into_iter().map(rest).collect();
    let told = |end: &&String| end.contains(" 503 ") && end.contains("retry-after") && end.contains("too_many_connections");
    assert!(ends.iter().filter(told).count() >= 8, "{ends:?}");
    assert!(ends.iter().all(|end| end.is_empty() || told(&end)), "the others were let go: {ends:?}");
    assert_eq!(service.get("/healthz").0, 200);
}

#[test]
fn a_key_may_ask_so_often_and_wrong_ones_are_slowed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let environment = |extra: &[(&str, &str)]| -> Vec<(String, String)> {
        let keys = [("IBID__SERVER__KEYS", file.to_str().unwrap())];
        keys.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let made =
        std::process::Command::new(crate::service::IBID).args(["key", "new", "reader"]).envs(environment(&[])).output().unwrap();
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let limit = environment(&[("IBID__SERVER__REQUESTS_PER_MINUTE", "5")]);
    let service = Service::start_with(&folder.path().join("data"), &[], &limit);
    let list = |key: &str| {
        let request = format!("GET /v1/articles HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n");
        service.raw(request.as_bytes())
    };
    assert_eq!((0..5).map(|_| list(&key).0).collect::<Vec<_>>(), [200; 5]);
    let (status, head, body) = list(&key);
    assert!(status == 429 && head.contains("retry-after: ") && body.contains("rate_limited"), "{head} {body}");
    let wrong: Vec<u16> = (0..25).map(|_| list("ibid_0000").0).collect();
    assert_eq!((wrong[0], wrong[24]), (401, 429));
    assert!(!service.get("/healthz").2.is_empty());
    drop(service);
    // A day's are fewer here, and the wait is longer.
    let limit = environment(&[("IBID__SERVER__REQUESTS_PER_MINUTE", "5"), ("IBID__SERVER__REQUESTS_PER_DAY", "3")]);
    let service = Service::start_with(&folder.path().join("data"), &[], &limit);
    let list = || {
        let request = format!("GET /v1/articles HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n");
        service.raw(request.as_bytes())
    };
    assert_eq!((0..3).map(|_| list().0).collect::<Vec<_>>(), [200; 3]);
    let (status, head, body) = list();
    let wait: u64 = head.split("retry-after: ").nth(1).unwrap().split('\r').next().unwrap().parse().unwrap();
    assert!(status == 429 && body.contains("requests_per_day") && wait > 3600, "{head} {body}");
}

#[test]
fn a_watched_folder_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir(&corpus).unwrap();
    let write = |name: &str, text: &str| std::fs::write(corpus.join(name), text).unwrap();
    write("east.md", "# 第3号仓库\n\n第3号仓库存着21吨粮食，由3队看守。\n");
    // The data folder lies below what is watched.
    let service = Service::start(&corpus.join("data"), &["--watch", "--corpus", corpus.to_str().unwrap()]);
    let until = |question: &str, wanted: Option<&str>| {
        let begun = Instant::now();
        loop {
            let answer = service.ask(question)["answer"].to_string();
            if wanted.map_or(answer == "[]", |wanted| answer.contains(wanted)) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{question}: {answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("第3号仓库存着多少吨粮食？", Some("21吨"));
    write("west.md", "# 灯塔\n\nThe west lighthouse is 31 metres high and opens on Saturdays.\n");
    until("How high is the west lighthouse?", Some("31 metres"));
    write("east.md", "# 第3号仓库\n\n第3号仓库存着58吨粮食，由3队看守。\n");
    until("第3号仓库存着多少吨粮食？", Some("58吨"));
    std::fs::remove_file(corpus.join("west.md")).unwrap();
    until("How high is the west lighthouse?", None);
}

#[test]
fn asked_to_stop_under_load_it_ends_what_it_began() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path(), &[]);
    let address = service.address().to_owned();
    let body = json!({ "question": "夜市的摊位费每晚收多少元？" }).to_string();
    let request = format!(
        "POST /v1/ask HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (address, request) = (address.clone(), request.clone());
            std::thread::spawn(move || {
                let (mut whole, mut broken) = (0, Vec::new());
                // Until nobody listens any more.
                while let Ok(mut stream) = TcpStream::connect(&address) {
                    let mut answer = String::new();
                    if stream.write_all(request.as_bytes()).is_err()
                        || stream.read_to_string(&mut answer).is_err()
                        || answer.is_empty()
                    {
                        continue;
                    }
                    let told = answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Value>(body).ok());
                    if told.is_some() { whole += 1 } else { broken.push(answer) }
                }
                (whole, broken)
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(service.stop(), Some(0));
    for client in clients {
        let (whole, broken) = client.join().unwrap();
        assert!(whole > 0 && broken.is_empty(), "{whole} whole, broken: {broken:?}");
    }
}
