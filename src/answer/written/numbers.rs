//! The numbers that a text names, whichever way they are written: 三百二十, 320, three hundred and twenty, 1.2亿.

use std::collections::BTreeSet;

/// A number's value, in a form that can be compared.
pub(super) type Value = String;

/// Words for numbers in languages of spaced scripts.
const WORDS: &[(&str, f64)] = &[
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("dos", 2.0),
    ("tres", 3.0),
    ("cuatro", 4.0),
    ("cinco", 5.0),
    ("seis", 6.0),
    ("siete", 7.0),
    ("ocho", 8.0),
    ("nueve", 9.0),
    ("diez", 10.0),
    ("doce", 12.0),
    ("quince", 15.0),
    ("veinte", 20.0),
    ("treinta", 30.0),
    ("cuarenta", 40.0),
    ("cincuenta", 50.0),
    ("cien", 100.0),
    ("zwei", 2.0),
    ("drei", 3.0),
    ("vier", 4.0),
    ("fünf", 5.0),
    ("sechs", 6.0),
    ("sieben", 7.0),
    ("acht", 8.0),
    ("neun", 9.0),
    ("zehn", 10.0),
    ("elf", 11.0),
    ("zwölf", 12.0),
    ("fünfzehn", 15.0),
    ("zwanzig", 20.0),
    ("dreißig", 30.0),
    ("vierzig", 40.0),
    ("fünfzig", 50.0),
    ("hundert", 100.0),
    ("tausend", 1000.0),
    ("hundertzwanzig", 120.0),
    ("zweihundert", 200.0),
    ("dreihundert", 300.0),
    ("deux", 2.0),
    ("trois", 3.0),
    ("quatre", 4.0),
    ("cinq", 5.0),
    ("sept", 7.0),
    ("huit", 8.0),
    ("dix", 10.0),
    ("onze", 11.0),
    ("douze", 12.0),
    ("quinze", 15.0),
    ("vingt", 20.0),
    ("trente", 30.0),
    ("quarante", 40.0),
    ("cinquante", 50.0),
    ("cent", 100.0),
    ("два", 2.0),
    ("две", 2.0),
    ("двух", 2.0),
    ("три", 3.0),
    ("трёх", 3.0),
    ("четыре", 4.0),
    ("пять", 5.0),
    ("шесть", 6.0),
    ("семь", 7.0),
    ("восемь", 8.0),
    ("девять", 9.0),
    ("десять", 10.0),
    ("одиннадцать", 11.0),
    ("двенадцать", 12.0),
    ("пятнадцать", 15.0),
    ("двадцать", 20.0),
    ("тридцать", 30.0),
    ("сорок", 40.0),
    ("пятьдесят", 50.0),
    ("сто", 100.0),
    ("january", 1.0),
    ("february", 2.0),
    ("april", 4.0),
    ("june", 6.0),
    ("july", 7.0),
    ("august", 8.0),
    ("september", 9.0),
    ("october", 10.0),
    ("november", 11.0),
    ("december", 12.0),
    ("enero", 1.0),
    ("septiembre", 9.0),
    ("januar", 1.0),
    ("märz", 3.0),
    ("сентября", 9.0),
];
/// Words that multiply the number before them.
const MULTIPLIERS: &[(&str, f64)] = &[
    ("hundred", 1e2),
    ("thousand", 1e3),
    ("million", 1e6),
    ("billion", 1e9),
    ("mil", 1e3),
    ("millones", 1e6),
    ("mio", 1e6),
    ("millionen", 1e6),
    ("milliarden", 1e9),
    ("millions", 1e6),
    ("тысяч", 1e3),
    ("тыс", 1e3),
    ("млн", 1e6),
    ("миллионов", 1e6),
    ("млрд", 1e9),
];
/// What a single Chinese numeral counts: elsewhere it may be a part of a word.
const COUNTED: &str =
    "个名位人次种项条座元年月日天周岁倍家所部件台辆场处层级类套份篇章届米吨亩户成块片支批组户站路栋期角分点时秒";

/// All numbers of a folded text.
pub(super) fn numbers(folded: &str) -> BTreeSet<Value> {
    let (mut found, mut words) = (BTreeSet::new(), Words::default());
    // What is counted in hundredths is the number that follows.
    let text = folded.replace("百分之", "").replace("千分之", "");
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(character) = characters.get(at).copied() {
        if character.is_ascii_digit() {
            let (value, next) = digits(&characters, at);
            words.close(&mut found);
            words.number(value);
            at = next;
        } else if han_digit(character).is_some() || han_unit(character).is_some() {
            let length = characters[at..].iter().take_while(|c| han_digit(**c).is_some() || han_unit(**c).is_some()).count();
            let run = &characters[at..at + length];
            // 万一 and 百姓 are words.
            let begins = han_digit(character).is_some() || character == '十';
            let counts = begins && (length > 1 || characters.get(at + length).is_some_and(|next| COUNTED.contains(*next)));
            // 一 is an article more often than a number.
            found.extend(Some(shown(han(run))).filter(|value| counts && value != "1"));
            at += length;
        } else if character.is_alphabetic() {
            let length = characters[at..]
                .iter()
                .take_while(|c| c.is_alphabetic() && han_digit(**c).or_else(|| han_unit(**c)).is_none())
                .count()
                .max(1);
            words.word(&characters[at..at + length].iter().collect::<String>(), &mut found);
            at += length;
        } else {
            at += 1;
        }
    }
    words.close(&mut found);
    found
}

/// A number in words or digits that goes on from word to word.
#[derive(Default)]
struct Words {
    /// Thousands and more; what is below.
    above: f64,
    below: Option<f64>,
}

impl Words {
    fn number(&mut self, value: f64) {
        self.below = Some(value);
    }

    fn word(&mut self, word: &str, found: &mut BTreeSet<Value>) {
        let lookup = |table: &[(&str, f64)]| table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        if let (Some(by), Some(below)) = (lookup(MULTIPLIERS), self.below) {
            if by >= 1e3 {
                self.above += below * by;
                self.below = Some(0.0);
            } else {
                self.below = Some(below * by);
            }
        } else if let Some(value) = lookup(WORDS) {
            match self.below {
                // "three hundred and twenty", "twenty-five"
                Some(below) if (below % 100.0 == 0.0 && value < 100.0) || (below % 10.0 == 0.0 && value < 10.0) => {
                    self.below = Some(below + value);
                }
                Some(_) => {
                    self.close(found);
                    self.below = Some(value);
                }
                None => self.below = Some(value),
            }
        } else if word != "and" {
            self.close(found);
        }
    }

    fn close(&mut self, found: &mut BTreeSet<Value>) {
        if let Some(below) = self.below.take() {
            found.insert(shown(self.above + below));
        }
        self.above = 0.0;
    }
}

/// A number in digits at `at`, with its thousands' separators, its fraction and 万 or 亿; and where it ends.
fn digits(characters: &[char], at: usize) -> (f64, usize) {
    let is_digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    let (mut text, mut end) = (String::new(), at);
    while let Some(character) = characters.get(end).copied() {
        let group = || (1..=3).all(|next| is_digit(end + next)) && !is_digit(end + 4);
        match character {
            '0'..='9' => text.push(character),
            ',' if group() => {}
            '.' if is_digit(end + 1) && !text.contains('.') => text.push('.'),
            _ => break,
        }
        end += 1;
    }
    let mut value: f64 = text.parse().unwrap_or(f64::MAX);
    while let Some(unit) = characters.get(end).copied().and_then(han_unit) {
        value *= unit;
        end += 1;
    }
    (value, end)
}

fn han_digit(character: char) -> Option<f64> {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    match character {
        '零' => Some(0.0),
        '两' => Some(2.0),
        _ => DIGITS.iter().zip(0_u8..).find(|(known, _)| **known == character).map(|(_, value)| f64::from(value)),
    }
}

fn han_unit(character: char) -> Option<f64> {
    match character {
        '十' => Some(1e1),
        '百' => Some(1e2),
        '千' => Some(1e3),
        '万' => Some(1e4),
        '亿' | '億' => Some(1e8),
        _ => None,
    }
}

/// 三百二十, 一亿两千万, 二〇二四
fn han(run: &[char]) -> f64 {
    if run.iter().all(|c| han_digit(*c).is_some()) {
        return run.iter().filter_map(|c| han_digit(*c)).fold(0.0, |value, digit| value * 10.0 + digit);
    }
    let (mut whole, mut section, mut digit) = (0.0, 0.0, None);
    for character in run {
        if let Some(value) = han_digit(*character) {
            digit = Some(value);
        } else if let Some(unit) = han_unit(*character) {
            if unit >= 1e4 {
                section += digit.take().unwrap_or(0.0);
                whole = if unit >= 1e8 { (whole + section) * unit } else { whole + section.max(1.0) * unit };
                section = 0.0;
            } else {
                section += digit.take().unwrap_or(1.0) * unit;
            }
        }
    }
    whole + section + digit.unwrap_or(0.0)
}

fn shown(value: f64) -> Value {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_in_digits_characters_and_words() {
        let rows: [(&str, &[&str]); 16] = [
            ("三百二十个摊位", &["320"]),
            ("320 stalls", &["320"]),
            ("three hundred and twenty stalls", &["320"]),
            ("一亿两千万元", &["120000000"]),
            ("1.2亿元", &["120000000"]),
            ("120,000,000 yuan", &["120000000"]),
            ("1.2 billion", &["1200000000"]),
            ("二〇二四年三月", &["2024", "3"]),
            ("百分之二十", &["20"]),
            ("20%", &["20"]),
            ("twenty-five thousand", &["25000"]),
            ("elf händler", &["11"]),
            ("统一、万一、一边走", &[]),
            ("三个方案，两座桥", &["2", "3"]),
            ("in september 2023", &["2023", "9"]),
            ("from 1.1 to 2", &["1.1", "2"]),
        ];
        for (text, expected) in rows {
            let expected: BTreeSet<Value> = expected.iter().map(|number| (*number).to_owned()).collect();
            assert_eq!(numbers(text), expected, "{text}");
        }
    }
}
