//! The folder that a run leaves: figures, records, run files, and a report to read.

mod html;
mod markdown;
mod plots;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;

use super::metrics::Summary;
use super::record::Record;

/// What was run, on what; everything that a stranger needs to repeat it.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Of this program.
    pub version: &'static str,
    /// The model's id.
    pub model: String,
    /// SHA-256 of its weights.
    pub model_sha256: String,
    /// What was learnt for the model: by what, on what.
    pub parameters: String,
    /// SHA-256 of the file of what was learnt.
    pub parameters_sha256: String,
    /// SHA-256 of all settings.
    pub settings_sha256: String,
    /// Sets: name → SHA-256 of its questions and judgements.
    pub sets: BTreeMap<String, String>,
    /// For intervals.
    pub seed: u64,
    /// Processor, cores, system.
    pub machine: String,
    /// When the run began, UTC.
    pub began: String,
}

/// One set in one mode.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// The set.
    pub set: String,
    /// Which legs searched.
    pub mode: &'static str,
    /// Its questions.
    pub questions: usize,
    /// Passages that its documents became.
    pub passages: usize,
    /// The model's SHA-256.
    pub model: String,
    /// Figures, intervals, curves.
    #[serde(flatten)]
    pub summary: Summary,
    /// Times, rates and sizes, which differ from run to run.
    pub speed: BTreeMap<String, f64>,
    /// What was odd about the set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Section {
    /// What it is called where sets and modes meet.
    pub fn title(&self, modes: usize) -> String {
        if modes > 1 { format!("{} ({})", self.set, self.mode) } else { self.set.clone() }
    }
}

/// All sections by title, as `metrics.json` and `--json` have them.
pub fn metrics_json(sections: &[Section], modes: usize) -> anyhow::Result<String> {
    let mut all = serde_json::Map::new();
    for section in sections {
        let mut value = serde_json::to_value(section)?;
        // One place to look for a figure, times too.
        let metrics = value.get_mut("metrics").and_then(serde_json::Value::as_object_mut).context("a section has figures")?;
        metrics.extend(section.speed.iter().map(|(name, figure)| (name.clone(), json!(figure))));
        all.insert(section.title(modes), value);
    }
    Ok(serde_json::to_string_pretty(&all)?)
}

/// Writes the folder.
pub fn write(
    folder: &Path,
    manifest: &Manifest,
    sections: &[Section],
    records: &[Vec<Record>],
    modes: usize,
) -> anyhow::Result<()> {
    let save = |name: &str, text: &str| {
        let file = folder.join(name);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("making `{}`", parent.display()))?;
        }
        std::fs::write(&file, text).with_context(|| format!("writing `{}`", file.display()))
    };
    save("manifest.json", &serde_json::to_string_pretty(manifest)?)?;
    save("metrics.json", &metrics_json(sections, modes)?)?;
    let (mut lines, mut contexts) = (String::new(), String::new());
    for record in records.iter().flatten() {
        writeln!(lines, "{}", serde_json::to_string(record)?)?;
        writeln!(contexts, "{}", ragas(record))?;
    }
    save("per_query.jsonl", &lines)?;
    save("contexts.jsonl", &contexts)?;
    for (section, records) in sections.iter().zip(records) {
        let name =
            if sections.len() == 1 { "run.trec".to_owned() } else { format!("runs/{}.{}.trec", section.set, section.mode) };
        save(&name, &run_file(records)?)?;
    }
    save("report.md", &markdown::report(manifest, sections, records))?;
    save("report.html", &html::report(manifest, sections, records))
}

/// The columns that RAGAS reads.
fn ragas(record: &Record) -> String {
    let response = record.given.as_ref().map(|given| given.text.as_str()).unwrap_or_default();
    let reference = record.answers.first().or(record.evidence.first());
    json!({ "user_input": record.question, "response": response, "retrieved_contexts": record.contexts, "reference": reference })
        .to_string()
}

/// `qid Q0 docid rank score tag`, scores strictly falling, as `trec_eval` sorts by them.
fn run_file(records: &[Record]) -> anyhow::Result<String> {
    let mut text = String::new();
    for record in records {
        for (rank, (document, _)) in (1_u32..).zip(&record.ranking) {
            let score = 1000 - rank.min(999);
            writeln!(text, "{} Q0 {document} {rank} {score} ibid-{}", record.id, record.mode)?;
        }
    }
    Ok(text)
}

/// Figures in the order in which they are read.
const FIGURES: [&str; 19] = [
    "ndcg@10",
    "recall@1",
    "recall@5",
    "recall@10",
    "recall@100",
    "mrr@10",
    "map",
    "evidence@1",
    "evidence@3",
    "em",
    "f1",
    "answered",
    "refused",
    "auroc",
    "refused_at_answered_90",
    "calibration_error",
    "citations_held",
    "ann_recall@10",
    "search_ms_p50",
];

/// What went wrong: answered wrongly, refused wrongly, or the right passage not first.
fn failures(records: &[Record]) -> Vec<(&Record, &'static str)> {
    let figure = |record: &Record, name: &str| record.figures.get(name).copied();
    let failure = |record: &Record| {
        if figure(record, "citations_held").is_some_and(|held| held < 1.0) {
            Some("a citation does not hold")
        } else if figure(record, "refused").is_some_and(|refused| refused < 1.0) {
            Some("answered, though the documents do not say it")
        } else if figure(record, "answered").is_some_and(|answered| answered < 1.0) {
            Some("refused, though the documents say it")
        } else if figure(record, "recall@1").is_some_and(|recall| recall <= 0.0) {
            Some("the first document is not the right one")
        } else if figure(record, "evidence@1").is_some_and(|held| held < 1.0) {
            Some("the first quote does not hold the answer")
        } else {
            None
        }
    };
    records.iter().filter_map(|record| Some((record, failure(record)?))).collect()
}
