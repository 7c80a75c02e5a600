//! Text → the language that it is written in, as a BCP 47 tag.
//!
//! Chinese is told by its characters, and `zh-Hant` from `zh` by how many of them
//! simplification would change; the library tells the rest.

use whatlang::{Info, Lang, Script};

use super::is_han;

/// Characters looked at: enough to be sure, few enough to cost nothing.
const LOOKED_AT: usize = 2000;
/// One character in this many is traditional in `zh-Hant`.
const TRADITIONAL: usize = 12;

/// The language of `text`; `None` where it cannot be told.
pub fn language(text: &str) -> Option<&'static str> {
    let head: String = text.chars().take(LOOKED_AT).collect();
    let han = head.chars().filter(|c| is_han(*c)).count();
    let kana = head.chars().filter(|c| matches!(u32::from(*c), 0x3041..=0x30ff)).count();
    let letters = head.chars().filter(|c| c.is_alphabetic()).count();
    if han * 3 > letters && kana * 20 < han {
        let changed = head.chars().zip(fast2s::convert(&head).chars()).filter(|(a, b)| a != b).count();
        return Some(if changed * TRADITIONAL > han { "zh-Hant" } else { "zh" });
    }
    let told = whatlang::detect(&head)?;
    // A headline's few Latin letters fit many languages.
    if told.script() == Script::Latin && !told.is_reliable() && letters < 40 {
        return None;
    }
    tag(told.lang())
}

/// The language of a text as short as a question, where it is sure: for Chinese characters, which Japanese is written
/// in too, it never is.
pub fn sure_language(text: &str) -> Option<&'static str> {
    let told = whatlang::detect(text).filter(Info::is_reliable)?;
    matches!(told.script(), Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari | Script::Hebrew)
        .then(|| tag(told.lang()))?
}

/// The two letters of ISO 639-1.
fn tag(language: Lang) -> Option<&'static str> {
    // The library knows the three letters of ISO 639-3 only.
    const TAGS: [(&str, &str); 44] = [
        ("ara", "ar"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("ind", "id"),
        ("ita", "it"),
        ("jpn", "ja"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("nld", "nl"),
        ("nob", "nb"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tha", "th"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("vie", "vi"),
    ];
    TAGS.iter().find(|(code, _)| *code == language.code()).map(|(_, tag)| *tag)
}

#[cfg(test)]
mod tests {
    use super::{language, sure_language};

    #[test]
    fn a_text_says_its_language() {
        let rows = [
            ("夜市的摊位费每晚只收二十元，由摊主选出的自治会收取。", Some("zh")),
            ("接通斷點以後，每天有四千六百名騎士經過這座橋，車流減少了。", Some("zh-Hant")),
            ("青石駅の待合室には本棚が並んでいる。", Some("ja")),
            ("The river rose in the night and by morning the lower street was under water.", Some("en")),
            ("Los vecinos construyeron doce aljibes más el año pasado, y el agua alcanzó.", Some("es")),
            ("Козы на хуторе дают двадцать литров молока в день.", Some("ru")),
            ("작은 도서관은 밤 열 시까지 문을 연다.", Some("ko")),
            ("12 — 34", None),
        ];
        for (text, expected) in rows {
            assert_eq!(language(text), expected, "{text}");
        }
    }

    #[test]
    fn a_question_says_its_language_only_where_it_is_sure() {
        let rows = [
            ("¿Cuántos aljibes construyeron los vecinos del pueblo el año pasado?", Some("es")),
            ("How many hours a day is the lighthouse open to visitors?", Some("en")),
            ("富士山高度？", None),
            ("夜市的摊位费每晚收多少元？", None),
            ("Panthers 2015?", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(sure_language(text), wanted, "{text}");
        }
    }
}
