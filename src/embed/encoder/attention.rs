//! Attention: each token's values, weighed by how its question meets the keys of its text.
//!
//! Heads are taken one after another, from the rows that come in to the values that go out: what lies between
//! stays in the cache, and a team shares the heads. Questions are the rows of a product, 32 at a time, and keys its
//! columns; so a question's shares lie in a row, which meets the values next, as they lie, and what comes out is
//! laid where it belongs. Only keys are turned.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::super::kernels::Precision;
use super::super::kernels::panels::{panels_of_columns, panels_of_rows};
use super::super::kernels::rows::{scale_lines, softmax};
use super::super::kernels::tile::{LANES, Line, Step};
use super::super::kernels::words::Matrix;
use super::super::product::{Cores, Rows, by_panels, columns, lay, steps};
use super::super::team::Work;
use super::anatomy::{Anatomy, Reach};
use super::angles::Angles;
use super::weights::{Layer, Norm};
use super::{normalise, some};

/// Room that a thread's heads share.
#[derive(Default)]
struct Scratch {
    made: Vec<f32>,
    questions: Rows,
    keys: Vec<Step>,
    values: Vec<Step>,
    seen: Vec<Range<usize>>,
    scores: Vec<f32>,
    shares: Rows,
    inverse_sums: Vec<f32>,
    weighed: Vec<Line>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A layer's attention over some texts.
pub(super) struct Attention {
    pub(super) anatomy: Arc<Anatomy>,
    pub(super) layer: Arc<Layer>,
    pub(super) reach: Reach,
    pub(super) angles: Option<Arc<Angles>>,
    pub(super) precision: Precision,
    /// All tokens', text after text.
    pub(super) rows: Arc<Rows>,
    pub(super) lengths: Arc<[usize]>,
}

/// Heads that are taken at once: one of keys and those of questions that share it, or all.
struct Heads {
    keys: Range<usize>,
    questions: Range<usize>,
}

/// Where the numbers of some heads lie: the first of them, and from one token's to the next one's.
#[derive(Clone, Copy)]
struct Place {
    first: usize,
    stride: usize,
}

impl Attention {
    /// How many times heads are taken.
    fn parts(&self) -> usize {
        // Heads that fill no panels cannot be made one by one.
        if self.anatomy.head.is_multiple_of(LANES) { self.anatomy.key_heads } else { 1 }
    }

    fn heads(&self, part: usize) -> Heads {
        let Anatomy { heads, key_heads, .. } = *self.anatomy;
        let (at_once, shared) = (key_heads / self.parts(), heads / key_heads);
        let keys = part * at_once..(part + 1) * at_once;
        Heads { questions: keys.start * shared..keys.end * shared, keys }
    }

    /// The numbers of `out` that a part fills, in each token's row.
    fn columns(&self, part: usize) -> Range<usize> {
        let Heads { questions, .. } = self.heads(part);
        questions.start * self.anatomy.head..questions.end * self.anatomy.head
    }

    /// Fills the rows of `out`, `width` numbers each.
    pub(super) fn all(self, cores: Cores<'_>, out: &mut [f32], width: usize) {
        let parts = 0..self.parts();
        match cores {
            Cores::One => parts.for_each(|part| self.attend(part, &mut out[self.columns(part).start..], width)),
            Cores::Team(team) => {
                let columns: Vec<Range<usize>> = parts.map(|part| self.columns(part)).collect();
                team.made(self, columns.len(), |part, made| lay(made, out, width, columns[part].clone()));
            }
        }
    }

    /// Fills a part's numbers in each token's row; rows lie `stride` apart, and `out` begins with the first of these numbers.
    fn attend(&self, part: usize, out: &mut [f32], stride: usize) {
        SCRATCH.with_borrow_mut(|scratch| {
            let heads = self.heads(part);
            let mut made = std::mem::take(&mut scratch.made);
            let [questions, keys, values] = self.project(&heads, &mut made);
            self.place(heads.questions.len(), questions, self.layer.question_norm.as_ref(), &mut made);
            self.place(heads.keys.len(), keys, self.layer.key_norm.as_ref(), &mut made);
            let mut first_token = 0;
            for count in &*self.lengths {
                let text = |place: Place, head: usize| Matrix {
                    numbers: &made[place.first + first_token * place.stride + head * self.anatomy.head..],
                    stride: place.stride,
                    rows: *count,
                    columns: self.anatomy.head,
                };
                let shared = heads.questions.len() / heads.keys.len();
                for key in 0..heads.keys.len() {
                    self.take_keys(text(keys, key), scratch);
                    self.take_values(text(values, key), scratch);
                    for question in key * shared..(key + 1) * shared {
                        scratch.questions.take(self.precision, text(questions, question));
                        for first in (0..*count).step_by(LANES) {
                            let out = &mut out[(first_token + first) * stride + question * self.anatomy.head..];
                            self.weigh(first, *count, scratch, out, stride);
                        }
                    }
                }
                first_token += count;
            }
            scratch.made = made;
        });
    }

    /// Makes questions, keys and values, and says where they lie.
    fn project(&self, Heads { keys, questions }: &Heads, made: &mut Vec<f32>) -> [Place; 3] {
        let Anatomy { heads, key_heads, head, .. } = *self.anatomy;
        let (count, weights) = (self.rows.len(), &self.layer.questions_keys_values);
        let all = (heads + 2 * key_heads) * head;
        if self.parts() == 1 {
            columns(&self.rows, weights, 0..weights.count(), some(made, count * all), all);
            return [0, heads * head, (heads + key_heads) * head].map(|first| Place { first, stride: all });
        }
        let mut first = 0;
        let mut rest = some(made, count * (questions.len() + 2 * keys.len()) * head);
        let behind = |begin: usize| begin + keys.start..begin + keys.end;
        [questions.clone(), behind(heads), behind(heads + key_heads)].map(|heads| {
            let place = Place { first, stride: heads.len() * head };
            let (out, after) = std::mem::take(&mut rest).split_at_mut(count * place.stride);
            columns(&self.rows, weights, heads.start * head / LANES..heads.end * head / LANES, out, place.stride);
            (rest, first) = (after, first + count * place.stride);
            place
        })
    }

    /// Brings questions or keys to length and turns them to their places, where the family does.
    fn place(&self, heads: usize, place: Place, norm: Option<&Norm>, made: &mut [f32]) {
        if self.angles.is_none() && norm.is_none() {
            return;
        }
        let tokens = made[place.first..].chunks_mut(place.stride);
        let places = self.lengths.iter().flat_map(|length| 0..*length);
        for (at, token) in places.zip(tokens) {
            for row in token.chunks_exact_mut(self.anatomy.head).take(heads) {
                normalise(&self.anatomy, norm, row);
                if let Some(angles) = &self.angles {
                    angles.turn(at, row);
                }
            }
        }
    }

    /// Keys as the columns of panels, 32 tokens each.
    fn take_keys(&self, keys: Matrix<'_>, scratch: &mut Scratch) {
        let steps = steps(self.precision, keys.columns);
        scratch.keys.resize(steps * keys.rows.div_ceil(LANES), Step::EMPTY);
        panels_of_rows(self.precision, keys, steps, &mut scratch.keys);
    }

    /// Values as they lie, 32 of their numbers a panel.
    fn take_values(&self, values: Matrix<'_>, scratch: &mut Scratch) {
        let steps = steps(self.precision, values.rows);
        scratch.values.resize(steps * values.columns.div_ceil(LANES), Step::EMPTY);
        panels_of_columns(self.precision, values, steps, &mut scratch.values);
    }

    /// The tokens that a question may see.
    fn seen(&self, question: usize, count: usize) -> Range<usize> {
        let distance = self.reach.distance.unwrap_or(count);
        let to = if self.anatomy.causal { question + 1 } else { (question + distance + 1).min(count) };
        question.saturating_sub(distance)..to
    }

    /// What 32 questions of one head, from the `first` on, get of the values; `out` begins with the first one's.
    fn weigh(&self, first: usize, count: usize, scratch: &mut Scratch, out: &mut [f32], stride: usize) {
        let Anatomy { head, scale, .. } = *self.anatomy;
        let asked = first..(first + LANES).min(count);
        scratch.seen.clear();
        scratch.seen.extend(asked.clone().map(|question| self.seen(question, count)));
        // Whole panels of keys, from that of the first token that is seen to that of the last.
        let (from, to) = (scratch.seen[0].start / LANES * LANES, scratch.seen[asked.len() - 1].end.next_multiple_of(LANES));
        scratch.seen.iter_mut().for_each(|seen| *seen = seen.start - from..seen.end - from);
        let width = to - from;
        let scores = some(&mut scratch.scores, asked.len() * width);
        let steps_of_keys = steps(self.precision, head);
        let keys = &scratch.keys[from / LANES * steps_of_keys..to / LANES * steps_of_keys];
        by_panels(self.precision, &scratch.questions, asked.clone(), steps_of_keys, keys, scores, width);
        scratch.inverse_sums.resize(asked.len(), 0.0);
        softmax(scores, width, &scratch.seen, scale, &mut scratch.inverse_sums);
        scratch.shares.take(self.precision, Matrix { numbers: scores, stride: width, rows: asked.len(), columns: width });
        scratch.weighed.resize(asked.len(), [0.0; LANES]);
        let per_word = self.precision.per_word();
        let panels = scratch.values.chunks_exact(steps(self.precision, count));
        for (panel, begin) in panels.zip((0..head).step_by(LANES)) {
            let panel = &panel[from / per_word..steps(self.precision, to.min(count))];
            let weighed = scratch.weighed.as_flattened_mut();
            by_panels(self.precision, &scratch.shares, 0..asked.len(), panel.len(), panel, weighed, LANES);
            let lanes = LANES.min(head - begin);
            scale_lines(&scratch.weighed, &scratch.inverse_sums, &mut out[begin..], lanes, stride);
        }
    }
}

impl Work for Attention {
    fn make(&self, part: usize) -> Vec<f32> {
        let width = self.columns(part).len();
        let mut made = vec![0.0; self.rows.len() * width];
        self.attend(part, &mut made, width);
        made
    }
}
