//! Encoders: BERT, XLM-RoBERTa, ModernBERT, and Qwen3 and Gemma3 as embedders.
//!
//! One walk runs them all; `anatomy` says what a family is built of, `weights` reads it. Candle reads the
//! files. The walk itself stands beside Candle: texts lie packed one after another without padding, weights
//! are packed once for the processor's widest products, and what lies between two products is done while
//! it is in the cache. Texts in groups of some hundred tokens go to the cores; a lone question has a team.

mod anatomy;
mod angles;
mod attention;
mod weights;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::kernels::Precision;
use super::kernels::activation::activate;
use super::kernels::rows::{add, layer_norm, multiply, root_norm};
use super::kernels::tile::LANES;
use super::kernels::words::Matrix;
use super::product::{Cores, Rows, Weights, activated};
use super::team::Team;
pub(super) use anatomy::{Anatomy, Family};
use anatomy::{NormKind, Positions};
use angles::Angles;
use attention::Attention;
pub(super) use weights::File;
use weights::{Embeddings, Layer, Norm};

/// Tokens that are walked together: enough to pack products full, few enough for the cache.
const GROUP_TOKENS: usize = 256;

/// Rows of a layer's wide middle that are made at once.
const FEED_ROWS: usize = 96;

/// A loaded encoder.
pub(super) struct Encoder {
    anatomy: Arc<Anatomy>,
    precision: Precision,
    embeddings: Embeddings,
    layers: Vec<Arc<Layer>>,
    last: Option<Norm>,
    /// The angles that layers turn by, by their base.
    angles: Vec<(f64, Arc<Angles>)>,
    /// What walks that have ended worked in: the system takes long to give fresh memory.
    rooms: Mutex<Vec<Room>>,
}

/// What the walk of one group needs, kept from layer to layer and from walk to walk.
#[derive(Default)]
struct Room {
    hidden: Vec<f32>,
    rows: Arc<Rows>,
    made: Vec<f32>,
    attended: Vec<f32>,
}

/// So many numbers of a buffer that grows and never shrinks: what is given back would be cleared when it is wanted again.
fn some(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    buffer.resize(buffer.len().max(count), 0.0);
    &mut buffer[..count]
}

/// Brings a row to the family's length; without a norm it stays.
fn normalise(anatomy: &Anatomy, norm: Option<&Norm>, row: &mut [f32]) {
    let Some(norm) = norm else { return };
    match anatomy.norm {
        NormKind::Layer => layer_norm(row, &norm.weight, &norm.bias, anatomy.epsilon),
        NormKind::Root { .. } => root_norm(row, &norm.weight, anatomy.epsilon),
    }
}

impl Encoder {
    /// The encoder whose weights are in `file`.
    pub(super) fn load(file: &File<'_>, mut anatomy: Anatomy, precision: Precision) -> Result<Self, String> {
        let (embeddings, layers, last) = weights::read(file, &anatomy, precision)?;
        if let (Positions::Learnt { first }, Some(rows)) = (anatomy.positions, &embeddings.positions) {
            anatomy.window = anatomy.window.min(rows.len().saturating_sub(first));
        }
        let mut angles: Vec<(f64, Arc<Angles>)> = Vec::new();
        for reach in anatomy.layers.iter().filter(|_| anatomy.positions == Positions::Rotary) {
            if angles.iter().all(|(theta, _)| theta.total_cmp(&reach.theta).is_ne()) {
                let of_theta = Angles::of(reach.theta, anatomy.head, anatomy.window);
                angles.push((reach.theta, Arc::new(of_theta)));
            }
        }
        Team::stand_ready();
        let layers = layers.into_iter().map(Arc::new).collect();
        Ok(Self { anatomy: Arc::new(anatomy), precision, embeddings, layers, last, angles, rooms: Mutex::default() })
    }

    pub(super) fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// The last layer's rows of each text, handed to `pool` as they are made: what it makes of each.
    pub(super) fn run<T: Send>(&self, texts: &[Vec<u32>], pool: impl Fn(&[f32]) -> T + Sync) -> Vec<T> {
        self.run_onto(texts, &[], pool)
    }

    /// The same, where more than their own rows is what tokens begin as: `added` holds rows for each of the texts, which
    /// must fit the window, or nothing at all.
    pub(super) fn run_onto<T: Send>(&self, texts: &[Vec<u32>], added: &[Vec<f32>], pool: impl Fn(&[f32]) -> T + Sync) -> Vec<T> {
        let groups = groups(texts);
        let group = |group: &Range<usize>, cores| {
            let added = added.get(group.clone()).unwrap_or_default();
            self.group(&texts[group.clone()], added, cores, &pool)
        };
        if let [only] = groups.as_slice() {
            // Nobody else is woken for it but a team, if there is one.
            let team = Team::gather();
            return group(only, team.as_ref().map_or(Cores::One, Cores::Team));
        }
        let made = groups.par_iter().map(|one| group(one, Cores::One));
        made.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// What `pool` makes of each text of a group.
    fn group<T>(&self, texts: &[Vec<u32>], added: &[Vec<f32>], cores: Cores<'_>, pool: &impl Fn(&[f32]) -> T) -> Vec<T> {
        let kept = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut room = kept.unwrap_or_default();
        self.walk(texts, added, cores, &mut room);
        let mut rest = room.hidden.as_slice();
        let one = |text: &Vec<u32>| {
            let (rows, after) = rest.split_at(text.len().min(self.anatomy.window) * self.anatomy.hidden);
            rest = after;
            pool(rows)
        };
        let pooled = texts.iter().map(one).collect();
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        pooled
    }

    /// Fills the room's rows with those of all tokens behind the last layer, text after text.
    fn walk(&self, texts: &[Vec<u32>], added: &[Vec<f32>], cores: Cores<'_>, room: &mut Room) {
        let texts: Vec<&[u32]> = texts.iter().map(|text| &text[..text.len().min(self.anatomy.window)]).collect();
        let mut hidden = std::mem::take(&mut room.hidden);
        self.begin(&texts, added, &mut hidden);
        let lengths: Arc<[usize]> = texts.iter().map(|text| text.len()).collect();
        for at in 0..self.layers.len() {
            self.attend(at, &lengths, cores, &mut hidden, room);
            self.feed(&self.layers[at], cores, &mut hidden, room);
        }
        self.normalise_rows(self.last.as_ref(), &mut hidden);
        room.hidden = hidden;
    }

    /// The rows that tokens begin as.
    fn begin(&self, texts: &[&[u32]], added: &[Vec<f32>], rows: &mut Vec<f32>) {
        let Anatomy { hidden: width, embedding_scale, positions, .. } = *self.anatomy;
        rows.clear();
        rows.resize(texts.iter().map(|text| text.len()).sum::<usize>() * width, 0.0);
        let tokens = texts.iter().flat_map(|text| text.iter().enumerate());
        let mut added = added.iter().flat_map(|text| text.chunks_exact(width));
        for (row, (place, token)) in rows.chunks_exact_mut(width).zip(tokens) {
            // A token that the table lacks is what padding is: nothing.
            self.embeddings.tokens.add(*token as usize, embedding_scale, row);
            if let (Positions::Learnt { first }, Some(positions)) = (positions, &self.embeddings.positions) {
                positions.add(first + place, 1.0, row);
            }
            add(row, &self.embeddings.kind);
            if let Some(added) = added.next() {
                add(row, added);
            }
        }
        self.normalise_rows(self.embeddings.norm.as_ref(), rows);
    }

    fn normalise_rows(&self, norm: Option<&Norm>, rows: &mut [f32]) {
        rows.chunks_exact_mut(self.anatomy.hidden).for_each(|row| normalise(&self.anatomy, norm, row));
    }

    /// Fills `rows` with what goes into a part of a layer: what there is, brought to length where the family does.
    fn enter(&self, norm: Option<&Norm>, weights: &Weights, hidden: &[f32], rows: &mut Rows) {
        let width = self.anatomy.hidden;
        if norm.is_some() {
            let mut normed = hidden.to_vec();
            self.normalise_rows(norm, &mut normed);
            rows.fill(weights, &normed, width);
        } else {
            rows.fill(weights, hidden, width);
        }
    }

    /// Adds what a part of a layer made, with the norms that the family puts there.
    fn leave(&self, after: Option<&Norm>, sum: Option<&Norm>, made: &mut [f32], hidden: &mut [f32]) {
        let width = self.anatomy.hidden;
        for (row, made) in hidden.chunks_exact_mut(width).zip(made.chunks_exact_mut(width)) {
            normalise(&self.anatomy, after, made);
            add(row, made);
            normalise(&self.anatomy, sum, row);
        }
    }

    fn attend(&self, at: usize, lengths: &Arc<[usize]>, cores: Cores<'_>, hidden: &mut [f32], room: &mut Room) {
        let (layer, reach) = (&self.layers[at], self.anatomy.layers[at]);
        self.enter(layer.before_attention.as_ref(), &layer.questions_keys_values, hidden, Rows::unique(&mut room.rows));
        let angles = self.angles.iter().find(|(theta, _)| theta.total_cmp(&reach.theta).is_eq()).map(|(_, angles)| angles);
        let attention = Attention {
            anatomy: Arc::clone(&self.anatomy),
            layer: Arc::clone(layer),
            reach,
            angles: angles.cloned(),
            // 8 bits are too few for shares.
            precision: if self.precision == Precision::F32 { Precision::F32 } else { Precision::fastest_exact() },
            rows: Arc::clone(&room.rows),
            lengths: Arc::clone(lengths),
        };
        let width = self.anatomy.heads * self.anatomy.head;
        let attended = some(&mut room.attended, room.rows.len() * width);
        attention.all(cores, attended, width);
        Rows::unique(&mut room.rows).fill(&layer.attended, attended, width);
        let made = some(&mut room.made, hidden.len());
        activated(&room.rows, &layer.attended, cores, None, made, self.anatomy.hidden);
        self.leave(layer.after_attention.as_ref(), layer.attention_sum.as_ref(), made, hidden);
    }

    /// The two products behind attention, some rows at a time: what lies between them is wide.
    fn feed(&self, layer: &Layer, cores: Cores<'_>, hidden: &mut [f32], room: &mut Room) {
        let Anatomy { hidden: width, activation, gated, .. } = *self.anatomy;
        for block in hidden.chunks_mut(FEED_ROWS * width) {
            self.enter(layer.before_feed.as_ref(), &layer.up, block, Rows::unique(&mut room.rows));
            let wide = layer.up.outputs();
            // One line more, lest the rows of a tile fall into the same sets of the cache.
            let stride = wide.next_multiple_of(LANES) + LANES / 2;
            let made = some(&mut room.made, block.len() / width * stride);
            activated(&room.rows, &layer.up, cores, Some(activation).filter(|_| !gated), made, stride);
            let inner = if gated { wide / 2 } else { wide };
            for row in made.chunks_exact_mut(stride).take_while(|_| gated) {
                let (activated, by) = row[..wide].split_at_mut(inner);
                activate(activation, activated);
                multiply(activated, by);
            }
            let matrix = Matrix { numbers: made, stride, rows: block.len() / width, columns: inner };
            Rows::unique(&mut room.rows).take(self.precision, matrix);
            let made = some(&mut room.made, block.len());
            activated(&room.rows, &layer.down, cores, None, made, width);
            self.leave(layer.after_feed.as_ref(), layer.feed_sum.as_ref(), made, block);
        }
    }
}

/// Texts that are walked together, in their order.
fn groups(texts: &[Vec<u32>]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut first, mut tokens) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        tokens += text.len();
        if tokens >= GROUP_TOKENS || at + 1 == texts.len() {
            groups.push(first..at + 1);
            (first, tokens) = (at + 1, 0);
        }
    }
    groups
}
