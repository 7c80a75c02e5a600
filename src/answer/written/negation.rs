//! Whether a sentence denies what its sources say, or the other way round.

use std::collections::BTreeMap;

use super::fold::{common, units};

/// Words that deny, in languages of spaced scripts.
const DENIALS: &[&str] = &[
    "not",
    "no",
    "never",
    "without",
    "none",
    "cannot",
    "neither",
    "nor",
    "nobody",
    "nothing",
    "t",
    "nunca",
    "sin",
    "ni",
    "ningún",
    "ninguna",
    "tampoco",
    "nadie",
    "nada",
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "keinem",
    "nie",
    "ohne",
    "niemand",
    "niemals",
    "ne",
    "pas",
    "jamais",
    "sans",
    "aucun",
    "aucune",
    "не",
    "нет",
    "ни",
    "без",
    "никогда",
    "никто",
    "ничего",
];
/// Those of Chinese and Japanese.
const DENIALS_UNSPACED: &[&str] = &["不", "没", "无", "未", "勿", "莫", "别", "ない", "なかっ", "ませ", "ず"];
/// Words that hold such a character and deny nothing.
const NO_DENIALS: &[&str] = &[
    "不仅",
    "不但",
    "不断",
    "不同",
    "不少",
    "不过",
    "不只",
    "不光",
    "不论",
    "不管",
    "不得不",
    "不可或缺",
    "不妨",
    "不久",
    "无论",
    "无不",
    "未来",
    "没有不",
    "别的",
    "分别",
    "区别",
    "特别",
    "级别",
    "性别",
    "个别",
    "差别",
    "别人",
    "莫过于",
    "ずつ",
    "まず",
    "必ず",
];

fn denies(clause: &str) -> bool {
    let bare = NO_DENIALS.iter().fold(clause.to_owned(), |text, word| text.replace(word, ""));
    DENIALS_UNSPACED.iter().any(|word| bare.contains(word))
        || bare.split(|c: char| !c.is_alphabetic()).any(|word| DENIALS.contains(&word))
}

/// Whether a clause denies what the clause of the sources denies not that it has most in common with, or the other
/// way round.
pub(super) fn denies_otherwise(sentence: &str, quotes: &str) -> bool {
    /// Shares of a clause that two must have in common to say the same.
    const SAME: f32 = 0.5;
    let theirs: Vec<(bool, BTreeMap<String, f32>)> = clauses(quotes).map(|clause| (denies(clause), units(clause))).collect();
    clauses(sentence).any(|clause| {
        let own = units(clause);
        let all: f32 = own.values().sum();
        let nearest = theirs.iter().max_by(|a, b| common(&own, &a.1).total_cmp(&common(&own, &b.1)));
        // As near as this one, another may deny as the sentence does.
        nearest.is_some_and(|(_, nearest)| {
            let most = common(&own, nearest);
            let alike = theirs.iter().any(|(denied, held)| *denied == denies(clause) && common(&own, held) >= most * 0.9);
            all > 0.0 && most >= SAME * all && !alike
        })
    })
}

fn clauses(folded: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| matches!(c, ',' | ';' | ':' | '。' | '、' | '!' | '?' | '\n' | '—' | '，' | '；');
    folded.split(ends).flat_map(|part| part.split(". ")).filter(|clause| !clause.trim().is_empty())
}
