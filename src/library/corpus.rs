//! What is to be read: files, or the sample articles in the binary.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::article::Source;
use crate::read::files::{self, Found, Skipped};
use crate::read::{self, Format};
use crate::shelf::KnownSource;

/// What the location of a sample begins with.
const SAMPLE: &str = "bundled:";

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/corpus");

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Corpus {
    /// The sample articles.
    Bundled,
    /// Files and folders.
    Paths(Vec<PathBuf>),
}

/// A source, or part of one, that could not be used.
#[derive(Debug)]
pub struct Unusable {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: read::Error,
}

/// A source that is to be read.
pub(super) enum Item {
    File(Found),
    Sample(&'static include_dir::File<'static>),
}

impl Item {
    /// What readers are shown.
    pub(super) fn path(&self) -> String {
        match self {
            Self::File(found) => found.path.clone(),
            Self::Sample(file) => file.path().to_string_lossy().replace('\\', "/"),
        }
    }

    /// Reads it, if it has at most `limit` bytes.
    pub(super) fn open(&self, limit: u64) -> Result<Source, read::Error> {
        match self {
            Self::File(found) => files::open(found, limit),
            Self::Sample(file) => {
                let location = format!("{SAMPLE}{}", self.path());
                Ok(files::source(self.path(), location, file.contents().to_vec()))
            }
        }
    }
}

/// What a corpus holds.
#[derive(Default)]
pub(super) struct Items {
    /// What is to be read.
    pub(super) found: Vec<Item>,
    /// What is not opened, and why.
    pub(super) skipped: Vec<(String, Skipped)>,
    /// What could not be looked into.
    pub(super) unusable: Vec<Unusable>,
}

/// What `corpus` holds.
pub(super) fn items(corpus: &Corpus) -> Items {
    let mut all = Items::default();
    match corpus {
        Corpus::Bundled => samples(&SAMPLES, &mut all.found),
        Corpus::Paths(paths) => {
            for walk in paths.iter().map(|root| files::walk(root)) {
                all.found.extend(walk.found.into_iter().map(Item::File));
                all.skipped.extend(walk.skipped);
                all.unusable.extend(walk.broken.into_iter().map(|(path, reason)| Unusable { path, reason }));
            }
        }
    }
    all
}

fn samples(folder: &'static Dir<'static>, items: &mut Vec<Item>) {
    let readable = |file: &&include_dir::File<'_>| Format::of(&file.path().to_string_lossy()).is_some();
    items.extend(folder.files().filter(readable).map(Item::Sample));
    folder.dirs().for_each(|folder| samples(folder, items));
}

/// Whether any of `known` is not a sample.
pub(super) fn is_own(known: &[KnownSource]) -> bool {
    known.iter().any(|source| !source.location.starts_with(SAMPLE))
}

/// Known sources below the paths that are no longer there.
pub(super) fn missing(corpus: &Corpus, known: &[KnownSource]) -> Vec<String> {
    let Corpus::Paths(paths) = corpus else { return vec![] };
    let roots: Vec<PathBuf> = paths.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect();
    let gone = known.iter().filter(|source| {
        let file = Path::new(&source.location);
        !source.sha256.is_empty() && roots.iter().any(|root| file.starts_with(root)) && !file.exists()
    });
    gone.map(|source| source.location.clone()).collect()
}
