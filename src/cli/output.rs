//! Words for people: data on stdout, all else on stderr.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::library::{IngestReport, Progress};
use crate::read::files::Skipped;

/// Prints a line of data. A reader who has gone away ends the printing, not the program.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a line for the person at the terminal.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error: what failed, why, and what to do.
pub(super) fn error(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    say(&format!("error: {}", chain.join(": ")));
}

/// Makes text from articles harmless in a terminal: it must not move the cursor or turn the reading order.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| {
        if (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

/// A progress bar over sources; nothing when nobody watches.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
}

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        let watched = !quiet && std::io::stderr().is_terminal();
        let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} sources  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, begun: Instant::now() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(super) fn show(&self, progress: Progress<'_>) {
        let rate = progress.passages as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        self.bar.set_length(progress.all as u64);
        self.bar.set_position(progress.done as u64);
        self.bar.set_message(format!("{rate:.0} passages/s  {}", harmless(progress.path)));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) -> f64 {
        self.bar.finish_and_clear();
        self.begun.elapsed().as_secs_f64()
    }
}

/// What is waited for, turning; nothing when nobody watches.
pub(super) struct Spinner(ProgressBar);

impl Spinner {
    pub(super) fn new(quiet: bool) -> Self {
        let watched = !quiet && std::io::stderr().is_terminal();
        Self(if watched { ProgressBar::new_spinner() } else { ProgressBar::hidden() })
    }

    pub(super) fn show(&self, words: &str) {
        const TURN: std::time::Duration = std::time::Duration::from_millis(100);
        self.0.set_message(words.to_owned());
        self.0.enable_steady_tick(TURN);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Says what an ingest did, and what it could not use.
pub(super) fn report(report: &IngestReport, seconds: f64, quiet: bool) {
    for unusable in &report.unusable {
        say(&format!("error: `{}` {}", harmless(&unusable.path), harmless(&unusable.reason.to_string())));
    }
    for location in &report.missing {
        say(&format!(
            "warning: `{}` is no longer there; its articles are kept (`ibid ingest --prune` removes them)",
            harmless(location)
        ));
    }
    if quiet {
        return;
    }
    skipped(&report.skipped);
    let IngestReport { sources, unchanged, articles, removed, passages, unusable, .. } = report;
    let mut words = format!("ingested {articles} articles ({passages} passages) from {sources} sources in {seconds:.2} s");
    for (count, what) in [(unchanged, "sources unchanged"), (removed, "articles removed"), (&unusable.len(), "unusable")] {
        if *count > 0 {
            words += &[", ", &count.to_string(), " ", what].concat();
        }
    }
    for (count, reason) in counted(&report.skipped) {
        words += &[", ", &count.to_string(), " not opened (", &reason.to_string(), ")"].concat();
    }
    say(&words);
}

/// What an ingest did, for machines: every file that was given or met is in one of the lists.
pub(super) fn json(report: &IngestReport, pruned: &[String]) -> serde_json::Value {
    let IngestReport { articles, removed, passages, accounted, unusable, skipped, missing, .. } = report;
    let paths = |read: bool| accounted.iter().filter(|(_, was)| *was == read).map(|(path, _)| path).collect::<Vec<_>>();
    let unusable = unusable.iter().map(|one| serde_json::json!({ "path": one.path, "reason": one.reason.to_string() }));
    let skipped = skipped.iter().map(|(path, reason)| serde_json::json!({ "path": path, "reason": reason.to_string() }));
    serde_json::json!({
        "articles": articles, "passages": passages, "removed": removed, "read": paths(true), "unchanged": paths(false),
        "unusable": unusable.collect::<Vec<_>>(), "not_opened": skipped.collect::<Vec<_>>(), "missing": missing, "pruned": pruned,
    })
}

/// Names what was not opened: the first of each kind.
fn skipped(skipped: &[(String, Skipped)]) {
    const NAMED: usize = 5;
    for (count, reason) in counted(skipped) {
        let names = skipped.iter().filter(|(_, other)| *other == reason).take(NAMED);
        let names: Vec<String> = names.map(|(path, _)| format!("`{}`", harmless(path))).collect();
        let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        say(&format!("warning: not opened ({reason}): {}{more}", names.join(", ")));
    }
}

/// How many were skipped for each reason.
fn counted(skipped: &[(String, Skipped)]) -> Vec<(usize, Skipped)> {
    let mut reasons: Vec<Skipped> = skipped.iter().map(|(_, reason)| *reason).collect();
    reasons.sort_unstable();
    reasons.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).collect()
}
