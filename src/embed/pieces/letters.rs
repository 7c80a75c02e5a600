//! How a text is spelled before it is cut into pieces: character by character where that is all there is to it.
//!
//! The crate's normalizer sees whole texts, since characters can join. Nearly none do: between two *plain*
//! ones nothing joins, so that each is spelled as it is alone, which is asked once. What lies between plain
//! ones goes to the normalizer, with the nearest of them on both sides.

use std::ops::RangeInclusive;

use serde_json::json;
use tokenizers::{NormalizedString, Normalizer as _, NormalizerWrapper};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation as _;

/// Where plain characters are looked for: Latin, Greek, Cyrillic, punctuation, kana, Han, Hangul, full width.
const BLOCKS: [RangeInclusive<u32>; 9] = [
    0x01..=0x24F,
    0x370..=0x52F,
    0x1E00..=0x1FFF,
    0x2010..=0x2027,
    0x2030..=0x205E,
    0x3000..=0x30FF,
    0x3400..=0x9FFF,
    0xAC00..=0xD7A3,
    0xFF00..=0xFFEF,
];

/// A plain one that spells itself, to put between others.
const BETWEEN: char = '一';

/// Above all characters: the number of a spelling that is not one character.
const SPELLINGS: u32 = 1 << 31;

/// The spelling of each plain character.
pub(super) struct Letters {
    /// By code: the character that it becomes, or a number in `spellings`; 0 for one that is not plain.
    plain: Vec<u32>,
    spellings: Vec<String>,
}

impl Letters {
    /// As `normalizer` spells; `None` when it does more than is known here.
    pub(super) fn of(normalizer: &NormalizerWrapper) -> Option<Self> {
        let NormalizerWrapper::Sequence(steps) = normalizer else { return None };
        let [NormalizerWrapper::NFKC(_), NormalizerWrapper::Precompiled(_), last @ NormalizerWrapper::Replace(_)] =
            steps.as_ref()
        else {
            return None;
        };
        let one_space = json!({ "type": "Replace", "pattern": { "Regex": " {2,}" }, "content": " " });
        if serde_json::to_value(last).ok()? != one_space || normal(normalizer, &BETWEEN.to_string())? != BETWEEN.to_string() {
            return None;
        }
        let candidates: String = BLOCKS.into_iter().flatten().filter_map(char::from_u32).filter(|c| joins_nothing(*c)).collect();
        let alone: String = between(&candidates).graphemes(true).filter(|cluster| cluster.chars().count() == 1).collect();
        let alone: Vec<char> = alone.chars().filter(|c| *c != BETWEEN).collect();
        let all = normal(normalizer, &between(&alone.iter().collect::<String>()))?;
        let spelled: Vec<&str> = all.split(BETWEEN).skip(1).collect();
        if spelled.len() != alone.len() + 1 {
            return None;
        }
        let mut letters = Self { plain: vec![0; 1 << 16], spellings: vec![] };
        letters.plain[BETWEEN as usize] = BETWEEN.into();
        for (letter, spelling) in alone.into_iter().zip(spelled) {
            let mut chars = spelling.chars();
            letters.plain[letter as usize] = if let (Some(one), None) = (chars.next(), chars.next()) {
                one.into()
            } else {
                letters.spellings.push(spelling.to_owned());
                SPELLINGS + u32::try_from(letters.spellings.len()).ok()? - 1
            };
        }
        Some(letters)
    }

    fn plain(&self, letter: char) -> Option<u32> {
        self.plain.get(letter as usize).copied().filter(|spelling| *spelling != 0)
    }

    /// `text` as it is spelled, one `space` for spaces in a row and one before all; `None` when nothing is left of it.
    pub(super) fn spelled(&self, normalizer: &NormalizerWrapper, text: &str, space: char) -> Option<Vec<char>> {
        let mut out = Spelled { letters: Vec::with_capacity(text.len() / 2 + 2), space, after_space: false };
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let behind = &rest[letter.len_utf8()..];
            let beside = behind.chars().next().is_none_or(|next| self.plain(next).is_some());
            match self.plain(letter).filter(|_| beside) {
                Some(spelling) if spelling < SPELLINGS => out.push(char::from_u32(spelling)?),
                Some(spelling) => self.spellings[(spelling - SPELLINGS) as usize].chars().for_each(|c| out.push(c)),
                None => {
                    let hard = self.hard(rest);
                    normal(normalizer, &rest[..hard])?.chars().for_each(|c| out.push(c));
                    rest = &rest[hard..];
                    continue;
                }
            }
            rest = behind;
        }
        (out.letters.len() > 1 || out.letters.first().is_some_and(|first| *first != space)).then_some(out.letters)
    }

    /// How many bytes at the beginning of `text` are to be spelled together: up to between two plain ones.
    fn hard(&self, text: &str) -> usize {
        let mut before_plain = false;
        for (at, letter) in text.char_indices() {
            let plain = self.plain(letter).is_some();
            if at > 0 && plain && before_plain {
                return at;
            }
            before_plain = plain;
        }
        text.len()
    }
}

/// Letters, as they come.
struct Spelled {
    letters: Vec<char>,
    space: char,
    after_space: bool,
}

impl Spelled {
    fn push(&mut self, letter: char) {
        let is_space = letter == ' ';
        if is_space && self.after_space {
            return;
        }
        self.after_space = is_space;
        let letter = if is_space { self.space } else { letter };
        if self.letters.is_empty() && letter != self.space {
            self.letters.push(self.space);
        }
        self.letters.push(letter);
    }
}

/// Whether a character neither changes with its neighbours nor becomes one that does.
fn joins_nothing(letter: char) -> bool {
    let apart = |c: char| canonical_combining_class(c) == 0 && is_nfkc_quick(std::iter::once(c)) != IsNormalized::Maybe;
    letter != '\r' && apart(letter) && std::iter::once(letter).nfkc().all(apart)
}

/// Each character between two that join nothing.
fn between(letters: &str) -> String {
    std::iter::once(BETWEEN).chain(letters.chars().flat_map(|letter| [letter, BETWEEN])).collect()
}

fn normal(normalizer: &NormalizerWrapper, text: &str) -> Option<String> {
    let mut spelled = NormalizedString::from(text);
    normalizer.normalize(&mut spelled).ok()?;
    Some(spelled.get().to_owned())
}
