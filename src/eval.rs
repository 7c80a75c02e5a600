//! Evaluation: benchmark question sets → figures that others can repeat.
//!
//! A set (`dataset`) is read into a library of its own and asked through the same two
//! journeys as everything else. What was found becomes one record a question
//! (`record`), from which all figures follow (`metrics`, `calibration`, `statistics`).
//! A question that finds nothing counts as zero; none is dropped.

pub mod calibration;
pub mod compare;
pub mod dataset;
mod features;
pub mod machine;
pub mod metrics;
pub mod record;
pub mod report;
pub mod statistics;
pub mod text;

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;

use crate::answer::Answer;
use crate::library::{Asking, Corpus, Library};
use crate::retrieve::{Mode, Question, Retrieved, milliseconds};
use crate::settings::AnswerMode;
use crate::shelf::Filter;
use dataset::{Dataset, Documents, Query};
use record::{Given, Record, Written};

/// Documents that a run lists for a question.
pub const DEPTH: usize = 100;
/// Passages behind them: a document may have several.
const PASSAGES: usize = 150;
/// Passages of a question that are kept with their words.
const CONTEXTS: usize = 5;
/// Questions whose nearest passages are compared with those of an exact scan.
const SCANNED: usize = 200;

/// What filling a library took.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    /// Passages that the set's documents became.
    pub passages: usize,
    /// Passages read, cut, embedded and kept a second; `None` where they were there already.
    pub per_second: Option<f64>,
}

/// Reads the set's documents into `library`; what is there already costs nothing.
/// `scratch` takes documents that the set itself holds.
pub fn fill(library: &Library, set: &Dataset, scratch: &Path) -> anyhow::Result<Filled> {
    let begun = Instant::now();
    let files = match &set.documents {
        Documents::Files(files) => files.clone(),
        Documents::Lines(lines) => {
            let file = scratch.join(format!("{}.corpus.jsonl", set.name));
            std::fs::write(&file, lines.join("\n")).with_context(|| format!("writing `{}`", file.display()))?;
            vec![file]
        }
    };
    let report = library.ingest(&Corpus::Paths(files), &|_| ())?;
    if let Some(unusable) = report.unusable.first() {
        anyhow::bail!("`{}` {}", unusable.path, unusable.reason);
    }
    library.settle(&|_| ())?;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let per_second = (report.passages > 0).then(|| report.passages as f64 / begun.elapsed().as_secs_f64());
    Ok(Filled { passages: library.shelf().counts()?.passages, per_second })
}

/// Takes a line.
pub type Write<'a> = dyn Fn(&str) -> anyhow::Result<()> + 'a;

/// How questions are asked, and what is heard meanwhile.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// Who answers, in hybrid mode.
    pub answerer: AnswerMode,
    /// How many are done.
    pub progress: &'a dyn Fn(usize),
    /// Each question's candidates with their features, as a line of JSON; in hybrid mode.
    pub features: Option<&'a Write<'a>>,
}

/// Asks all questions of the set; one record and three times (vector, search, answer,
/// in milliseconds) for each, in the set's order.
pub fn ask(library: &Library, set: &Dataset, mode: Mode, listener: Listener<'_>) -> anyhow::Result<(Vec<Record>, Vec<[f64; 3]>)> {
    let documents: HashMap<String, String> = library
        .shelf()
        .sources()?
        .into_iter()
        .flat_map(|source| source.articles)
        .filter_map(|article| Some((article.id.0, article.key?)))
        .collect();
    let features = listener.features.filter(|_| mode == Mode::Hybrid);
    let asker = Asker { library, set, mode, documents, features, answerer: listener.answerer };
    let (mut records, mut timings) = (Vec::new(), Vec::new());
    for (done, query) in set.queries.iter().enumerate() {
        (listener.progress)(done);
        let (mut record, times) = asker.one(query, done < SCANNED).with_context(|| format!("question `{}`", query.id))?;
        metrics::judge(&mut record);
        records.push(record);
        timings.push(times);
    }
    (listener.progress)(set.queries.len());
    Ok((records, timings))
}

struct Asker<'a> {
    library: &'a Library,
    set: &'a Dataset,
    mode: Mode,
    /// Article ids → the set's own.
    documents: HashMap<String, String>,
    features: Option<&'a Write<'a>>,
    answerer: AnswerMode,
}

impl Asker<'_> {
    fn one(&self, query: &Query, scan: bool) -> anyhow::Result<(Record, [f64; 3])> {
        let mut record = Record::of(&self.set.name, self.mode, query);
        let Ok(question) = Question::parse(&query.text, None) else { return Ok((record, [0.0; 3])) };
        let pinned = self.library.pinned()?;
        let found = pinned.search(&question, &Filter::default(), self.mode, PASSAGES)?;
        record.ranking = self.ranking(&found);
        if let Some(features) = self.features {
            features(&features::line(&record, &found, &self.documents))?;
        }
        record.contexts = found.evidence.iter().take(CONTEXTS).map(|evidence| evidence.passage.text.clone()).collect();
        if scan && self.mode != Mode::Lexical {
            record.ann_recall = self.ann_recall(&question)?;
        }
        let mut times = [found.embed_ms, found.search_ms, 0.0];
        if self.mode == Mode::Hybrid && self.set.has_answers {
            // What was found is what `Library::ask` would find again.
            let asks = self.library.is_question(&question);
            let begun = Instant::now();
            let answer = if asks {
                let asking = Asking { mode: Some(self.answerer), ..Asking::of(question, 5) };
                let material = pinned.material(asking, found)?;
                drop(pinned);
                self.library.answer(&material, &mut |_| ()).0
            } else {
                Answer::not_a_question()
            };
            times[2] = milliseconds(begun);
            record.given = Some(given(&answer));
        }
        Ok((record, times))
    }

    /// Documents by their best passages.
    fn ranking(&self, found: &Retrieved) -> Vec<(String, f32)> {
        let mut ranking: Vec<(String, f32)> = Vec::new();
        for evidence in &found.evidence {
            let Some(document) = self.documents.get(&evidence.passage.article.0) else { continue };
            if ranking.len() < DEPTH && !ranking.iter().any(|(known, _)| known == document) {
                ranking.push((document.clone(), evidence.scores.total));
            }
        }
        ranking
    }

    /// Share of the ten truly nearest passages that the index finds.
    #[expect(clippy::cast_precision_loss, reason = "ten passages")]
    fn ann_recall(&self, question: &Question) -> anyhow::Result<Option<f64>> {
        let Some(vector) = self.library.embedder().question(question.as_str()) else { return Ok(None) };
        let snapshot = self.library.shelf().snapshot()?;
        let exact = snapshot.scan(&vector, 10);
        let (near, _) = snapshot.search(question.as_str(), Some(&vector), 10, &Filter::default())?;
        let found = exact.iter().filter(|one| near.iter().any(|other| other.passage == one.passage)).count();
        Ok((!exact.is_empty()).then(|| found as f64 / exact.len() as f64))
    }
}

fn given(answer: &Answer) -> Given {
    let citations_hold = answer.citations.iter().all(|citation| {
        let text = &citation.article().article.text;
        text.get(citation.span().start..citation.span().end) == Some(citation.quote())
    });
    Given {
        answerable: answer.answerable,
        reason: answer.reason.map(|reason| reason.name().to_owned()),
        confidence: f64::from(answer.confidence),
        measures: Some(answer.measures.into()),
        text: answer.statements.first().map(|statement| statement.text.clone()).unwrap_or_default(),
        quotes: answer.citations.iter().take(3).map(|citation| citation.quote().to_owned()).collect(),
        citations_hold,
        writing: Written::of(answer),
    }
}
