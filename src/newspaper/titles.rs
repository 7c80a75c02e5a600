//! Which headline belongs to which article: by place and by meaning.
//!
//! Each pair is given a score: how much of the headline's words the article uses
//! (rare words of the page weigh more), how near their meanings are, and whether
//! the headline stands above the article. The assignment with the highest sum
//! wins, so that the headline that fits nothing well goes to the article that is left.

mod assignment;

use std::collections::{BTreeSet, HashMap};

use self::assignment::{Assignment, solve};
use super::Similarity;
use super::drafts::{Cutting, Draft, Headline};
use super::lines::{Layout, is_ideograph};

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
/// Characters of a headline that are compared: no title has more.
const COMPARED: usize = 1000;

/// A pair of neighbouring characters.
type Pair = (char, char);

/// A title that might be: some headlines next to each other.
struct Candidate {
    /// Bits of the headlines that it takes.
    mask: u32,
    lines: Vec<usize>,
    /// The drafts that it fits best, as many as headlines could take from it and one more, in the order of the file.
    fits: Vec<Fit>,
}

/// How a candidate fits a draft.
#[derive(Clone, Copy)]
struct Fit {
    draft: usize,
    score: f32,
    /// The part of the score that place gives.
    place: f32,
}

/// Gives each draft of `cutting` its title; headlines that are nobody's are left out.
pub(super) fn assign(layout: &Layout, cutting: &mut Cutting, similarity: Similarity<'_>) {
    let bodies: Vec<String> = cutting.drafts.iter().map(|draft| draft.words(layout)).collect();
    thin_out(layout, cutting);
    let candidates = candidates(layout, cutting, &bodies, similarity);
    let costs: Vec<f32> =
        cutting.headlines.iter().map(|headline| if headline.is_column(layout) { 0.0 } else { LEFT_OVER }).collect();
    let best = solve(&candidates, &costs, None);
    for choice in &best.choices {
        let (draft, candidate) = (choice.draft, &candidates[choice.candidate]);
        let without = solve(&candidates, &costs, Some(*choice));
        if let Some(fit) = candidate.fits.iter().find(|fit| fit.draft == draft) {
            note(&mut cutting.drafts[draft], *fit, best.score - without.score);
        }
        cutting.drafts[draft].title.clone_from(&candidate.lines);
    }
    leave_out(layout, cutting, &best, &candidates);
}

/// Leaves out headlines that are nobody's.
fn leave_out(layout: &Layout, cutting: &mut Cutting, best: &Assignment, candidates: &[Candidate]) {
    let used = best.choices.iter().fold(0, |mask, choice| mask | candidates[choice.candidate].mask);
    let headlines = std::mem::take(&mut cutting.headlines);
    for (bit, headline) in headlines.into_iter().enumerate() {
        if used & (1 << bit) == 0 {
            let reason = if headline.is_column(layout) { "a column's name" } else { "a headline without an article" };
            cutting.left_out.extend(headline.lines.iter().map(|line| (*line, reason)));
        }
    }
}

fn note(draft: &mut Draft, fit: Fit, lead: f32) {
    let Fit { score, place, .. } = fit;
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
    kept.sort_by_cached_key(|headline| (headline.above.is_none(), std::cmp::Reverse(headline.words(layout).len())));
    dropped.extend(kept.split_off(kept.len().min(MOST)));
    kept.sort_by_key(|headline| headline.lines[0]);
    cutting.headlines = kept;
    cutting
        .left_out
        .extend(dropped.iter().flat_map(|headline| &headline.lines).map(|line| (*line, "a headline without an article")));
}

fn candidates(layout: &Layout, cutting: &Cutting, bodies: &[String], similarity: Similarity<'_>) -> Vec<Candidate> {
    let runs = runs(&cutting.headlines);
    let words: Vec<String> = runs.iter().map(|run| run.iter().map(|headline| headline.words(layout)).collect()).collect();
    let uses = Uses::of(&words, bodies);
    let mut candidates = Vec::with_capacity(runs.len());
    for (run, words) in runs.iter().zip(&words) {
        let column = if run.len() == 1 && run[0].is_column(layout) { COLUMN } else { 0.0 };
        let mut above: HashMap<usize, f32> = HashMap::new();
        for (draft, nearness) in run.iter().filter_map(|headline| headline.above) {
            *above.entry(draft).or_default() += nearness;
        }
        let shares = uses.shares(words);
        let fit = |(draft, share): (usize, f32)| {
            let place = PLACE * above.get(&draft).copied().unwrap_or(0.0).min(1.0);
            let meaning = MEANING * similarity(words, &bodies[draft]).max(0.0);
            Fit { draft, score: share + meaning + place - column, place }
        };
        let articles = shares.into_iter().enumerate().filter(|(draft, _)| !cutting.drafts[*draft].is_lead);
        let mask = run.iter().fold(0, |mask, headline| mask | 1 << position(&cutting.headlines, headline));
        let lines = run.iter().flat_map(|headline| headline.lines.clone()).collect();
        candidates.push(Candidate { mask, lines, fits: best(articles.map(fit).collect()) });
    }
    candidates
}

/// Headlines that may be a title together: each alone, and with those that follow it closely.
fn runs(headlines: &[Headline]) -> Vec<&[Headline]> {
    const LONGEST: usize = 4;
    let mut runs = Vec::new();
    for first in 0..headlines.len() {
        let joined = headlines[first + 1..].iter().take(LONGEST - 1).take_while(|headline| headline.joins_previous).count();
        runs.extend((0..=joined).map(|more| &headlines[first..=first + more]));
    }
    runs
}

/// Where in `headlines` one of them stands.
fn position(headlines: &[Headline], one: &Headline) -> usize {
    headlines.iter().position(|headline| std::ptr::eq(headline, one)).unwrap_or(0)
}

/// The best of `fits`. Others than these need not be looked at: when a candidate is given to another draft, one of
/// these is free, and fits no worse.
fn best(mut fits: Vec<Fit>) -> Vec<Fit> {
    if fits.len() > MOST + 1 {
        fits.select_nth_unstable_by(MOST, |a, b| b.score.total_cmp(&a.score).then(b.draft.cmp(&a.draft)));
        fits.truncate(MOST + 1);
        fits.sort_unstable_by_key(|fit| fit.draft);
    }
    fits
}

/// Pairs of neighbouring characters, without punctuation between.
fn pairs(characters: impl Iterator<Item = char>) -> BTreeSet<Pair> {
    let characters: Vec<char> = characters.collect();
    let word = |c: char| is_ideograph(c) || c.is_alphanumeric();
    characters.windows(2).filter(|pair| word(pair[0]) && word(pair[1])).map(|pair| (pair[0], pair[1])).collect()
}

/// Which drafts use the pairs of characters that headlines consist of.
struct Uses {
    drafts: HashMap<Pair, Vec<usize>>,
    all: usize,
}

impl Uses {
    /// Looks at each body once.
    fn of(headlines: &[String], bodies: &[String]) -> Self {
        let wanted = headlines.iter().flat_map(|words| pairs(words.chars().take(COMPARED)));
        let mut drafts: HashMap<Pair, Vec<usize>> = wanted.map(|pair| (pair, vec![])).collect();
        for (draft, body) in bodies.iter().enumerate() {
            for pair in pairs(body.chars()) {
                drafts.entry(pair).and_modify(|users| users.push(draft));
            }
        }
        Self { drafts, all: bodies.len() }
    }

    /// The share of the headline's pairs that each draft uses; pairs that few drafts use weigh more.
    #[expect(clippy::cast_precision_loss, reason = "a page has a handful of articles")]
    fn shares(&self, words: &str) -> Vec<f32> {
        let (mut all, mut held) = (0.0, vec![0.0; self.all]);
        for pair in pairs(words.chars().take(COMPARED)) {
            let users = self.drafts.get(&pair).map(Vec::as_slice).unwrap_or_default();
            let weight = (1.0 + self.all as f32 / (0.5 + users.len() as f32)).ln();
            all += weight;
            for draft in users {
                held[*draft] += weight;
            }
        }
        if all > 0.0 {
            for held in &mut held {
                *held /= all;
            }
        }
        held
    }
}
