//! Articles that go on on another page, and say so: "（下转第三版）" at the end of one part, "（上接第一版）" at the head of
//! the other.

use std::sync::LazyLock;

use regex::Regex;

use super::blocks::{Block, Kind};
use super::news::{Draft, furniture};

static GOES_ON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)[（(【\[]?\s*(?:下转|下轉|转|continued on page|turn to page|see page)\s*第?\s*([0-9〇一二三四五六七八九十]{1,3})\s*[版页頁]?\s*[）)】\]]?$")
        .expect("it is a pattern")
});
static COMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^[（(【\[]?\s*(?:紧接|緊接|上接|接|continued from page|from page)\s*第?\s*([0-9〇一二三四五六七八九十]{1,3})\s*[版页頁]?\s*[）)】\]]?")
        .expect("it is a pattern")
});

/// Whether a block says nothing but where an article goes on or comes from.
pub(super) fn is_pointer(block: &Block) -> bool {
    comes_from(block).is_some() || goes_on(block).is_some()
}

/// The page on which the part that ends with `block` goes on.
fn goes_on(block: &Block) -> Option<u32> {
    number(&GOES_ON.captures(block.text().trim_end())?[1])
}

/// The page from which the part comes that begins with `block`.
pub(super) fn comes_from(block: &Block) -> Option<u32> {
    let text = block.text();
    let found = COMES.captures(&text)?;
    // "接" alone begins many sentences: a mark stands alone, or in brackets.
    let alone = found[0].len() == text.len() || found[0].starts_with(['（', '(', '【', '[']);
    (block.kind != Kind::Heading && alone).then(|| number(&found[1]))?
}

/// "12", "十二"
fn number(text: &str) -> Option<u32> {
    const DIGITS: &str = "〇一二三四五六七八九";
    let digit = |c: char| DIGITS.chars().position(|known| known == c).and_then(|at| u32::try_from(at).ok());
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    match text.split_once('十') {
        Some((tens, ones)) => {
            let of = |part: &str, empty| part.chars().next().map_or(Some(empty), digit);
            Some(of(tens, 1)? * 10 + of(ones, 0)?)
        }
        None => text.chars().try_fold(0, |number, c| Some(number * 10 + digit(c)?)),
    }
}

/// Puts each part that comes from another page behind the one that goes on there; other parts stay as they are. Where
/// they go on is said in no text.
pub(super) fn joined(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let mut drafts: Vec<Option<Draft<'_>>> = drafts.into_iter().map(Some).collect();
    for at in 0..drafts.len() {
        while let Some(other) = continuation(&drafts, at) {
            let Some(part) = drafts[other].take() else { break };
            if let Some(draft) = &mut drafts[at] {
                draft.passed.extend(part.head);
                draft.text.extend(part.text);
            }
        }
    }
    let mut joined: Vec<Draft<'_>> = drafts.into_iter().flatten().collect();
    for draft in &mut joined {
        let (passed, text): (Vec<&Block>, _) = draft.text.drain(..).partition(|block| furniture(block).is_some());
        draft.text = text;
        draft.passed.extend(passed);
    }
    joined
}

/// The part in which that at `at` goes on: on the page that it names, or from its page; of several the one whose
/// headline is like its own.
fn continuation(drafts: &[Option<Draft<'_>>], at: usize) -> Option<usize> {
    let draft = drafts[at].as_ref()?;
    let onto = draft.text.last().and_then(|block| goes_on(block))?;
    let fits = |(other, part): (usize, &Option<Draft<'_>>)| {
        let part = part.as_ref().filter(|part| other != at && part.page() != draft.page())?;
        let from = part.text.first().and_then(|block| comes_from(block))?;
        // Pages of a paper may be counted otherwise than those of the file: then the words of both must do.
        let pages = part.page() == onto || from == draft.page();
        Some((pages, alike(&draft.title(), &part.title()), other))
    };
    let found: Vec<(bool, bool, usize)> = drafts.iter().enumerate().filter_map(fits).collect();
    let alone = found.len() == 1;
    let best = found.into_iter().max_by_key(|(pages, alike, other)| (*alike, *pages, std::cmp::Reverse(*other)))?;
    (best.0 || best.1 || alone).then_some(best.2)
}

/// Whether one title says a part of the other.
fn alike(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (a, b) = (bare(a), bare(b));
    !a.is_empty() && !b.is_empty() && (a.contains(&b) || b.contains(&a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pages_are_read_in_both_scripts() {
        for (text, expected) in [("3", 3), ("十", 10), ("十二", 12), ("二十", 20), ("四", 4), ("一〇", 10)] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        for text in ["他说，（下转第三版）", "（下转２版）", "He left. (Continued on page 4)", "下转第 3 版"]
        {
            assert_eq!(GOES_ON.is_match(text), !text.contains('２'), "{text}");
        }
    }
}
