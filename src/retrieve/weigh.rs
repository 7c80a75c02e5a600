//! A passage's sentences, weighed one by one: what an answer is chosen from.

use std::collections::BTreeSet;

use super::Question;
use crate::article::Span;
use crate::chunk::sentences;
use crate::embed::{Comparison, Embedder};
use crate::shelf::StoredPassage;
use crate::shelf::terms::{Folded, terms};

/// How much of a sentence's bearing is that of it with its title, author and heading.
const CONTEXT: f32 = 0.7;
/// How much rare tokens of the question outweigh common ones, as a power: all these sentences are about the matter.
const RARITY: f32 = 1.0;
/// What is taken from a sentence each time its length grows by e: more tokens are nearer by chance.
const CHANCE: f32 = 0.05;
/// A length in tokens that nothing is taken from, and the shortest that is told apart.
const USUAL: f32 = 32.0;
const SHORTEST: usize = 4;

/// A sentence of a passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentence {
    /// Where it stands in the article.
    pub span: Span,
    /// How much of the question it has in meaning, 0 to 1.
    pub tokens: f32,
    /// How well it bears on the question beside the other sentences, together with its title, author and heading.
    pub bearing: f32,
    /// How much of the question's words it has together with these; rare words weigh more.
    pub words: f32,
}

/// The sentences of each passage, in reading order.
pub(super) fn weighed(
    embedder: &Embedder,
    comparison: Option<&mut Comparison<'_>>,
    question: &Question,
    passages: &[StoredPassage],
    same_language: f32,
) -> Vec<Vec<Sentence>> {
    let mut found: Vec<(usize, Span, &str)> = Vec::new();
    for (owner, passage) in passages.iter().enumerate() {
        for span in sentences(&passage.text, Span::new(0, passage.text.len())) {
            found.extend(passage.text.get(span.start..span.end).map(|text| (owner, span, text)));
        }
    }
    let contexts: Vec<String> = passages.iter().map(StoredPassage::context).collect();
    let meaning = match comparison {
        Some(comparison) => by_tokens(embedder, comparison, &contexts, &found, same_language),
        None => by_vectors(embedder, question, &contexts, &found),
    };
    let with_context: Vec<String> = found.iter().map(|(owner, _, text)| format!("{}\n{text}", contexts[*owner])).collect();
    let words = word_shares(question, &with_context);
    let mut weighed = vec![Vec::new(); passages.len()];
    for (((owner, span, _), (tokens, bearing)), words) in found.into_iter().zip(meaning).zip(words) {
        let from = passages[owner].passage.span.start;
        let span = Span::new(from + span.start, from + span.end);
        weighed[owner].push(Sentence { span, tokens, bearing, words });
    }
    weighed
}

/// How much of the question each has, and how it bears on it: with context, each token of the question takes the
/// nearer of what the two hold.
#[expect(clippy::cast_precision_loss, reason = "tokens of a sentence")]
fn by_tokens(
    embedder: &Embedder,
    comparison: &mut Comparison<'_>,
    contexts: &[String],
    found: &[(usize, Span, &str)],
    same_language: f32,
) -> Vec<(f32, f32)> {
    let contexts: Vec<Vec<u32>> = contexts.iter().map(|context| embedder.tokens(context)).collect();
    let texts = embedder.tokens_of_all(found.iter().map(|(.., text)| *text));
    comparison.learn(contexts.iter().chain(&texts).map(Vec::as_slice));
    let contexts: Vec<Vec<f32>> = contexts.iter().map(|tokens| comparison.nearest(tokens)).collect();
    let nearest: Vec<Vec<f32>> = texts.iter().map(|tokens| comparison.nearest(tokens)).collect();
    let weights = comparison.rarity(&nearest, RARITY);
    let bears = |nearest: &[f32]| Comparison::bearing(nearest, &weights, same_language);
    let scores = found.iter().zip(&texts).zip(&nearest).map(|(((owner, ..), tokens), alone)| {
        let both: Vec<f32> = alone.iter().zip(&contexts[*owner]).map(|(a, b)| a.max(*b)).collect();
        let by_chance = CHANCE * (tokens.len().max(SHORTEST) as f32 / USUAL).ln();
        (comparison.score(alone), (1.0 - CONTEXT) * bears(alone) + CONTEXT * bears(&both) - by_chance)
    });
    scores.collect()
}

/// An encoder reads each sentence with its context, and only once: that takes long enough.
fn by_vectors(embedder: &Embedder, question: &Question, contexts: &[String], found: &[(usize, Span, &str)]) -> Vec<(f32, f32)> {
    let texts: Vec<String> = found.iter().map(|(owner, _, text)| format!("{}\n{text}", contexts[*owner])).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    embedder.compared(question.as_str(), &texts).into_iter().map(|score| (score, score)).collect()
}

/// For each text the share of the question's terms that it has; rare terms weigh more.
#[expect(clippy::cast_precision_loss, reason = "counts of sentences")]
fn word_shares(question: &Question, texts: &[String]) -> Vec<f32> {
    let asked: BTreeSet<String> = terms(question.as_str()).into_iter().map(|term| term.text).collect();
    let held: Vec<Vec<bool>> = texts
        .iter()
        .map(|text| {
            let folded = Folded::of(text);
            asked.iter().map(|term| folded.holds(term)).collect()
        })
        .collect();
    // In the terms' own order: sums of floats depend on it, and the same question gets the same answer.
    let weight = |place: usize| {
        let users = held.iter().filter(|held| held[place]).count() as f32;
        (1.0 + (held.len() as f32 - users) / (users + 0.5)).ln()
    };
    let weights: Vec<f32> = (0..asked.len()).map(weight).collect();
    let all = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let share =
        |held: &Vec<bool>| held.iter().zip(&weights).filter(|(held, _)| **held).map(|(_, weight)| weight).sum::<f32>() / all;
    held.iter().map(share).collect()
}
