//! Lists: what a sentence announces is given whole, one statement for each item.
//!
//! Items are told by their marks: 一是/二是, 第一/第二, 首先/其次, 一、二、, 1./2., (a)/(b), first/second, dots.

use crate::article::Span;
use crate::retrieve::Evidence;

/// Items that are given at most.
const MOST: usize = 24;

/// A mark that an item begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    family: Family,
    /// From 1; 0 where all marks are the same.
    number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// 一是, 二要
    HanVerb,
    /// 一、, （一）
    Han,
    /// 第一, 其二
    HanOrdinal,
    /// 首先, 其次
    HanSequence,
    /// 1., (2), 3)
    Number,
    /// (a), b)
    Letter,
    /// first, secondly
    Word,
    /// •, -
    Dot,
}

/// The sentences after the one at `span` that it announces: an item each. `evidence` holds the passages of all articles;
/// sentences are given with the number of their passage in it.
pub(super) fn announced(evidence: &[&Evidence], owner: usize, span: Span, text: &str) -> Vec<(usize, Span)> {
    let article = |at: usize| (&evidence[at].passage.article, evidence[at].passage.version);
    let same = (0..evidence.len()).filter(|at| article(*at) == article(owner));
    let mut after: Vec<(usize, Span)> = same
        .flat_map(|at| evidence[at].sentences.iter().map(move |sentence| (at, sentence.span)))
        .filter(|(_, sentence)| sentence.start >= span.end)
        .collect();
    after.sort_by_key(|(at, sentence)| (sentence.start, *at));
    after.dedup_by_key(|(_, sentence)| *sentence);
    let mut end = span.end;
    // Only what follows at once is announced.
    let next = after.into_iter().map_while(|(at, sentence)| {
        let joined = text.get(end..sentence.start).is_some_and(|between| between.trim().is_empty());
        end = sentence.end;
        joined.then(|| Some((at, sentence, text.get(sentence.start..sentence.end)?)))?
    });
    let next: Vec<(usize, Span, &str)> = next.take(MOST).collect();
    let head = text.get(span.start..span.end).unwrap_or_default();
    let items = items(head, next.iter().map(|(.., sentence)| *sentence));
    next.into_iter().take(items).map(|(at, sentence, _)| (at, sentence)).collect()
}

/// How many of the sentences `after` a `head` are items that it announces.
fn items<'t>(head: &str, after: impl Iterator<Item = &'t str>) -> usize {
    let marks: Vec<Option<Mark>> = after.map(mark).collect();
    let is_item = mark(head).is_some();
    let run = match marks.first() {
        Some(Some(first)) if first.number <= 1 && !is_item => {
            let follows = |number: u32, mark: &Option<Mark>| {
                mark.is_some_and(|mark| mark.family == first.family && (mark.number == number || mark.number == 0))
            };
            (first.number..).zip(&marks).take_while(|(number, mark)| follows(*number, mark)).count()
        }
        _ => 0,
    };
    let announces = head.trim_end().ends_with([':', '：']);
    match run {
        0 => usize::from(announces && !marks.is_empty()),
        1 if !announces => 0,
        run => run,
    }
}

fn mark(sentence: &str) -> Option<Mark> {
    let sentence = sentence.trim_start();
    han(sentence).or_else(|| written(sentence)).or_else(|| numbered(sentence))
}

/// 一是, 一、, （一）, 第一
fn han(sentence: &str) -> Option<Mark> {
    const NUMERALS: &str = "一二三四五六七八九十";
    let (prefix, rest) = ["第", "其", "（", "("]
        .into_iter()
        .find_map(|prefix| Some((prefix, sentence.strip_prefix(prefix)?)))
        .unwrap_or(("", sentence));
    let numeral = rest.chars().next()?;
    let number = u32::try_from(NUMERALS.chars().position(|known| known == numeral)?).ok()? + 1;
    let next = rest[numeral.len_utf8()..].chars().next()?;
    let family = match (prefix, next) {
        ("第" | "其", '，' | '、' | ',' | '是' | '：') => Family::HanOrdinal,
        ("（", '）') | ("(", ')') | ("", '、') => Family::Han,
        ("", '是' | '要') => Family::HanVerb,
        _ => return None,
    };
    Some(Mark { family, number })
}

/// 首先, first, dots
fn written(sentence: &str) -> Option<Mark> {
    const SEQUENCE: [(&str, u32); 8] =
        [("首先", 1), ("其次", 2), ("再次", 3), ("再者", 3), ("第三", 3), ("最后", 0), ("最後", 0), ("此外", 0)];
    const WORDS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    if let Some((_, number)) = SEQUENCE.into_iter().find(|(word, _)| sentence.starts_with(word)) {
        return Some(Mark { family: Family::HanSequence, number });
    }
    if sentence.starts_with(['•', '·', '●', '▪', '■', '◆']) || sentence.starts_with("- ") || sentence.starts_with("* ")
    {
        return Some(Mark { family: Family::Dot, number: 0 });
    }
    let (word, rest) = sentence.split_at(sentence.find(|c: char| !c.is_ascii_alphabetic())?);
    let word = word.to_ascii_lowercase();
    let bare = word.strip_suffix("ly").unwrap_or(&word);
    let number = if bare == "final" { 0 } else { u32::try_from(WORDS.iter().position(|known| *known == bare)?).ok()? + 1 };
    // "First prize went to …" begins no list.
    rest.starts_with([',', ':']).then_some(Mark { family: Family::Word, number })
}

/// 1., 2), (3), 4、, (a), b)
fn numbered(sentence: &str) -> Option<Mark> {
    let opened = sentence.strip_prefix(['(', '（']);
    let inside = opened.unwrap_or(sentence);
    let length = inside.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (sign, rest) = inside.split_at(length);
    let closes: &[char] = if opened.is_some() { &[')', '）'] } else { &['.', ')', '）', '、', '．'] };
    if !rest.starts_with(closes) {
        return None;
    }
    if let Ok(number) = sign.parse::<u32>() {
        // "3.5 million" has no mark.
        let decimal = rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        return (sign.len() <= 2 && !decimal).then_some(Mark { family: Family::Number, number });
    }
    let letter = sign.bytes().next().filter(|_| sign.len() == 1 && !rest.starts_with(['.', '、', '．']))?;
    let number = u32::from(letter.to_ascii_lowercase() - b'a') + 1;
    Some(Mark { family: Family::Letter, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_by_its_marks_and_ends_with_them() {
        let rows: [(&str, &[&str], usize); 9] = [
            ("有三项措施。", &["一是修路。", "二是架桥。", "三是通车。", "以后再说。"], 3),
            ("分三步：", &["首先看。", "其次想。", "最后做。", "完了。"], 3),
            ("Three rules apply:", &["1. Knock.", "2. Wait.", "3. Enter.", "Then sit."], 3),
            ("There are two ways.", &["First, by bus.", "Second, on foot.", "It rains."], 2),
            ("You need:", &["- a key", "- a lamp", "Good luck."], 2),
            ("规定如下：", &["（一）不得吸烟；", "（二）不得喧哗。"], 2),
            ("他说：", &["今天关门。", "明天开门。"], 1),
            ("It costs money.", &["3.5 million people came.", "4.5 million left."], 0),
            ("夜市开了。", &["一是修路。", "人很多。"], 0),
        ];
        for (head, after, expected) in rows {
            assert_eq!(items(head, after.iter().copied()), expected, "{head}");
        }
        // Marks of any width, and none at all.
        for odd in ["17、18、59", "一", "（", "(", "", "İ, x", "第", "a", "①", "1", "３）x"] {
            items(odd, [odd, odd].into_iter());
        }
        // An item announces no other item.
        assert_eq!(items("1. Knock.", ["1. Wait.", "2. Enter."].into_iter()), 0);
    }
}
