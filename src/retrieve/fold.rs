//! Near-duplicates → one passage, the others named.
//!
//! Syndicated copies differ in a few characters. Two reports that differ in their
//! numbers do not say the same, however alike they are otherwise.

use std::collections::BTreeSet;

use super::Evidence;
use crate::shelf::{PassageId, Snapshot};

/// Cosine below which two passages are not looked at further.
const LIKE: f32 = 0.9;
/// Characters in a row that are compared.
const RUN: usize = 3;

/// Evidence without near-duplicates; each keeps those that were folded into it.
pub fn folded(snapshot: &Snapshot, evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut kept: Vec<Evidence> = Vec::with_capacity(evidence.len());
    for one in evidence {
        let ids: Vec<PassageId> = kept.iter().map(|other| other.passage.id).collect();
        let same = kept.iter_mut().zip(snapshot.cosines(one.passage.id, &ids)).find(|(other, likeness)| {
            *likeness >= LIKE
                && other.passage.article != one.passage.article
                && says_the_same(&other.passage.text, &one.passage.text)
        });
        match same {
            Some((other, _)) => other.copies.push(one.passage),
            None => kept.push(one),
        }
    }
    kept
}

/// Nearly the same characters, and exactly the same numbers.
fn says_the_same(a: &str, b: &str) -> bool {
    let (a, b) = (letters(a), letters(b));
    if numbers(&a) != numbers(&b) {
        return false;
    }
    let (a, b): (BTreeSet<&[char]>, BTreeSet<&[char]>) = (a.windows(RUN).collect(), b.windows(RUN).collect());
    let shared = a.intersection(&b).count();
    // Three of four: a word changed here and there.
    shared > 0 && shared * 4 >= (a.len() + b.len() - shared) * 3
}

fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn numbers(text: &[char]) -> Vec<char> {
    text.iter().copied().filter(|c| c.is_numeric() || "零〇一二三四五六七八九十百千万萬亿億".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::says_the_same;

    #[test]
    fn copies_are_told_from_reports_that_differ() {
        let report = "南门夜市今年三月换上节能灯，一年省电四万度，换灯的钱由电力公司先垫付，三年还清，摊主不出一分钱。";
        assert!(says_the_same(report, &report.replace("今年三月", "今年三月，")));
        assert!(says_the_same(report, &report.replace("换灯", "更换灯具")));
        assert!(!says_the_same(report, &report.replace("四万", "五万")));
        assert!(!says_the_same(report, "南门夜市从晚上六点开到凌晨一点。"));
        assert!(!says_the_same("夜市", "夜市"));
    }
}
