//! Names and words in Latin letters: what a sentence names that its sources do not.

use super::fold::{Script, fold, script};
use crate::text::is_unspaced;
use crate::text::language;
use crate::text::terms::proper_names;

/// What is written behind somebody's name.
const SAYS: &[&str] = &["认为", "指出", "提出", "表示", "建议", "强调", "写道", "介绍", "主张", "说"];
/// What stands there and is no name.
const NOBODY: &[&str] = &[
    "作者", "他们", "她们", "有人", "专家", "文章", "文中", "本文", "大家", "我们", "人们", "学者", "报告", "该文", "此文",
    "市民", "居民",
];
/// Characters of such a name, at most.
const NAME: usize = 4;
/// First letters by which a name is found again in another case.
const STEM: usize = 4;

/// The first name in `sentence`, which is `folded` too, that does not stand in the folded `known`.
pub(super) fn unknown(sentence: &str, folded: &str, known: &str) -> Option<String> {
    match script(sentence) {
        Script::Han => {
            let names = proper_names(folded).into_iter().chain(speaker(folded));
            names.into_iter().find(|name| !known.contains(name.as_str())).or_else(|| unknown_in_latin(sentence, known))
        }
        Script::Kana => {
            katakana(folded).find(|name| !known.contains(name.as_str())).or_else(|| unknown_in_latin(sentence, known))
        }
        Script::Latin | Script::Cyrillic | Script::Other => capitals(sentence, known),
    }
}

/// The first word in Latin letters of a sentence that does not stand in the folded `known`. In a sentence of Latin
/// script those that are marked as names: by capitals inside, or by digits.
pub(super) fn unknown_in_latin(sentence: &str, known: &str) -> Option<String> {
    let all = script(sentence) != Script::Latin;
    let marked = |word: &str| word.chars().skip(1).any(char::is_uppercase) || word.contains(|c: char| c.is_ascii_digit());
    let has_letters = |word: &&str| word.len() > 1 && word.contains(|c: char| c.is_ascii_alphabetic());
    let words = sentence.split(|c: char| !c.is_ascii_alphanumeric()).filter(has_letters);
    words.filter(|word| all || marked(word)).map(fold).find(|word| !known.contains(word.as_str()))
}

/// Who is said to say something: what stands before the verb, at the beginning of a clause.
fn speaker(folded: &str) -> Option<String> {
    let clause =
        |text: &str| text.rsplit(|c: char| !is_unspaced(c) || "，。、；：".contains(c)).next().unwrap_or_default().to_owned();
    let named = |verb: &&str| {
        let (before, _) = folded.split_once(*verb)?;
        let name = clause(before);
        ((2..=NAME).contains(&name.chars().count()) && !NOBODY.contains(&name.as_str())).then_some(name)
    };
    SAYS.iter().find_map(named)
}

/// Words in katakana.
fn katakana(folded: &str) -> impl Iterator<Item = String> {
    let runs = folded.split(|c: char| !matches!(u32::from(c), 0x30a0..=0x30ff)).filter(|run| run.chars().count() > 2);
    runs.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// The first word with a capital that begins no sentence and is not found in `known`, in any of its forms.
fn capitals(sentence: &str, known: &str) -> Option<String> {
    if let Some(word) = unknown_in_latin(sentence, known) {
        return Some(word);
    }
    // German writes every noun so.
    if language(sentence).or_else(|| language(known)) == Some("de") {
        return None;
    }
    let words = sentence.split_whitespace().skip(1).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let names = words.filter(|word| word.chars().count() > 1 && word.starts_with(char::is_uppercase));
    let held = |name: &String| {
        let stem: String = name.chars().take(STEM.max(name.chars().count().saturating_sub(3))).collect();
        known.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(&stem))
    };
    names.map(|name| fold(name.trim_end_matches("'s").trim_end_matches("’s"))).find(|name| !held(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sources_do_not_name_is_found() {
        let rows = [
            ("云溪市的夜市很热闹。", "云溪市河东的夜市每晚六点开张", None),
            ("李琳认为要修路。", "童中贤认为要修路", Some("李琳")),
            ("作者认为要修路。", "童中贤认为要修路", None),
            ("GDP增长很快。", "经济增长很快", Some("gdp")),
            ("The fee goes to Paris, he said.", "the fee goes to london", Some("paris")),
            ("Fees go to Londoners.", "the fee goes to london", None),
            ("Der Stand kostet die Händler zwanzig Yuan in der Nacht.", "x", None),
            ("Сбор платят в Москве.", "москва платит сбор", None),
            ("センターが開く。", "駅が開く", Some("センター")),
        ];
        for (sentence, known, expected) in rows {
            assert_eq!(unknown(sentence, &fold(sentence), &fold(known)).as_deref(), expected, "{sentence}");
        }
    }
}
