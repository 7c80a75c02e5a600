//! Bylines: lines that hold nothing but the names of authors.

use super::lines::is_ideograph;
use super::words::WORDS;

/// The authors that `line` names, when it holds nothing else.
pub(super) fn byline(line: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 40;
    let bare = line.trim_matches(|c: char| c.is_whitespace() || "□■○●◎▲△◆◇★☆※▪·".contains(c));
    if bare.chars().count() > LONGEST || bare.contains(['。', '！', '？', '“', '《']) {
        return None;
    }
    let bare = bare.strip_prefix('（').and_then(|rest| rest.strip_suffix('）')).unwrap_or(bare);
    let (bare, marked) = strip_pen(bare);
    let (names, role) = take_names(bare)?;
    let convincing = |name: &String| is_name(name) || ((role || marked) && could_be_name(name));
    (!names.is_empty() && names.len() <= 8 && names.iter().all(convincing)).then_some(names)
}

/// The reporters named at the end of a news item's text: "（记者 李明）".
pub(super) fn closing_byline(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_suffix(['）', ')'])?;
    let at = inner.rfind(['（', '('])?;
    let inner = inner[at..].trim_start_matches(['（', '(']);
    let (names, role) = take_names(inner)?;
    (role && !names.is_empty() && names.iter().all(|name| could_be_name(name))).then_some(names)
}

/// "文/李明", "李明/文", "李明 文", "文：李明".
fn strip_pen(text: &str) -> (&str, bool) {
    const MARKS: [char; 6] = ['/', '／', '｜', '|', '：', ':'];
    for pen in &WORDS.pens {
        if let Some(rest) = text.strip_prefix(pen.as_str()).and_then(|rest| rest.trim_start().strip_prefix(MARKS)) {
            return (rest.trim(), true);
        }
        let before = text.strip_suffix(pen.as_str());
        if let Some(rest) = before.and_then(|rest| rest.strip_suffix(|c: char| MARKS.contains(&c) || c.is_whitespace())) {
            return (rest.trim(), true);
        }
    }
    (text, false)
}

/// The names in `text` and whether a role stood before one.
fn take_names(text: &str) -> Option<(Vec<String>, bool)> {
    let mut role = false;
    let mut pieces: Vec<&str> = Vec::new();
    for piece in text.split(|c: char| c.is_whitespace() || "、，,；;".contains(c)) {
        let mut rest = piece;
        while let Some(shorter) = WORDS.roles.iter().find_map(|word| rest.strip_prefix(word.as_str())) {
            role = true;
            rest = shorter.trim_start_matches(['：', ':']);
        }
        if !rest.is_empty() {
            pieces.push(rest);
        }
    }
    if pieces.is_empty() && role {
        return Some((vec![text.trim().to_owned()], true));
    }
    let names = join_single_characters(&pieces);
    names.iter().all(|name| name.chars().all(|c| is_ideograph(c) || c == '·')).then_some((names, role))
}

/// "李 琳" is one name; "王 刚 李 明" are two.
fn join_single_characters(pieces: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut letters = String::new();
    let flush = |letters: &mut String, names: &mut Vec<String>| {
        let all: Vec<char> = std::mem::take(letters).chars().collect();
        let size = if all.len() > 3 && all.len().is_multiple_of(2) { 2 } else { all.len().max(1) };
        names.extend(all.chunks(size).map(|name| name.iter().collect::<String>()));
    };
    for piece in pieces {
        if piece.chars().count() == 1 {
            letters.push_str(piece);
        } else {
            flush(&mut letters, &mut names);
            names.push((*piece).to_owned());
        }
    }
    flush(&mut letters, &mut names);
    names
}

fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    let compound = WORDS.compound_surnames.iter().any(|surname| name.starts_with(surname));
    let single = name.chars().next().is_some_and(|first| WORDS.surnames.contains(first));
    // "理论·智库" is a column far more often than a foreign name stands in a byline without a role.
    let fits = (compound && (3..=4).contains(&length)) || (single && (2..=3).contains(&length));
    fits && !WORDS.no_names.iter().any(|word| word == name)
}

fn could_be_name(name: &str) -> bool {
    (2..=12).contains(&name.chars().count()) && !WORDS.no_names.iter().any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_are_told_from_columns_and_words() {
        let rows: [(&str, Option<&[&str]>); 15] = [
            ("陈江月", Some(&["陈江月"])),
            ("李 琳", Some(&["李琳"])),
            ("赵一苇 孙舟", Some(&["赵一苇", "孙舟"])),
            ("王 刚 李 明", Some(&["王刚", "李明"])),
            ("□本报记者 周远 通讯员 吴青", Some(&["周远", "吴青"])),
            ("文/何山", Some(&["何山"])),
            ("欧阳修竹", Some(&["欧阳修竹"])),
            ("本报评论员", Some(&["本报评论员"])),
            ("劉雲 陳曉東", Some(&["劉雲", "陳曉東"])),
            ("理论·智库", None),
            ("时评", None),
            ("导读", None),
            ("振兴战略", None),
            ("安全", None),
            ("提升城市品质", None),
        ];
        for (line, names) in rows {
            let expected = names.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(byline(line), expected, "{line}");
        }
        assert_eq!(closing_byline("花开了。（记者 李明 通讯员 王芳）"), Some(vec!["李明".to_owned(), "王芳".to_owned()]));
        assert_eq!(closing_byline("（见下图）"), None);
    }
}
