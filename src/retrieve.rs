//! Question → evidence: candidates → score → read → evidence.
//!
//! By meaning and by words the shelf finds candidates (`candidates`). Each gets a fused score of a few
//! features. The best are read beside the question by the model's reader, where it has one (`reading`),
//! and become evidence with their sentences. All weights are the model's own, learnt and loaded with it
//! ([`crate::embed::Parameters`]).

mod candidates;
mod fold;
mod follow_up;
mod language;
mod question;
mod reading;
mod relevance;
mod scores;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::article::Span;
use crate::deadline;
use crate::embed::Embedder;
use crate::shelf::{Error, Filter, Neighbor, PassageId, Snapshot, StoredPassage};

use candidates::Candidate;
pub use fold::folded;
pub use follow_up::{behind_the_last, in_context};
pub use question::{EmbeddedQuestion, Question, QuestionError, says_something};
pub use reading::answers;
pub use relevance::relevance;
pub use scores::{PassageReading, Scores};

/// A passage with its article and its scores.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The passage.
    pub passage: StoredPassage,
    /// How it scored.
    pub scores: Scores,
    /// Its sentences, in reading order; those of the best passages are there.
    pub sentences: Vec<Sentence>,
    /// Passages of other articles that say the same, where these were folded.
    pub copies: Vec<StoredPassage>,
}

/// A sentence of a passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentence {
    /// Where it stands in the article.
    pub span: Span,
    /// Cosine of question and sentence.
    pub meaning: f32,
    /// What the reader says of it, where it was read.
    pub reading: Option<SentenceReading>,
}

/// What the reader says of a sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentenceReading {
    /// The logit that it answers.
    pub logit: f32,
    /// The logit of the best answer inside it.
    pub span_logit: f32,
    /// How much of the question it covers, 0 to 1.
    pub coverage: f32,
    /// Where that answer stands in the article.
    pub answer: Option<Span>,
}

/// Which legs search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Both, ranked together.
    #[default]
    Hybrid,
    /// Only by vectors: the learnt sum of a passage's cosine and of its best sentence's. Nothing is read.
    Dense,
    /// Only by words: the word index's own order.
    Lexical,
}

impl Mode {
    /// As commands and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Dense => "dense",
            Self::Lexical => "lexical",
        }
    }
}

/// What is searched for, and where.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where passages are found: one state of the shelf.
    pub snapshot: &'a Snapshot,
    /// The model, with its reader and its parameters.
    pub embedder: &'a Embedder,
    /// The question.
    pub question: &'a EmbeddedQuestion,
    /// Which articles may answer.
    pub filter: &'a Filter,
    /// Which legs search.
    pub mode: Mode,
    /// Passages wanted, at most.
    pub limit: usize,
    /// Passages of each leg that are scored.
    pub candidates: usize,
}

impl Request<'_> {
    fn text(&self) -> &str {
        self.question.question.as_str()
    }
}

/// What retrieval gives.
#[derive(Debug)]
pub struct Retrieved {
    /// Evidence, the best first.
    pub evidence: Vec<Evidence>,
    /// How many of them were scored; those behind stand in the legs' own order.
    pub scored: usize,
    /// Milliseconds for the question's vector.
    pub embed_ms: f64,
    /// Milliseconds for both legs, the ranking and the reading.
    pub search_ms: f64,
}

/// Finds the passages that `request` asks for.
///
/// # Errors
/// When the shelf cannot be read; [`Error::Late`] when the deadline has passed.
pub fn retrieve(request: &Request<'_>) -> Result<Retrieved, Error> {
    let begun = Instant::now();
    let Request { snapshot, question, filter, mode, limit, candidates, .. } = *request;
    let vector = question.vector.as_ref().filter(|_| mode != Mode::Lexical);
    let (near, mut words) = snapshot.search(request.text(), vector, candidates.max(limit), filter)?;
    in_time()?;
    if mode == Mode::Dense {
        words.clear();
    }
    // Only the first of each leg are worth scoring; the rest follow in their own order.
    let first = |leg: &[Neighbor]| leg[..leg.len().min(candidates)].to_vec();
    let mut evidence = match mode {
        Mode::Hybrid => reading::ranked(request, candidates::scored(request, &first(&near), &first(&words))?)?,
        Mode::Dense => unread(snapshot, candidates::scored(request, &first(&near), &[])?)?,
        Mode::Lexical => single(snapshot, &words, |score| Scores { words: score, ..Scores::of_leg(score) })?,
    };
    let search_ms = milliseconds(begun);
    evidence.truncate(limit);
    let scored = evidence.len();
    if mode != Mode::Lexical && scored < limit {
        evidence.extend(rest(snapshot, &near, &words, &evidence)?);
        evidence.truncate(limit);
    }
    Ok(Retrieved { evidence, scored, embed_ms: question.embed_ms, search_ms })
}

/// Gives up where nobody waits for the passages any more.
fn in_time() -> Result<(), Error> {
    if deadline::has_passed() { Err(Error::Late) } else { Ok(()) }
}

/// Candidates by their fused scores, none of them read.
fn unread(snapshot: &Snapshot, found: Vec<Candidate>) -> Result<Vec<Evidence>, Error> {
    let passages = snapshot.passages(&found.iter().map(|candidate| candidate.id).collect::<Vec<PassageId>>())?;
    let evidence = candidates::joined(passages, found, |passage, Candidate { scores, .. }| {
        let scores = Scores { total: scores.fused, relevance: scores.meaning.clamp(0.0, 1.0), ..scores };
        Evidence { passage, scores, sentences: vec![], copies: vec![] }
    });
    Ok(evidence.collect())
}

/// One leg alone, in its own order.
fn single(snapshot: &Snapshot, leg: &[Neighbor], scores: impl Fn(f32) -> Scores) -> Result<Vec<Evidence>, Error> {
    let of: BTreeMap<PassageId, f32> = leg.iter().map(|neighbor| (neighbor.passage, neighbor.score)).collect();
    let ids: Vec<PassageId> = leg.iter().map(|neighbor| neighbor.passage).collect();
    let passages = snapshot.passages(&ids)?.into_iter();
    let mut evidence: Vec<Evidence> = passages
        .map(|passage| {
            let scores = scores(of.get(&passage.id).copied().unwrap_or(0.0));
            Evidence { passage, scores, sentences: vec![], copies: vec![] }
        })
        .collect();
    evidence.sort_by(|a, b| b.scores.total.total_cmp(&a.scores.total).then(a.passage.id.cmp(&b.passage.id)));
    Ok(evidence)
}

/// Passages that were not scored, by their places in both legs (reciprocal rank fusion, Cormack et al. 2009). Their
/// totals are below those of `head`.
#[expect(clippy::cast_precision_loss, reason = "ranks")]
fn rest(snapshot: &Snapshot, near: &[Neighbor], words: &[Neighbor], head: &[Evidence]) -> Result<Vec<Evidence>, Error> {
    const SMOOTHING: f32 = 60.0;
    let mut sums: BTreeMap<PassageId, f32> = BTreeMap::new();
    for leg in [near, words] {
        for (place, neighbor) in leg.iter().enumerate() {
            *sums.entry(neighbor.passage).or_default() += 1.0 / (SMOOTHING + place as f32);
        }
    }
    let least = head.iter().map(|one| one.scores.total).fold(0.0, f32::min);
    let left = sums.into_iter().filter(|(passage, _)| head.iter().all(|one| one.passage.id != *passage));
    let left: Vec<Neighbor> = left.map(|(passage, sum)| Neighbor { passage, score: least - 1.0 + sum }).collect();
    single(snapshot, &left, Scores::of_leg)
}

/// Milliseconds since `begun`.
pub(crate) fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}
