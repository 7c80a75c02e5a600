//! What a glyph says → the characters that a reader would type.
//!
//! Ligatures are taken apart, forms for vertical lines become the plain ones, and radicals become the characters that
//! they are drawn like: fonts share a glyph among these, and programs that write PDFs name the wrong one.

use hayro_interpret::hayro_cmap::BfString;
use unicode_normalization::UnicodeNormalization as _;

use crate::read::printed::Glyph;

/// Radicals that Unicode gives no decomposition, and the characters that look like them
/// (Unicode's `EquivalentUnifiedIdeograph.txt`, those that are used as words).
const RADICALS: &str = "⺠民⺩王⺫目⺬示⺭礻⺮竹⺶羊⺹耂⺼月⻁虎⻂衤⻄西⻅见⻆角⻈讠⻉贝⻋车⻏阝⻐钅⻑長⻒镸⻓长⻔门⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻟飠⻠饣⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⺅亻⺉刂⺋巳⺌小⺎尢⺒巳⺖忄⺗心⺘扌⺜日⺝月⺡氵⺣灬⺤爫⺨犭⺾艹⻊足⻌辶";

/// Whether Unicode has it as a radical, and not as a character.
pub(super) fn is_radical(c: char) -> bool {
    matches!(u32::from(c), 0x2e80..=0x2fdf)
}

/// Replaces the radicals at `places` by the characters that they stand for on a page of this script.
pub(super) fn modern(glyphs: &mut [Glyph], places: &[usize]) {
    if places.is_empty() {
        return;
    }
    let text: String = glyphs.iter().map(|glyph| glyph.character).filter(|c| !is_radical(*c)).collect();
    let changed = text.chars().zip(fast2s::convert(&text).chars()).filter(|(a, b)| a != b).count();
    // One character in fifty: a simplified text that quotes an old one.
    let simplified = changed * 50 < text.chars().count();
    for place in places {
        let Some(glyph) = glyphs.get_mut(*place) else { continue };
        let listed = RADICALS.chars().skip_while(|c| *c != glyph.character).nth(1);
        let plain = listed.or_else(|| glyph.character.nfkc().next()).unwrap_or(glyph.character);
        let modern = fast2s::convert(&plain.to_string()).chars().next().filter(|_| simplified);
        glyph.character = modern.unwrap_or(plain);
    }
}

/// The characters that a glyph stands for; `U+FFFD` where the file does not say.
pub(super) fn characters(text: Option<BfString>) -> Vec<char> {
    match text {
        Some(BfString::Char(c)) => plain(c),
        Some(BfString::String(text)) => text.chars().flat_map(plain).collect(),
        None => vec!['\u{fffd}'],
    }
}

fn plain(c: char) -> Vec<char> {
    match u32::from(c) {
        // A soft hyphen that is drawn is a hyphen.
        0xad => vec!['-'],
        0xa0 => vec![' '],
        // Punctuation of vertical lines; its plain form is a wide one.
        0xfe10..=0xfe19 | 0xfe30..=0xfe48 => {
            let widened = |c: char| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic()).unwrap_or(c);
            c.nfkc().map(widened).collect()
        }
        0xfb00..=0xfb06 => c.nfkc().collect(),
        _ => vec![c],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let glyph = |character| Glyph { character, x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0, size: 1.0, bold: false };
        let mut glyphs: Vec<Glyph> = text.chars().map(glyph).collect();
        let places: Vec<usize> = (0..glyphs.len()).filter(|place| is_radical(glyphs[*place].character)).collect();
        modern(&mut glyphs, &places);
        assert_eq!(glyphs.iter().map(|glyph| glyph.character).collect::<String>(), expected);
    }

    #[test]
    fn radicals_become_characters_of_the_page_s_own_script() {
        check("农⼾养了十二种水⻦，加⻓了一倍", "农户养了十二种水鸟，加长了一倍");
        check("農⼾養了十二種水鳥，⽔位更高", "農戶養了十二種水鳥，水位更高");
    }

    #[test]
    fn ligatures_and_vertical_forms_become_plain() {
        assert_eq!(characters(Some(BfString::Char('ﬃ'))), ['f', 'f', 'i']);
        assert_eq!(characters(Some(BfString::Char('︒'))), ['。']);
        assert_eq!(characters(Some(BfString::Char('︵'))), ['（']);
    }
}
