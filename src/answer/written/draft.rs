//! What a model writes → sentences with the ids that they are said to rest on, as the text comes in pieces.
//!
//! Small models keep to no form: ids stand before or behind the full stop, several in one pair of brackets, in
//! brackets of any width. What is in brackets and is no id of ours is no mark either, and is taken out.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// Characters between a pair of brackets at most.
const LONGEST: usize = 80;
/// Sentences that a range such as `1.2–1.5` names at most.
const RANGE: u32 = 12;

/// A sentence's number: its passage's, and its own in it, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SentenceId(pub(super) u32, pub(super) u32);

/// Words, and what they are said to rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Without ids and marks of lists.
    pub(super) text: String,
    /// Each once.
    pub(super) ids: Vec<SentenceId>,
}

/// A text that grows, and of which whole units are taken.
#[derive(Debug, Default)]
pub(super) struct Draft(String);

impl Draft {
    /// The units that are whole once `piece` has come.
    pub(super) fn push(&mut self, piece: &str) -> Vec<Unit> {
        self.0.push_str(piece);
        self.take(false)
    }

    /// What is left.
    pub(super) fn end(&mut self) -> Vec<Unit> {
        self.take(true)
    }

    fn take(&mut self, is_end: bool) -> Vec<Unit> {
        if !self.pass_thoughts() {
            return vec![];
        }
        let mut units = Vec::new();
        while let Some(end) = cut(&self.0, is_end) {
            let rest = self.0.split_off(end);
            units.extend(Unit::of(&std::mem::replace(&mut self.0, rest)));
        }
        units
    }

    /// Takes out what a model thinks before it writes; `false` while it thinks.
    fn pass_thoughts(&mut self) -> bool {
        const THOUGHTS: [&str; 2] = ["<think>", "</think>"];
        let head = self.0.trim_start();
        if !head.starts_with(THOUGHTS[0]) {
            return head.is_empty() || !THOUGHTS[0].starts_with(head);
        }
        let Some(end) = self.0.find(THOUGHTS[1]) else { return false };
        self.0.drain(..end + THOUGHTS[1].len());
        true
    }
}

/// Where the first whole unit of `text` ends; `None` while more may belong to it.
fn cut(text: &str, is_end: bool) -> Option<usize> {
    let mut stopped = false;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if character == '\n' {
            return Some(at + 1);
        }
        match group(text, at) {
            Group::Unfinished if !is_end => return None,
            Group::Ids(end) => {
                let end = groups_end(text, end);
                let rest = text[end..].trim_start_matches([' ', '\t', '\u{3000}']);
                let Some(next) = rest.chars().next() else { return is_end.then_some(text.len()) };
                let gap = text.len() - rest.len();
                if is_open(next) && !is_end && matches!(group(text, gap), Group::Unfinished) {
                    return None;
                }
                if stops(next) && !stopped {
                    return Some(closed(text, gap + next.len_utf8()));
                }
                let goes_on =
                    matches!(next, '，' | ',' | '、' | '：' | ':' | '；' | ';' | '—' | '-' | ')' | '）') || next.is_lowercase();
                if stopped || !(goes_on || next == '\n') {
                    return Some(end);
                }
                at = end;
            }
            Group::Unfinished | Group::None => {
                stopped = stops(character) || (stopped && (character.is_whitespace() || is_closing(character)));
                at += character.len_utf8();
            }
        }
    }
    (is_end && !text.is_empty()).then_some(text.len())
}

/// Behind all groups that follow one another.
fn groups_end(text: &str, mut end: usize) -> usize {
    loop {
        let next = text.len() - text[end..].trim_start_matches([' ', '\t']).len();
        match group(text, next) {
            Group::Ids(after) => end = after,
            Group::None | Group::Unfinished => return end,
        }
    }
}

/// Behind what closes a sentence.
fn closed(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    text.len() - rest.trim_start_matches(is_closing).len()
}

fn stops(character: char) -> bool {
    matches!(character, '。' | '！' | '？' | '.' | '!' | '?' | '…' | '।' | '؟')
}

fn is_closing(character: char) -> bool {
    matches!(character, '”' | '’' | '」' | '』' | '"' | '\'' | '»' | '）' | ')')
}

fn is_open(character: char) -> bool {
    matches!(character, '[' | '【' | '［')
}

/// What stands at a place.
enum Group {
    /// Ids in brackets, and where they end.
    Ids(usize),
    /// Brackets that may become ids.
    Unfinished,
    None,
}

fn group(text: &str, at: usize) -> Group {
    let Some(open) = text[at..].chars().next().filter(|character| is_open(*character)) else { return Group::None };
    let inside = &text[at + open.len_utf8()..];
    let close = inside.char_indices().take(LONGEST).find(|(_, character)| matches!(character, ']' | '】' | '］' | '\n'));
    match close {
        Some((end, close)) if close != '\n' && ids(&inside[..end]).is_some() => {
            Group::Ids(at + open.len_utf8() + end + close.len_utf8())
        }
        None if inside.chars().count() < LONGEST => Group::Unfinished,
        Some(_) | None => Group::None,
    }
}

/// The ids that the inside of a pair of brackets names; `None` where it is text. Bare numbers are marks of nothing.
fn ids(inside: &str) -> Option<Vec<SentenceId>> {
    let inside: String = inside.nfkc().collect();
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let numbers: Vec<Range<usize>> =
        runs(&inside, number).filter(|run| inside[run.clone()].contains(|c: char| c.is_ascii_digit())).collect();
    let letters = inside.chars().filter(|c| c.is_alphabetic()).count();
    let parsed: Vec<Option<SentenceId>> = numbers.iter().map(|run| id(inside[run.clone()].trim_matches('.'))).collect();
    let all = parsed.iter().all(Option::is_some);
    if numbers.is_empty() || letters > 12 || (letters > 0 && !all) {
        return None;
    }
    let mut found: Vec<SentenceId> = Vec::new();
    for (at, id) in parsed.iter().enumerate() {
        let Some(id) = *id else { continue };
        let before =
            at.checked_sub(1).and_then(|before| Some((parsed[before]?, inside.get(numbers[before].end..numbers[at].start)?)));
        let first = match before {
            Some((SentenceId(passage, first), between)) if passage == id.0 && matches!(between.trim(), "-" | "–" | "—" | "~") => {
                first
            }
            _ => id.1,
        };
        found.extend(
            (first..=id.1)
                .rev()
                .take(RANGE as usize)
                .map(|sentence| SentenceId(id.0, sentence))
                .collect::<Vec<_>>()
                .into_iter()
                .rev(),
        );
    }
    Some(found)
}

fn id(text: &str) -> Option<SentenceId> {
    let (passage, sentence) = text.split_once('.')?;
    Some(SentenceId(passage.parse().ok()?, sentence.parse().ok()?))
}

/// Ranges of characters that are all `wanted`.
fn runs(text: &str, wanted: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(&wanted)?;
        at = text[start..].find(|c| !wanted(c)).map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

impl Unit {
    /// `None` where there are no words.
    fn of(raw: &str) -> Option<Self> {
        let (mut text, mut found, mut at) = (String::new(), Vec::new(), 0);
        while let Some(character) = raw[at..].chars().next() {
            if let Group::Ids(end) = group(raw, at) {
                let inside = &raw[at + character.len_utf8()..end];
                let inside = inside.char_indices().next_back().map_or("", |(last, _)| &inside[..last]);
                found.extend(ids(inside).unwrap_or_default());
                let kept = text.trim_end().len();
                text.truncate(kept);
                at = end;
            } else {
                text.push(character);
                at += character.len_utf8();
            }
        }
        let text = without_marks(&text);
        let mut ids: Vec<SentenceId> = Vec::new();
        for id in found {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        (!text.is_empty()).then_some(Self { text, ids })
    }
}

/// One line, without marks of lists, headings and emphasis.
fn without_marks(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ").replace("**", "");
    let mut rest = line.trim_start_matches(['#', '-', '*', '•', '>', ' ']);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    if (1..=2).contains(&digits) {
        // "3.5 million" begins no list.
        let item = rest[digits..]
            .strip_prefix(". ")
            .or_else(|| rest[digits..].strip_prefix(") "))
            .or_else(|| rest[digits..].strip_prefix('、'));
        rest = item.unwrap_or(rest);
    }
    rest.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Vec<(String, Vec<(u32, u32)>)> {
        let mut draft = Draft::default();
        let mut units = draft.push(text);
        units.extend(draft.end());
        units.into_iter().map(|unit| (unit.text, unit.ids.iter().map(|id| (id.0, id.1)).collect())).collect()
    }

    #[test]
    fn sentences_are_told_from_their_ids_in_whatever_form() {
        /// A draft, and its sentences with the ids of each.
        type Row = (&'static str, &'static [(&'static str, &'static [(u32, u32)])]);
        let rows: [Row; 12] = [
            ("摊位费二十元[1.2]。夜市六点开[2.1]。", &[("摊位费二十元。", &[(1, 2)]), ("夜市六点开。", &[(2, 1)])]),
            (
                "摊位费二十元。[1.2] 夜市六点开。【2.1】【2.2】",
                &[("摊位费二十元。", &[(1, 2)]), ("夜市六点开。", &[(2, 1), (2, 2)])],
            ),
            ("The fee is low [1.1, 1.2]. It rains.", &[("The fee is low.", &[(1, 1), (1, 2)]), ("It rains.", &[])]),
            ("The fee is low. [1.1] It rains. [2.1]", &[("The fee is low.", &[(1, 1)]), ("It rains.", &[(2, 1)])]),
            ("有根[1.1]，有家[1.2]。", &[("有根，有家。", &[(1, 1), (1, 2)])]),
            ("- **One** item [1.1]\n2. Another [1.3-1.5]\n", &[("One item", &[(1, 1)]), ("Another", &[(1, 3), (1, 4), (1, 5)])]),
            ("It said [sic] so [１.２].", &[("It said [sic] so.", &[(1, 2)])]),
            ("A fake mark [7] and [8, 9].", &[("A fake mark and.", &[])]),
            ("3.5 million came [id 1.1].", &[("3.5 million came.", &[(1, 1)])]),
            ("<think>hm [1.1]</think>Yes, it is [2.1].", &[("Yes, it is.", &[(2, 1)])]),
            ("He said: “No.” [1.1] Then left [1.2", &[("He said: “No.”", &[(1, 1)]), ("Then left [1.2", &[])]),
            ("[1.1]", &[]),
        ];
        for (text, expected) in rows {
            let expected: Vec<(String, Vec<(u32, u32)>)> =
                expected.iter().map(|(text, ids)| ((*text).to_owned(), ids.to_vec())).collect();
            assert_eq!(units(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn in_whatever_pieces_a_text_comes_its_units_are_the_same(
            text in r"([a-c天。，. \n\]【】]|\[|[0-9]\.[0-9]|[0-9]|\[[1-3]\.[1-3]\]){0,40}", size in 1_usize..7,
        ) {
            let mut draft = Draft::default();
            let characters: Vec<char> = text.chars().collect();
            let mut in_pieces: Vec<Unit> =
                characters.chunks(size).flat_map(|piece| draft.push(&piece.iter().collect::<String>())).collect();
            in_pieces.extend(draft.end());
            let mut draft = Draft::default();
            let mut whole = draft.push(&text);
            whole.extend(draft.end());
            prop_assert_eq!(in_pieces, whole);
        }
    }
}
