//! What holds a written sentence to the sentences that it cites.
//!
//! Every number, date, name and word in Latin letters of it stands there (`numbers`, `names`), in whichever form; so
//! do most of its pairs of characters, those of the question aside; it denies what they deny; and the model's reader
//! finds its words again in them. A sentence in another language than theirs is held by numbers and by the reader alone.

use super::fold::{Script, fold, script, units};
use super::names;
use super::negation::denies_otherwise;
use super::numbers::numbers;
use crate::embed::{Embedder, ReaderInput, WritingChecks};
use crate::text::sentences_of;
use crate::text::sure_language;

/// Why a sentence is not shown with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It cites nothing that was sent; or nothing at all, and what answers does not hold it.
    NoSource,
    /// It says a number or a date that its sources do not.
    Number,
    /// It names somebody or something that its sources do not.
    Name,
    /// It denies what its sources say, or the other way round.
    Negation,
    /// Too little of it stands in its sources.
    Words,
    /// The reader finds too little of it in its sources.
    Reader,
}

impl Fault {
    /// As the wire and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSource => "no_source",
            Self::Number => "number",
            Self::Name => "name",
            Self::Negation => "negation",
            Self::Words => "words",
            Self::Reader => "reader",
        }
    }
}

/// What sentences are compared with.
pub(super) struct Sources<'a> {
    /// The cited quotes.
    pub(super) quotes: Vec<&'a str>,
    /// What the citations show beside them: titles, authors, headings, dates.
    pub(super) about: String,
}

/// Compares sentences of an answer with their sources.
pub(super) struct Checker<'a> {
    pub(super) embedder: &'a Embedder,
    /// Folded.
    pub(super) question: String,
    pub(super) limits: WritingChecks,
}

impl Checker<'_> {
    /// Whether `sources` hold `sentence`.
    pub(super) fn holds(&self, sentence: &str, sources: &Sources<'_>) -> Result<(), Fault> {
        let (folded, quotes) = (fold(sentence), fold(&sources.quotes.join("\n")));
        let all = format!("{quotes}\n{}", fold(&sources.about));
        let foreign = is_foreign(sentence, &sources.quotes.join("\n"));
        if !numbers(&folded).is_subset(&numbers(&all)) {
            return Err(Fault::Number);
        }
        // In another language a name is written in another way; the question has it as the asker writes it.
        let known = if foreign { format!("{all}\n{}", self.question) } else { all.clone() };
        if !foreign && names::unknown(sentence, &folded, &known).is_some() {
            return Err(Fault::Name);
        }
        if foreign && names::unknown_in_latin(sentence, &known).is_some() {
            return Err(Fault::Name);
        }
        if !foreign && denies_otherwise(&folded, &quotes) {
            return Err(Fault::Negation);
        }
        if self.overlap(&folded, &all, foreign) < self.limits.overlap {
            return Err(Fault::Words);
        }
        if self.coverage(sentence, sources) < if foreign { self.limits.foreign_coverage } else { self.limits.coverage } {
            return Err(Fault::Reader);
        }
        Ok(())
    }

    /// The share of the sentence that stands in its sources, what the question says aside. 0 for one that says nothing.
    fn overlap(&self, sentence: &str, sources: &str, foreign: bool) -> f32 {
        let (said, held, asked) = (units(sentence), units(sources), units(&self.question));
        if said.values().sum::<f32>() < 1.0 && numbers(sentence).is_empty() {
            return 0.0;
        }
        let new = || said.iter().filter(|(unit, _)| !asked.contains_key(*unit));
        let all: f32 = new().map(|(_, weight)| weight).sum();
        if foreign || all < 1.0 {
            return 1.0;
        }
        new().filter(|(unit, _)| held.contains_key(*unit)).map(|(_, weight)| weight).sum::<f32>() / all
    }

    /// How much of the sentence the reader finds in its sources; all where the model has no reader.
    fn coverage(&self, sentence: &str, sources: &Sources<'_>) -> f32 {
        let Some(reader) = self.embedder.reader() else { return 1.0 };
        let text = sources.quotes.join("\n");
        let whole = 0..text.len();
        let input = ReaderInput { context: &sources.about, text: &text, sentences: std::slice::from_ref(&whole) };
        reader.read(sentence, &[input]).first().map_or(0.0, |reading| reading.coverage)
    }

    /// Whether a sentence has anything in common with one of its sources; those of another language are let pass.
    pub(super) fn touches(sentence: &str, quote: &str) -> bool {
        let (said, held) = (units(&fold(sentence)), units(&fold(quote)));
        is_foreign(sentence, quote) || said.iter().any(|(unit, weight)| *weight >= 1.0 && held.contains_key(unit))
    }
}

/// Whether a sentence is in another language than its sources.
fn is_foreign(sentence: &str, quotes: &str) -> bool {
    let (own, theirs) = (script(sentence), script(quotes));
    let languages = || sure_language(sentence).zip(sure_language(quotes)).is_some_and(|(own, theirs)| own != theirs);
    own != theirs || (own != Script::Han && languages())
}

/// The sentences of a unit of an answer, each to be checked alone.
pub(super) fn parts(text: &str) -> Vec<&str> {
    sentences_of(text).into_iter().filter_map(|span| text.get(span.start..span.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(question: &str, sentence: &str, quote: &str) -> Result<(), Fault> {
        static EMBEDDER: std::sync::LazyLock<Embedder> = std::sync::LazyLock::new(|| Embedder::bundled().unwrap());
        let limits = EMBEDDER.parameters().writing;
        let checker = Checker { embedder: &EMBEDDER, question: fold(question), limits };
        checker.holds(sentence, &Sources { quotes: vec![quote], about: "夜市的烟火气从哪里来 常青".to_owned() })
    }

    #[test]
    fn a_sentence_that_its_source_holds_is_shown_and_others_are_not() {
        let quote = "摊位费每晚只收二十元，由摊主选出的自治会收取；垃圾由摊主自己带走，一次不带走就停业三天。";
        let rows = [
            ("夜市的摊位费每晚收取20元。", Ok(())),
            ("常青写道，摊位费由摊主选出的自治会收取。", Ok(())),
            ("攤位費每晚收二十元。", Ok(())),
            ("摊主一次不带走垃圾就停业三天。", Ok(())),
            ("摊位费每晚三十元。", Err(Fault::Number)),
            ("李琳认为摊位费每晚只收二十元。", Err(Fault::Name)),
            ("摊位费每晚不收二十元。", Err(Fault::Negation)),
            ("摊位费每晚二十元，因此房价大幅上涨，人们纷纷搬走。", Err(Fault::Words)),
            ("是的。", Err(Fault::Words)),
        ];
        for (sentence, expected) in rows {
            assert_eq!(check("夜市怎么收费？", sentence, quote), expected, "{sentence}");
        }
    }

    #[test]
    fn other_languages_are_held_too() {
        let english =
            "Rent is deliberately low. A pitch costs twenty yuan a night, which G. Reed calls fair; nobody may close it.";
        let rows = [
            ("A pitch costs 20 yuan a night.", Ok(())),
            ("A pitch costs 30 yuan a night.", Err(Fault::Number)),
            ("According to Miller, rent is deliberately low.", Err(Fault::Name)),
            ("Rent is deliberately not low.", Err(Fault::Negation)),
            ("Ein Stand kostet 30 Yuan die Nacht.", Err(Fault::Number)),
        ];
        for (sentence, expected) in rows {
            assert_eq!(check("What does a pitch cost?", sentence, english), expected, "{sentence}");
        }
    }
}
