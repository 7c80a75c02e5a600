//! The time that a question names: a year, a month, since, until.

/// Days, `YYYY-MM-DD`, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: String,
    /// The last.
    pub to: String,
}

/// Names of months, by their first letters.
const MONTHS: [&[&str]; 12] = [
    &["january", "enero", "januar", "январ"],
    &["february", "febrero", "februar", "феврал"],
    &["march", "marzo", "märz", "март"],
    &["april", "abril", "апрел"],
    &["may", "mayo", "mai", "мае", "май", "мая"],
    &["june", "junio", "juni", "июн"],
    &["july", "julio", "juli", "июл"],
    &["august", "agosto", "август"],
    &["september", "septiembre", "сентябр"],
    &["october", "octubre", "oktober", "октябр"],
    &["november", "noviembre", "ноябр"],
    &["december", "diciembre", "dezember", "декабр"],
];
const SINCE: &[&str] = &["以后", "之后", "以来", "since ", "after ", "desde ", "seit ", "nach ", "после ", "以降"];
const UNTIL: &[&str] = &["以前", "之前", "before ", "until ", "antes de", "vor ", "bis ", "до "];
const LAST_YEAR: &[&str] = &["去年", "last year", "año pasado", "letztes jahr", "letzten jahr", "昨年", "прошлом году"];
const THIS_YEAR: &[&str] = &["今年", "this year", "este año", "dieses jahr", "diesem jahr", "этом году"];

/// The time that a question names.
pub(super) fn period(question: &str, today: &str) -> Option<Period> {
    let this_year: i32 = today.get(..4)?.parse().ok()?;
    let any = |words: &[&str]| words.iter().any(|word| question.contains(word));
    let year = match years(question) {
        Some(year) => year,
        None if any(LAST_YEAR) => this_year - 1,
        None if any(THIS_YEAR) => this_year,
        None => return None,
    };
    let (from, to) = match month(question) {
        Some(month) => (format!("{year:04}-{month:02}-01"), format!("{year:04}-{month:02}-31")),
        None => (format!("{year:04}-01-01"), format!("{year:04}-12-31")),
    };
    Some(if any(SINCE) {
        Period { from, to: "9999-12-31".to_owned() }
    } else if any(UNTIL) {
        Period { to: from, from: "0000-01-01".to_owned() }
    } else {
        Period { from, to }
    })
}

/// The first year: four digits, in digits or Chinese.
fn years(question: &str) -> Option<i32> {
    let digit = |c: char| {
        c.to_digit(10).or_else(|| "〇一二三四五六七八九".chars().zip(0..).find(|(known, _)| *known == c).map(|(_, digit)| digit))
    };
    let digits: Vec<Option<u32>> = question.chars().map(digit).collect();
    let runs = digits.split(Option::is_none).filter(|run| run.len() == 4);
    let year =
        |run: &[Option<u32>]| run.iter().flatten().fold(0_i32, |year, digit| year * 10 + i32::try_from(*digit).unwrap_or(0));
    runs.map(year).find(|year| (1800..2200).contains(year))
}

fn month(question: &str) -> Option<u32> {
    if let Some((before, _)) = question.split_once('月') {
        let digits: Vec<char> = before.chars().rev().take_while(char::is_ascii_digit).collect();
        return digits.iter().rev().collect::<String>().parse().ok().filter(|month| (1..=12).contains(month));
    }
    let words: Vec<&str> = question.split(|c: char| !c.is_alphabetic()).collect();
    let named = |names: &&[&str]| {
        words.iter().any(|word| names.iter().any(|name| if name.len() > 4 { word.starts_with(name) } else { word == name }))
    };
    MONTHS.iter().zip(1..).find(|(names, _)| named(names)).map(|(_, month)| month)
}
