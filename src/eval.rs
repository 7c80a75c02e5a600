//! Evaluation: benchmark question sets → figures that others can repeat.
//!
//! A set is read into a library of its own and asked through the same two journeys
//! as everything else. A question that finds nothing counts as zero; none is dropped.

pub mod dataset;
pub mod metrics;

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Context as _;

use crate::answer::Answer;
use crate::library::{Corpus, Library};
use crate::retrieve::{Mode, Question, milliseconds};
use crate::shelf::Filter;
use dataset::{Dataset, Query};

/// Documents that a run lists for a question.
pub const DEPTH: usize = 100;
/// Passages behind them: a document may have several.
const PASSAGES: usize = 150;

/// What was found for one question.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The question's id.
    pub id: String,
    /// Documents, best first, with their scores.
    pub ranking: Vec<(String, f32)>,
    /// What `ask` said, where the set has answers or unanswerable questions.
    pub answered: Option<Answered>,
    /// Milliseconds: vector, search, answer.
    pub timings: [f64; 3],
}

/// What `ask` said of one question.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Whether it answered.
    pub answerable: bool,
    /// How sure it was.
    pub confidence: f32,
    /// Which of the first three citations hold a gold answer.
    pub holds: [bool; 3],
    /// Whether every quote is the slice that it says.
    pub citations_hold: bool,
}

/// A set's outcomes.
#[derive(Debug)]
pub struct Run {
    /// One for each question, in the set's order.
    pub outcomes: Vec<Outcome>,
    /// Passages that the set's documents became.
    pub passages: usize,
    /// Passages read, cut, embedded and kept a second.
    pub passages_per_second: f64,
}

/// Reads the set's documents into `library` and asks all its questions.
pub fn run(library: &Library, set: &Dataset, mode: Mode, progress: &dyn Fn(usize, usize)) -> anyhow::Result<Run> {
    let begun = Instant::now();
    let report = library.ingest(&Corpus::Paths(vec![set.corpus.clone()]), &|_| ())?;
    if let Some(unusable) = report.unusable.first() {
        anyhow::bail!("`{}` {}", unusable.path, unusable.reason);
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let passages_per_second = report.passages as f64 / begun.elapsed().as_secs_f64();
    let documents: HashMap<String, String> = library
        .shelf()
        .sources()?
        .into_iter()
        .flat_map(|source| source.articles)
        .filter_map(|article| Some((article.id.0, article.key?)))
        .collect();
    let mut outcomes = Vec::with_capacity(set.queries.len());
    for (done, query) in set.queries.iter().enumerate() {
        progress(done, set.queries.len());
        outcomes.push(one(library, set, query, mode, &documents).with_context(|| format!("question `{}`", query.id))?);
    }
    progress(set.queries.len(), set.queries.len());
    Ok(Run { outcomes, passages: library.shelf().counts()?.passages, passages_per_second })
}

fn one(
    library: &Library,
    set: &Dataset,
    query: &Query,
    mode: Mode,
    documents: &HashMap<String, String>,
) -> anyhow::Result<Outcome> {
    let Ok(question) = Question::parse(&query.text, None) else {
        return Ok(Outcome { id: query.id.clone(), ranking: vec![], answered: None, timings: [0.0; 3] });
    };
    let found = library.search(&question, &Filter::default(), mode, PASSAGES)?;
    let mut ranking: Vec<(String, f32)> = Vec::new();
    for evidence in &found.evidence {
        let Some(document) = documents.get(&evidence.passage.article.0) else { continue };
        if ranking.len() < DEPTH && !ranking.iter().any(|(known, _)| known == document) {
            ranking.push((document.clone(), evidence.scores.total));
        }
    }
    let mut timings = [found.embed_ms, found.search_ms, 0.0];
    let asked = mode == Mode::Hybrid && set.has_answers;
    let answered = if asked {
        let begun = Instant::now();
        let (answer, stages) = library.ask(&question, &Filter::default(), 5)?;
        timings = [stages.embed, stages.search, milliseconds(begun) - stages.embed - stages.search];
        Some(judge(&answer, query))
    } else {
        None
    };
    Ok(Outcome { id: query.id.clone(), ranking, answered, timings })
}

fn judge(answer: &Answer, query: &Query) -> Answered {
    let gold: Vec<String> =
        query.answers.iter().map(|answer| dataset::flat(answer)).filter(|answer| !answer.is_empty()).collect();
    let mut holds = [false; 3];
    if answer.answerable {
        for (holds, citation) in holds.iter_mut().zip(&answer.citations) {
            let quote = dataset::flat(citation.quote());
            *holds = gold.iter().any(|answer| quote.contains(answer));
        }
    }
    let citations_hold = answer.citations.iter().all(|citation| {
        let text = &citation.article().article.text;
        text.get(citation.span().start..citation.span().end) == Some(citation.quote())
    });
    Answered { answerable: answer.answerable, confidence: answer.confidence, holds, citations_hold }
}
