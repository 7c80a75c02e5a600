//! Figures: of one question as `trec_eval` defines them, of a set as means with intervals.

use std::collections::BTreeMap;

use serde::Serialize;

use super::DEPTH;
use super::calibration::{Bin, Judged, Risk, auroc, calibration_error, refused_at_90, reliability, risk_coverage};
use super::record::{Record, Written};
use super::statistics::{interval, mean, percentile};
use super::text;

/// Relevant documents and their grades.
type Grades = BTreeMap<String, u32>;

/// Fills in the figures of one question.
pub fn judge(record: &mut Record) {
    let ranking: Vec<&str> = record.ranking.iter().map(|(document, _)| document.as_str()).collect();
    let mut figures = BTreeMap::new();
    if !record.relevant.is_empty() {
        let relevant = &record.relevant;
        figures.insert("ndcg@10", ndcg(relevant, &ranking, 10));
        figures.insert("recall@1", recall(relevant, &ranking, 1));
        figures.insert("recall@5", recall(relevant, &ranking, 5));
        figures.insert("recall@10", recall(relevant, &ranking, 10));
        figures.insert("recall@100", recall(relevant, &ranking, DEPTH));
        figures.insert("mrr@10", reciprocal_rank(relevant, &ranking, 10));
        figures.insert("map", average_precision(relevant, &ranking));
    }
    figures.extend(record.ann_recall.map(|recall| ("ann_recall@10", recall)));
    figures.extend(answer_figures(record));
    record.figures = figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect();
}

/// Figures of what was answered, where it was asked.
fn answer_figures(record: &Record) -> Vec<(&'static str, f64)> {
    let Some(given) = &record.given else { return vec![] };
    let one = |held: bool| f64::from(u8::from(held));
    let mut figures = vec![("citations_held", one(given.citations_hold))];
    figures.push(if record.answerable { ("answered", one(given.answerable)) } else { ("refused", one(!given.answerable)) });
    figures.extend(given.writing.as_ref().map(writing_figures).unwrap_or_default());
    if record.has_gold() {
        let holds: Vec<bool> = given.quotes.iter().map(|quote| given.answerable && holds_gold(record, quote)).collect();
        figures.push(("evidence@1", one(holds.first() == Some(&true))));
        figures.push(("evidence@3", one(holds.contains(&true))));
    }
    if !record.answers.is_empty() {
        figures.push(("em", text::exact_match(&given.text, &record.answers)));
        figures.push(("f1", text::f1(&given.text, &record.answers)));
    }
    figures
}

/// Figures of what a language model wrote: how it ended, which share of its sentences stands, in which time.
#[expect(clippy::cast_precision_loss, reason = "counts of sentences, milliseconds")]
fn writing_figures(writing: &Written) -> Vec<(&'static str, f64)> {
    let one = |held: bool| f64::from(u8::from(held));
    let sent = writing.outcome != "not_sent" && writing.outcome != "not_configured";
    let mut figures = vec![("sent", one(sent))];
    if sent {
        figures.push(("written", one(writing.outcome == "written" || writing.outcome == "cut_off")));
        figures.push(("marks_held", one(writing.marks_hold)));
        figures.push(("writing_tokens", writing.tokens as f64));
    }
    let sentences = writing.shown + writing.faults.len();
    figures.extend((sentences > 0).then(|| ("sentences_shown", writing.shown as f64 / sentences as f64)));
    figures.extend((writing.first_token_ms > 0).then_some(("first_token_ms", writing.first_token_ms as f64)));
    figures
}

/// Whether a quote holds a gold answer.
pub(super) fn holds_gold(record: &Record, quote: &str) -> bool {
    let flat = text::flat(quote);
    let answers = record.answers.iter().map(|answer| text::flat(answer)).filter(|answer| !answer.is_empty());
    answers.into_iter().any(|answer| flat.contains(&answer))
        || record.evidence.iter().any(|evidence| text::holds(quote, evidence))
}

/// What a set's run came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Figures by name; those that the set cannot give are absent.
    pub metrics: BTreeMap<String, f64>,
    /// 95 % bootstrap interval of each.
    pub intervals: BTreeMap<String, (f64, f64)>,
    /// Errors against share answered, where questions have no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risk_coverage: Vec<Risk>,
    /// What the confidence is worth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<Bin>,
}

/// Means and intervals over all questions, and what the confidence is worth.
pub fn summary(records: &[Record], seed: u64) -> Summary {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, figure) in records.iter().flat_map(|record| &record.figures) {
        values.entry(name).or_default().push(*figure);
    }
    let mut summary = Summary::default();
    for (name, values) in values {
        summary.metrics.insert(name.to_owned(), mean(&values));
        summary.intervals.insert(name.to_owned(), interval(&values, seed, &mean));
    }
    let judged: Vec<Judged> = records.iter().filter_map(judged).collect();
    if judged.iter().any(|one| !one.answerable) {
        let scored: Vec<(f64, bool)> = judged.iter().map(|one| (one.confidence, one.answerable)).collect();
        for (name, figure) in [("auroc", &auroc as &dyn Fn(&[(f64, bool)]) -> f64), ("refused_at_answered_90", &refused_at_90)] {
            summary.metrics.insert(name.to_owned(), figure(&scored));
            summary.intervals.insert(name.to_owned(), interval(&scored, seed, figure));
        }
        summary.risk_coverage = risk_coverage(&judged);
        summary.reliability = reliability(&judged);
        summary.metrics.insert("calibration_error".to_owned(), calibration_error(&summary.reliability));
    }
    summary
}

fn judged(record: &Record) -> Option<Judged> {
    let given = record.given.as_ref()?;
    let right = given.quotes.first().is_some_and(|quote| holds_gold(record, quote));
    Some(Judged {
        confidence: given.confidence,
        answerable: record.answerable,
        right: record.answerable && (right || !record.has_gold()),
    })
}

/// Milliseconds of each stage: median, 95th and 99th percentile.
pub fn latency(timings: &[[f64; 3]]) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for (stage, name) in ["embed", "search", "answer"].iter().enumerate() {
        let mut times: Vec<f64> = timings.iter().map(|times| times[stage]).collect();
        times.sort_by(f64::total_cmp);
        for (share, suffix) in [(0.50, "p50"), (0.95, "p95"), (0.99, "p99")] {
            figures.insert(format!("{name}_ms_{suffix}"), percentile(&times, share));
        }
    }
    figures
}

#[expect(clippy::cast_precision_loss, reason = "a rank")]
fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

fn ndcg(relevant: &Grades, ranking: &[&str], depth: usize) -> f64 {
    let gain = |document: &&str| relevant.get(*document).copied().unwrap_or(0);
    let found: f64 =
        ranking.iter().take(depth).enumerate().map(|(rank, document)| f64::from(gain(document)) * discount(rank)).sum();
    let mut best: Vec<u32> = relevant.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal: f64 = best.iter().take(depth).enumerate().map(|(rank, grade)| f64::from(*grade) * discount(rank)).sum();
    if ideal > 0.0 { found / ideal } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of documents")]
fn recall(relevant: &Grades, ranking: &[&str], depth: usize) -> f64 {
    let found = ranking.iter().take(depth).filter(|document| relevant.contains_key(**document)).count();
    found as f64 / relevant.len().max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a rank")]
fn reciprocal_rank(relevant: &Grades, ranking: &[&str], depth: usize) -> f64 {
    let first = ranking.iter().take(depth).position(|document| relevant.contains_key(*document));
    first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "ranks")]
fn average_precision(relevant: &Grades, ranking: &[&str]) -> f64 {
    let hits = ranking.iter().enumerate().filter(|(_, document)| relevant.contains_key(**document));
    let precisions = (1..).zip(hits).map(|(found, (rank, _))| f64::from(found) / (rank as f64 + 1.0));
    precisions.sum::<f64>() / relevant.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn the_figures_are_those_of_trec_eval() {
        // Reckoned with pytrec_eval on the same ranking and the same grades.
        let relevant = Grades::from([("a".to_owned(), 1), ("b".to_owned(), 2), ("z".to_owned(), 1)]);
        let ranking = ["x", "b", "y", "a"];
        close(ndcg(&relevant, &ranking, 10), 0.540_585_8);
        close(recall(&relevant, &ranking, 5), 0.666_666_7);
        close(reciprocal_rank(&relevant, &ranking, 10), 0.5);
        close(average_precision(&relevant, &ranking), 0.333_333_3);
        close(recall(&relevant, &[], 5), 0.0);
    }
}
