//! The clause of a long sentence that holds the answer: what is shown where the whole sentence is quoted.

use std::ops::Range;

use crate::text::{is_row, is_unspaced};

/// Characters (in scripts that set no spaces) or words beyond which a sentence is long.
const LONG: (usize, usize) = (120, 60);
/// The least that a clause is worth reading: a shorter one takes in its neighbour.
const SHORT: (usize, usize) = (12, 5);

/// The clause of `sentence` that holds `answer`, in bytes; the whole of a sentence that is not long, and of a table's row.
pub(super) fn clause(sentence: &str, answer: Range<usize>) -> Range<usize> {
    if is_row(sentence) || !exceeds(sentence, LONG) || sentence.get(answer.clone()).is_none() {
        return 0..sentence.len();
    }
    let borders = borders(sentence);
    let before = |at: usize| borders.iter().copied().rfind(|border| *border <= at).unwrap_or(0);
    let after = |at: usize| borders.iter().copied().find(|border| *border >= at).unwrap_or(sentence.len());
    let (mut start, mut end) = (before(answer.start), after(answer.end));
    while !exceeds(&sentence[start..end], SHORT) && (start > 0 || end < sentence.len()) {
        // What comes before names what the clause is about.
        if start > 0 { start = before(start - 1) } else { end = after(end + 1) }
    }
    trimmed(sentence, start..end)
}

/// Where clauses end: behind their marks.
fn borders(sentence: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut characters = sentence.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        // In "1,000" and "10:30" nothing ends.
        let ends = match character {
            '，' | '；' | '：' | '、' | '،' | '؛' | '。' | '！' | '？' | '—' => true,
            ',' | ';' | ':' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        // An enumeration's marks divide words, not clauses.
        if ends && character != '、' {
            found.push(at + character.len_utf8());
        }
    }
    found
}

fn exceeds(text: &str, (characters, words): (usize, usize)) -> bool {
    let unspaced = text.chars().filter(|c| is_unspaced(*c)).count();
    if unspaced * 2 > text.chars().count() { text.chars().count() > characters } else { text.split_whitespace().count() > words }
}

/// `range` without white space and the mark at its end.
fn trimmed(sentence: &str, range: Range<usize>) -> Range<usize> {
    let inside = &sentence[range.clone()];
    let start = range.start + (inside.len() - inside.trim_start().len());
    let whole = range.end == sentence.len();
    let marks = |c: char| c.is_whitespace() || (!whole && matches!(c, '，' | '；' | '：' | ',' | ';' | ':' | '،' | '؛'));
    start..start + inside.trim_start().trim_end_matches(marks).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'t>(sentence: &'t str, answer: &str) -> &'t str {
        let at = sentence.find(answer).unwrap();
        &sentence[clause(sentence, at..at + answer.len())]
    }

    #[test]
    fn a_long_sentence_shows_the_clause_that_holds_the_answer() {
        let sentence = format!(
            "{}本办法自二〇二四年三月一日起施行，有效期五年；{}",
            "为了加强管理，".repeat(10),
            "由县人民政府负责解释，".repeat(10)
        );
        assert_eq!(shown(&sentence, "五年"), "本办法自二〇二四年三月一日起施行，有效期五年");
        let sentence = format!(
            "{} the fee is 1,000 crowns for each stall, payable in advance; {}",
            "the council of the town, ".repeat(10),
            "and so on, ".repeat(20)
        );
        assert_eq!(shown(&sentence, "1,000 crowns"), "the fee is 1,000 crowns for each stall");
    }

    #[test]
    fn a_sentence_of_usual_length_is_shown_whole() {
        for (sentence, answer) in [("夜市每晚收费二十元，由自治会收取。", "二十元"), ("The fee is low, they say.", "low")]
        {
            assert_eq!(shown(sentence, answer), sentence);
        }
    }
}
