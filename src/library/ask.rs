//! The second journey: question → evidence → answer with citations.

use std::sync::Arc;
use std::time::Instant;

use super::Library;
use crate::answer::{self, Answer, Answerer as _, Asked, Extractive, Said, Writing, Written};
use crate::article::{ArticleId, Span};
use crate::chunk::sentences_of;
use crate::deadline;
use crate::retrieve::{self, EmbeddedQuestion, Evidence, Mode, Question, Request, Retrieved, milliseconds};
use crate::settings::{self, AnswerMode};
use crate::shelf::{Error, Filter, StoredArticle, StoredPassage};

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
    Found(&'a [Evidence]),
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

impl Library {
    /// Passages for a question, without an answer.
    pub fn search(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        self.retrieve(&self.embedded(question, mode), filter, mode, limit)
    }

    /// Passages for a reader: near-duplicates are folded into one.
    pub fn find(&self, question: &Question, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let mut found = self.search(question, filter, mode, limit * 2)?;
        found.evidence = retrieve::folded(&self.shelf, found.evidence);
        found.evidence.truncate(limit);
        Ok(found)
    }

    pub(super) fn embedded(&self, question: &Question, mode: Mode) -> EmbeddedQuestion {
        let question = question.clone();
        if mode == Mode::Lexical {
            EmbeddedQuestion::without_vector(question)
        } else {
            EmbeddedQuestion::of(question, &self.embedder)
        }
    }

    fn retrieve(&self, question: &EmbeddedQuestion, filter: &Filter, mode: Mode, limit: usize) -> Result<Retrieved, Error> {
        let candidates = self.settings.search.candidates;
        let request = Request { shelf: &self.shelf, embedder: &self.embedder, question, filter, mode, limit, candidates };
        // Within the pool of threads: nobody has to be woken then for each of the many short parts.
        let deadline = deadline::current();
        rayon::scope(|_| deadline::with(deadline, || retrieve::retrieve(&request)))
    }

    /// Whether `question` asks for something: a greeting, thanks, a lone word or noise does not.
    pub fn is_question(&self, question: &Question) -> bool {
        self.asks(&EmbeddedQuestion::of(question.clone(), &self.embedder))
    }

    /// Of what has no vector nothing is known.
    fn asks(&self, question: &EmbeddedQuestion) -> bool {
        question.vector.as_ref().is_none_or(|vector| self.embedder.parameters().question.asks(vector))
    }

    /// Answers a question. `hear` hears of the evidence before the answer is made, and of each statement that stands.
    pub fn ask(&self, asking: &Asking, hear: &mut Hear<'_>) -> Result<(Answer, Timings), Error> {
        let alone = EmbeddedQuestion::of(asking.question.clone(), &self.embedder);
        let question = retrieve::in_context(&asking.question, &asking.earlier);
        // A question that goes on may be a lone word: "Why?"
        let goes_on = question != asking.question && asking.question.ends_as_question();
        let about_collection = if goes_on {
            self.about_collection_further(asking, &alone, hear)?
        } else {
            self.about_collection(asking, &alone, hear)?
        };
        if let Some(answer) = about_collection {
            return Ok(answer);
        }
        if !goes_on && !self.asks(&alone) {
            return Ok((Answer::not_a_question(), Timings { embed: alone.embed_ms, ..Timings::default() }));
        }
        let stands_alone = question == asking.question;
        let said = if stands_alone { vec![] } else { asking.said.clone() };
        let asking = Asking { said, ..asking.clone() };
        let (retrieved, asking) = self.retrieved_for(question, &asking)?;
        // A question that seems to stand alone may go on: "What happened to the rents?" does not say where. And "What
        // else?" says nothing that can be read alone.
        let question = &asking.question;
        let other = if stands_alone { retrieve::behind_the_last(question, &asking.earlier) } else { Some(question.as_one()) };
        let Some(other) = other else { return self.answer(&asking, retrieved, hear) };
        if !self.is_answered(&asking, &retrieved.evidence)? {
            let (otherwise, asking) = self.retrieved_for(other, &asking)?;
            if self.is_answered(&asking, &otherwise.evidence)? {
                return self.answer(&asking, otherwise, hear);
            }
        }
        self.answer(&asking, retrieved, hear)
    }

    /// What is found for `question`, and `asking` with it.
    fn retrieved_for(&self, question: Question, asking: &Asking) -> Result<(Retrieved, Asking), Error> {
        let question = EmbeddedQuestion::of(question, &self.embedder);
        let retrieved = self.retrieve(&question, &asking.filter, Mode::Hybrid, self.looked_at(asking) * 2)?;
        Ok((retrieved, Asking { question: question.question, ..asking.clone() }))
    }

    /// Whether a sentence of `evidence` answers.
    fn is_answered(&self, asking: &Asking, evidence: &[Evidence]) -> Result<bool, Error> {
        let read = evidence.iter().take(self.looked_at(asking)).cloned().collect();
        let evidence = self.with_articles(read)?;
        let answered = self.answered_before(asking, &evidence);
        let asked = Asked { question: asking.question.as_str(), evidence: &evidence, said: &asking.said, answered: &answered };
        Ok(Extractive { rules: self.rules(asking) }.answer(&asked, &mut |_| ()).answerable)
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

    /// Answers from what was `retrieved` for the question. `hear` hears as in [`Self::ask`].
    pub fn answer(&self, asking: &Asking, retrieved: Retrieved, hear: &mut Hear<'_>) -> Result<(Answer, Timings), Error> {
        let Retrieved { mut evidence, embed_ms, search_ms, .. } = retrieved;
        evidence.truncate(self.looked_at(asking) * 2);
        let mut evidence = retrieve::folded(&self.shelf, evidence);
        evidence.truncate(self.looked_at(asking));
        hear(Heard::Found(&evidence));
        let begun = Instant::now();
        let evidence = self.with_articles(evidence)?;
        let answered = self.answered_before(asking, &evidence);
        let asked = Asked { question: asking.question.as_str(), evidence: &evidence, said: &asking.said, answered: &answered };
        let answer = self.by_mode(asking, &asked, &mut |said| hear(Heard::Said(said)));
        let timings = Timings { embed: embed_ms, search: search_ms, answer: milliseconds(begun) };
        Ok((answer, timings))
    }

    /// The words that answered the question before, in passages of which something was said.
    fn answered_before(&self, asking: &Asking, evidence: &[(Evidence, Arc<StoredArticle>)]) -> Vec<(ArticleId, Span)> {
        let Some(before) = asking.earlier.last().filter(|_| !asking.said.is_empty()) else { return vec![] };
        let is_said = |passage: &StoredPassage| {
            let mut sentences = sentences_of(&passage.text).into_iter();
            sentences.any(|span| asking.said.iter().any(|said| said.contains(&passage.text[span.start..span.end])))
        };
        let passages = evidence.iter().map(|(evidence, _)| &evidence.passage);
        let passages: Vec<StoredPassage> = passages.filter(|passage| is_said(passage)).cloned().collect();
        retrieve::answers(&self.embedder, before, &passages)
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

    /// Evidence with its articles, each read once; what was removed meanwhile is left out.
    pub(super) fn with_articles(&self, found: Vec<Evidence>) -> Result<Vec<(Evidence, Arc<StoredArticle>)>, Error> {
        let mut evidence: Vec<(Evidence, Arc<StoredArticle>)> = Vec::with_capacity(found.len());
        for one in found {
            let (id, version) = (&one.passage.article, one.passage.version);
            let known = evidence.iter().find(|(_, article)| article.id == *id && article.version == version);
            let article = match known {
                Some((_, article)) => Some(Arc::clone(article)),
                None => self.shelf.article(&id.0, Some(version))?.map(Arc::new),
            };
            evidence.extend(article.map(|article| (one, article)));
        }
        Ok(evidence)
    }
}
