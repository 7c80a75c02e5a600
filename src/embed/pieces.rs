//! Unigram tokens without strings: those that `tokenizers` gives, many times faster.
//!
//! Where a table of vectors is the model, tokenising takes nearly all the time. The crate looks each piece
//! up by its bytes and makes strings of all that it finds; this walks characters through one table of
//! transitions. A tokenizer of another make is left to the crate, and so is a text that is hard to spell.

mod letters;

use tokenizers::models::unigram::Unigram;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::{Model as _, ModelWrapper, PreTokenizerWrapper, Tokenizer};

use self::letters::Letters;

/// What stands for a space, and begins each word.
const SPACE: char = '▁';

/// How much less likely than the rarest piece a character is that is in none.
const UNKNOWN_PENALTY: f64 = 10.0;

/// No node, and no piece.
const NONE: u32 = u32::MAX;

/// A step from a node by a character.
#[derive(Clone, Copy)]
struct Step {
    node: u32,
    letter: char,
    next: u32,
}

/// A piece of the vocabulary.
#[derive(Clone, Copy)]
struct Piece {
    id: u32,
    score: f64,
}

/// The best way to a place in a word.
#[derive(Clone, Copy)]
struct Way {
    score: f64,
    from: usize,
    id: u32,
}

/// A Unigram tokenizer.
pub(super) struct Pieces {
    letters: Letters,
    /// All steps, each near the place that its hash names; a power of two of them.
    steps: Vec<Step>,
    /// The piece that ends at each node.
    ends: Vec<Piece>,
    /// The piece that stands for each byte.
    bytes: Vec<u32>,
    unknown: u32,
    unknown_text: Vec<char>,
    unknown_score: f64,
}

impl Pieces {
    /// The pieces of `tokenizer`; `None` when it is of another make.
    pub(super) fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let ModelWrapper::Unigram(model) = tokenizer.get_model() else { return None };
        let Some(PreTokenizerWrapper::Metaspace(metaspace)) = tokenizer.get_pre_tokenizer() else { return None };
        let words = metaspace.get_replacement() == SPACE && metaspace.prepend_scheme == PrependScheme::Always && metaspace.split;
        let added = tokenizer.get_added_vocabulary().get_vocab().is_empty();
        // A piece that goes on over a space would have to be looked for across words.
        let within = model.iter().all(|(text, _)| !text.chars().skip(1).any(|letter| letter == SPACE));
        if !words || !added || !within || !model.byte_fallback() || tokenizer.get_truncation().is_some() {
            return None;
        }
        let bytes = (0..=255_u8).map(|byte| model.token_to_id(&format!("<0x{byte:02X}>"))).collect::<Option<_>>()?;
        let (unknown, unknown_text) = unknown(model)?;
        let letters = Letters::of(tokenizer.get_normalizer()?)?;
        let unknown_score = model.min_score - UNKNOWN_PENALTY;
        let mut pieces = Self { letters, steps: vec![], ends: vec![], bytes, unknown, unknown_text, unknown_score };
        pieces.plant(model);
        Some(pieces)
    }

    fn plant(&mut self, model: &Unigram) {
        let most: usize = model.iter().map(|(text, _)| text.chars().count()).sum();
        let empty = Step { node: NONE, letter: '\0', next: NONE };
        self.steps = vec![empty; (2 * most).next_power_of_two()];
        self.ends = vec![Piece { id: NONE, score: 0.0 }];
        for (id, (text, score)) in (0..).zip(model.iter()) {
            let mut node = 0;
            for letter in text.chars() {
                let at = self.place(node, letter);
                if self.steps[at].node == NONE {
                    let next = u32::try_from(self.ends.len()).unwrap_or(NONE);
                    self.steps[at] = Step { node, letter, next };
                    self.ends.push(Piece { id: NONE, score: 0.0 });
                }
                node = self.steps[at].next;
            }
            // Of two pieces of one text, the crate knows the later.
            self.ends[node as usize] = Piece { id, score: *score };
        }
    }

    /// Where the step from `node` by `letter` lies, or would.
    fn place(&self, node: u32, letter: char) -> usize {
        let mask = self.steps.len() - 1;
        let mixed = (u64::from(node) << 21 ^ u64::from(letter)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut at = usize::try_from(mixed >> 32).unwrap_or(0) & mask;
        while self.steps[at].node != NONE && (self.steps[at].node, self.steps[at].letter) != (node, letter) {
            at = (at + 1) & mask;
        }
        at
    }

    /// The tokens of `text`; `None` for one that has none, or that only `tokenizers` can spell.
    pub(super) fn ids(&self, tokenizer: &Tokenizer, text: &str) -> Option<Vec<u32>> {
        let letters = self.letters.spelled(tokenizer.get_normalizer()?, text, SPACE)?;
        let (mut ids, mut ways) = (Vec::with_capacity(letters.len()), Vec::new());
        let mut rest = letters.as_slice();
        while !rest.is_empty() {
            let length = rest.iter().skip(1).position(|letter| *letter == SPACE).map_or(rest.len(), |at| at + 1);
            let (word, behind) = rest.split_at(length);
            self.walk(word, &mut ways);
            self.collect(word, &ways, &mut ids);
            rest = behind;
        }
        Some(ids)
    }

    /// The best way to each place of `word`.
    fn walk(&self, word: &[char], ways: &mut Vec<Way>) {
        ways.clear();
        ways.resize(word.len() + 1, Way { score: 0.0, from: usize::MAX, id: NONE });
        for from in 0..word.len() {
            let here = ways[from].score;
            let mut better = |to: usize, piece: Piece| {
                let (way, score) = (&mut ways[to], piece.score + here);
                if way.from == usize::MAX || score > way.score {
                    *way = Way { score, from, id: piece.id };
                }
            };
            let (mut node, mut alone) = (0, false);
            for (to, letter) in (from + 1..).zip(&word[from..]) {
                node = self.steps[self.place(node, *letter)].next;
                if node == NONE {
                    break;
                }
                let piece = self.ends[node as usize];
                if piece.id != NONE {
                    better(to, piece);
                    alone |= to == from + 1;
                }
            }
            if !alone {
                better(from + 1, Piece { id: self.unknown, score: self.unknown_score });
            }
        }
    }

    /// The tokens on the best way to the end of `word`.
    fn collect(&self, word: &[char], ways: &[Way], ids: &mut Vec<u32>) {
        let begun = ids.len();
        let mut to = word.len();
        while to > 0 {
            let Way { mut from, id, .. } = ways[to];
            if id == self.unknown {
                // Unknown ones in a row are one.
                while from > 0 && ways[from].id == self.unknown {
                    from = ways[from].from;
                }
                self.spell(&word[from..to], ids);
            } else {
                ids.push(id);
            }
            to = from;
        }
        ids[begun..].reverse();
    }

    /// What is in no piece, byte for byte, the last first.
    fn spell(&self, letters: &[char], ids: &mut Vec<u32>) {
        if letters == self.unknown_text {
            return ids.push(self.unknown);
        }
        let text: String = letters.iter().collect();
        ids.extend(text.bytes().rev().map(|byte| self.bytes[usize::from(byte)]));
    }
}

/// The piece for what is unknown, and its text: the model tells it apart by running it together with an unknown character.
fn unknown(model: &Unigram) -> Option<(u32, Vec<char>)> {
    const FIRST: usize = 16;
    let (id, (text, _)) = (0..).zip(model.iter()).take(FIRST).find(|(id, (text, _))| {
        let tokens = model.tokenize(&format!("{text}\u{10ffff}")).unwrap_or_default();
        !text.is_empty() && tokens.iter().all(|token| token.id != *id)
    })?;
    Some((id, text.chars().collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::embed::Embedder;

    fn same(embedder: &Embedder, text: &str) {
        let theirs = embedder.tokenizer.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec());
        assert_eq!(Some(embedder.tokens(text)), theirs.ok(), "{text:?}");
    }

    #[test]
    fn every_character_has_the_tokens_that_the_crate_gives_it() {
        let embedder = Embedder::bundled().unwrap();
        assert!(embedder.pieces.is_some(), "the bundled model has the faster tokenizer");
        for letter in ('\0'..=char::MAX).step_by(7).chain('\0'..='\u{3100}').chain('\u{fe00}'..='\u{ffff}') {
            same(&embedder, &format!("{letter}"));
            same(&embedder, &format!("a{letter}一{letter}{letter}b"));
        }
    }

    #[test]
    fn texts_of_every_kind_have_the_tokens_that_the_crate_gives_them() {
        let embedder = Embedder::bundled().unwrap();
        let kinds = [
            "[a-zA-Z ,.'-]{0,60}",
            "[一-龥，。、；：“”《》 ]{0,60}",
            "[ぁ-ヿ゙-゜一-龥ー]{0,40}",
            "[가-힣ᄀ-ᇿ ]{0,40}",
            "[à-ÿa-z\u{300}-\u{36f} ]{0,40}",
            "[ก-๛ ]{0,40}",
            "[ऀ-ॿ ]{0,40}",
            "[؀-ۿ ]{0,40}",
            "[\u{1f300}-\u{1f9ff}\u{200d}\u{fe0f}]{0,20}",
            "[ \t\r\n\u{a0}\u{3000}▁<unk>]{0,30}",
            "[０-９Ａ-ｚ①-⑳㍿ﾞﾟｱ-ﾝ]{0,40}",
            "\\PC{0,60}",
            "(?s).{0,60}",
        ];
        let kinds = proptest::strategy::Union::new(kinds);
        let texts = prop::collection::vec(kinds, 1..4);
        proptest!(ProptestConfig::with_cases(3000), |(texts in texts)| same(&embedder, &texts.concat()));
    }
}
