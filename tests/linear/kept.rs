//! Storing, recognising, listing and checking: on a library in a folder of its own, with the model that costs least.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use ibid::article::{ArticleId, Source};
use ibid::embed::Embedder;
use ibid::library::{Corpus, Library, check};
use ibid::read::files::source;
use ibid::settings::{self, Settings};
use ibid::shelf::embedded;

use crate::{Case, Work};

fn settings(data: &Path) -> Settings {
    let mut settings = settings::resolve(None, std::iter::empty(), vec![]).expect("the defaults");
    data.clone_into(&mut settings.library.data);
    settings
}

fn embedder() -> Embedder {
    Embedder::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/static-multilingual")).expect("a model")
}

/// A library and its folder, which goes with it.
struct Kept {
    library: Library,
    folder: tempfile::TempDir,
}

impl Kept {
    fn empty() -> Rc<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let library = Library::open(settings(&folder.path().join("data")), embedder()).expect("a library");
        Rc::new(Self { library, folder })
    }

    fn add(&self, source: Source) -> ArticleId {
        let report = self.library.add(&[source]).expect("it is kept");
        self.library.shelf().refresh().expect("it is found");
        report.kept[0].0.clone()
    }
}

fn prose(size: usize, state: usize) -> Source {
    let text = "The ferry leaves at nine. 渡船九点开。 ".repeat(size / 40 + 1);
    source("a.txt".to_owned(), "api:a".to_owned(), format!("{text} {state}.").into_bytes())
}

fn line(number: usize, state: usize) -> String {
    format!("{{\"id\": {number}, \"title\": \"Ferry {number}\", \"text\": \"Ferry {number} leaves at {state}.\"}}\n")
}

fn lines(order: impl Iterator<Item = usize>, state: impl Fn(usize) -> usize) -> Source {
    let text: String = order.map(|number| line(number, state(number))).collect();
    source("a.jsonl".to_owned(), "api:a".to_owned(), text.into_bytes())
}

/// A library with `count` articles.
fn filled(count: usize) -> Rc<Kept> {
    let kept = Kept::empty();
    kept.add(lines(0..count, |_| 0));
    kept
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("keep: one article of prose", 1 << 14, 16, |size| {
            let (kept, state) = (Kept::empty(), Cell::new(0));
            Box::new(move || drop(kept.add(prose(size, state.replace(state.get() + 1)))))
        }),
        Case::new("keep: another title of one article", 1 << 14, 16, |size| {
            let (kept, state) = (Kept::empty(), Cell::new(0));
            let id = kept.add(prose(size, 0));
            Box::new(move || {
                let title = format!("title {}", state.replace(state.get() + 1));
                let change = |record: &mut ibid::article::Record| title.clone_into(&mut record.title);
                kept.library.describe(&id, &change).expect("it is kept");
                kept.library.shelf().refresh().expect("it is found");
            })
        }),
        Case::new("keep: new lines of json", 128, 8, |count| {
            let state = Cell::new(0);
            let kept = Kept::empty();
            Box::new(move || {
                let state = state.replace(state.get() + 1);
                let text: String = (0..count).map(|number| line(number, state)).collect();
                kept.add(source("a.jsonl".to_owned(), format!("api:{state}"), text.into_bytes()));
            })
        }),
        Case::new("keep: one changed line of json", 256, 16, |count| {
            let (kept, state) = (filled(count), Cell::new(1));
            Box::new(move || {
                let state = state.replace(state.get() + 1);
                kept.add(lines(0..count, |number| if number == count / 2 { state } else { 0 }));
            })
        }),
        Case::new("keep: all lines changed and turned round", 128, 8, |count| {
            let (kept, state) = (filled(count), Cell::new(1));
            Box::new(move || {
                let state = state.replace(state.get() + 1);
                let order: Vec<usize> = if state % 2 == 1 { (0..count).rev().collect() } else { (0..count).collect() };
                kept.add(lines(order.into_iter(), |_| state));
            })
        }),
        Case::new("keep: a folder of files, unchanged", 128, 8, |count| {
            let kept = Kept::empty();
            let folder = kept.folder.path().join("corpus");
            std::fs::create_dir(&folder).expect("a folder");
            for number in 0..count {
                std::fs::write(folder.join(format!("{number}.txt")), format!("Ferry {number} leaves.")).expect("a file");
            }
            let corpus = Corpus::Paths(vec![folder]);
            kept.library.ingest(&corpus, &|_| ()).expect("they are kept");
            Box::new(move || drop(kept.library.ingest(&corpus, &|_| ()).expect("they are known")))
        }),
        Case::new("list: all articles, page by page", 512, 8, |count| {
            let kept = filled(count);
            Box::new(move || {
                let shelf = kept.library.shelf();
                let mut offset = 0;
                while offset < count {
                    offset += shelf.articles(offset, 100).expect("articles").len();
                }
            })
        }),
        Case::new("check: deep, many articles", 256, 16, |count| checked(&filled(count), count)),
        Case::new("check: deep, one long article", 1 << 14, 16, |size| {
            let kept = Kept::empty();
            kept.add(prose(size, 0));
            checked(&kept, 1)
        }),
        Case::new("backup: many articles", 256, 16, |count| {
            let (kept, number) = (filled(count), Cell::new(0));
            Box::new(move || {
                let file = kept.folder.path().join(format!("copy-{}", number.replace(number.get() + 1)));
                embedded::backup(&kept.library.settings().library.data, &file).expect("a copy");
            })
        }),
        Case::new("open: many articles", 256, 16, |count| {
            let kept = filled(count);
            let copy = kept.folder.path().join("copy");
            embedded::backup(&kept.library.settings().library.data, &copy).expect("a copy");
            let again = kept.folder.path().join("again");
            embedded::restore(&copy, &again).expect("it is put back");
            let embedder = Arc::new(embedder());
            let open = move || drop(Library::open(settings(&again), Arc::clone(&embedder)).expect("a library"));
            // The first time the index of words is built; large inputs are not measured a second time.
            open();
            Box::new(move || {
                assert!(kept.folder.path().exists(), "the folder is there as long as the work");
                open();
            })
        }),
    ]
}

fn checked(kept: &Rc<Kept>, articles: usize) -> Work {
    let (kept, embedder) = (Rc::clone(kept), embedder());
    Box::new(move || {
        let settings = kept.library.settings();
        let checked = check(&settings.library.data, settings, Some(&embedder), &|_| ()).expect("it is read");
        assert!(checked.damage.is_empty() && checked.articles == articles, "{checked:?}");
    })
}
