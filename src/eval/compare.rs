//! Two runs of the same questions: which figures differ, surely, and on which questions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::record::Record;
use super::statistics::{holm, interval, mean, paired};

/// One figure of one set in both runs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The set and its mode.
    pub set: String,
    /// The figure's name.
    pub figure: String,
    /// Questions that both runs have it for.
    pub questions: usize,
    /// Its mean in the first run.
    pub a: f64,
    /// Its mean in the second.
    pub b: f64,
    /// 95 % bootstrap interval of `b − a`.
    pub interval: (f64, f64),
    /// p of a paired randomisation test, corrected over all figures shown (Holm).
    pub p: f64,
}

/// A question that one run answers better.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The set and its mode.
    pub set: String,
    /// The question's id.
    pub id: String,
    /// Its words.
    pub question: String,
    /// How much better the second run is; worse when negative.
    pub by: f64,
    /// What the first run put first: the answer, or the passage.
    pub a: String,
    /// What the second put first.
    pub b: String,
}

/// How two runs differ.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// By set and figure.
    pub differences: Vec<Difference>,
    /// Questions whose deciding figure changed, wins first; the largest changes before others.
    pub changes: Vec<Change>,
    /// Questions that only one run has.
    pub unmatched: usize,
}

const SHOWN: [&str; 8] = ["ndcg@10", "recall@1", "recall@10", "map", "evidence@1", "evidence@3", "answered", "refused"];

/// Compares the records of two runs, question by question.
pub fn compare(a: &[Record], b: &[Record], seed: u64) -> Comparison {
    let key = |record: &Record| (record.set.clone(), record.mode.clone(), record.id.clone());
    let others: BTreeMap<_, &Record> = b.iter().map(|record| (key(record), record)).collect();
    let pairs: Vec<(&Record, &Record)> = a.iter().filter_map(|a| Some((a, *others.get(&key(a))?))).collect();
    let unmatched = a.len() + b.len() - 2 * pairs.len();
    let mut differences = differences(&pairs, seed);
    let corrected = holm(&differences.iter().map(|one| one.p).collect::<Vec<_>>());
    differences.iter_mut().zip(corrected).for_each(|(one, p)| one.p = p);
    let mut changes: Vec<Change> = pairs.iter().filter_map(|(a, b)| change(a, b)).collect();
    changes.sort_by(|a, b| b.by.total_cmp(&a.by).then(a.set.cmp(&b.set)).then(a.id.cmp(&b.id)));
    Comparison { differences, changes, unmatched }
}

fn differences(pairs: &[(&Record, &Record)], seed: u64) -> Vec<Difference> {
    let mut values: BTreeMap<(String, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for (a, b) in pairs {
        for figure in SHOWN {
            if let (Some(x), Some(y)) = (a.figures.get(figure), b.figures.get(figure)) {
                values.entry((title(a), figure)).or_default().push((*x, *y));
            }
        }
    }
    let difference = |((set, figure), values): ((String, &str), Vec<(f64, f64)>)| {
        let by: Vec<f64> = values.iter().map(|(a, b)| b - a).collect();
        Difference {
            set,
            figure: figure.to_owned(),
            questions: values.len(),
            a: mean(&values.iter().map(|(a, _)| *a).collect::<Vec<_>>()),
            b: mean(&values.iter().map(|(_, b)| *b).collect::<Vec<_>>()),
            interval: interval(&by, seed, &mean),
            p: paired(&by, seed),
        }
    };
    values.into_iter().map(difference).collect()
}

fn title(record: &Record) -> String {
    format!("{} ({})", record.set, record.mode)
}

/// What changed for one question, by the figure that says most of it.
fn change(a: &Record, b: &Record) -> Option<Change> {
    let figure = ["evidence@1", "refused", "ndcg@10", "answered"].into_iter().find(|name| a.figures.contains_key(*name))?;
    let by = b.figures.get(figure)? - a.figures.get(figure)?;
    let first = |record: &Record| match &record.given {
        Some(given) if given.answerable => given.text.clone(),
        Some(_) => "(refused)".to_owned(),
        None => record.contexts.first().cloned().unwrap_or_default(),
    };
    let (set, id, question) = (title(a), a.id.clone(), a.question.clone());
    (by.abs() > 1e-9).then(|| Change { set, id, question, by, a: first(a), b: first(b) })
}

impl Comparison {
    /// As Markdown, with up to `listed` wins and losses.
    pub fn markdown(&self, listed: usize) -> String {
        let mut text = String::from(
            "| set | figure | questions | A | B | B − A (95 %) | p |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for one in &self.differences {
            let Difference { set, figure, questions, a, b, interval: (low, high), p } = one;
            let sure = if *p < 0.05 { " *" } else { "" };
            writeln!(
                text,
                "| {set} | {figure} | {questions} | {a:.4} | {b:.4} | {:+.4} ({low:+.4} … {high:+.4}) | {p:.3}{sure} |",
                b - a
            )
            .expect("writing to a String cannot fail");
        }
        let wins: Vec<&Change> = self.changes.iter().filter(|change| change.by > 0.0).collect();
        let losses: Vec<&Change> = self.changes.iter().rev().filter(|change| change.by < 0.0).collect();
        for (name, changes) in [("Wins of B", wins), ("Losses of B", losses)] {
            write!(text, "\n## {name}: {}\n", changes.len()).expect("writing to a String cannot fail");
            for change in changes.iter().take(listed) {
                write!(text, "\n- **{}** {}: {} ({:+.2})\n", change.set, change.id, short(&change.question), change.by)
                    .expect("writing to a String cannot fail");
                write!(text, "  - A: {}\n  - B: {}\n", short(&change.a), short(&change.b))
                    .expect("writing to a String cannot fail");
            }
        }
        if self.unmatched > 0 {
            write!(text, "\n{} questions are in one run only.\n", self.unmatched).expect("writing to a String cannot fail");
        }
        text
    }
}

/// One line of at most 160 characters.
pub(super) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().take(160).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}
