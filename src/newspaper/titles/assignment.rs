//! The assignment of headlines to drafts with the highest sum: dynamic programming over drafts and sets of used headlines.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Candidate, Fit};

/// A candidate that a draft takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) draft: usize,
    pub(super) candidate: usize,
}

/// Which drafts take which candidates.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    pub(super) score: f32,
    /// In the order of the drafts; one that is not here takes none.
    pub(super) choices: Vec<Choice>,
}

/// A set of used headlines, and the best way to it.
#[derive(Clone, Copy)]
struct State {
    used: u32,
    score: f32,
    /// The last choice on the way to it, in `Search::taken`.
    last: Option<usize>,
    /// The choice that leads here, until it is known whether this is followed up.
    choice: Option<Choice>,
}

/// Sets of used headlines that are followed up: all of a usual page's, and the best of a page that was
/// made to have very many.
fn width(drafts: usize) -> usize {
    (65_536 / (drafts + 1)).clamp(32, 4096)
}

/// The best assignment of `candidates`, without the choice that is `forbidden`. A headline that is not used costs what
/// `costs` says.
pub(super) fn solve(candidates: &[Candidate], costs: &[f32], forbidden: Option<Choice>) -> Assignment {
    let mut offers: BTreeMap<usize, Vec<(usize, f32)>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        for Fit { draft, score, .. } in &candidate.fits {
            if forbidden != Some(Choice { draft: *draft, candidate: index }) {
                offers.entry(*draft).or_default().push((index, score.max(0.01)));
            }
        }
    }
    let mut search = Search { places: vec![NONE; 1 << costs.len()], taken: Vec::new(), width: width(offers.len()) };
    let mut states = vec![State { used: 0, score: 0.0, last: None, choice: None }];
    for (draft, offers) in offers {
        states = search.step(&states, candidates, draft, &offers);
    }
    for state in &mut states {
        let unused = costs.iter().enumerate().filter(|(bit, _)| state.used & (1 << bit) == 0);
        state.score -= unused.map(|(_, cost)| cost).sum::<f32>();
    }
    let best = states.iter().map(|state| state.score).fold(f32::NEG_INFINITY, f32::max);
    let equal = states.iter().filter(|state| state.score >= best).map(|state| search.way_to(*state));
    // Equal scores fall to the earlier headlines, and to the later drafts.
    let order = |choices: &Vec<Choice>| choices.iter().map(|one| (Reverse(one.draft), one.candidate)).collect::<Vec<_>>();
    equal.min_by_key(order).map_or_else(Assignment::default, |choices| Assignment { score: best, choices })
}

const NONE: u32 = u32::MAX;

struct Search {
    /// Where each set of headlines stands among the next states.
    places: Vec<u32>,
    /// Choices that are followed up, each with the one before it.
    taken: Vec<(Choice, Option<usize>)>,
    width: usize,
}

impl Search {
    /// The states once `draft` has taken one of `offers`, or none.
    fn step(&mut self, states: &[State], candidates: &[Candidate], draft: usize, offers: &[(usize, f32)]) -> Vec<State> {
        let mut next: Vec<State> = Vec::with_capacity(states.len());
        for state in states {
            self.offer(&mut next, *state);
            for (candidate, gain) in offers {
                let mask = candidates[*candidate].mask;
                if state.used & mask == 0 {
                    let choice = Some(Choice { draft, candidate: *candidate });
                    self.offer(&mut next, State { used: state.used | mask, score: state.score + gain, choice, ..*state });
                }
            }
        }
        for state in &next {
            self.places[state.used as usize] = NONE;
        }
        // In one order, so that what is equal is decided in the same way each time.
        let order = |a: &State, b: &State| b.score.total_cmp(&a.score).then(a.used.cmp(&b.used));
        if next.len() > self.width {
            next.select_nth_unstable_by(self.width, order);
            next.truncate(self.width);
        }
        next.sort_unstable_by(order);
        for state in &mut next {
            if let Some(choice) = state.choice.take() {
                self.taken.push((choice, state.last));
                state.last = Some(self.taken.len() - 1);
            }
        }
        next
    }

    fn offer(&mut self, next: &mut Vec<State>, state: State) {
        let place = &mut self.places[state.used as usize];
        match next.get_mut(*place as usize) {
            Some(known) if state.score > known.score => *known = state,
            Some(_) => {}
            None => {
                *place = u32::try_from(next.len()).unwrap_or(NONE);
                next.push(state);
            }
        }
    }

    /// The choices that lead to a state.
    fn way_to(&self, state: State) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut last = state.last;
        while let Some((choice, before)) = last.and_then(|at| self.taken.get(at)) {
            choices.push(*choice);
            last = *before;
        }
        choices.reverse();
        choices
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The best sum, by trying all.
    fn tried(candidates: &[Candidate], costs: &[f32], draft: usize, drafts: usize, used: u32) -> f32 {
        if draft == drafts {
            let unused = costs.iter().enumerate().filter(|(bit, _)| used & (1 << bit) == 0);
            return -unused.map(|(_, cost)| cost).sum::<f32>();
        }
        let none = tried(candidates, costs, draft + 1, drafts, used);
        let free = candidates.iter().filter(|candidate| used & candidate.mask == 0);
        let fits = free.filter_map(|candidate| Some((candidate, candidate.fits.iter().find(|fit| fit.draft == draft)?)));
        fits.map(|(candidate, fit)| fit.score.max(0.01) + tried(candidates, costs, draft + 1, drafts, used | candidate.mask))
            .fold(none, f32::max)
    }

    proptest! {
        #[test]
        fn no_assignment_is_better(
            scores in prop::collection::vec(prop::collection::vec(0.0_f32..2.0, 4), 7),
            masks in prop::collection::vec(1_u32..16, 7),
            costs in prop::collection::vec(0.0_f32..0.5, 4),
        ) {
            let fit = |(draft, score): (usize, &f32)| Fit { draft, score: *score, place: 0.0 };
            let candidates: Vec<Candidate> = scores.iter().zip(&masks)
                .map(|(scores, mask)| Candidate { mask: *mask, lines: vec![], fits: scores.iter().enumerate().map(fit).collect() })
                .collect();
            let found = solve(&candidates, &costs, None);
            prop_assert!((found.score - tried(&candidates, &costs, 0, 4, 0)).abs() < 1e-4);
            let masks = found.choices.iter().map(|choice| candidates[choice.candidate].mask);
            prop_assert_eq!(masks.clone().fold(0, |all, mask| all + mask.count_ones()), masks.fold(0, |all, mask| all | mask).count_ones());
            if let Some(choice) = found.choices.first() {
                let without = solve(&candidates, &costs, Some(*choice));
                prop_assert!(without.score <= found.score + 1e-4 && !without.choices.contains(choice));
            }
        }
    }
}
