//! The written answerer: a language model writes, and each sentence is shown only once its sources hold it.
//!
//! The model is sent numbered sentences and writes numbers of sentences (`prompt`, `draft`); what they stand for is cut
//! out of the articles here, so that no quote can be invented. A sentence waits until it is checked (`check`). What the
//! extractive answerer refuses is never sent; where nothing holds, the articles do not say; where nothing comes, the
//! extractive answer is given.

mod check;
mod draft;
mod fold;
mod names;
mod negation;
mod numbers;
mod prompt;

use std::ops::ControlFlow;

use super::{Answer, Answerer, Asked, Citation, Extractive, Found, Hear, Kind, Outcome, Said, Statement, Writing};
use crate::embed::Embedder;
use crate::generate::Generator;
use crate::settings::Unsupported;
use check::{Checker, Sources, parts};
use draft::{Draft, SentenceId, Unit};
use prompt::Numbered;

pub use check::Fault;
pub(super) use fold::fold;

/// Has a language model write.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// Refuses before anything is sent, and answers where nothing is written.
    pub extractive: Extractive<'a>,
    /// The language model.
    pub generator: &'a Generator,
    /// Its reader compares sentences with their sources.
    pub embedder: &'a Embedder,
}

impl Answerer for Written<'_> {
    fn answer(&self, asked: &Asked<'_>, hear: &mut Hear<'_>) -> Answer {
        let extractive = self.extractive.answer(asked, &mut |_| ());
        let mut writing = self.writing();
        if !extractive.answerable {
            writing.outcome = Outcome::NotSent;
            return Answer { writing: Some(writing), ..extractive };
        }
        let settings = self.generator.settings();
        let sentences = prompt::numbered(asked.evidence, asked.said, settings.sentences);
        let prompt = prompt::prompt(asked.question, asked.evidence, &sentences, self.embedder);
        let checker =
            Checker { embedder: self.embedder, question: fold::fold(asked.question), limits: self.embedder.parameters().writing };
        // What may still be replaced is not shown before the end.
        let shows_at_once = settings.unsupported == Unsupported::Drop;
        let mut nobody = |_: Said<'_>| ();
        let hears: &mut Hear<'_> = if shows_at_once { &mut *hear } else { &mut nobody };
        let mut writer = Writer {
            checker,
            evidence: asked.evidence,
            said: asked.said,
            answering: answering(&sentences, asked.evidence, &extractive),
            sentences: &sentences,
            unsupported: settings.unsupported,
            hear: hears,
            shown: Shown::default(),
            writing,
        };
        let mut draft = Draft::default();
        let (usage, done) = self.generator.write(&prompt, &mut |piece| {
            draft.push(piece).iter().for_each(|unit| writer.take(unit));
            if writer.shown.statements.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        // What was cut off in the middle of a sentence is no sentence.
        if done.is_ok() {
            draft.end().iter().for_each(|unit| writer.take(unit));
        }
        let (shown, mut writing) = (writer.shown, writer.writing);
        (writing.tokens, writing.first_token_ms) = (usage.tokens, usage.first_token_ms);
        writing.shown = shown.statements.iter().filter(|statement| !statement.citations.is_empty()).count();
        writing.outcome = outcome(&writing, done.err(), settings.unsupported);
        let answer = match writing.outcome {
            Outcome::Written | Outcome::CutOff(_) => {
                Answer { kind: Kind::Written, statements: shown.statements, citations: shown.citations, ..extractive }
            }
            Outcome::NothingHeld | Outcome::NothingWritten => self.extractive.refuse(asked, &extractive),
            Outcome::Replaced | Outcome::Failed(_) | Outcome::NotSent | Outcome::NotConfigured => {
                extractive.tell(hear);
                extractive
            }
        };
        if !shows_at_once && answer.kind == Kind::Written {
            answer.tell(hear);
        }
        Answer { writing: Some(writing), ..answer }
    }
}

/// Sentences of an answer at most: a model that does not stop is stopped.
const MOST: usize = 24;

impl Written<'_> {
    fn writing(&self) -> Writing {
        let settings = self.generator.settings();
        Writing { model: settings.model.clone(), prompt: prompt::version(), ..Writing::default() }
    }
}

/// What came of it.
fn outcome(writing: &Writing, failure: Option<crate::generate::Failure>, unsupported: Unsupported) -> Outcome {
    let any_failed = !writing.faults.is_empty();
    match failure {
        _ if any_failed && unsupported == Unsupported::Extractive => Outcome::Replaced,
        Some(failure) if writing.shown > 0 => Outcome::CutOff(failure),
        Some(failure) => Outcome::Failed(failure),
        None if writing.shown > 0 => Outcome::Written,
        None if any_failed => Outcome::NothingHeld,
        None => Outcome::NothingWritten,
    }
}

/// The sentences of which `extractive` quotes a part.
fn answering(sentences: &[Numbered], evidence: &[Found], extractive: &Answer) -> Vec<Numbered> {
    let quoted = |one: &&Numbered| {
        let article = evidence.get(one.owner).map(|(_, article)| &article.id);
        let quotes = |citation: &Citation| {
            let span = citation.span();
            Some(&citation.article().id) == article && span.start < one.span.end && one.span.start < span.end
        };
        extractive.citations.iter().any(quotes)
    };
    sentences.iter().filter(quoted).copied().collect()
}

/// What is shown so far.
#[derive(Default)]
struct Shown {
    statements: Vec<Statement>,
    citations: Vec<Citation>,
    /// The id of each citation.
    ids: Vec<SentenceId>,
}

/// Takes what is written, sentence by sentence.
struct Writer<'a, 'h, 'x> {
    checker: Checker<'a>,
    evidence: &'a [Found],
    said: &'a [String],
    sentences: &'a [Numbered],
    /// Those that the extractive answer quotes.
    answering: Vec<Numbered>,
    unsupported: Unsupported,
    hear: &'h mut Hear<'x>,
    shown: Shown,
    writing: Writing,
}

impl Writer<'_, '_, '_> {
    fn take(&mut self, unit: &Unit) {
        if prompt::is_none(&unit.text) {
            return;
        }
        let known: Vec<&Numbered> = unit.ids.iter().filter_map(|id| self.sentences.iter().find(|one| one.id == *id)).collect();
        self.writing.unknown_ids += unit.ids.len() - known.len();
        let known: Vec<Numbered> = known.into_iter().copied().collect();
        for sentence in parts(&unit.text) {
            let repeats = self.shown.statements.iter().any(|shown| shown.text == sentence);
            if repeats || self.said.iter().any(|said| said.contains(sentence)) {
                continue;
            }
            let held = if unit.ids.is_empty() { self.attributed(sentence) } else { self.held(sentence, &known) };
            match held {
                Ok(sources) => self.show(sentence, &sources),
                Err(fault) => {
                    self.writing.faults.push(fault);
                    if self.unsupported == Unsupported::Unmarked {
                        self.show(sentence, &[]);
                    }
                }
            }
        }
    }

    /// Which of the `cited` sentences are the sources of `sentence`, if together they hold it.
    fn held(&self, sentence: &str, cited: &[Numbered]) -> Result<Vec<Numbered>, Fault> {
        let quotes: Vec<&str> = cited.iter().filter_map(|one| self.quote(one)).collect();
        if quotes.is_empty() {
            return Err(Fault::NoSource);
        }
        let about = cited.iter().filter_map(|one| self.about(one)).collect::<Vec<_>>().join("\n");
        self.checker.holds(sentence, &Sources { quotes, about })?;
        // An id that has nothing to do with the sentence is no source of it.
        let near = cited.iter().filter(|one| self.quote(one).is_some_and(|quote| Checker::touches(sentence, quote)));
        let near: Vec<Numbered> = near.copied().collect();
        Ok(if near.is_empty() { cited.to_vec() } else { near })
    }

    /// The sources of a sentence that cites none, as small models write: what the reader found to answer, if that holds
    /// it. Anything else that was sent may be an order that the model obeys. What cites wrongly is not repaired.
    fn attributed(&mut self, sentence: &str) -> Result<Vec<Numbered>, Fault> {
        let together = (self.answering.len() > 1).then_some(self.answering.as_slice());
        let mut tried = self.answering.iter().map(std::slice::from_ref).chain(together);
        let sources = tried.find_map(|cited| self.held(sentence, cited).ok()).ok_or(Fault::NoSource)?;
        self.writing.attributed += 1;
        Ok(sources)
    }

    fn quote(&self, sentence: &Numbered) -> Option<&str> {
        self.evidence.get(sentence.owner)?.1.article.quote(sentence.span)
    }

    /// What a citation of it shows beside the quote.
    fn about(&self, sentence: &Numbered) -> Option<String> {
        let (evidence, article) = self.evidence.get(sentence.owner)?;
        let record = &article.article.record;
        let section = evidence.passage.passage.section.as_deref().unwrap_or_default();
        let published = record.published.as_deref().unwrap_or_default();
        let affiliation = record.affiliation.as_deref().unwrap_or_default();
        Some([record.title.as_str(), &record.authors.join(" "), section, published, affiliation].join("\n"))
    }

    /// Adds a sentence with its marks, and says so.
    fn show(&mut self, sentence: &str, cited: &[Numbered]) {
        let first = self.shown.citations.len();
        let mut marks = Vec::new();
        for one in cited {
            let known = self.shown.ids.iter().position(|id| *id == one.id);
            let place = known.or_else(|| {
                let (evidence, article) = self.evidence.get(one.owner)?;
                self.shown.citations.push(Citation::cut(article, one.span, evidence)?);
                self.shown.ids.push(one.id);
                Some(self.shown.citations.len() - 1)
            });
            marks.extend(place.map(|place| place + 1));
        }
        let statement = Statement { text: sentence.to_owned(), citations: marks };
        (self.hear)(Said { statement: &statement, citations: &self.shown.citations[first..], first: first + 1 });
        self.shown.statements.push(statement);
    }
}
