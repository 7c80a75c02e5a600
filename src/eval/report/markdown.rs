//! The report as Markdown.

use std::fmt::Write as _;

use super::{FIGURES, Manifest, Section, failures};
use crate::eval::compare::short;
use crate::eval::record::Record;

/// Failures that are listed for each set.
const LISTED: usize = 10;

pub(super) fn report(manifest: &Manifest, sections: &[Section], records: &[Vec<Record>]) -> String {
    let mut text = String::from("# Evaluation\n\n");
    let Manifest { version, model, model_sha256, settings_sha256, machine, began, seed, .. } = manifest;
    write!(
        text,
        "ibid {version}, model `{model}` ({}…), settings {}…, seed {seed}; {machine}; {began}.\n\
         Square brackets hold 95 % bootstrap intervals.\n",
        &model_sha256[..12.min(model_sha256.len())],
        &settings_sha256[..12.min(settings_sha256.len())],
    )
    .expect("writing to a String cannot fail");
    for (section, records) in sections.iter().zip(records) {
        one(&mut text, section, records);
    }
    text
}

fn one(text: &mut String, section: &Section, records: &[Record]) {
    let Section { set, mode, questions, passages, summary, speed, notes, .. } = section;
    write!(text, "\n## {set}, {mode}\n\n{questions} questions, {passages} passages.\n\n| figure | value | interval |\n| --- | ---: | --- |\n")
        .expect("writing to a String cannot fail");
    for name in FIGURES {
        if let Some(figure) = summary.metrics.get(name) {
            let interval = summary.intervals.get(name).map(|(low, high)| format!("[{low:.4}, {high:.4}]")).unwrap_or_default();
            writeln!(text, "| {name} | {figure:.4} | {interval} |").expect("writing to a String cannot fail");
        }
    }
    for (name, figure) in speed {
        writeln!(text, "| {name} | {figure:.3} | |").expect("writing to a String cannot fail");
    }
    for note in notes {
        write!(text, "\nNote: {note}.\n").expect("writing to a String cannot fail");
    }
    let failures = failures(records);
    if failures.is_empty() {
        return;
    }
    write!(text, "\n### Failures: {}\n\n", failures.len()).expect("writing to a String cannot fail");
    for (record, why) in failures.iter().take(LISTED) {
        writeln!(text, "- {}: {} — {why}", record.id, short(&record.question)).expect("writing to a String cannot fail");
    }
}
