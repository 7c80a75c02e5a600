//! Physical lines: their words, widths and distances.

use crate::text;

/// One line that is not blank.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Number in the file, from 1.
    pub(super) number: u32,
    /// Its text, trimmed, and pulled together where single characters were spaced apart.
    pub(super) text: String,
    /// Its width in columns: two for a Chinese character, one for a Latin letter.
    pub(super) width: usize,
    /// Its width where punctuation takes half a character, as tight setting prints it.
    pub(super) tight: usize,
    /// Columns of white space before it.
    pub(super) indent: usize,
    /// Blank lines before it.
    pub(super) gap: usize,
}

/// All lines that are not blank, and how the page is spaced.
#[derive(Debug)]
pub(super) struct Layout {
    /// The lines, in the order of the file.
    pub(super) lines: Vec<Line>,
    /// The number of blank lines between two lines of a paragraph: nearly always 0 or 1.
    pub(super) spacing: usize,
    /// Indents say where paragraphs begin.
    pub(super) indented: bool,
}

impl Layout {
    /// Measures `text`.
    pub(super) fn of(text: &str) -> Self {
        let (mut lines, mut gap) = (Vec::new(), 0);
        for (number, raw) in (1_u32..).zip(text.split('\n')) {
            let trimmed = raw.trim_matches(is_blank);
            if trimmed.is_empty() {
                gap += 1;
                continue;
            }
            let indent = raw.chars().take_while(|c| is_blank(*c)).map(columns).sum();
            let text = pull_together(trimmed);
            // Closing marks may hang over the column's edge; one of them counts.
            let body = text.trim_end_matches(is_closing_mark);
            let body = text
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .find(|end| *end > body.len())
                .map_or(body, |end| &text[..end]);
            let width = body.chars().map(columns).sum();
            let tight = body.chars().map(tight_columns).sum();
            lines.push(Line { number, text, width, tight, indent, gap });
            gap = 0;
        }
        let gaps = || lines.iter().skip(1).map(|line: &Line| line.gap);
        let spacing = (0..4).max_by_key(|size| gaps().filter(|gap| gap == size).count()).unwrap_or(0);
        let indents = lines.iter().filter(|line| (2..=6).contains(&line.indent)).count();
        let indented = indents * 20 >= lines.len() && indents * 2 <= lines.len();
        Self { lines, spacing, indented }
    }

    /// Whether line `at` stands closer to the one before it than the page's lines do.
    pub(super) fn is_stuck(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| at > 0 && line.gap < self.spacing)
    }

    /// Whether line `at` stands further from the one before it than the page's lines do.
    pub(super) fn is_apart(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| line.gap > self.spacing)
    }

    /// Whether this can be a page at all: some lines, mostly of Chinese characters.
    pub(super) fn is_chinese(&self) -> bool {
        // A date, a headline, a byline, two lines of text, a credit.
        const FEWEST: usize = 6;
        let characters = self.lines.iter().flat_map(|line| line.text.chars());
        let (han, all) = characters.fold((0, 0), |(han, all), c| (han + usize::from(is_ideograph(c)), all + 1));
        self.lines.len() >= FEWEST && han * 2 > all
    }

    /// How much this looks like running text, broken at a column's width: lines end
    /// in the middle of a sentence, lines beside each other are equally wide, and
    /// sentences end in the middle of lines (in verse they do not).
    pub(super) fn wrapping(&self) -> Wrapping {
        let lines = &self.lines;
        let open = |line: &Line| line.text.chars().next_back().is_some_and(|c| is_ideograph(c) || c.is_alphanumeric());
        let even = |pair: &[Line]| pair[0].width.abs_diff(pair[1].width) <= 5;
        let wrapped = lines.windows(2).filter(|pair| open(&pair[0]) && pair[0].width >= 10 && even(pair)).count();
        let inner_stops = lines.iter().filter(|line| has_inner_stop(&line.text)).count();
        if wrapped * 5 >= lines.len() && inner_stops * 25 >= lines.len() {
            Wrapping::Clear
        } else if wrapped > 0 && inner_stops > 0 {
            Wrapping::Faint
        } else {
            Wrapping::None
        }
    }
}

/// How sure it is that lines were broken at a width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// They were not.
    None,
    /// Some may have been.
    Faint,
    /// They were.
    Clear,
}

fn has_inner_stop(text: &str) -> bool {
    text.trim_end_matches(is_terminal_mark).contains(['。', '！', '？', '；', '，'])
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')
}

/// A Chinese character, the zero of years (〇) among them.
pub(super) fn is_ideograph(c: char) -> bool {
    text::is_han(c) || c == '〇'
}

fn columns(c: char) -> usize {
    if u32::from(c) < 0x1100 { 1 } else { 2 }
}

fn tight_columns(c: char) -> usize {
    if "，。、；：！？“”‘’（）《》「」『』".contains(c) { 1 } else { columns(c) }
}

fn is_closing_mark(c: char) -> bool {
    is_terminal_mark(c) || "，、；：”’）》」』".contains(c)
}

fn is_terminal_mark(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '!' | '?' | '…')
}

/// Whether a sentence ends at the end of `text`.
pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['”', '’', '」', '』', '）', ')', '"', '》']).ends_with(is_terminal_mark)
}

/// Whether a statement ends at the end of `text`: not a question or a shout, which headlines are too.
pub(super) fn ends_statement(text: &str) -> bool {
    text.trim_end_matches(['”', '’', '」', '』', '）', ')', '"', '》']).ends_with(['。', '…'])
}

/// Pulls together characters that were spaced apart to fill a line: "绿 心 中 央".
///
/// A headline's spaces are pauses and stay: three single characters in a row are needed.
fn pull_together(text: &str) -> String {
    let words: Vec<&str> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
    let single = |word: &&str| {
        let mut letters = word.chars().filter(|c| is_ideograph(*c));
        letters.next().is_some() && letters.next().is_none() && word.chars().count() <= 2
    };
    let longest_run = words.split(|word| !single(word)).map(<[&str]>::len).max().unwrap_or(0);
    if longest_run < 3 {
        return words.join(" ");
    }
    let mut joined = String::new();
    for word in words {
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if latin(joined.chars().next_back()) && latin(word.chars().next()) {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_spaced_apart_are_pulled_together_and_pauses_stay() {
        assert_eq!(pull_together("河 畔 公 园 建 设 ，沿 岸 G4"), "河畔公园建设，沿岸G4");
        assert_eq!(pull_together("想明白 说清楚 做扎实"), "想明白 说清楚 做扎实");
        assert_eq!(pull_together("李 琳"), "李 琳");
    }

    #[test]
    fn only_text_broken_at_a_width_is_wrapped() {
        let verse = "春江潮水连海平\n海上明月共潮生\n滟滟随波千万里\n何处春江无月明\n".repeat(4);
        let prose = "这是一段没有换行的文字，读起来很顺。\n这是另一段，长度完全不同，也很顺，而且还要更长一些。\n".repeat(6);
        assert_eq!(Layout::of(&verse).wrapping(), Wrapping::None);
        assert_eq!(Layout::of(&prose).wrapping(), Wrapping::None);
        let wrapped = "老街的茶馆每天清晨五点开门，第\n一批客人多半是附近的老邻居。茶\n水便宜，话题不断，店主说，这样\n的日子过了三十年，也不觉得长。\n".repeat(3);
        assert_eq!(Layout::of(&wrapped).wrapping(), Wrapping::Clear);
    }
}
