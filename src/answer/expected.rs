//! What a question expects: a number or a time, where its words ask for one.
//!
//! "How many", "多少" or "¿cuándo?" are answered by a sentence that holds a number, and one
//! that the question does not hold itself. Questions that ask for something else expect nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// Asks how many, how much, how far.
const NUMBER: &str = r"多少|[有是约約]多[大久长長高远遠重深宽寬快]|多久|多[长長]时?時?[间間]|多大(?:年[纪紀龄齡]|岁数|歲數|面[积積]|规模|規模)|几[个年月日次天人名位种座条所家届级]|幾[個年月日次天人名位種座條所家屆級]|いくつ|いくら|何[人個年回歳枚本台件]|몇|얼마|\bhow (many|much|long|old|tall|far|high|large|big|fast|often|deep|wide)\b|\bwhat (percent|percentage|number|share|age)\b|\bcuánt[oa]s?\b|\bqué (porcentaje|cantidad|número|edad|altura|distancia)\b|\bcombien\b|\bwie ?viele?\b|\bwie (lange|alt|hoch|groß|weit|oft)\b|\bquant[oaie]\b|\bquant[oa]s\b|\bсколько\b|\bкакое количество\b|\bв каком возрасте\b|\bкакой процент\b";
/// Asks when.
const TIME: &str = r"何时|何時|什么时候|什麼時候|什么时间|什麼時間|哪一?[年天日月]|何[年月日]|哪个世纪|哪個世紀|いつ|언제|\bwhen\b|\b(what|which) (year|date|day|month|century|decade)\b|\bcuándo\b|\bqué (año|fecha|día|mes|siglo)\b|\bquand\b|\bquelle (année|date)\b|\bwann\b|\bwelche[mns]? (jahr|tag|monat|jahrhundert)\b|\bquando\b|\bкогда\b|\bв каком (году|веке|месяце)\b";
/// Numbers as they are written.
const WRITTEN: &str = r"\p{Nd}+|[〇零一二三四五六七八九十百千万亿两兩萬億]+[个個年月日次天人名位种種座条條所家届屆级級万萬亿億元米岁歲%倍]|\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|dozen|hundred|thousand|million|billion|half|third|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien|mil|millones|mitad|deux|trois|quatre|cinq|sept|huit|neuf|dix|cent|mille|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|hundert|tausend|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|сто)\b|\b(тысяч|миллион|миллиард|половин)\w*";
/// What makes a number a time.
const DATED: &str = r"\b1\d{3}\b|\b20\d\d\b|\d{3,4}\s?年|[〇零一二三四五六七八九]{4}年|[\d一二三四五六七八九十]\s?[月日号號时時]|世[纪紀]|\d:\d\d|\b(siglo|century|siècle|jahrhundert|век[ае]?|a\.?m|p\.?m)\b|\b(january|february|march|april|may|june|july|august|september|october|november|december|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|januar|februar|märz|juni|juli|oktober|dezember)\b|(январ|феврал|март|апрел|июн|июл|август|сентябр|октябр|ноябр|декабр)";

struct Patterns {
    asks_number: Regex,
    asks_time: Regex,
    written: Regex,
    dated: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let [asks_number, asks_time, written, dated] =
        [NUMBER, TIME, WRITTEN, DATED].map(|pattern| Regex::new(pattern).expect("a pattern of ours"));
    Patterns { asks_number, asks_time, written, dated }
});

/// What a question expects of the sentence that answers it.
#[derive(Debug)]
pub(super) enum Expected {
    /// Nothing that its words tell.
    Anything,
    /// A number other than these, which the question holds.
    Number(BTreeSet<String>),
    /// A time other than these.
    Time(BTreeSet<String>),
}

impl Expected {
    /// By the words of `question`.
    pub(super) fn by(question: &str) -> Self {
        let question = question.to_lowercase();
        if PATTERNS.asks_number.is_match(&question) {
            Self::Number(numbers(&question))
        } else if PATTERNS.asks_time.is_match(&question) {
            Self::Time(numbers(&question))
        } else {
            Self::Anything
        }
    }

    /// Whether `sentence` holds what is expected; never, where nothing is.
    pub(super) fn is_in(&self, sentence: &str) -> bool {
        let (known, dated) = match self {
            Self::Anything => return false,
            Self::Number(known) => (known, false),
            Self::Time(known) => (known, true),
        };
        let sentence = sentence.to_lowercase();
        (!dated || PATTERNS.dated.is_match(&sentence)) && !numbers(&sentence).is_subset(known)
    }
}

fn numbers(text: &str) -> BTreeSet<String> {
    PATTERNS.written.find_iter(text).map(|number| number.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn a_number_is_expected_where_it_is_asked_for_and_must_be_another() {
        for (question, answers, silent) in [
            ("南门夜市一年省电多少度？", "换灯以后，一年省电四万度。", "换灯的钱由电力公司先垫付。"),
            ("2024年有多少摊位？", "共有312个摊位。", "2024年夜市搬到了南门。"),
            ("¿Cuántos puestos hay?", "Hay 312 puestos.", "Los puestos venden fruta."),
            ("这条街有多长？", "街长312米。", "这条街很热闹。"),
            ("How many stalls are there?", "Three hundred stalls line the street.", "The stalls line the street."),
            ("Когда открылся рынок?", "Рынок открылся в марте 2019 года.", "На рынке 312 мест."),
            ("夜市是什么时候搬的？", "夜市在2024年5月搬到南门。", "夜市有312个摊位。"),
            ("灯塔建于何时？", "灯塔建于18世纪。", "灯塔有3层，内设纪念馆。"),
        ] {
            let expected = Expected::by(question);
            assert!(expected.is_in(answers), "{question} {answers}");
            assert!(!expected.is_in(silent), "{question} {silent}");
        }
    }

    #[test]
    fn other_questions_expect_nothing() {
        for question in
            ["谁主管夜市？", "Who runs the market?", "¿Por qué cerró?", "强省会的关键在于什么？", "那里还有很多大学吗？"]
        {
            assert!(matches!(Expected::by(question), Expected::Anything), "{question}");
        }
    }
}
