//! `ibid eval DIR…`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde_json::json;

use super::output::{print, say};
use super::setup::{self, Usage};
use crate::eval::dataset::Dataset;
use crate::eval::{self, Run, metrics};
use crate::library::Library;
use crate::retrieve::Mode;
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Eval {
    /// Folders in BEIR's layout: corpus.jsonl, queries.jsonl, qrels.tsv
    #[arg(required = true, value_name = "DIR")]
    sets: Vec<PathBuf>,
    /// Which legs search; answers are judged in hybrid mode
    #[arg(long, value_enum, default_value_t = Legs::Hybrid)]
    mode: Legs,
    /// Write the figures as JSON to this file, or to stdout with `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Folder for run files in TREC's format, one a set
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// End with 1 when a figure of any set is lower, as `ndcg@10=0.9`
    #[arg(long, value_name = "FIGURE=FLOOR")]
    fail_under: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Legs {
    Hybrid,
    Dense,
    Lexical,
}

pub(super) fn run(arguments: &Eval, settings: &Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let floors: Vec<(&str, f64)> = arguments.fail_under.iter().map(|text| floor(text)).collect::<Result<_, _>>()?;
    let mode = match arguments.mode {
        Legs::Hybrid => Mode::Hybrid,
        Legs::Dense => Mode::Dense,
        Legs::Lexical => Mode::Lexical,
    };
    let mut all = BTreeMap::new();
    let mut missed = false;
    for folder in &arguments.sets {
        let set = Dataset::read(folder)?;
        let (run, model) = one(&set, settings, mode, quiet)?;
        let figures = metrics::metrics(&set, &run);
        if !quiet {
            say(&row(&set.name, &figures));
        }
        for (name, least) in &floors {
            let figure = figures.get(name).copied().unwrap_or(0.0);
            if figure < *least {
                say(&format!("error: {} of `{}` is {figure:.4}, under {least}", name, set.name));
                missed = true;
            }
        }
        if let Some(folder) = &arguments.runs {
            write_run(folder, &set, &run)?;
        }
        all.insert(
            set.name.clone(),
            json!({ "metrics": figures, "passages": run.passages, "questions": set.queries.len(), "model": model }),
        );
    }
    let text = serde_json::to_string_pretty(&all)?;
    match &arguments.json {
        Some(file) if file.as_os_str() == "-" => print(&text),
        Some(file) => std::fs::write(file, text).with_context(|| format!("writing `{}`", file.display()))?,
        None => {}
    }
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs one set in a library of its own, which goes afterwards.
fn one(set: &Dataset, settings: &Settings, mode: Mode, quiet: bool) -> anyhow::Result<(Run, String)> {
    let folder = std::env::temp_dir().join(format!("ibid-eval-{}-{}", std::process::id(), set.name));
    let mut settings = settings.clone();
    settings.library.data.clone_from(&folder);
    let embedder = setup::embedder(&settings)?;
    let model = embedder.info().sha256.clone();
    let library = Library::open(settings, embedder)?;
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(set.queries.len() as u64) };
    let run = eval::run(&library, set, mode, &|done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    drop(library);
    // What is left in the system's folder for temporary files does no harm.
    let _ = std::fs::remove_dir_all(&folder);
    Ok((run?, model))
}

fn floor(text: &str) -> Result<(&str, f64), Usage> {
    let parsed = text.split_once('=').and_then(|(name, least)| Some((name, least.parse().ok()?)));
    parsed.ok_or_else(|| Usage(format!("`--fail-under {text}` is not of the form `ndcg@10=0.9`")))
}

fn row(name: &str, figures: &BTreeMap<&'static str, f64>) -> String {
    const SHOWN: [&str; 12] = [
        "ndcg@10",
        "recall@1",
        "recall@10",
        "mrr@10",
        "map",
        "evidence@1",
        "evidence@3",
        "auroc",
        "refused",
        "answered",
        "citations_held",
        "search_ms_p50",
    ];
    let mut line = format!("{name}:");
    for (name, figure) in SHOWN.iter().filter_map(|name| Some((name, figures.get(name)?))) {
        write!(line, "  {name} {figure:.4}").expect("writing to a String cannot fail");
    }
    line
}

/// `qid Q0 docid rank score tag`, scores strictly falling, as `trec_eval` sorts by them.
fn write_run(folder: &std::path::Path, set: &Dataset, run: &Run) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
    let mut text = String::new();
    for outcome in &run.outcomes {
        for (rank, (document, _)) in (1_u32..).zip(&outcome.ranking) {
            let score = 1000 - rank.min(999);
            writeln!(text, "{} Q0 {document} {rank} {score} ibid", outcome.id)?;
        }
    }
    let file = folder.join(format!("{}.trec", set.name));
    std::fs::write(&file, text).with_context(|| format!("writing `{}`", file.display()))
}
