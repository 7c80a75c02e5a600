//! Which headline belongs to which article: by place and by meaning.
//!
//! Each pair is given a score: how much of the headline's words the article uses
//! (rare words of the page weigh more), how near their meanings are, and whether
//! the headline stands above the article. The assignment with the highest sum
//! wins, so that the headline that fits nothing well goes to the article that is left.

use std::collections::{BTreeSet, HashMap};

use super::Similarity;
use super::drafts::{Cutting, Draft, Headline};
use super::lines::{Layout, is_han};

/// Weight of the models' similarity beside the share of words, which is up to 1.
const MEANING: f32 = 0.6;
/// Weight of standing right above the article.
const PLACE: f32 = 0.7;
/// What a column's name loses, and a line that is nobody's title.
const COLUMN: f32 = 0.6;
const LEFT_OVER: f32 = 0.3;
/// An assignment that leads by less is doubtful.
const DOUBTFUL: f32 = 0.15;
/// Below this, words and meaning together say nothing.
const WEAK: f32 = 0.55;
/// More headlines than this are thinned out before the assignment.
const MOST: usize = 18;

/// A title that might be: some headlines next to each other.
struct Candidate {
    /// Bits of the headlines that it takes.
    mask: u32,
    lines: Vec<usize>,
    /// The score for each draft, `None` for a lead.
    scores: Vec<Option<f32>>,
    /// The part of the score that place gives.
    place: Vec<f32>,
}

/// Gives each draft of `cutting` its title; headlines that are nobody's are left out.
pub(super) fn assign(layout: &Layout, cutting: &mut Cutting, similarity: Similarity<'_>) {
    let bodies: Vec<String> = cutting.drafts.iter().map(|draft| draft.words(layout)).collect();
    let bigrams: Vec<BTreeSet<(char, char)>> = bodies.iter().map(|body| pairs(body)).collect();
    thin_out(layout, cutting);
    let candidates = candidates(layout, cutting, &bodies, &bigrams, similarity);
    let best = solve(&candidates, &cutting.headlines, layout, cutting.drafts.len(), None);
    for (draft, choice) in best.choices.iter().enumerate() {
        let Some(choice) = *choice else { continue };
        let candidate = &candidates[choice];
        let without = solve(&candidates, &cutting.headlines, layout, cutting.drafts.len(), Some((draft, choice)));
        note(&mut cutting.drafts[draft], candidate, draft, best.score - without.score);
        cutting.drafts[draft].title.clone_from(&candidate.lines);
    }
    let used = best.choices.iter().flatten().fold(0, |mask, choice| mask | candidates[*choice].mask);
    let headlines = std::mem::take(&mut cutting.headlines);
    for (bit, headline) in headlines.into_iter().enumerate() {
        if used & (1 << bit) == 0 {
            let reason = if headline.is_column(layout) { "a column's name" } else { "a headline without an article" };
            cutting.left_out.extend(headline.lines.iter().map(|line| (*line, reason)));
        }
    }
}

fn note(draft: &mut Draft, candidate: &Candidate, index: usize, lead: f32) {
    let score = candidate.scores[index].unwrap_or(0.0);
    let place = candidate.place[index];
    if score - place < WEAK && place < PLACE / 2.0 {
        draft.notes.push("title unsure: the headline that was left when the others had theirs".to_owned());
    } else if lead < DOUBTFUL {
        draft.notes.push(format!("title unsure: another headline fits nearly as well (lead {lead:.2})"));
    } else if place < PLACE / 2.0 {
        draft.notes.push(format!("title found by meaning (lead {lead:.2})"));
    }
}

/// Keeps the assignment small: a page has a dozen headlines, not a hundred.
fn thin_out(layout: &Layout, cutting: &mut Cutting) {
    if cutting.headlines.len() <= MOST {
        return;
    }
    let (mut kept, mut dropped): (Vec<Headline>, Vec<Headline>) =
        std::mem::take(&mut cutting.headlines).into_iter().partition(|headline| !headline.is_column(layout));
    // Those that stand above an article, then the longest.
    kept.sort_by_key(|headline| (headline.above.is_none(), std::cmp::Reverse(headline.words(layout).len())));
    dropped.extend(kept.split_off(kept.len().min(MOST)));
    kept.sort_by_key(|headline| headline.lines[0]);
    cutting.headlines = kept;
    cutting
        .left_out
        .extend(dropped.iter().flat_map(|headline| &headline.lines).map(|line| (*line, "a headline without an article")));
}

fn candidates(
    layout: &Layout,
    cutting: &Cutting,
    bodies: &[String],
    bigrams: &[BTreeSet<(char, char)>],
    similarity: Similarity<'_>,
) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for first in 0..cutting.headlines.len() {
        for last in first..cutting.headlines.len().min(first + 4) {
            if last > first && !cutting.headlines[last].joins_previous {
                break;
            }
            let run = &cutting.headlines[first..=last];
            let words: String = run.iter().map(|headline| headline.words(layout)).collect();
            let column = run.len() == 1 && run[0].is_column(layout);
            let place: Vec<f32> = (0..cutting.drafts.len())
                .map(|draft| {
                    let above = run.iter().filter_map(|headline| headline.above).filter(|above| above.0 == draft);
                    PLACE * above.map(|above| above.1).sum::<f32>().min(1.0)
                })
                .collect();
            let scores = cutting.drafts.iter().enumerate().map(|(index, draft)| {
                (!draft.is_lead).then(|| {
                    let meaning = MEANING * similarity(&words, &bodies[index]).max(0.0);
                    share(&words, index, bigrams) + meaning + place[index] - if column { COLUMN } else { 0.0 }
                })
            });
            candidates.push(Candidate {
                mask: (first..=last).fold(0, |mask, bit| mask | 1 << bit),
                lines: run.iter().flat_map(|headline| headline.lines.clone()).collect(),
                scores: scores.collect(),
                place,
            });
        }
    }
    candidates
}

/// Pairs of neighbouring characters, without punctuation between.
fn pairs(text: &str) -> BTreeSet<(char, char)> {
    let characters: Vec<char> = text.chars().collect();
    let word = |c: char| is_han(c) || c.is_alphanumeric();
    characters.windows(2).filter(|pair| word(pair[0]) && word(pair[1])).map(|pair| (pair[0], pair[1])).collect()
}

/// The share of the headline's character pairs that draft `index` uses; pairs that few drafts use weigh more.
#[expect(clippy::cast_precision_loss, reason = "a page has a handful of articles")]
fn share(words: &str, index: usize, bigrams: &[BTreeSet<(char, char)>]) -> f32 {
    let weight = |pair: &(char, char)| {
        let users = bigrams.iter().filter(|body| body.contains(pair)).count() as f32;
        (1.0 + bigrams.len() as f32 / (0.5 + users)).ln()
    };
    let pairs = pairs(words);
    let all: f32 = pairs.iter().map(weight).sum();
    let held: f32 = pairs.iter().filter(|pair| bigrams[index].contains(*pair)).map(weight).sum();
    if all > 0.0 { held / all } else { 0.0 }
}

/// An assignment: which candidate each draft takes.
#[derive(Clone)]
struct Assignment {
    score: f32,
    choices: Vec<Option<usize>>,
}

/// Sets of used headlines that are followed up: all of a usual page's, and the best of a page that was
/// made to have very many.
fn width(drafts: usize) -> usize {
    (65_536 / (drafts + 1)).clamp(256, 4096)
}

/// The best assignment, by dynamic programming over drafts and sets of used headlines.
fn solve(
    candidates: &[Candidate],
    headlines: &[Headline],
    layout: &Layout,
    drafts: usize,
    forbidden: Option<(usize, usize)>,
) -> Assignment {
    let mut states: Vec<(u32, Assignment)> = vec![(0, Assignment { score: 0.0, choices: vec![] })];
    for draft in 0..drafts {
        let mut next: HashMap<u32, Assignment> = HashMap::new();
        for (used, state) in &states {
            let mut offer = |mask: u32, gain: f32, choice: Option<usize>| {
                let score = state.score + gain;
                if next.get(&mask).is_none_or(|known| score > known.score) {
                    let mut choices = state.choices.clone();
                    choices.push(choice);
                    next.insert(mask, Assignment { score, choices });
                }
            };
            offer(*used, 0.0, None);
            for (index, candidate) in candidates.iter().enumerate() {
                let free = used & candidate.mask == 0 && forbidden != Some((draft, index));
                if let (true, Some(score)) = (free, candidate.scores[draft]) {
                    offer(used | candidate.mask, score.max(0.01), Some(index));
                }
            }
        }
        states = next.into_iter().collect();
        // In one order, so that what is equal is decided in the same way each time.
        states.sort_unstable_by(|(a, one), (b, other)| other.score.total_cmp(&one.score).then(a.cmp(b)));
        states.truncate(width(drafts));
    }
    let penalty = |mask: u32| -> f32 {
        let unused = headlines.iter().enumerate().filter(|(bit, headline)| mask & (1 << bit) == 0 && !headline.is_column(layout));
        #[expect(clippy::cast_precision_loss, reason = "at most a few dozen")]
        let count = unused.count() as f32;
        count * LEFT_OVER
    };
    let mut ends: Vec<Assignment> = states
        .into_iter()
        .map(|(mask, state)| Assignment { score: state.score - penalty(mask), choices: state.choices })
        .collect();
    // The map's order is not stable; equal scores fall to the earlier headlines.
    ends.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.choices.cmp(&b.choices)));
    ends.into_iter().next().unwrap_or(Assignment { score: 0.0, choices: vec![] })
}
