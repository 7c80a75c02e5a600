//! Text → terms that can be found again, in every script.
//!
//! Letters are folded first, character by character, so that each term knows the
//! bytes it came from: width and compatibility forms (NFKC), case, diacritics, and
//! traditional to simplified characters. Then scripts without spaces give pairs of
//! neighbouring characters, which find words and the parts of words alike; Chinese
//! also gives a dictionary's words, and the parts of words that are words. Other
//! scripts give words and their first letters, which stand in for stems in any language.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jieba_rs::{Jieba, TokenizeMode};

use super::fold::{Letter, fold};
use super::{is_han, is_unspaced};
use crate::article::Span;

static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// How many of a word's first letters stand for its stem: few find more of its forms, more of them fewer other words.
const STEMS: [usize; 2] = [4, 6];
/// Longer runs of letters are no words; they are cut so that none is lost.
const LONGEST: usize = 64;

/// A term and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The folded text.
    pub text: String,
    /// The bytes it came from.
    pub span: Span,
}

/// The terms of `text`, in reading order.
pub fn terms(text: &str) -> Vec<Term> {
    let folded = fold(text);
    let mut terms = Vec::new();
    for run in folded.split(|folded| !is_word(folded.character)) {
        for run in run.chunk_by(|a, b| is_unspaced(a.character) == is_unspaced(b.character)) {
            if run.first().is_some_and(|first| is_unspaced(first.character)) {
                pairs(run, &mut terms);
            } else {
                words(run, &mut terms);
            }
        }
    }
    terms
}

/// The smallest parts of `text` that a language can be told by: characters of
/// scripts without spaces, words of the others.
pub fn units(text: &str) -> BTreeSet<String> {
    let folded = fold(text);
    let mut units = BTreeSet::new();
    for run in folded.split(|folded| !is_word(folded.character)) {
        for run in run.chunk_by(|a, b| !is_unspaced(a.character) && !is_unspaced(b.character)) {
            units.extend((!run.is_empty()).then(|| term(run).text));
        }
    }
    units
}

/// Names of people, places and bodies in a Chinese text, as the dictionary tags them.
pub fn proper_names(text: &str) -> Vec<String> {
    let named = |tag: &str| ["nr", "ns", "nt", "nz"].iter().any(|kind| tag.starts_with(kind));
    let tagged = DICTIONARY.tag(text, false).into_iter();
    tagged.filter(|word| named(word.tag) && word.word.chars().count() > 1).map(|word| word.word.to_owned()).collect()
}

/// A text in which terms can be looked up without cutting it into all of its own.
pub struct Folded {
    text: String,
    words: BTreeSet<String>,
}

impl Folded {
    /// `text`, folded.
    pub fn of(text: &str) -> Self {
        let folded = fold(text);
        let mut words = BTreeSet::new();
        for run in folded.split(|folded| !is_word(folded.character) || is_unspaced(folded.character)) {
            let mut terms = Vec::new();
            self::words(run, &mut terms);
            words.extend(terms.into_iter().map(|term| term.text));
        }
        Self { text: folded.iter().map(|folded| folded.character).collect(), words }
    }

    /// Whether a term, as [`terms`] gives it, stands in the text: in a script without spaces
    /// anywhere, in others as a word.
    pub fn holds(&self, term: &str) -> bool {
        if term.chars().next().is_some_and(is_unspaced) { self.text.contains(term) } else { self.words.contains(term) }
    }
}

/// Letters, digits, and the marks that combine with them.
fn is_word(character: char) -> bool {
    is_han(character)
        || character.is_alphanumeric()
        || matches!(u32::from(character), 0x0900..=0x0dff | 0x0e30..=0x0e4e | 0x0eb0..=0x0ecd)
}

fn whole_span(run: &[Letter]) -> Span {
    let start = run.first().map_or(0, |first| first.span.start);
    Span::new(start, run.last().map_or(start, |last| last.span.end))
}

fn term(run: &[Letter]) -> Term {
    Term { text: run.iter().map(|folded| folded.character).collect(), span: whole_span(run) }
}

/// Pairs of neighbours, and the dictionary's words of any other length.
fn pairs(run: &[Letter], terms: &mut Vec<Term>) {
    if let [only] = run {
        terms.push(term(&[*only]));
        return;
    }
    for at in 0..run.len().saturating_sub(1) {
        terms.push(term(&run[at..at + 2]));
    }
    for han in run.split(|folded| !is_han(folded.character)).filter(|han| !han.is_empty()) {
        let text: String = han.iter().map(|folded| folded.character).collect();
        for word in DICTIONARY.tokenize(&text, TokenizeMode::Search, false) {
            // The tokenizer counts characters.
            let length = word.end - word.start;
            if length != 2
                && let Some(word) = han.get(word.start..word.end)
            {
                terms.push(term(word));
            }
        }
    }
}

/// The word, and its first letters where it has more.
fn words(run: &[Letter], terms: &mut Vec<Term>) {
    for word in run.chunks(LONGEST) {
        terms.push(term(word));
        let long = |length: &usize| word.len() > *length && word.iter().any(|folded| folded.character.is_alphabetic());
        for length in STEMS.into_iter().filter(long) {
            let mut stem = term(&word[..length]);
            stem.text.push('*');
            terms.push(stem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown: Vec<String> = terms(text).into_iter().map(|term| term.text).collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn every_script_gives_terms() {
        check("農業銀行", "农业 业银 银行 农业银行");
        check("ＡＢＣ１２", "abc12 abc1*");
        check("Straße, École", "straße stra* ecole ecol*");
        check("Walking 2021-08", "walking walk* walkin* 2021 08");
        check("ความสุข", "คว วา าม มส สุ ุข");
        check("부산시", "부산시");
    }

    #[test]
    fn a_term_knows_its_bytes() {
        let text = "在Ｈ城，農業";
        for term in terms(text) {
            assert!(text.get(term.span.start..term.span.end).is_some(), "{term:?}");
        }
        let last = terms(text).into_iter().find(|term| term.text == "农业").unwrap();
        assert_eq!(&text[last.span.start..last.span.end], "農業");
    }

    #[test]
    fn no_run_is_too_long() {
        let long = "中".repeat(5000);
        assert!(terms(&long).len() >= 4999);
        assert_eq!(terms(&"x".repeat(200)).len(), 12);
    }
}
