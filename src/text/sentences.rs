//! Paragraphs and sentences, in every script.
//!
//! Sentence borders are Unicode's (UAX #29), with two corrections: an
//! abbreviation ends no sentence, and a line break inside one does not either.

use unicode_segmentation::UnicodeSegmentation as _;

use super::is_unspaced;
use super::shortened::Shortened;
use crate::article::Span;

/// The paragraphs in `within`: a blank line ends one, and so does a line that is no wrapped line.
pub(crate) fn paragraphs(text: &str, within: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Option<Span> = None;
    let mut at = within.start;
    for line in text.get(within.start..within.end).unwrap_or_default().split_inclusive('\n') {
        let span = Span::new(at, at + line.len());
        at = span.end;
        if line.trim().is_empty() {
            found.extend(open.take());
            continue;
        }
        if is_row(line) {
            found.extend(open.take());
        }
        open = Some(open.map_or(span, |open| Span::new(open.start, span.end)));
        if !is_wrapped(line) || is_row(line) {
            found.extend(open.take());
        }
    }
    found.extend(open);
    found.into_iter().map(|span| trimmed(text, span)).collect()
}

/// Whether a line was broken at a width: it is long, and no sentence ends with it.
fn is_wrapped(line: &str) -> bool {
    const SHORTEST: usize = 36;
    let bare = line.trim_end();
    let columns: usize = bare.chars().map(|c| if is_unspaced(c) { 2 } else { 1 }).sum();
    columns >= SHORTEST && line.ends_with('\n') && !ends_here(bare)
}

fn ends_here(text: &str) -> bool {
    text.trim_end_matches(['”', '’', '」', '』', '）', ')', '"', '\'', '»'])
        .ends_with(['。', '！', '？', '.', '!', '?', '…', '।', '؟', '។'])
}

/// Whether a line is a row of a table, as tables are read: bars stand between its cells. It is said as a whole, and no
/// sentence.
pub fn is_row(line: &str) -> bool {
    line.contains(" | ")
}

/// The sentences in `within`, white space cut from both ends; a table's row is one.
pub fn sentences(text: &str, within: Span) -> Vec<Span> {
    let Some(inside) = text.get(within.start..within.end) else { return vec![] };
    if is_row(inside) && !inside.trim().contains('\n') {
        return vec![trimmed(text, within)];
    }
    let short = Shortened::of(inside);
    let mut found: Vec<Span> = Vec::new();
    let mut goes_on = false;
    for (at, sentence) in short.text.split_sentence_bound_indices() {
        let place = |at| within.start + short.original(at);
        let span = Span::new(place(at), place(at + sentence.len()));
        match found.last_mut() {
            Some(last) if goes_on || is_closing(sentence) => last.end = span.end,
            _ => found.push(span),
        }
        goes_on = is_abbreviation(sentence) || is_number(sentence);
    }
    found.into_iter().map(|span| trimmed(text, span)).filter(|span| !span.is_empty()).collect()
}

/// The sentences of a passage's text: no sentence goes on in another paragraph.
pub fn sentences_of(text: &str) -> Vec<Span> {
    paragraphs(text, Span::new(0, text.len())).into_iter().flat_map(|paragraph| sentences(text, paragraph)).collect()
}

/// Marks that belong to the sentence before them.
fn is_closing(sentence: &str) -> bool {
    let bare = sentence.trim();
    !bare.is_empty() && bare.chars().all(|c| !c.is_alphanumeric())
}

/// "1. ", "12. ": the number of what follows.
fn is_number(sentence: &str) -> bool {
    let bare = sentence.trim();
    let digits = bare.strip_suffix('.').unwrap_or_default();
    (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// "Dr. ", "J. ", "z.B. ": a full stop that ends no sentence.
fn is_abbreviation(sentence: &str) -> bool {
    const KNOWN: [&str; 32] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "no", "inc", "ltd", "co", "jr", "sr", "vs", "etc", "fig", "gen", "gov", "sen",
        "rep", "rev", "col", "capt", "approx", "bzw", "nr", "ca", "usw", "sra", "art", "núm", "pág", "dept",
    ];
    let Some(bare) = sentence.trim_end().strip_suffix('.') else { return false };
    let word = bare.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or(bare);
    let last = word.rsplit('.').next().unwrap_or(word);
    let initial = last.chars().count() == 1 && last.chars().all(char::is_alphabetic);
    initial || KNOWN.contains(&last.to_lowercase().as_str())
}

/// Cuts a sentence that is too long: at its clauses, else anywhere between characters as read.
pub(crate) fn divide(text: &str, span: Span, most: usize, count: &dyn Fn(&str) -> usize) -> Vec<Span> {
    let inside = text.get(span.start..span.end).unwrap_or_default();
    let mut pieces: Vec<Span> = Vec::new();
    let (mut start, mut clause, mut tokens) = (span.start, span.start, 0);
    let mut at = span.start;
    // A run of marks or spaces is the same clause again and again.
    let mut counted = ("", 0);
    // Tokens are counted clause by clause: counting each prefix would take quadratic time.
    for grapheme in inside.graphemes(true) {
        at += grapheme.len();
        let ends_clause = grapheme.ends_with(['；', ';', '，', ',', '：', ':', '、', ' ', '\n']);
        if !ends_clause && at < span.end && at - clause < most * 3 {
            continue;
        }
        let words = &text[clause..at];
        if words != counted.0 {
            counted = (words, count(words).max(1));
        }
        let piece = counted.1;
        if tokens > 0 && tokens + piece > most {
            pieces.push(Span::new(start, clause));
            (start, tokens) = (clause, 0);
        }
        tokens += piece;
        clause = at;
        if tokens > most {
            pieces.extend(graphemes(text, Span::new(start, at), most));
            (start, tokens) = (at, 0);
        }
    }
    pieces.push(Span::new(start, span.end));
    pieces.into_iter().map(|piece| trimmed(text, piece)).filter(|piece| !piece.is_empty()).collect()
}

/// Pieces of at most `most` characters as read, which is never more tokens than that in any script that sets no spaces.
fn graphemes(text: &str, span: Span, most: usize) -> Vec<Span> {
    let inside = &text[span.start..span.end];
    let ends = inside.grapheme_indices(true).map(|(at, _)| at).step_by(most.max(1)).skip(1).chain([inside.len()]);
    let mut start = 0;
    ends.map(|end| {
        let piece = Span::new(span.start + start, span.start + end);
        start = end;
        piece
    })
    .collect()
}

/// `span` without white space at its ends.
pub(crate) fn trimmed(text: &str, span: Span) -> Span {
    let inside = text.get(span.start..span.end).unwrap_or_default();
    let start = span.start + (inside.len() - inside.trim_start().len());
    Span::new(start, start + inside.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::exponent;

    fn check(text: &str, expected: &[&str]) {
        let found = sentences(text, Span::new(0, text.len()));
        let shown: Vec<&str> = found.iter().map(|span| &text[span.start..span.end]).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn sentences_end_where_readers_end_them() {
        check("他问：“去哪里？”她说：“回家。”天黑了！", &["他问：“去哪里？”", "她说：“回家。”", "天黑了！"]);
        check("Dr. Smith paid $3.50. He left.", &["Dr. Smith paid $3.50.", "He left."]);
        check("Die Straße ist ca. 3 km lang. Danach links.", &["Die Straße ist ca. 3 km lang.", "Danach links."]);
        check("駅前に人が多い。なぜだろう？祭りの日だ。", &["駅前に人が多い。", "なぜだろう？", "祭りの日だ。"]);
        check("A line that\nbreaks here. Next.", &["A line that\nbreaks here.", "Next."]);
        check("¿Dónde está? Aquí.", &["¿Dónde está?", "Aquí."]);
        check("1. The keys. 2. The door.", &["1. The keys.", "2. The door."]);
        check("It was 2019. Then it rained.", &["It was 2019.", "Then it rained."]);
    }

    #[test]
    fn a_row_of_a_table_is_one_whatever_its_cells_hold() {
        let text = "The stops, from north to south, with their visitors of the year\nStop: St. Mary. | Visitors: 310. Many. | Open: yes\nStop: Mill | Visitors: 3\nIt rained. We left.";
        let shown: Vec<&str> = sentences_of(text).iter().map(|span| &text[span.start..span.end]).collect();
        assert_eq!(shown, [&text.lines().collect::<Vec<_>>()[..3], &["It rained.", "We left."]].concat());
    }

    #[test]
    fn a_run_of_spaces_or_marks_takes_linear_time() {
        for space in [" ", "\u{3000}", "\u{a0}", ")", "\u{200f}"] {
            let run = |count| {
                let text = format!("It ends.{}more. Next.", space.repeat(count));
                let found = sentences(&text, Span::new(0, text.len()));
                assert_eq!(found.last().map(|span| &text[span.start..span.end]), Some("Next."), "{space:?}");
            };
            assert!(exponent(16_000, run) < 1.5, "{space:?}");
        }
    }

    #[test]
    fn a_sentence_ends_with_its_paragraph() {
        let text = "三件事：\n1. 带钥匙\n2. 关门。走";
        let shown: Vec<&str> = sentences_of(text).iter().map(|span| &text[span.start..span.end]).collect();
        assert_eq!(shown, ["三件事：", "1. 带钥匙", "2. 关门。", "走"]);
    }
}
