//! The shelf against a plain map: random changes from a seed, and a fault at a random step of many of them.
//!
//! A fault interrupts the database in the middle of a change, ends the process there (what is on the disk at that step
//! is opened anew, elsewhere), or ends it while the change is written (the log is cut short at any byte). A change that
//! was acknowledged is there afterwards, another is there whole or not at all, what was cited says what it said, and
//! what was purged is gone. `IBID_SEEDS=10000 cargo test --release simulated` tries more than the usual seeds, and
//! `IBID_FIRST_SEED` begins with another than 0.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{DATABASE, Shelf, held, inspect};
use crate::article::{Article, ArticleId, Builder, Passage, Record, Span};
use crate::embed::{ModelInfo, UnitVector};
use crate::settings;
use crate::shelf::{Change, Content, Error, Filter, Identity, Incoming, JobLimits, NewPassage, Retention, SentenceVectors};

const SEEDS: u64 = 200;
const ACTS: usize = 14;
const SOURCES: u8 = 3;
const ARTICLES: u8 = 4;
const DIMENSION: usize = 8;
/// Steps of SQLite's machine within which a fault comes; a change takes some thousand.
const WITHIN: i64 = 4000;

/// An article: its source and its number there.
type Key = (u8, u8);

/// What the shelf must say.
#[derive(Debug, Clone, Default)]
struct Model {
    current: BTreeMap<Key, (u32, u32)>,
    /// Each version that was ever kept and is not purged: what number its text holds.
    cited: BTreeMap<(Key, u32), u32>,
    /// Versions that were ever given.
    given: BTreeMap<Key, u32>,
}

#[derive(Debug, Clone)]
enum Act {
    /// A source holds these articles; those with a number are new.
    Commit(u8, Vec<(u8, Option<u32>)>),
    Amend(Key, u32),
    Remove(Key),
    Purge(Key),
    RemoveSource(u8),
    Job(u32),
    Refresh,
    Reopen,
    Backup,
}

/// How a change is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The database gives up at a step.
    Interrupted(i64),
    /// The process ends at a step.
    Killed(i64),
    /// The process ends while the log is written, at this share of it in 1/256.
    Torn(u64),
}

impl Model {
    fn keep(&mut self, key: Key, number: u32) {
        let version = self.given.entry(key).or_default();
        *version += 1;
        self.current.insert(key, (*version, number));
        self.cited.insert((key, *version), number);
    }

    fn after(&self, act: &Act) -> Self {
        let mut after = self.clone();
        match act {
            Act::Commit(source, articles) => {
                let there: BTreeSet<u8> = articles.iter().map(|(number, _)| *number).collect();
                after.current.retain(|(of, number), _| of != source || there.contains(number));
                for (article, number) in articles {
                    if let Some(number) = number {
                        after.keep((*source, *article), *number);
                    }
                }
            }
            Act::Amend(key, number) => after.keep(*key, *number),
            Act::Remove(key) => drop(after.current.remove(key)),
            Act::Purge(key) => {
                after.current.remove(key);
                after.cited.retain(|(of, _), _| of != key);
            }
            Act::RemoveSource(source) => after.current.retain(|(of, _), _| of != source),
            Act::Job(_) | Act::Refresh | Act::Reopen | Act::Backup => {}
        }
        after
    }

    fn random_act(&self, random: &mut fastrand::Rng) -> Act {
        let known: Vec<Key> = self.current.keys().copied().collect();
        let number = random.u32(..);
        match (random.u8(..16), random.choice(&known)) {
            (0..=2, Some(key)) => Act::Amend(*key, number),
            (3, Some(key)) => Act::Remove(*key),
            (4..=5, Some(key)) => Act::Purge(*key),
            (6, Some((source, _))) => Act::RemoveSource(*source),
            (7, _) => Act::Job(number),
            (8, _) => Act::Refresh,
            (9, _) => Act::Reopen,
            (10, _) => Act::Backup,
            _ => {
                let source = random.u8(..SOURCES);
                let mut chosen: Vec<u8> = (0..ARTICLES).filter(|_| random.bool()).collect();
                random.shuffle(&mut chosen);
                let new = |article| {
                    let same = self.current.contains_key(&(source, article)) && random.bool();
                    (article, (!same).then(|| random.u32(..)))
                };
                Act::Commit(source, chosen.into_iter().map(new).collect())
            }
        }
    }
}

fn id((source, article): Key) -> ArticleId {
    ArticleId(format!("{source:08x}{article:08x}"))
}

fn location(source: u8) -> String {
    format!("api:{source}")
}

fn text(number: u32) -> String {
    format!("The gate has number g{number}.\nThe keeper writes w{number} down.")
}

fn article(number: u32) -> Article {
    let mut builder = Builder::default();
    builder.push_lines(&text(number), 1);
    builder.finish(Record { title: format!("t{number}"), encoding: "UTF-8".to_owned(), ..Record::default() })
}

fn incoming(key: Key, number: Option<u32>) -> Incoming {
    let content = number.map(|number| {
        let article = article(number);
        let middle = article.text.find('\n').unwrap();
        let spans = [Span::new(0, middle), Span::new(middle + 1, article.text.len())];
        let vector = UnitVector::from_bytes(
            &[[1.0_f32].as_slice(), &[0.0; DIMENSION - 1]].concat().iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>(),
            DIMENSION,
        );
        let passage = |span| NewPassage {
            passage: Passage { span, section: None },
            vector: vector.clone(),
            sentences: SentenceVectors::of(std::slice::from_ref(&vector), DIMENSION),
        };
        Content { passages: spans.map(passage).into(), article }
    });
    Incoming { id: id(key), sha256: format!("{number:?}"), content }
}

fn change(source: u8, articles: Vec<Incoming>) -> Change {
    let location = location(source);
    Change { path: location.clone(), location, sha256: String::new(), left_out: vec![], broken: vec![], articles }
}

/// A source that holds one article with this number, and the article's id.
pub(super) fn numbered(number: u32) -> (Change, ArticleId) {
    (change(0, vec![incoming((0, 0), Some(number))]), id((0, 0)))
}

pub(super) fn open(folder: &Path) -> Shelf {
    let model = ModelInfo {
        id: "simulated".to_owned(),
        sha256: "0".repeat(64),
        dimension: DIMENSION,
        pooling: "mean",
        question_prefix: String::new(),
        passage_prefix: String::new(),
    };
    let search = settings::resolve(None, std::iter::empty(), vec![]).unwrap().search;
    Shelf::open(folder, Identity { model, chunk_rules: "two".to_owned() }, &search).unwrap().with_retention(Retention::default())
}

/// What a killed process leaves of `folder`: its files, without the marks of who uses them; of the log so many bytes.
fn image(folder: &Path, into: &Path, log: Option<u64>) {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(folder).unwrap();
        let target = into.join(name);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
        } else if !["LOCK", "ibid.sqlite-shm"].contains(&name.to_string_lossy().as_ref()) {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
    if let Some(bytes) = log {
        let log = std::fs::OpenOptions::new().write(true).open(into.join(LOG)).unwrap();
        log.set_len(bytes).unwrap();
    }
}

const LOG: &str = "ibid.sqlite-wal";

fn log_bytes(folder: &Path) -> u64 {
    std::fs::metadata(folder.join(LOG)).map_or(0, |about| about.len())
}

/// A shelf in a folder, and what it must say.
struct World {
    home: tempfile::TempDir,
    folders: usize,
    shelf: Option<Shelf>,
    model: Model,
    told: Told,
}

/// What faults there were, and what came of disturbed changes.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    interrupted: usize,
    killed: usize,
    torn: usize,
    /// Changes that were whole although nobody was told so, and changes that were not there.
    there: usize,
    not_there: usize,
}

impl Told {
    fn all(self) -> [usize; 5] {
        [self.interrupted, self.killed, self.torn, self.there, self.not_there]
    }

    fn plus(self, other: Self) -> Self {
        Self {
            interrupted: self.interrupted + other.interrupted,
            killed: self.killed + other.killed,
            torn: self.torn + other.torn,
            there: self.there + other.there,
            not_there: self.not_there + other.not_there,
        }
    }
}

/// Why the shelf does not say what the model says.
#[derive(Debug, thiserror::Error)]
enum Unlike {
    #[error(transparent)]
    Unreadable(#[from] Error),
    #[error("it says {said} and not {wanted}")]
    Articles { said: String, wanted: String },
    #[error("version {version} of {key:?} says {kept:?} and not {cited:?}")]
    Version { key: Key, version: u32, kept: Option<String>, cited: Option<String> },
}

impl World {
    fn new() -> Self {
        // In memory where there is such a place: a process that ends loses nothing of what was written, synced or not.
        let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let shelf = open(&home.path().join("0"));
        Self { home, folders: 1, shelf: Some(shelf), model: Model::default(), told: Told::default() }
    }

    fn shelf(&self) -> &Shelf {
        self.shelf.as_ref().unwrap()
    }

    fn fresh(&mut self) -> PathBuf {
        self.folders += 1;
        self.home.path().join(self.folders.to_string())
    }

    /// Does `act` and, where a fault ends the process in it, goes on in what that leaves.
    fn act(&mut self, act: &Act, fault: Fault) {
        let (before, after) = (self.model.clone(), self.model.after(act));
        let folder = self.shelf().folder().to_owned();
        let (log, next) = (log_bytes(&folder), self.fresh());
        let left = match fault {
            Fault::Interrupted(step) | Fault::Killed(step) => {
                self.arm(step, (fault == Fault::Killed(step)).then(|| next.clone()))
            }
            Fault::None | Fault::Torn(_) => Arc::new(AtomicI64::new(i64::MAX)),
        };
        let done = self.attempt(act);
        self.disarm();
        let disturbed = left.load(Ordering::SeqCst) < 0;
        if let Fault::Torn(share) = fault {
            let grown = log_bytes(&folder).saturating_sub(log);
            // A log that began anew says nothing of where the change begins in it.
            if grown > 0 {
                self.told.torn += 1;
                image(&folder, &next, Some(log + grown * share / 256));
                self.go_on_in(&next, &before, &after);
                return;
            }
        }
        if disturbed && next.exists() {
            self.told.killed += 1;
            self.go_on_in(&next, &before, &after);
        } else if done.is_ok() {
            self.model = after;
            self.agrees().unwrap();
        } else {
            assert!(disturbed, "{act:?} failed by itself: {done:?}");
            self.told.interrupted += 1;
            self.choose(&before, &after);
        }
    }

    fn go_on_in(&mut self, folder: &Path, before: &Model, after: &Model) {
        self.shelf = None;
        self.shelf = Some(open(folder));
        self.choose(before, after);
    }

    /// The model is that of one of two states: nothing lies between.
    fn choose(&mut self, before: &Model, after: &Model) {
        self.model = after.clone();
        match self.agrees() {
            Ok(()) => self.told.there += 1,
            // A shelf that cannot be read is not in the state before.
            Err(Unlike::Unreadable(error)) => panic!("{error}"),
            Err(Unlike::Articles { .. } | Unlike::Version { .. }) => {
                self.told.not_there += 1;
                self.model = before.clone();
                self.agrees().unwrap();
            }
        }
    }

    /// Has the writer's connection give up after so many steps, once what is on the disk then lies in `image`.
    fn arm(&self, steps: i64, killed_into: Option<PathBuf>) -> Arc<AtomicI64> {
        let left = Arc::new(AtomicI64::new(steps));
        let (counted, folder) = (Arc::clone(&left), self.shelf().folder().to_owned());
        let handler = move || {
            let now = counted.fetch_sub(1, Ordering::SeqCst);
            if now == 0
                && let Some(into) = &killed_into
            {
                image(&folder, into, None);
            }
            now == 0
        };
        held(&self.shelf().writer).progress_handler(1, Some(handler)).unwrap();
        left
    }

    fn disarm(&self) {
        held(&self.shelf().writer).progress_handler(0, None::<fn() -> bool>).unwrap();
    }

    fn attempt(&mut self, act: &Act) -> Result<(), Error> {
        let opened = self.shelf();
        match act {
            Act::Commit(source, articles) => {
                let incoming = |(article, number): &(u8, Option<u32>)| incoming((*source, *article), *number);
                opened.commit(&change(*source, articles.iter().map(incoming).collect()))
            }
            Act::Amend(key, number) => opened.amend(&incoming(*key, Some(*number))),
            Act::Remove(key) => opened.remove_article(&id(*key)).map(drop),
            Act::Purge(key) => opened.purge_article(&id(*key)).map(drop),
            Act::RemoveSource(source) => opened.remove(&location(*source)),
            Act::Job(number) => {
                let source = crate::read::files::source("a".to_owned(), "a".to_owned(), text(*number).into_bytes());
                opened.add_job(&format!("job_{number}"), 0, &[source], JobLimits { jobs: 1000, bytes: 1 << 20 })
            }
            Act::Refresh => opened.refresh(),
            Act::Reopen => {
                let folder = opened.folder().to_owned();
                self.shelf = None;
                self.shelf = Some(open(&folder));
                Ok(())
            }
            Act::Backup => {
                let copy = self.home.path().join(format!("copy-{}", self.folders));
                super::backup(self.shelf().folder(), &copy).map(drop)
            }
        }
    }

    /// Whether the shelf says what the model says.
    fn agrees(&self) -> Result<(), Unlike> {
        let opened = self.shelf();
        let articles = opened.articles(0, 1000)?;
        let said: BTreeMap<&str, (u32, &str)> =
            articles.iter().map(|one| (one.id.0.as_str(), (one.version, one.article.text.as_str()))).collect();
        let wanted: Vec<(String, (u32, String))> =
            self.model.current.iter().map(|(key, (version, number))| (id(*key).0, (*version, text(*number)))).collect();
        let wanted: BTreeMap<&str, (u32, &str)> =
            wanted.iter().map(|(id, (version, text))| (id.as_str(), (*version, text.as_str()))).collect();
        if said != wanted {
            return Err(Unlike::Articles { said: format!("{said:?}"), wanted: format!("{wanted:?}") });
        }
        let outlines: Vec<String> = opened.outlines(0, 1000).unwrap().into_iter().map(|one| one.id.0).collect();
        assert_eq!(outlines, articles.iter().map(|one| one.id.0.clone()).collect::<Vec<_>>());
        for (key, versions) in &self.model.given {
            for version in 1..=*versions {
                let kept = opened.article(&id(*key).0, Some(version))?.map(|stored| stored.article.text);
                let cited = self.model.cited.get(&(*key, version)).map(|number| text(*number));
                if kept != cited {
                    return Err(Unlike::Version { key: *key, version, kept, cited });
                }
            }
        }
        Ok(())
    }

    /// Whether questions find what is current, and nothing else; and whether each row is as it was written.
    fn is_found(&self) {
        let opened = self.shelf();
        opened.refresh().unwrap();
        assert_eq!(opened.counts().unwrap().passages, self.model.current.len() * 2);
        let found = |number: u32| {
            let snapshot = opened.snapshot().unwrap();
            let (_, words) = snapshot.search(&format!("w{number}"), None, 9, &Filter::default()).unwrap();
            let ids: Vec<u32> = words.iter().map(|neighbor| neighbor.passage).collect();
            let passages = snapshot.passages(&ids).unwrap();
            passages
                .into_iter()
                .filter(|passage| passage.text.contains(&format!("w{number} ")))
                .map(|passage| passage.article)
                .collect::<Vec<_>>()
        };
        for ((key, version), number) in &self.model.cited {
            let current = self.model.current.get(key).is_some_and(|(now, _)| now == version);
            assert_eq!(found(*number), if current { vec![id(*key)] } else { vec![] }, "version {version} of {key:?}");
        }
        let connection = inspect::connect(&opened.folder().join(DATABASE)).unwrap();
        assert_eq!(inspect::damage(&connection, true).unwrap(), Vec::<String>::new());
    }
}

fn simulate(seed: u64) -> Told {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new();
    for _ in 0..ACTS {
        let act = world.model.random_act(&mut random);
        let fault = match random.u8(..8) {
            0..=1 => Fault::Interrupted(random.i64(0..WITHIN)),
            2..=3 => Fault::Killed(random.i64(0..WITHIN)),
            4 => Fault::Torn(random.u64(..256)),
            _ => Fault::None,
        };
        let undisturbed = matches!(act, Act::Reopen | Act::Backup | Act::Refresh);
        world.act(&act, if undisturbed { Fault::None } else { fault });
    }
    world.is_found();
    world.told
}

#[test]
fn simulated_changes_and_faults_leave_what_a_map_says() {
    let seeds = std::env::var("IBID_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let first = std::env::var("IBID_FIRST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut told = Told::default();
    for seed in first..seeds {
        match std::panic::catch_unwind(|| simulate(seed)) {
            Ok(one) => told = told.plus(one),
            Err(panic) => panic!("seed {seed}: {:?}", panic.downcast_ref::<String>()),
        }
    }
    let few = seeds.saturating_sub(first) < SEEDS;
    assert!(few || told.all().iter().all(|count| *count > 0), "each fault and each end was met: {told:?}");
}
