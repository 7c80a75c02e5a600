//! The extractive answerer: the sentences that answer, whole and quoted.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::confidence::{Measures, confidence};
use super::{Answer, Citation, Statement};
use crate::article::Span;
use crate::chunk::sentences;
use crate::embed::Embedder;
use crate::retrieve::{Evidence, Question};
use crate::shelf::StoredArticle;
use crate::shelf::terms::terms;

/// What the words of a sentence weigh beside its tokens, and its passage beside both.
const WORDS: f32 = 1.0;
const PASSAGE: f32 = 0.5;
/// How much of the comparison of tokens is that of the sentence with its title, author and heading.
const CONTEXT: f32 = 0.7;
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
    pub const PASSAGES: usize = 8;
}

/// A sentence that may answer.
struct Candidate {
    evidence: usize,
    span: Span,
    tokens: f32,
    words: f32,
    score: f32,
}

/// Answers `question` from `evidence`, best first, each with its article.
pub fn extractive(embedder: &Embedder, question: &Question, evidence: &[(Evidence, Arc<StoredArticle>)], rules: Rules) -> Answer {
    let looked_at = &evidence[..evidence.len().min(Rules::PASSAGES)];
    let mut candidates = candidates(embedder, question, looked_at);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then((a.evidence, a.span.start).cmp(&(b.evidence, b.span.start))));
    let measures = candidates.first().map(|best| measures(best, looked_at)).unwrap_or_default();
    let confidence = if candidates.is_empty() { 0.0 } else { confidence(measures) };
    let refused = Answer { answerable: false, confidence, measures, statements: vec![], citations: vec![] };
    if candidates.is_empty() || confidence < rules.min_confidence {
        return refusal(refused, evidence, rules.nearest);
    }
    let floor = candidates[0].score * NEARLY;
    let mut answer = Answer { answerable: true, ..refused.clone() };
    for candidate in candidates.iter().filter(|candidate| candidate.score >= floor) {
        if answer.statements.len() == rules.sentences {
            break;
        }
        let (evidence, article) = &looked_at[candidate.evidence];
        let Some(citation) = Citation::cut(article, candidate.span, evidence) else { continue };
        let text = citation.quote().to_owned();
        // Syndicated copies say the same sentence; once is enough.
        if answer.statements.iter().any(|statement| statement.text == text) {
            continue;
        }
        answer.citations.push(citation);
        answer.statements.push(Statement { text, citations: vec![answer.citations.len()] });
    }
    if answer.statements.is_empty() {
        return refusal(refused, evidence, rules.nearest);
    }
    answer
}

/// "The articles do not say": the nearest passages, and nothing claimed.
fn refusal(refused: Answer, evidence: &[(Evidence, Arc<StoredArticle>)], nearest: usize) -> Answer {
    let cut = evidence
        .iter()
        .take(nearest)
        .filter_map(|(evidence, article)| Citation::cut(article, evidence.passage.passage.span, evidence));
    Answer { citations: cut.collect(), ..refused }
}

fn candidates(embedder: &Embedder, question: &Question, evidence: &[(Evidence, Arc<StoredArticle>)]) -> Vec<Candidate> {
    let found: Vec<(usize, Span, &str, String)> = evidence
        .iter()
        .enumerate()
        .flat_map(|(at, (evidence, article))| {
            let text = &article.article.text;
            let spans = sentences(text, evidence.passage.passage.span);
            spans.into_iter().filter_map(move |span| {
                let words = text.get(span.start..span.end)?;
                Some((at, span, words, format!("{}\n{words}", evidence.passage.context())))
            })
        })
        .collect();
    let bare: Vec<&str> = found.iter().map(|(_, _, words, _)| *words).collect();
    let with_context: Vec<&str> = found.iter().map(|(.., text)| text.as_str()).collect();
    let tokens = embedder.relevance(question.as_str(), &bare);
    let in_context = embedder.relevance(question.as_str(), &with_context);
    let words = shares(question.as_str(), &with_context);
    let best = evidence.iter().map(|(evidence, _)| evidence.scores.total).fold(f32::MIN_POSITIVE, f32::max);
    let scored = found.iter().zip(tokens).zip(in_context).zip(words);
    scored
        .map(|((((at, span, ..), tokens), in_context), words)| Candidate {
            evidence: *at,
            span: *span,
            tokens,
            words,
            score: (1.0 - CONTEXT) * tokens
                + CONTEXT * in_context
                + WORDS * words
                + PASSAGE * evidence[*at].0.scores.total / best,
        })
        .collect()
}

/// For each text the share of the question's terms that it has; rare terms weigh more.
#[expect(clippy::cast_precision_loss, reason = "counts of sentences")]
fn shares(question: &str, texts: &[&str]) -> Vec<f32> {
    let asked: BTreeSet<String> = terms(question).into_iter().map(|term| term.text).collect();
    let held: Vec<BTreeSet<String>> = texts.iter().map(|text| terms(text).into_iter().map(|term| term.text).collect()).collect();
    // In the terms' own order: sums of floats depend on it, and the same question gets the same answer.
    let weights: Vec<(&String, f32)> = asked
        .iter()
        .map(|term| {
            let users = held.iter().filter(|terms| terms.contains(term)).count() as f32;
            (term, (1.0 + (held.len() as f32 - users) / (users + 0.5)).ln())
        })
        .collect();
    let all: f32 = weights.iter().map(|(_, weight)| weight).sum::<f32>().max(f32::MIN_POSITIVE);
    held.iter()
        .map(|terms| weights.iter().filter(|(term, _)| terms.contains(*term)).map(|(_, weight)| weight).sum::<f32>() / all)
        .collect()
}

fn measures(best: &Candidate, evidence: &[(Evidence, Arc<StoredArticle>)]) -> Measures {
    let most = |of: fn(&Evidence) -> f32| evidence.iter().map(|(evidence, _)| of(evidence)).fold(0.0, f32::max);
    Measures {
        sentence_tokens: best.tokens,
        sentence_words: best.words,
        passage_tokens: most(|evidence| evidence.scores.tokens),
        passage_words: most(|evidence| evidence.scores.words),
        meaning: most(|evidence| evidence.scores.meaning),
        same_language: most(|evidence| evidence.scores.same_language),
    }
}
