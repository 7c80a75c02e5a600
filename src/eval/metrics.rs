//! Figures from outcomes, as `trec_eval` defines them.

use std::collections::{BTreeMap, HashMap};

use super::dataset::Dataset;
use super::{DEPTH, Run};

/// Relevant documents and their grades.
type Grades = HashMap<String, u32>;

/// All figures of a run by name; those that the set cannot give are absent.
pub fn metrics(set: &Dataset, run: &Run) -> BTreeMap<&'static str, f64> {
    let mut figures = BTreeMap::new();
    let judged: Vec<(&Grades, Vec<&str>)> = set
        .queries
        .iter()
        .zip(&run.outcomes)
        .filter(|(query, _)| !query.relevant.is_empty())
        .map(|(query, outcome)| (&query.relevant, outcome.ranking.iter().map(|(document, _)| document.as_str()).collect()))
        .collect();
    if !judged.is_empty() {
        let over =
            |metric: &dyn Fn(&Grades, &[&str]) -> f64| mean(judged.iter().map(|(relevant, ranking)| metric(relevant, ranking)));
        figures.insert("ndcg@10", over(&|relevant, ranking| ndcg(relevant, ranking, 10)));
        figures.insert("recall@1", over(&|relevant, ranking| recall(relevant, ranking, 1)));
        figures.insert("recall@5", over(&|relevant, ranking| recall(relevant, ranking, 5)));
        figures.insert("recall@10", over(&|relevant, ranking| recall(relevant, ranking, 10)));
        figures.insert("recall@100", over(&|relevant, ranking| recall(relevant, ranking, DEPTH)));
        figures.insert("mrr@10", over(&|relevant, ranking| reciprocal_rank(relevant, ranking, 10)));
        figures.insert("map", over(&average_precision));
    }
    answers(set, run, &mut figures);
    for (stage, names) in [
        ["embed_ms_p50", "embed_ms_p95", "embed_ms_p99"],
        ["search_ms_p50", "search_ms_p95", "search_ms_p99"],
        ["answer_ms_p50", "answer_ms_p95", "answer_ms_p99"],
    ]
    .iter()
    .enumerate()
    {
        let mut times: Vec<f64> = run.outcomes.iter().map(|outcome| outcome.timings[stage]).collect();
        times.sort_by(f64::total_cmp);
        for (name, share) in names.iter().zip([0.50, 0.95, 0.99]) {
            figures.insert(name, percentile(&times, share));
        }
    }
    figures.insert("passages_per_second", run.passages_per_second);
    figures
}

/// Evidence, refusal and citations, where `ask` was asked.
fn answers(set: &Dataset, run: &Run, figures: &mut BTreeMap<&'static str, f64>) {
    let asked: Vec<_> =
        set.queries.iter().zip(&run.outcomes).filter_map(|(query, outcome)| Some((query, outcome.answered.as_ref()?))).collect();
    if asked.is_empty() {
        return;
    }
    let share = |of: &dyn Fn(&super::Answered) -> bool, among: &dyn Fn(&super::dataset::Query) -> bool| {
        mean(asked.iter().filter(|(query, _)| among(query)).map(|(_, answered)| f64::from(u8::from(of(answered)))))
    };
    figures.insert("citations_held", share(&|answered| answered.citations_hold, &|_| true));
    figures.insert("answered", share(&|answered| answered.answerable, &|query| query.answerable));
    if asked.iter().any(|(query, _)| !query.answers.is_empty()) {
        let with_answers = |query: &super::dataset::Query| !query.answers.is_empty();
        figures.insert("evidence@1", share(&|answered| answered.holds[0], &with_answers));
        figures.insert("evidence@3", share(&|answered| answered.holds.contains(&true), &with_answers));
    }
    if asked.iter().any(|(query, _)| !query.answerable) {
        figures.insert("refused", share(&|answered| !answered.answerable, &|query| !query.answerable));
        let scored = asked.iter().map(|(query, answered)| (answered.confidence, query.answerable));
        figures.insert("auroc", auroc(&scored.collect::<Vec<_>>()));
    }
}

/// The mean; of nothing, zero.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
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

/// The chance that an answerable question scores higher than an unanswerable one; ties count half.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn auroc(scored: &[(f32, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let positive = tied.iter().filter(|(_, answerable)| *answerable).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + negative / 2.0);
        below += negative;
    }
    let positive = scored.iter().filter(|(_, answerable)| *answerable).count() as f64;
    let pairs = positive * (scored.len() as f64 - positive);
    if pairs > 0.0 { wins / pairs } else { 0.0 }
}

/// The value below which `share` of the sorted `values` lie.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into a list")]
fn percentile(values: &[f64], share: f64) -> f64 {
    let at = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(0.0)
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
        let relevant = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2), ("z".to_owned(), 1)]);
        let ranking = ["x", "b", "y", "a"];
        close(ndcg(&relevant, &ranking, 10), 0.540_585_8);
        close(recall(&relevant, &ranking, 5), 0.666_666_7);
        close(reciprocal_rank(&relevant, &ranking, 10), 0.5);
        close(average_precision(&relevant, &ranking), 0.333_333_3);
        close(recall(&relevant, &[], 5), 0.0);
    }

    #[test]
    fn auroc_counts_ties_half() {
        close(auroc(&[(0.9, true), (0.1, false), (0.5, true), (0.5, false)]), 0.875);
        close(auroc(&[(0.1, true), (0.9, false)]), 0.0);
    }
}
