//! One set in one mode: its library, its questions, and what is kept of an interrupted run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::chunk;
use crate::cli::setup;
use crate::embed::Embedder;
use crate::eval::dataset::Dataset;
use crate::eval::record::Record;
use crate::eval::report::{Manifest, Section};
use crate::eval::{self, Filled, Listener, machine, metrics};
use crate::library::Library;
use crate::retrieve::Mode;
use crate::settings::{self, AnswerMode, Settings};
use crate::text::hex;

/// What a finished set leaves until all are finished.
#[derive(Serialize, Deserialize)]
struct Kept {
    fingerprint: String,
    passages: usize,
    speed: BTreeMap<String, f64>,
    records: Vec<Record>,
}

/// Where things are written.
pub(super) struct Places {
    pub(super) out: Option<PathBuf>,
    pub(super) index: Option<PathBuf>,
    pub(super) features: Option<PathBuf>,
    pub(super) answerer: AnswerMode,
}

/// Runs sets one after the other; the library of a set serves all its modes.
pub(super) struct Bench<'a> {
    settings: &'a Settings,
    manifest: &'a Manifest,
    /// Loaded already and not yet in a library.
    embedder: Option<Embedder>,
    open: Option<(Library, Filled)>,
    /// Where finished sets are kept.
    parts: Option<PathBuf>,
    index: Option<PathBuf>,
    /// Where candidates' features are written.
    features: Option<Arc<File>>,
    /// Who answers.
    answerer: AnswerMode,
    /// Libraries that nobody wants to keep.
    scratch: tempfile::TempDir,
    quiet: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        embedder: Embedder,
        manifest: &'a Manifest,
        kept: Places,
        quiet: bool,
    ) -> anyhow::Result<Self> {
        let parts = kept.out.map(|folder| folder.join("parts"));
        if let Some(folder) = &parts {
            std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
        }
        let scratch = tempfile::Builder::new().prefix("ibid-eval-").tempdir().context("making a folder for temporary files")?;
        let features =
            kept.features.map(|file| File::create(&file).map(Arc::new).with_context(|| format!("making `{}`", file.display())));
        let (index, features, answerer) = (kept.index, features.transpose()?, kept.answerer);
        Ok(Self { settings, manifest, embedder: Some(embedder), open: None, parts, index, features, answerer, scratch, quiet })
    }

    /// Figures and records of one set in one mode; what an earlier run finished is taken from it.
    pub(super) fn section(&mut self, set: &Dataset, mode: Mode) -> anyhow::Result<(Section, Vec<Record>)> {
        let part = self.parts.as_ref().map(|folder| folder.join(format!("{}.{}.json", set.name, mode.name())));
        let fingerprint = self.fingerprint(set);
        // Features are written while questions are asked.
        let known = part.as_deref().filter(|_| self.features.is_none()).and_then(|file| known(file, &fingerprint));
        let kept = if let Some(kept) = known {
            kept
        } else {
            let kept = self.measure(set, mode, fingerprint)?;
            part.as_deref().map(|file| save(file, &kept)).transpose()?;
            kept
        };
        let summary = metrics::summary(&kept.records, self.manifest.seed);
        let section = Section {
            set: set.name.clone(),
            mode: mode.name(),
            questions: set.queries.len(),
            passages: kept.passages,
            model: self.manifest.model_sha256.clone(),
            summary,
            speed: kept.speed,
            notes: set.notes.clone(),
        };
        Ok((section, kept.records))
    }

    fn measure(&mut self, set: &Dataset, mode: Mode, fingerprint: String) -> anyhow::Result<Kept> {
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new(set.queries.len() as u64) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").context("the bar's style")?;
        bar.set_style(style);
        bar.set_message(format!("{} ({}): reading", set.name, mode.name()));
        bar.tick();
        let (features, answerer) = (self.features.clone(), self.answerer);
        let (library, filled) = self.library(set)?;
        bar.set_message(format!("{} ({})", set.name, mode.name()));
        let write = |line: &str| -> anyhow::Result<()> {
            let Some(file) = &features else { return Ok(()) };
            writeln!(&**file, "{line}").context("writing features")
        };
        let progress = |done| bar.set_position(done as u64);
        let listener = Listener { answerer, progress: &progress, features: features.is_some().then_some(&write) };
        let (records, timings) = eval::ask(library, set, mode, listener)?;
        bar.finish_and_clear();
        let mut speed = metrics::latency(&timings);
        speed.extend(filled.per_second.map(|rate| ("passages_per_second".to_owned(), rate)));
        speed.extend(machine::peak_memory_mb().map(|memory| ("memory_mb".to_owned(), memory)));
        speed.insert("index_mb".to_owned(), machine::size_mb(library.shelf().folder()));
        Ok(Kept { fingerprint, passages: filled.passages, speed, records })
    }

    /// The set's library, filled.
    fn library(&mut self, set: &Dataset) -> anyhow::Result<(&Library, Filled)> {
        if self.open.is_none() {
            let folder = match &self.index {
                Some(folder) => folder.join(format!("{}-{}", set.name, &self.filling(set)[..12])),
                None => self.scratch.path().join(&set.name),
            };
            let mut settings = self.settings.clone();
            settings.library.data = folder;
            // A set is one file, however many articles it has.
            settings.read.max_source_bytes = 1 << 40;
            let embedder = match self.embedder.take() {
                Some(embedder) => embedder,
                None => setup::embedder(&settings)?,
            };
            let library = Library::open(settings, embedder)?;
            let filled = eval::fill(&library, set, self.scratch.path())?;
            self.open = Some((library, filled));
        }
        let (library, filled) = self.open.as_ref().context("a library was opened")?;
        Ok((library, *filled))
    }

    /// Closes the library of the set that was run.
    pub(super) fn leave(&mut self) {
        self.open = None;
    }

    /// Removes what was kept for the case of an interruption.
    pub(super) fn forget(&self) {
        if let Some(folder) = &self.parts {
            // What stays does no harm: it is used again only where everything is the same.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// Same library, same learnt parameters: the same answers.
    fn fingerprint(&self, set: &Dataset) -> String {
        let (filling, parameters) = (self.filling(set), &self.manifest.parameters_sha256);
        hex(&Sha256::digest(format!("{filling}\n{parameters}\n{:?}{:?}", self.answerer, self.settings.generate)))
    }

    /// Same set, same model, same settings, same rules for passages, same program: the same library.
    fn filling(&self, set: &Dataset) -> String {
        let Manifest { version, model_sha256, settings_sha256, .. } = self.manifest;
        let settings::Chunk { target_tokens, max_tokens } = self.settings.chunk;
        let rules = chunk::Rules { target_tokens, max_tokens }.fingerprint();
        hex(&Sha256::digest(format!("{version}\n{model_sha256}\n{settings_sha256}\n{rules}\n{}\n{}", set.name, set.sha256)))
    }
}

fn known(file: &Path, fingerprint: &str) -> Option<Kept> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    (kept.fingerprint == fingerprint).then_some(kept)
}

/// Whole or not at all: a part that was cut off would be taken for finished.
fn save(file: &Path, kept: &Kept) -> anyhow::Result<()> {
    let partial = file.with_extension("json.partial");
    std::fs::write(&partial, serde_json::to_vec(kept)?).with_context(|| format!("writing `{}`", partial.display()))?;
    std::fs::rename(&partial, file).with_context(|| format!("writing `{}`", file.display()))
}
