//! Token by token: what a question's tokens find in texts.
//!
//! A mean of rows blurs what a text says. Here each token of the question takes the nearest
//! of the text's tokens, whatever their languages, and rare tokens weigh more.

use rayon::prelude::*;

use super::kernels::codes::prefetch;
use super::table::{Row, Table, Token};

/// Rows that are asked for before they are needed.
const AHEAD: usize = 4;
/// The share of texts that hold a token counts at least this much: rarer than rare says no more.
const COMMON: f32 = 0.02;
/// What is made of a cosine where question and texts share their language, and where they do not. Within a
/// language the nearest token is mostly the very same. Across languages only numbers and names are, and these
/// drown the rest: more than [`SAME_MEANING`] is no nearer there.
const POWER: f32 = 0.75;
const FOREIGN_POWER: f32 = 0.5;
const SAME_MEANING: f32 = 0.6;

/// What a question's tokens find in texts: each its nearest, and rare ones weigh more.
pub struct Comparison<'a> {
    table: &'a Table,
    asked: Vec<Token<'a>>,
    weight: f32,
    /// For each token of the vocabulary, where its cosines begin, from 1; 0 where they are not known.
    places: Vec<u32>,
    cosines: Vec<f32>,
}

impl<'a> Comparison<'a> {
    /// Of a question's tokens with those of `table`.
    pub(super) fn of(table: &'a Table, asked: Vec<Token<'a>>) -> Self {
        let weight = asked.iter().map(Token::importance).sum();
        Self { table, asked, weight, places: vec![0; table.tokens()], cosines: vec![] }
    }

    /// Compares the tokens of `texts` that were not compared before: texts share most of theirs.
    pub fn learn<'t>(&mut self, texts: impl Iterator<Item = &'t [u32]>) {
        let mut fresh: Vec<u32> = Vec::new();
        let known = self.cosines.len() / self.asked.len().max(1);
        for id in texts.flatten() {
            let Some(place) = self.places.get_mut(*id as usize).filter(|place| **place == 0) else { continue };
            fresh.push(*id);
            *place = u32::try_from(known + fresh.len()).unwrap_or(0);
        }
        let (table, asked) = (self.table, &self.asked);
        if asked.is_empty() {
            return;
        }
        let from = self.cosines.len();
        self.cosines.resize(from + fresh.len() * asked.len(), 0.0);
        let rows = self.cosines[from..].par_chunks_mut(asked.len()).enumerate().with_min_len(256);
        rows.for_each(|(at, cosines)| {
            if let Some(Row::Bytes(next, _)) = fresh.get(at + AHEAD).and_then(|id| table.row(*id as usize)) {
                prefetch(next);
            }
            let Some(token) = table.token(fresh[at]) else { return };
            for (cosine, other) in cosines.iter_mut().zip(asked) {
                *cosine = table.cosine(other, &token).max(0.0);
            }
        });
    }

    /// How many tokens the question has.
    pub(super) fn asked(&self) -> usize {
        self.asked.len()
    }

    /// Numbers in a token's row.
    pub(super) fn dimension(&self) -> usize {
        self.table.dimension()
    }

    /// Adds the question's token at `place`, brought to length one, to `row`; what it says.
    pub(super) fn add_asked(&self, place: usize, row: &mut [f32]) -> f32 {
        self.asked.get(place).map_or(0.0, |token| token.add_unit(row))
    }

    /// The same of any token.
    pub(super) fn add(&self, id: u32, row: &mut [f32]) -> f32 {
        self.table.token(id).map_or(0.0, |token| token.add_unit(row))
    }

    /// The cosines of a token that was learnt with each of the question's; none where it was not.
    pub(super) fn cosines(&self, id: u32) -> &[f32] {
        let place = self.places.get(id as usize).copied().unwrap_or(0) as usize;
        let from = place.wrapping_sub(1).wrapping_mul(self.asked.len());
        self.cosines.get(from..from.wrapping_add(self.asked.len())).unwrap_or_default()
    }

    /// For each of the question's tokens, the cosine of the nearest of `text`'s, all of them learnt before.
    pub fn nearest(&self, text: &[u32]) -> Vec<f32> {
        let mut best = vec![0.0_f32; self.asked.len()];
        for id in text {
            let Some(place) = self.places.get(*id as usize).filter(|place| **place > 0) else { continue };
            let from = (*place as usize - 1) * best.len();
            best.iter_mut().zip(&self.cosines[from..]).for_each(|(best, cosine)| *best = best.max(*cosine));
        }
        best
    }

    /// How well a text with these cosines bears on the question, 0 to 1: their squares' weighted mean.
    pub fn score(&self, nearest: &[f32]) -> f32 {
        let sum: f32 = nearest.iter().zip(&self.asked).map(|(cosine, token)| cosine * cosine * token.importance()).sum();
        if self.weight > 0.0 { sum / self.weight } else { 0.0 }
    }

    /// What each of the question's tokens weighs beside `texts`, cosines of [`Self::nearest`] a text; all
    /// together 1. What all of them hold tells them apart least, the more so the higher the `power`.
    #[expect(clippy::cast_precision_loss, reason = "texts of one question")]
    pub fn rarity(&self, texts: &[Vec<f32>], power: f32) -> Vec<f32> {
        let held = |place: usize| texts.iter().map(|nearest| nearest[place] * nearest[place]).sum::<f32>() / texts.len() as f32;
        let rarity = |place: usize| (1.0 / held(place).max(COMMON)).ln_1p().powf(power);
        let weights: Vec<f32> = self.asked.iter().enumerate().map(|(place, token)| token.importance() * rarity(place)).collect();
        let all = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        weights.into_iter().map(|weight| weight / all).collect()
    }

    /// How well a text with these cosines bears on the question, 0 to 1, its tokens weighing as [`Self::rarity`]
    /// says. `same_language` says whether the question is in the text's language, 0 to 1.
    pub fn bearing(nearest: &[f32], weights: &[f32], same_language: f32) -> f32 {
        let between = |same: f32, foreign: f32| foreign + (same - foreign) * same_language;
        let (most, power) = (between(1.0, SAME_MEANING), between(POWER, FOREIGN_POWER));
        nearest.iter().zip(weights).map(|(cosine, weight)| weight * (cosine.min(most) / most).powf(power)).sum()
    }
}
