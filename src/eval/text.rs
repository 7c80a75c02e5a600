//! Answers compared as texts, as `SQuAD` and CMRC do it.

/// Text without what differs between two writings of the same answer: case, spaces, punctuation.
pub fn flat(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a quote holds a gold sentence, or at least two thirds of it in one run.
pub fn holds(quote: &str, gold: &str) -> bool {
    let (quote, gold): (Vec<char>, Vec<char>) = (flat(quote).chars().collect(), flat(gold).chars().collect());
    !gold.is_empty() && longest_run(&quote, &gold) * 3 >= gold.len() * 2
}

/// Characters of the longest stretch that both have.
fn longest_run(a: &[char], b: &[char]) -> usize {
    let (mut before, mut longest) = (vec![0; b.len() + 1], 0);
    for a in a {
        let mut row = vec![0; b.len() + 1];
        for (at, b) in b.iter().enumerate() {
            if a == b {
                row[at + 1] = before[at] + 1;
                longest = longest.max(row[at + 1]);
            }
        }
        before = row;
    }
    longest
}

/// One character of Chinese, Japanese or Thai; one word of other scripts.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars().flat_map(char::to_lowercase) {
        let alone =
            matches!(c, '\u{0E00}'..='\u{0E7F}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}');
        if alone || !c.is_alphanumeric() {
            in_word = false;
            if alone {
                units.push(c.to_string());
            }
        } else if in_word {
            units.last_mut().expect("in a word").push(c);
        } else {
            units.push(c.to_string());
            in_word = true;
        }
    }
    units
}

/// Whether the answer is one of the gold answers, 0 or 1.
pub fn exact_match(answer: &str, gold: &[String]) -> f64 {
    let answer = flat(answer);
    f64::from(u8::from(gold.iter().any(|gold| flat(gold) == answer)))
}

/// Harmonic mean of what the answer shares with the best gold answer: by character in
/// Chinese, by word in other languages.
pub fn f1(answer: &str, gold: &[String]) -> f64 {
    let answer = units(answer);
    gold.iter().map(|gold| overlap(&answer, &units(gold))).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn overlap(answer: &[String], gold: &[String]) -> f64 {
    let mut left = gold.to_vec();
    let mut shared = 0;
    for unit in answer {
        if let Some(at) = left.iter().position(|other| other == unit) {
            left.swap_remove(at);
            shared += 1;
        }
    }
    2.0 * f64::from(shared) / (answer.len() + gold.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_compared_by_character_and_english_by_word() {
        assert_eq!(units("在1952年 the X-ray"), ["在", "1952", "年", "the", "x", "ray"]);
        let gold = ["长沙市".to_owned(), "the capital".to_owned()];
        assert!((f1("长沙", &gold) - 0.8).abs() < 1e-9);
        assert!((f1("The capital!", &gold) - 1.0).abs() < 1e-9);
        assert!((exact_match("长沙市。", &gold) - 1.0).abs() < 1e-9);
        assert!(f1("", &gold).abs() < 1e-9);
    }

    #[test]
    fn two_thirds_of_a_sentence_in_one_run_hold_it() {
        assert!(holds("他们说：一二三四。", "一二三四五六"));
        assert!(!holds("一二三，四五六七", "一二三x四五六七y"));
        assert!(!holds("任何", ""));
    }
}
