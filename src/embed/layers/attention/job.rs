//! Attention over packed activations, head after head.
//!
//! A head is taken from its projections to its context at once, so that what lies between stays in the cache, and a
//! team shares the heads. 32 queries at a time are the rows of a product whose columns are the keys; their softmaxed
//! rows are multiplied with the values as they lie, and the context is written where it belongs.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::AttentionHeads;
use crate::embed::batch::scratch_slice;
use crate::embed::kernels::Precision;
use crate::embed::kernels::panels::{panels_of_columns, panels_of_rows};
use crate::embed::kernels::product::{Cores, PackedActivations, by_panels, columns, copy_columns, steps};
use crate::embed::kernels::rows::{scale_lines, softmax};
use crate::embed::kernels::team::Job;
use crate::embed::kernels::tile::{LANES, Line, Step};
use crate::embed::kernels::words::{Matrix, RowsMut};
use crate::embed::layers::norm::Norm;

/// Buffers that a thread's heads share.
#[derive(Default)]
struct HeadScratch {
    projected: Vec<f32>,
    queries: PackedActivations,
    keys: Vec<Step>,
    values: Vec<Step>,
    visible: Vec<Range<usize>>,
    scores: Vec<f32>,
    weights: PackedActivations,
    inverse_sums: Vec<f32>,
    context: Vec<Line>,
}

thread_local! {
    static SCRATCH: RefCell<HeadScratch> = RefCell::default();
}

/// The heads of a layer over the texts of a batch.
pub(super) struct AttentionJob {
    pub(super) heads: Arc<AttentionHeads>,
    pub(super) precision: Precision,
    /// The packed hidden states of all tokens, text after text.
    pub(super) rows: Arc<PackedActivations>,
    /// Tokens of each text.
    pub(super) lengths: Arc<[usize]>,
}

/// Heads that are computed together: one of keys and the queries that share it, or all.
struct HeadGroup {
    keys: Range<usize>,
    queries: Range<usize>,
}

/// Where some heads lie in a buffer: the offset of the first, and from one token's row to the next one's.
#[derive(Clone, Copy)]
struct HeadLayout {
    first: usize,
    stride: usize,
}

impl AttentionJob {
    /// Number of groups of heads.
    fn parts(&self) -> usize {
        // Heads that fill no whole panels cannot be projected one by one.
        if self.heads.head_dim.is_multiple_of(LANES) { self.heads.num_key_value_heads } else { 1 }
    }

    fn group(&self, part: usize) -> HeadGroup {
        let AttentionHeads { num_heads, num_key_value_heads, .. } = *self.heads;
        let (at_once, shared) = (num_key_value_heads / self.parts(), num_heads / num_key_value_heads);
        let keys = part * at_once..(part + 1) * at_once;
        HeadGroup { queries: keys.start * shared..keys.end * shared, keys }
    }

    /// The columns of the context that a part fills.
    fn columns(&self, part: usize) -> Range<usize> {
        let HeadGroup { queries, .. } = self.group(part);
        queries.start * self.heads.head_dim..queries.end * self.heads.head_dim
    }

    /// Writes the context `[tokens, width]` to `out`.
    pub(super) fn run(self, cores: Cores<'_>, out: &mut [f32], width: usize) {
        let parts = 0..self.parts();
        match cores {
            Cores::One => parts.for_each(|part| self.attend(part, &mut out[self.columns(part).start..], width)),
            Cores::Team(team) => {
                let columns: Vec<Range<usize>> = parts.map(|part| self.columns(part)).collect();
                team.run(self, columns.len(), |part, made| copy_columns(made, out, width, columns[part].clone()));
            }
        }
    }

    /// Writes a part's columns to rows that lie `stride` apart; `out` begins with the first of them.
    fn attend(&self, part: usize, out: &mut [f32], stride: usize) {
        SCRATCH.with_borrow_mut(|scratch| {
            let (group, head_dim) = (self.group(part), self.heads.head_dim);
            let mut projected = std::mem::take(&mut scratch.projected);
            let [queries, keys, values] = self.project(&group, &mut projected);
            self.norm_and_rotate(group.queries.len(), queries, self.heads.query_norm.as_ref(), &mut projected);
            self.norm_and_rotate(group.keys.len(), keys, self.heads.key_norm.as_ref(), &mut projected);
            let mut first_token = 0;
            for count in self.lengths.iter().filter(|count| **count > 0) {
                let text = |layout: HeadLayout, head: usize| Matrix {
                    numbers: &projected[layout.first + first_token * layout.stride + head * head_dim..],
                    stride: layout.stride,
                    rows: *count,
                    columns: head_dim,
                };
                let shared = group.queries.len() / group.keys.len();
                for key in 0..group.keys.len() {
                    self.pack_keys(text(keys, key), scratch);
                    self.pack_values(text(values, key), scratch);
                    for query in key * shared..(key + 1) * shared {
                        scratch.queries.pack(self.precision, text(queries, query));
                        for first in (0..*count).step_by(LANES) {
                            let numbers = &mut out[(first_token + first) * stride + query * head_dim..];
                            self.attend_queries(first, *count, scratch, RowsMut { numbers, stride });
                        }
                    }
                }
                first_token += count;
            }
            scratch.projected = projected;
        });
    }

    /// Projects hidden states to queries, keys and values, and says where they lie.
    fn project(&self, HeadGroup { keys, queries }: &HeadGroup, projected: &mut Vec<f32>) -> [HeadLayout; 3] {
        let AttentionHeads { num_heads, num_key_value_heads, head_dim, .. } = *self.heads;
        let (count, weights) = (self.rows.len(), &self.heads.query_key_value.weights);
        let all = (num_heads + 2 * num_key_value_heads) * head_dim;
        if self.parts() == 1 {
            columns(&self.rows, weights, 0..weights.count(), scratch_slice(projected, count * all), all);
            let firsts = [0, num_heads * head_dim, (num_heads + num_key_value_heads) * head_dim];
            return firsts.map(|first| HeadLayout { first, stride: all });
        }
        let mut first = 0;
        let mut rest = scratch_slice(projected, count * (queries.len() + 2 * keys.len()) * head_dim);
        let behind = |begin: usize| begin + keys.start..begin + keys.end;
        [queries.clone(), behind(num_heads), behind(num_heads + num_key_value_heads)].map(|heads| {
            let layout = HeadLayout { first, stride: heads.len() * head_dim };
            let (out, after) = std::mem::take(&mut rest).split_at_mut(count * layout.stride);
            columns(&self.rows, weights, heads.start * head_dim / LANES..heads.end * head_dim / LANES, out, layout.stride);
            (rest, first) = (after, first + count * layout.stride);
            layout
        })
    }

    /// Normalises queries or keys and applies rotary embeddings, where the family does.
    fn norm_and_rotate(&self, heads: usize, layout: HeadLayout, norm: Option<&Norm>, projected: &mut [f32]) {
        if self.heads.rope.is_none() && norm.is_none() {
            return;
        }
        let tokens = projected[layout.first..].chunks_mut(layout.stride);
        let positions = self.lengths.iter().flat_map(|length| 0..*length);
        for (position, token) in positions.zip(tokens) {
            for head in token.chunks_exact_mut(self.heads.head_dim).take(heads) {
                if let Some(norm) = norm {
                    norm.apply(head);
                }
                if let Some(rope) = &self.heads.rope {
                    rope.rotate(position, head);
                }
            }
        }
    }

    /// Keys as the columns of panels, 32 tokens each.
    fn pack_keys(&self, keys: Matrix<'_>, scratch: &mut HeadScratch) {
        let steps = steps(self.precision, keys.columns);
        scratch.keys.resize(steps * keys.rows.div_ceil(LANES), Step::EMPTY);
        panels_of_rows(self.precision, keys, steps, &mut scratch.keys);
    }

    /// Values as they lie, 32 columns a panel.
    fn pack_values(&self, values: Matrix<'_>, scratch: &mut HeadScratch) {
        let steps = steps(self.precision, values.rows);
        scratch.values.resize(steps * values.columns.div_ceil(LANES), Step::EMPTY);
        panels_of_columns(self.precision, values, steps, &mut scratch.values);
    }

    /// The tokens that a query may attend to.
    fn visible(&self, query: usize, count: usize) -> Range<usize> {
        let distance = self.heads.window.distance.unwrap_or(count);
        let to = if self.heads.causal { query + 1 } else { (query + distance + 1).min(count) };
        query.saturating_sub(distance)..to
    }

    /// The context of up to 32 queries of one head from `first` on; `out` begins with the first one's.
    fn attend_queries(&self, first: usize, count: usize, scratch: &mut HeadScratch, out: RowsMut<'_>) {
        let RowsMut { numbers: out, stride } = out;
        let AttentionHeads { head_dim, scale, .. } = *self.heads;
        let queries = first..(first + LANES).min(count);
        scratch.visible.clear();
        scratch.visible.extend(queries.clone().map(|query| self.visible(query, count)));
        // Whole panels of keys, from that of the first visible token to that of the last.
        let (from, to) =
            (scratch.visible[0].start / LANES * LANES, scratch.visible[queries.len() - 1].end.next_multiple_of(LANES));
        scratch.visible.iter_mut().for_each(|visible| *visible = visible.start - from..visible.end - from);
        let width = to - from;
        let scores = scratch_slice(&mut scratch.scores, queries.len() * width);
        let steps_of_keys = steps(self.precision, head_dim);
        let keys = &scratch.keys[from / LANES * steps_of_keys..to / LANES * steps_of_keys];
        by_panels(self.precision, &scratch.queries, queries.clone(), steps_of_keys, keys, scores, width);
        scratch.inverse_sums.resize(queries.len(), 0.0);
        softmax(scores, width, &scratch.visible, scale, &mut scratch.inverse_sums);
        scratch.weights.pack(self.precision, Matrix { numbers: scores, stride: width, rows: queries.len(), columns: width });
        scratch.context.resize(queries.len(), [0.0; LANES]);
        let per_word = self.precision.values_per_word();
        let panels = scratch.values.chunks_exact(steps(self.precision, count));
        for (panel, begin) in panels.zip((0..head_dim).step_by(LANES)) {
            let panel = &panel[from / per_word..steps(self.precision, to.min(count))];
            let context = scratch.context.as_flattened_mut();
            by_panels(self.precision, &scratch.weights, 0..queries.len(), panel.len(), panel, context, LANES);
            let lanes = LANES.min(head_dim - begin);
            scale_lines(&scratch.context, &scratch.inverse_sums, &mut out[begin..], lanes, stride);
        }
    }
}

impl Job for AttentionJob {
    fn compute(&self, part: usize) -> Vec<f32> {
        let width = self.columns(part).len();
        let mut made = vec![0.0; self.rows.len() * width];
        self.attend(part, &mut made, width);
        made
    }
}
