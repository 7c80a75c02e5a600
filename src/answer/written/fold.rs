//! Texts as they are compared: one width, one case, simplified characters; and what of them is compared.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::text::is_unspaced;

/// How much a pair or a word counts that says little by itself.
const LITTLE: f32 = 0.25;
/// Characters that bind others together.
const BINDING: &str = "的了是在和与也就都而及其等为以对于上中下把被将并或之所这那有个";
/// First letters of a word that stand for its stem.
const STEM: usize = 5;
/// Letters of a word that binds others together, at most.
const SHORT: usize = 3;

/// NFKC, lower case, traditional characters as simplified ones.
pub(in crate::answer) fn fold(text: &str) -> String {
    let flat: String = text.nfkc().flat_map(char::to_lowercase).collect();
    fast2s::convert(&flat)
}

/// Characters of numbers, which are compared by themselves.
const NUMERALS: &str = "〇零一二三四五六七八九十百千万亿两";

/// Pairs of neighbouring characters, stems of words where they are spaced; each with how much it counts. Numbers are
/// left out: they are the same in digits and in words.
pub(super) fn units(folded: &str) -> BTreeMap<String, f32> {
    let mut units = BTreeMap::new();
    for run in folded.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let characters: Vec<char> = run.chars().collect();
        for part in characters.chunk_by(|a, b| is_unspaced(*a) == is_unspaced(*b)) {
            if is_unspaced(part[0]) {
                for pair in part.windows(2).filter(|pair| !pair.iter().any(|c| NUMERALS.contains(*c))) {
                    let binds = pair.iter().any(|c| BINDING.contains(*c));
                    units.insert(pair.iter().collect(), if binds { LITTLE } else { 1.0 });
                }
            } else if !part.iter().all(char::is_ascii_digit) {
                let binds = part.len() <= SHORT && part.iter().all(|c| c.is_alphabetic());
                units.insert(part.iter().take(STEM).collect(), if binds { LITTLE } else { 1.0 });
            }
        }
    }
    units
}

/// How much of what is `said` is `held`, too.
pub(super) fn common(said: &BTreeMap<String, f32>, held: &BTreeMap<String, f32>) -> f32 {
    said.iter().filter(|(unit, _)| held.contains_key(*unit)).map(|(_, weight)| weight).sum()
}

/// The script that most letters of a text are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Han,
    Kana,
    Latin,
    Cyrillic,
    Other,
}

pub(super) fn script(text: &str) -> Script {
    let mut counts = [0_usize; 5];
    for character in text.chars().filter(|c| c.is_alphabetic()) {
        let place = match u32::from(character) {
            0x3400..=0x9fff | 0x20000..=0x3ffff => 0,
            // A Japanese text has as many Chinese characters as its own.
            0x3041..=0x30ff => 1,
            0x41..=0x24f => 2,
            0x400..=0x52f => 3,
            _ => 4,
        };
        counts[place] += 1;
    }
    if counts[1] * 5 > counts[0] && counts[1] > counts[2] {
        return Script::Kana;
    }
    let scripts = [Script::Han, Script::Kana, Script::Latin, Script::Cyrillic, Script::Other];
    let most = counts.iter().max().copied().unwrap_or(0);
    counts.iter().zip(scripts).find(|(count, _)| **count == most).map_or(Script::Other, |(_, script)| script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_by_one_form() {
        assert_eq!(fold("攤位費２０元，ＧＤＰ"), "摊位费20元,gdp");
        let units = units("夜市的 walking to 20二十元");
        let expected = [("to", LITTLE), ("walki", 1.0), ("夜市", 1.0), ("市的", LITTLE)];
        assert_eq!(units.into_iter().collect::<Vec<_>>(), expected.map(|(unit, weight)| (unit.to_owned(), weight)));
    }

    #[test]
    fn a_text_has_the_script_of_its_letters() {
        let rows = [
            ("夜市的 GDP", Script::Han),
            ("駅の待合室には本棚が並ぶ", Script::Kana),
            ("the 夜市", Script::Latin),
            ("да", Script::Cyrillic),
        ];
        for (text, expected) in rows {
            assert_eq!(script(text), expected, "{text}");
        }
    }
}
