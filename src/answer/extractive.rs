//! The extractive answerer: the sentences that answer, whole and quoted.

use std::sync::Arc;

use super::confidence::{Lead, Measures, confidence};
use super::expected::Expected;
use super::{Answer, Citation, Statement};
use crate::article::Span;
use crate::retrieve::{Evidence, Question, WEIGHED};
use crate::shelf::StoredArticle;
use crate::shelf::terms::units;

/// What the words of a sentence weigh beside its tokens, and its passage beside both.
const WORDS: f32 = 0.6;
const PASSAGE: f32 = 0.5;
/// What it adds that a sentence holds the number or the time that is asked for.
const EXPECTED: f32 = 0.15;
/// The share of a sentence that is the question's own words when it only repeats the question.
const ECHO: (usize, usize) = (3, 5);
/// A further sentence is given when it scores nearly as well as the first.
const NEARLY: f32 = 0.8;

/// How an answer is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Sentences at most.
    pub sentences: usize,
    /// Confidence below which the answer is refused.
    pub min_confidence: f32,
    /// Passages shown when it is refused.
    pub nearest: usize,
}

impl Rules {
    /// Passages whose sentences are looked at.
    pub const PASSAGES: usize = WEIGHED;
}

/// A sentence that may answer.
struct Candidate {
    evidence: usize,
    span: Span,
    bearing: f32,
    words: f32,
    score: f32,
}

/// Answers `question` from the sentences of `evidence`, best first, each with its article. Sentences that are
/// part of what was `said` before are passed over.
pub fn extractive(question: &Question, evidence: &[(Evidence, Arc<StoredArticle>)], rules: Rules, said: &[String]) -> Answer {
    let looked_at = &evidence[..evidence.len().min(Rules::PASSAGES)];
    let mut candidates = candidates(looked_at);
    if !said.is_empty() {
        candidates.retain(|candidate| {
            let quote = looked_at[candidate.evidence].1.article.quote(candidate.span);
            quote.is_some_and(|quote| !said.iter().any(|before| before.contains(quote)))
        });
    }
    prefer_expected(question, looked_at, &mut candidates);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then((a.evidence, a.span.start).cmp(&(b.evidence, b.span.start))));
    let measures = measures(&candidates, looked_at);
    let confidence = if candidates.is_empty() { 0.0 } else { confidence(measures) };
    let refused = Answer { answerable: false, confidence, measures, statements: vec![], citations: vec![] };
    if candidates.is_empty() || confidence < rules.min_confidence {
        return refusal(refused, evidence, rules.nearest);
    }
    let floor = candidates[0].score * NEARLY;
    let mut answer = Answer { answerable: true, ..refused.clone() };
    for candidate in candidates.iter().filter(|candidate| candidate.score >= floor) {
        let (evidence, article) = &looked_at[candidate.evidence];
        let spans = std::iter::once(candidate.span).chain(announced(question, candidate.span, evidence, article));
        for span in spans {
            if answer.statements.len() < rules.sentences {
                state(&mut answer, article, span, evidence);
            }
        }
    }
    if answer.statements.is_empty() {
        return refusal(refused, evidence, rules.nearest);
    }
    answer
}

/// Adds a sentence and its citation, unless it was said: syndicated copies say the same.
fn state(answer: &mut Answer, article: &Arc<StoredArticle>, span: Span, evidence: &Evidence) {
    let Some(citation) = Citation::cut(article, span, evidence) else { return };
    let text = citation.quote().to_owned();
    if answer.statements.iter().all(|statement| statement.text != text) {
        answer.citations.push(citation);
        answer.statements.push(Statement { text, citations: vec![answer.citations.len()] });
    }
}

/// The sentence after one that says little but the question's own words: it announces what follows.
fn announced(question: &Question, span: Span, evidence: &Evidence, article: &StoredArticle) -> Option<Span> {
    let text = article.article.quote(span)?;
    let (said, asked) = (units(text), units(question.as_str()));
    let repeated = said.iter().filter(|unit| asked.contains(*unit)).count();
    let after = evidence.sentences.iter().position(|sentence| sentence.span == span)? + 1;
    let next = evidence.sentences.get(after)?.span;
    // Across a paragraph's end nothing is announced.
    let together = !article.article.text.get(span.end..next.start)?.contains('\n');
    (together && repeated * ECHO.1 >= said.len() * ECHO.0).then_some(next)
}

/// "The articles do not say": the nearest passages, and nothing claimed.
fn refusal(refused: Answer, evidence: &[(Evidence, Arc<StoredArticle>)], nearest: usize) -> Answer {
    let cut = evidence
        .iter()
        .take(nearest)
        .filter_map(|(evidence, article)| Citation::cut(article, evidence.passage.passage.span, evidence));
    Answer { citations: cut.collect(), ..refused }
}

fn candidates(evidence: &[(Evidence, Arc<StoredArticle>)]) -> Vec<Candidate> {
    let best = evidence.iter().map(|(evidence, _)| evidence.scores.total).fold(f32::MIN_POSITIVE, f32::max);
    let all = evidence.iter().enumerate().flat_map(|(at, (evidence, _))| evidence.sentences.iter().map(move |one| (at, one)));
    all.map(|(at, sentence)| {
        let score = sentence.bearing + WORDS * sentence.words + PASSAGE * evidence[at].0.scores.total / best;
        Candidate { evidence: at, span: sentence.span, bearing: sentence.bearing, words: sentence.words, score }
    })
    .collect()
}

/// Lifts sentences that hold the number or the time that `question` asks for. Reading takes time: those that this
/// cannot lift to the first ones are not read.
fn prefer_expected(question: &Question, evidence: &[(Evidence, Arc<StoredArticle>)], candidates: &mut [Candidate]) {
    let expected = Expected::by(question.as_str());
    let least = candidates.iter().map(|candidate| candidate.score).fold(0.0, f32::max) * NEARLY - EXPECTED;
    for candidate in candidates.iter_mut().filter(|candidate| candidate.score >= least) {
        let quote = evidence[candidate.evidence].1.article.quote(candidate.span);
        candidate.score += if quote.is_some_and(|quote| expected.is_in(quote)) { EXPECTED } else { 0.0 };
    }
}

fn measures(candidates: &[Candidate], evidence: &[(Evidence, Arc<StoredArticle>)]) -> Measures {
    let sentences = Lead::of_sentences(candidates.iter().map(|candidate| candidate.bearing));
    let passages = Lead::of_passages(evidence.iter().map(|(evidence, _)| evidence.scores.total));
    let most = |of: fn(&Evidence) -> f32| evidence.iter().map(|(evidence, _)| of(evidence)).fold(0.0, f32::max);
    Measures {
        bearing: sentences.best,
        sentence_lead: sentences.absolute(),
        rivals: sentences.rivals,
        sentence_words: candidates.first().map_or(0.0, |first| first.words),
        passage_lead: passages.relative(),
        passage_words: most(|evidence| evidence.scores.words),
        meaning: most(|evidence| evidence.scores.meaning),
        same_language: most(|evidence| evidence.scores.same_language),
        reading: evidence.iter().filter_map(|(evidence, _)| evidence.scores.reading).reduce(f32::max),
    }
}
