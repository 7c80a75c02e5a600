//! What is to be read: files, or the sample articles in the binary.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::article::Source;
use crate::read::files::{self, FoundFile, Skipped};
use crate::read::{self, Format, INSIDE};
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
    File(FoundFile),
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

    /// Whether it was named itself, and not met in a folder.
    pub(super) fn is_named(&self) -> bool {
        matches!(self, Self::File(found) if found.named)
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
    // What ibid must make of the pages is written beside them.
    let is_gold = |path: &str| path.ends_with(".gold.json");
    let readable = |file: &&include_dir::File<'_>| {
        let path = file.path().to_string_lossy();
        Format::of(&path).is_some() && !is_gold(&path)
    };
    items.extend(folder.files().filter(readable).map(Item::Sample));
    folder.dirs().for_each(|folder| samples(folder, items));
}

/// Whether any of `known` is not a sample.
pub(super) fn is_own(known: &[KnownSource]) -> bool {
    known.iter().any(|source| !is_sample(source))
}

/// Whether it is a sample.
pub(super) fn is_sample(source: &KnownSource) -> bool {
    source.location.starts_with(SAMPLE)
}

/// Known sources below the paths that are no longer there. `archives` are the locations of those that were opened, and
/// `inside` those of the files that they hold.
pub(super) fn missing(
    corpus: &Corpus,
    known: &[KnownSource],
    archives: &HashSet<String>,
    inside: &HashSet<String>,
) -> Vec<String> {
    let Corpus::Paths(paths) = corpus else { return vec![] };
    let roots: Vec<PathBuf> = paths.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect();
    let is_gone = |location: &str| match location.split_once(INSIDE) {
        // An archive that could not be opened now may still hold it.
        _ if Path::new(location).exists() => false,
        Some((archive, _)) => !inside.contains(location) && (archives.contains(archive) || !Path::new(archive).exists()),
        None => true,
    };
    let below = |location: &str| {
        let file = location.split_once(INSIDE).map_or(location, |(archive, _)| archive);
        roots.iter().any(|root| Path::new(file).starts_with(root))
    };
    let gone = known.iter().filter(|source| !source.sha256.is_empty() && below(&source.location) && is_gone(&source.location));
    gone.map(|source| source.location.clone()).collect()
}
