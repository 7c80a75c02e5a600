//! `ibid eval SET…` and `ibid eval compare A B`.

mod compare;
mod one;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::ask;
use super::output::{print, say};
use super::setup::{self, Usage};
use crate::embed::Embedder;
use crate::eval::dataset::Dataset;
use crate::eval::machine;
use crate::eval::report::{self, Manifest, Section};
use crate::retrieve::Mode;
use crate::settings::{AnswerMode, Settings};
use crate::text::hex;
use one::{Bench, Places};

const MORE: &str = "Sets: a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv or qrels/test.tsv), a TREC folder \
    (topics.txt, qrels.txt, corpus.jsonl), a SQuAD, CMRC, DRCD or XQuAD .json file, or a .jsonl of our own \
    (question, evidence, answer, answerable) with --corpus.

Examples:
  ibid eval sets/cmrc sets/xquad-en --out report
  ibid eval sets/* --mode hybrid,dense,lexical --json -
  ibid eval questions.jsonl --corpus page.txt --fail-under evidence@3=0.85
  ibid eval compare report-before report-after";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = MORE)]
pub(super) struct Eval {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Other {
    /// Show how two runs differ: figures with intervals and p, wins and losses with their texts
    Compare(compare::Compare),
}

#[derive(Args)]
struct Run {
    /// Sets of questions: folders or files
    #[arg(required = true, value_name = "SET")]
    sets: Vec<PathBuf>,
    /// Which legs search; answers are judged in hybrid mode
    #[arg(long, value_enum, value_delimiter = ',', default_value = "hybrid")]
    mode: Vec<Legs>,
    /// Articles of sets that bring none
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
    /// Folder for the report, the figures, the records and the run files; a run that
    /// was interrupted goes on in it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder in which libraries are kept, to be used again where set and model are the same
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
    /// Who answers, in hybrid mode: `written` is the language model of `[generate]`
    #[arg(long, value_enum, default_value = "extractive", value_name = "WHO")]
    answerer: ask::Mode,
    /// Write each question's candidate passages with their features, a line of JSON each, for
    /// models/recipe/calibrate.py; hybrid mode
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Write the figures as JSON to this file, or to stdout with `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// End with 1 when a figure of any set is lower, as `ndcg@10=0.9`
    #[arg(long, value_name = "FIGURE=FLOOR")]
    fail_under: Vec<String>,
    /// For bootstrap intervals: the same seed gives the same bytes, times aside
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Legs {
    Hybrid,
    Dense,
    Lexical,
}

impl From<Legs> for Mode {
    fn from(legs: Legs) -> Self {
        match legs {
            Legs::Hybrid => Self::Hybrid,
            Legs::Dense => Self::Dense,
            Legs::Lexical => Self::Lexical,
        }
    }
}

pub(super) fn run(arguments: &Eval, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    match &arguments.other {
        Some(Other::Compare(compare)) => compare::run(compare),
        None => evaluate(&arguments.run, settings, quiet),
    }
}

fn evaluate(arguments: &Run, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let floors: Vec<(&str, f64)> = arguments.fail_under.iter().map(|text| floor(text)).collect::<Result<_, _>>()?;
    let sets = read(&arguments.sets, arguments.corpus.as_deref())?;
    let embedder = setup::embedder(settings)?;
    let manifest = manifest(settings, &embedder, &sets, arguments.seed);
    let Run { out, index, features, answerer, .. } = arguments;
    if AnswerMode::from(*answerer) == AnswerMode::Written && settings.generate.endpoint.is_empty() {
        return Err(Usage(
            "there is no language model to write\nhint: name one with `generate.endpoint` and `generate.model`".to_owned(),
        )
        .into());
    }
    let places = Places { out: out.clone(), index: index.clone(), features: features.clone(), answerer: (*answerer).into() };
    let mut bench = Bench::new(settings, embedder, &manifest, places, quiet)?;
    let modes = arguments.mode.len();
    let (mut sections, mut records, mut missed) = (Vec::new(), Vec::new(), false);
    for set in &sets {
        for legs in &arguments.mode {
            let (section, found) = bench.section(set, (*legs).into())?;
            if !quiet {
                say(&row(&section, modes));
            }
            missed |= below(&section, modes, &floors);
            sections.push(section);
            records.push(found);
        }
        bench.leave();
    }
    if let Some(folder) = &arguments.out {
        report::write(folder, &manifest, &sections, &records, modes)?;
        bench.forget();
        if !quiet {
            say(&format!("report: {}", folder.join("report.html").display()));
        }
    }
    missed |= unknown(&sections, &floors);
    let text = report::metrics_json(&sections, modes)?;
    match &arguments.json {
        Some(file) if file.as_os_str() == "-" => print(&text),
        Some(file) => std::fs::write(file, text).with_context(|| format!("writing `{}`", file.display()))?,
        None => {}
    }
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All sets; two of one name would be one in the figures.
fn read(paths: &[PathBuf], corpus: Option<&Path>) -> anyhow::Result<Vec<Dataset>> {
    let sets: Vec<Dataset> = paths.iter().map(|path| Dataset::read(path, corpus)).collect::<Result<_, _>>()?;
    for (at, set) in sets.iter().enumerate() {
        if sets[..at].iter().any(|other| other.name == set.name) {
            return Err(Usage(format!("two sets have the name `{}`: run them one by one, or rename one", set.name)).into());
        }
        for note in &set.notes {
            say(&format!("note: {}: {note}", set.name));
        }
    }
    Ok(sets)
}

fn manifest(settings: &Settings, embedder: &Embedder, sets: &[Dataset], seed: u64) -> Manifest {
    let sets = sets.iter().map(|set| (set.name.clone(), set.sha256.clone())).collect::<BTreeMap<_, _>>();
    Manifest {
        version: env!("CARGO_PKG_VERSION"),
        model: embedder.info().id.clone(),
        model_sha256: embedder.info().sha256.clone(),
        parameters: embedder.parameters().learnt.clone(),
        parameters_sha256: embedder.parameters().sha256.clone(),
        settings_sha256: fingerprint(settings),
        sets,
        seed,
        machine: machine::describe(),
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// SHA-256 of what decides what is found and answered.
fn fingerprint(settings: &Settings) -> String {
    let Settings { read, chunk, search, answer, .. } = settings;
    hex(&Sha256::digest(format!("{read:?}{chunk:?}{search:?}{answer:?}")))
}

fn floor(text: &str) -> Result<(&str, f64), Usage> {
    let parsed = text.split_once('=').and_then(|(name, least)| Some((name, least.parse().ok()?)));
    parsed.ok_or_else(|| Usage(format!("`--fail-under {text}` is not of the form `ndcg@10=0.9`")))
}

/// Whether a floor is for a figure that no set has: such a gate would never close.
fn unknown(sections: &[Section], floors: &[(&str, f64)]) -> bool {
    let has = |name: &str| sections.iter().any(|section| section.summary.metrics.contains_key(name));
    let unknown: Vec<&str> = floors.iter().map(|(name, _)| *name).filter(|name| !has(name)).collect();
    for name in &unknown {
        say(&format!("error: no set has a figure `{name}`, as --fail-under asks"));
    }
    !unknown.is_empty()
}

/// Says which figures are under their floors; a figure that one set does not have is no failure of it.
fn below(section: &Section, modes: usize, floors: &[(&str, f64)]) -> bool {
    let mut missed = false;
    for (name, least) in floors {
        let Some(figure) = section.summary.metrics.get(*name) else { continue };
        if figure < least {
            say(&format!("error: {name} of `{}` is {figure:.4}, under {least}", section.title(modes)));
            missed = true;
        }
    }
    missed
}

fn row(section: &Section, modes: usize) -> String {
    const SHOWN: [&str; 10] =
        ["ndcg@10", "recall@1", "recall@10", "map", "evidence@1", "evidence@3", "auroc", "refused", "answered", "citations_held"];
    let figures = SHOWN.iter().filter_map(|name| Some(format!("  {name} {:.4}", section.summary.metrics.get(*name)?)));
    format!("{}:{}", section.title(modes), figures.collect::<String>())
}
