//! Attention over one text: each token's values, weighed by how its question meets their keys.
//!
//! Scores are made with keys as rows and 32 questions as columns. So the shares of a question lie in one
//! column, a column is a lane, and what comes out is already the panel that the values meet next.

use super::super::kernels::Precision;
use super::super::kernels::rows::{multiply, rotate, softmax};
use super::super::kernels::tile::{LANES, Line, Step};
use super::super::kernels::words::{Matrix, panel_words, transpose};
use super::super::product::{Rows, by_panel, steps};
use super::anatomy::{Anatomy, Reach};
use super::normalise;
use super::weights::Layer;

/// Room that heads and layers share.
#[derive(Default)]
pub(super) struct Scratch {
    keys: Rows,
    values: Rows,
    turned: Vec<f32>,
    columns: Vec<Line>,
    asked: Vec<Step>,
    scores: Vec<Line>,
    shares: Vec<Step>,
    weighed: Vec<Line>,
}

/// Cosines and sines of each place's angles.
pub(super) struct Angles {
    half: usize,
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Angles {
    /// Of `places` places, for heads of `head` numbers.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as the reference counts")]
    pub(super) fn of(theta: f64, head: usize, places: usize) -> Self {
        let half = head / 2;
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        let speeds: Vec<f32> = (0..half).map(|at| 1.0 / theta.powf(2.0 * at as f64 / head as f64) as f32).collect();
        for place in 0..places {
            for speed in &speeds {
                let angle = place as f32 * speed;
                cosines.push(angle.cos());
                sines.push(angle.sin());
            }
        }
        Self { half, cosines, sines }
    }

    fn turn(&self, place: usize, row: &mut [f32]) {
        let range = place * self.half..(place + 1) * self.half;
        rotate(row, &self.cosines[range.clone()], &self.sines[range]);
    }
}

/// What a layer's attention works with.
pub(super) struct Attention<'a> {
    pub(super) anatomy: &'a Anatomy,
    pub(super) layer: &'a Layer,
    pub(super) reach: Reach,
    pub(super) angles: Option<&'a Angles>,
    pub(super) precision: Precision,
}

impl Attention<'_> {
    /// Attends within one text. `text` holds questions, keys and values of each token; `out` gets the
    /// weighed values, head beside head.
    pub(super) fn attend(&self, text: &mut [f32], scratch: &mut Scratch, out: &mut [f32]) {
        let Anatomy { heads, key_heads, head, .. } = *self.anatomy;
        let width = (heads + 2 * key_heads) * head;
        self.place(text, width);
        let shared = heads / key_heads;
        for key_head in 0..key_heads {
            let from = |first: usize| (first + key_head) * head;
            scratch.keys.fill_in(self.precision, &text[from(heads)..], head, width);
            self.turn_values(text, from(heads + key_heads), width, scratch);
            for question_head in key_head * shared..(key_head + 1) * shared {
                for first in (0..text.len() / width).step_by(LANES) {
                    self.weigh(text, first, question_head, scratch, out);
                }
            }
        }
    }

    /// Brings questions and keys to length and turns them to their places, where the family does.
    fn place(&self, text: &mut [f32], width: usize) {
        let Anatomy { heads, key_heads, head, .. } = *self.anatomy;
        if self.angles.is_none() && self.layer.question_norm.is_none() && self.layer.key_norm.is_none() {
            return;
        }
        for (place, token) in text.chunks_exact_mut(width).enumerate() {
            for (at, row) in token.chunks_exact_mut(head).take(heads + key_heads).enumerate() {
                let norm = if at < heads { &self.layer.question_norm } else { &self.layer.key_norm };
                normalise(self.anatomy, norm.as_ref(), row);
                if let Some(angles) = self.angles {
                    angles.turn(place, row);
                }
            }
        }
    }

    /// Values with their numbers as rows and the text's tokens as columns.
    fn turn_values(&self, text: &[f32], from: usize, width: usize, scratch: &mut Scratch) {
        let (head, count) = (self.anatomy.head, text.len() / width);
        scratch.turned.resize(head * count, 0.0);
        let values = Matrix { numbers: &text[from..], stride: width, rows: count, columns: head };
        transpose(values, &mut scratch.turned, count);
        scratch.values.fill_in(self.precision, &scratch.turned, count, count);
    }

    /// The tokens that 32 questions from `first` on may see: the first of them, and the one behind the last.
    fn seen(&self, first: usize, count: usize) -> (usize, usize) {
        let last = (first + LANES).min(count);
        let from = self.reach.distance.map_or(0, |distance| first.saturating_sub(distance));
        let to =
            if self.anatomy.causal { last } else { self.reach.distance.map_or(count, |distance| (last + distance).min(count)) };
        // A word holds two of them.
        (from & !1, to)
    }

    /// The questions of 32 tokens of one head.
    fn weigh(&self, text: &[f32], first: usize, question_head: usize, scratch: &mut Scratch, out: &mut [f32]) {
        let Anatomy { heads, key_heads, head, .. } = *self.anatomy;
        let width = (heads + 2 * key_heads) * head;
        let count = text.len() / width;
        let lanes = LANES.min(count - first);
        self.ask(text, first, lanes, question_head, scratch);
        let (from, to) = self.seen(first, count);
        scratch.scores.resize(to - from, [0.0; LANES]);
        by_panel(self.precision, &scratch.keys, from..to, 0, &scratch.asked, &mut scratch.scores);
        self.hide(first, from, &mut scratch.scores);
        let shares = softmax(&mut scratch.scores);
        scratch.shares.resize(steps(self.precision, to - from), Step::EMPTY);
        panel_words(self.precision, &scratch.scores, &mut scratch.shares);
        scratch.weighed.resize(head, [0.0; LANES]);
        let first_step = from / self.precision.per_word();
        by_panel(self.precision, &scratch.values, 0..head, first_step, &scratch.shares, &mut scratch.weighed);
        scratch.weighed.iter_mut().for_each(|row| multiply(row, &shares));
        let weighed = Matrix { numbers: scratch.weighed.as_flattened(), stride: LANES, rows: head, columns: lanes };
        transpose(weighed, &mut out[first * heads * head + question_head * head..], heads * head);
    }

    /// The panel of questions, scaled.
    fn ask(&self, text: &[f32], first: usize, lanes: usize, question_head: usize, scratch: &mut Scratch) {
        let Anatomy { heads, key_heads, head, scale, .. } = *self.anatomy;
        let width = (heads + 2 * key_heads) * head;
        let questions = &text[first * width + question_head * head..];
        scratch.columns.resize(head, [0.0; LANES]);
        let questions = Matrix { numbers: questions, stride: width, rows: lanes, columns: head };
        transpose(questions, scratch.columns.as_flattened_mut(), LANES);
        scratch.columns.iter_mut().for_each(|row| row.iter_mut().for_each(|number| *number *= scale));
        scratch.asked.resize(steps(self.precision, head), Step::EMPTY);
        panel_words(self.precision, &scratch.columns, &mut scratch.asked);
    }

    /// Takes out what a question may not see.
    fn hide(&self, first: usize, from: usize, scores: &mut [[f32; LANES]]) {
        if self.reach.distance.is_none() && !self.anatomy.causal {
            return;
        }
        let distance = self.reach.distance.unwrap_or(usize::MAX);
        for (key, row) in (from..).zip(scores) {
            for (question, score) in (first..).zip(row) {
                if key.abs_diff(question) > distance || (self.anatomy.causal && key > question) {
                    *score = f32::MIN;
                }
            }
        }
    }
}
