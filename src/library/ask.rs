//! The second journey: question → evidence → answer with citations.

use std::time::Instant;

use super::Library;
use super::pinned::Pinned;
use crate::answer::{self, Answer, Answerer as _, Asked, Extractive, Found, Said, Writing, Written};
use crate::article::{ArticleId, Span};
use crate::retrieve::{self, EmbeddedQuestion, Evidence, Mode, Question, Retrieved, milliseconds};
use crate::settings::{self, AnswerMode};
use crate::shelf::{Error, Filter, StoredPassage};
use crate::text::sentences_of;

/// A question, and what it is asked of and after.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is asked.
    pub question: Question,
    /// What was asked before in this conversation, the latest last.
    pub earlier: Vec<Question>,
    /// What was answered before: a question that goes on is not answered with it again.
    pub said: Vec<String>,
    /// Which articles may answer.
    pub filter: Filter,
    /// Passages that the answer is made from, or that a refusal shows.
    pub limit: usize,
    /// Who answers; `None`: as the settings say.
    pub mode: Option<AnswerMode>,
}

/// What is heard while a question is answered.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// The evidence, before the answer is made.
    Found(&'a [Found]),
    /// A statement of the answer, which stands.
    Said(Said<'a>),
}

/// Hears how a question is answered.
pub type Hear<'h> = dyn FnMut(Heard<'_>) + 'h;

impl Asking {
    /// A question alone, to all articles.
    pub fn of(question: Question, limit: usize) -> Self {
        Self { question, earlier: vec![], said: vec![], filter: Filter::default(), limit, mode: None }
    }
}

/// How long each stage of a question took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// The question's vector.
    pub embed: f64,
    /// Both legs and their ranking.
    pub search: f64,
    /// Choosing and cutting the sentences.
    pub answer: f64,
}

/// What answers a question, read from one state of the library.
pub enum Gathered {
    /// The answer: the records gave it, or nothing was asked.
    Told(Answer, Timings),
    /// Passages that are read for an answer.
    Material(Material),
}

/// Passages that an answer is made from; nothing more is read for it.
pub struct Material {
    asking: Asking,
    /// The best first.
    evidence: Vec<Found>,
    /// The words that answered the question before.
    answered: Vec<(ArticleId, Span)>,
    /// What gathering took; its `answer` is a part of the answer's.
    took: Timings,
}

impl Material {
    fn asked(&self) -> Asked<'_> {
        let Self { asking, evidence, answered, .. } = self;
        Asked { question: asking.question.as_str(), evidence, said: &asking.said, answered }
    }
}

impl Library {
    /// Passages for a question, without an answer: [`Pinned::search`] in the state of this moment.
    ///
    /// # Errors
    /// When the shelf cannot be read; [`Error::Late`] when the deadline has passed.
    pub fn search(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        self.pinned()?.search(question, filter, mode, limit)
    }

    /// Passages for a reader: [`Pinned::find`] in the state of this moment.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn find(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        self.pinned()?.find(question, filter, mode, limit)
    }

    /// Whether `question` asks for something: a greeting, thanks, a lone word or noise does not.
    pub fn is_question(&self, question: &Question) -> bool {
        self.asks(&EmbeddedQuestion::of(question.clone(), &self.embedder))
    }

    /// Of what has no vector nothing is known.
    fn asks(&self, question: &EmbeddedQuestion) -> bool {
        question.vector.as_ref().is_none_or(|vector| self.embedder.parameters().question.asks(vector))
    }

    /// Answers a question from one state of the library. `hear` hears of the evidence before the answer is made, and of
    /// each statement that stands.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn ask(&self, asking: &Asking, hear: &mut Hear<'_>) -> Result<(Answer, Timings), Error> {
        // Nothing is pinned any more while the answer is made and heard: a language model may take minutes.
        let gathered = self.pinned()?.gathered(asking)?;
        match gathered {
            Gathered::Told(answer, timings) => {
                answer.tell(&mut |said| hear(Heard::Said(said)));
                Ok((answer, timings))
            }
            Gathered::Material(material) => Ok(self.answer(&material, hear)),
        }
    }

    /// Answers from what was gathered. `hear` hears as in [`Self::ask`].
    pub fn answer(&self, material: &Material, hear: &mut Hear<'_>) -> (Answer, Timings) {
        hear(Heard::Found(&material.evidence));
        let begun = Instant::now();
        let answer = self.by_mode(&material.asking, &material.asked(), &mut |said| hear(Heard::Said(said)));
        let took = material.took;
        (answer, Timings { answer: took.answer + milliseconds(begun), ..took })
    }

    /// Answers in the mode that was asked for, or that the settings name.
    fn by_mode(&self, asking: &Asking, asked: &Asked<'_>, hear: &mut answer::Hear<'_>) -> Answer {
        let extractive = Extractive { rules: self.rules(asking) };
        match (asking.mode.unwrap_or(self.settings.generate.default_mode), self.generator()) {
            (AnswerMode::Extractive, _) => extractive.answer(asked, hear),
            (AnswerMode::Written, Some(generator)) => {
                Written { extractive, generator, embedder: &self.embedder }.answer(asked, hear)
            }
            (AnswerMode::Written, None) => {
                let answer = extractive.answer(asked, hear);
                // Only who asked for it has to be told.
                Answer { writing: asking.mode.map(|_| Writing::default()), ..answer }
            }
        }
    }

    /// How an answer to `asking` is made.
    fn rules(&self, asking: &Asking) -> answer::Rules<'_> {
        let parameters = self.embedder.parameters();
        let settings::Answer { max_sentences, min_confidence, .. } = self.settings.answer;
        let threshold = if min_confidence > 0.0 { min_confidence } else { parameters.confidence.threshold };
        answer::Rules { parameters, sentences: max_sentences, threshold, nearest: asking.limit }
    }

    /// Passages that an answer is made from.
    fn looked_at(&self, asking: &Asking) -> usize {
        asking.limit.max(self.embedder.parameters().reading.passages)
    }
}

impl Pinned<'_> {
    /// What answers a question.
    ///
    /// # Errors
    /// As [`Pinned::search`].
    pub fn gathered(&self, asking: &Asking) -> Result<Gathered, Error> {
        let alone = EmbeddedQuestion::of(asking.question.clone(), &self.library.embedder);
        let question = retrieve::in_context(&asking.question, &asking.earlier);
        // A question that goes on may be a lone word: "Why?"
        let goes_on = question != asking.question && asking.question.ends_as_question();
        let about_collection =
            if goes_on { self.about_collection_further(asking, &alone)? } else { self.about_collection(asking, &alone)? };
        if let Some((answer, timings)) = about_collection {
            return Ok(Gathered::Told(answer, timings));
        }
        if !goes_on && !self.library.asks(&alone) {
            let timings = Timings { embed: alone.embed_ms, ..Timings::default() };
            return Ok(Gathered::Told(Answer::not_a_question(), timings));
        }
        self.passages_for(question, asking).map(Gathered::Material)
    }

    /// Passages for `question`: `asking`'s own, or with those before it.
    fn passages_for(&self, question: Question, asking: &Asking) -> Result<Material, Error> {
        let stands_alone = question == asking.question;
        let said = if stands_alone { vec![] } else { asking.said.clone() };
        let asking = Asking { said, ..asking.clone() };
        let (retrieved, asking) = self.retrieved_for(question, &asking)?;
        // A question that seems to stand alone may go on: "What happened to the rents?" does not say where. And "What
        // else?" says nothing that can be read alone.
        let question = &asking.question;
        let other = if stands_alone { retrieve::behind_the_last(question, &asking.earlier) } else { Some(question.as_one()) };
        if let Some(other) = other
            && !self.is_answered(&asking, &retrieved.evidence)?
        {
            let (otherwise, asking) = self.retrieved_for(other, &asking)?;
            if self.is_answered(&asking, &otherwise.evidence)? {
                return self.material(asking, otherwise);
            }
        }
        self.material(asking, retrieved)
    }

    /// What is found for `question`, and `asking` with it.
    fn retrieved_for(&self, question: Question, asking: &Asking) -> Result<(Retrieved, Asking), Error> {
        let question = EmbeddedQuestion::of(question, &self.library.embedder);
        let retrieved = self.retrieve(&question, &asking.filter, Mode::Hybrid, self.library.looked_at(asking) * 2)?;
        Ok((retrieved, Asking { question: question.question, ..asking.clone() }))
    }

    /// Whether a sentence of `evidence` answers.
    fn is_answered(&self, asking: &Asking, evidence: &[Evidence]) -> Result<bool, Error> {
        let read = evidence.iter().take(self.library.looked_at(asking)).cloned().collect();
        let evidence = self.with_articles(read)?;
        let answered = self.answered_before(asking, &evidence);
        let asked = Asked { question: asking.question.as_str(), evidence: &evidence, said: &asking.said, answered: &answered };
        Ok(Extractive { rules: self.library.rules(asking) }.answer(&asked, &mut |_| ()).answerable)
    }

    /// What an answer to `asking` is made from, of what was `retrieved` for it.
    ///
    /// # Errors
    /// As [`Pinned::search`].
    pub fn material(&self, asking: Asking, retrieved: Retrieved) -> Result<Material, Error> {
        let Retrieved { mut evidence, embed_ms, search_ms, .. } = retrieved;
        let looked_at = self.library.looked_at(&asking);
        evidence.truncate(looked_at * 2);
        let mut evidence = retrieve::folded(self.snapshot(), evidence);
        evidence.truncate(looked_at);
        let begun = Instant::now();
        let evidence = self.with_articles(evidence)?;
        let answered = self.answered_before(&asking, &evidence);
        let took = Timings { embed: embed_ms, search: search_ms, answer: milliseconds(begun) };
        Ok(Material { asking, evidence, answered, took })
    }

    /// The words that answered the question before, in passages of which something was said.
    fn answered_before(&self, asking: &Asking, evidence: &[Found]) -> Vec<(ArticleId, Span)> {
        let Some(before) = asking.earlier.last().filter(|_| !asking.said.is_empty()) else { return vec![] };
        let is_said = |passage: &StoredPassage| {
            let mut sentences = sentences_of(&passage.text).into_iter();
            sentences.any(|span| asking.said.iter().any(|said| said.contains(&passage.text[span.start..span.end])))
        };
        let passages = evidence.iter().map(|(evidence, _)| &evidence.passage);
        let passages: Vec<StoredPassage> = passages.filter(|passage| is_said(passage)).cloned().collect();
        retrieve::answers(&self.library.embedder, before, &passages)
    }
}
