//! `POST /v1/ask` and `POST /v1/search`.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::citation::CopyBody;
use super::error::Problem;
use super::help::help;
use super::{CitationBody, citation, round};
use crate::answer::{Answer, Kind, Records, Refusal, Statement, Writing};
use crate::embed::logistic;
use crate::generate::Failure;
use crate::library::{Asking, Timings};
use crate::retrieve::{Evidence, Mode, Question};
use crate::settings::AnswerMode;
use crate::shelf::Filter;

const MOST: usize = 100;
const USUAL: usize = 5;
/// Values in a list of a filter.
const LISTED: usize = 1000;
/// Bytes of such a value.
const LONGEST: usize = 4096;
/// Earlier turns that are read; older ones say nothing about the last question.
const TURNS: usize = 16;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Ask)]
pub(in crate::http) struct AskBody {
    /// In any language; at most `answer.max_question_chars` characters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]",
        example = "强省会的关键在于什么？"
    )]
    pub(in crate::http) question: String,
    /// Passages to answer from; a refusal shows as many.
    #[schema(minimum = 1, maximum = 100, default = 5)]
    #[serde(default, deserialize_with = "whole")]
    limit: Option<usize>,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<FilterBody>)]
    filter: FilterBody,
    /// Questions asked before, the latest last: the question may refer back to them. What was none is passed over.
    #[serde(default)]
    earlier: Vec<String>,
    /// Server-sent events instead of one answer: `stage`, `sources`, `citation`, `statement`, `answer`, `error`.
    #[serde(default)]
    pub(in crate::http) stream: bool,
    /// Which collection, when it is not the one that the address says.
    #[schema(example = "default")]
    pub(in crate::http) collection: Option<String>,
    /// Who answers; without it, as `generate.default_mode` says.
    mode: Option<AnswerModeBody>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = AnswerMode)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum AnswerModeBody {
    /// Sentences of the articles, quoted.
    Extractive,
    /// A language model, where one is configured; each sentence is held to what it cites.
    Written,
}

impl From<AnswerModeBody> for AnswerMode {
    fn from(mode: AnswerModeBody) -> Self {
        match mode {
            AnswerModeBody::Extractive => Self::Extractive,
            AnswerModeBody::Written => Self::Written,
        }
    }
}

/// What passages are looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Search)]
pub(in crate::http) struct SearchedBody {
    /// In any language; at most `answer.max_question_chars` characters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]",
        example = "强省会的关键在于什么？"
    )]
    question: String,
    /// Passages at most.
    #[schema(minimum = 1, maximum = 100, default = 5)]
    #[serde(default, deserialize_with = "whole")]
    limit: Option<usize>,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<FilterBody>)]
    filter: FilterBody,
    /// Which collection, when it is not the one that the address says.
    #[schema(example = "default")]
    pub(in crate::http) collection: Option<String>,
    /// Which legs search.
    #[serde(default)]
    mode: ModeBody,
}

impl SearchedBody {
    /// What is looked for, checked.
    pub(in crate::http) fn searching(self, max_question_chars: usize) -> Result<(Asking, Mode), Problem> {
        let mode = match self.mode {
            ModeBody::Hybrid => Mode::Hybrid,
            ModeBody::Dense => Mode::Dense,
            ModeBody::Lexical => Mode::Lexical,
        };
        let question = Question::parse(&self.question, Some(max_question_chars))?;
        Ok((Asking { filter: self.filter.checked()?, ..Asking::of(question, limit(self.limit)?) }, mode))
    }
}

/// The passages that are wanted.
fn limit(wanted: Option<usize>) -> Result<usize, Problem> {
    let limit = wanted.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid(format!("`limit` must be between 1 and {MOST}, not {limit}")))
    }
}

/// An object, or null for one without fields: a list is none, though its items could be taken for the fields.
pub(in crate::http) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(from)?.unwrap_or_default();
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}

/// A whole number, also where it is written `5.0`: JSON knows no difference.
pub(in crate::http) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<Option<T>, D::Error> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared before it is cast")]
    let number = match Option::<f64>::deserialize(from)? {
        None => return Ok(None),
        Some(number) if number.fract() == 0.0 && (0.0..=1e12).contains(&number) => number as u64,
        Some(number) => return Err(D::Error::custom(format!("`{number}` is no whole number from 0 to 10¹²"))),
    };
    T::try_from(number).map(Some).map_err(|_| D::Error::custom(format!("`{number}` is too large")))
}

/// Which legs search.
#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = Mode)]
#[serde(rename_all = "lowercase")]
enum ModeBody {
    /// Both, ranked together.
    #[default]
    Hybrid,
    /// By meaning.
    Dense,
    /// By words.
    Lexical,
}

/// Which articles may answer; each part that is there must hold.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[schema(as = Filter)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct FilterBody {
    /// One of these is among the authors.
    #[schema(max_items = 1000)]
    #[serde(default)]
    author: Vec<String>,
    /// YYYY-MM-DD
    #[schema(format = Date)]
    published_from: Option<String>,
    /// YYYY-MM-DD
    #[schema(format = Date)]
    published_to: Option<String>,
    /// One of these is the article.
    #[schema(max_items = 1000)]
    #[serde(default)]
    article_id: Vec<String>,
    /// One of these is the source's path.
    #[schema(max_items = 1000)]
    #[serde(default)]
    source: Vec<String>,
    /// One of these is the language, or what its tag begins with.
    #[schema(max_items = 1000)]
    #[serde(default)]
    language: Vec<String>,
}

impl FilterBody {
    /// Checked: dates exist.
    pub(in crate::http) fn checked(self) -> Result<Filter, Problem> {
        let Self { author, published_from, published_to, article_id, source, language } = self;
        for (name, list) in [("author", &author), ("article_id", &article_id), ("source", &source), ("language", &language)] {
            if list.len() > LISTED {
                return Err(Problem::invalid(format!("`filter.{name}` must hold at most {LISTED} values, not {}", list.len())));
            }
            if list.iter().any(|value| value.len() > LONGEST) {
                return Err(Problem::invalid(format!("each value of `filter.{name}` must have at most {LONGEST} bytes")));
            }
        }
        for date in [&published_from, &published_to].into_iter().flatten() {
            if date.len() != 10 || date.parse::<jiff::civil::Date>().is_err() {
                return Err(Problem::invalid(format!("`{}` is no date\nhint: write YYYY-MM-DD", date.escape_debug())));
            }
        }
        Ok(Filter { authors: author, published_from, published_to, articles: article_id, sources: source, languages: language })
    }
}

impl AskBody {
    /// What is asked, checked.
    pub(in crate::http) fn asking(self, max_question_chars: usize) -> Result<Asking, Problem> {
        let limit = limit(self.limit)?;
        let parse = |text: &String| Question::parse(text, Some(max_question_chars));
        let turns = self.earlier.len().saturating_sub(TURNS);
        let earlier = self.earlier[turns..].iter().flat_map(parse).collect();
        let question = parse(&self.question)?;
        let mode = self.mode.map(AnswerMode::from);
        Ok(Asking { earlier, mode, filter: self.filter.checked()?, ..Asking::of(question, limit) })
    }
}

/// `?format=` and `?citations=` of `POST /v1/ask`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::http) enum Format {
    /// Our own.
    #[default]
    Json,
    /// A text with marks and a list of sources.
    Markdown,
    /// The cited articles, as bibliography programs read them.
    CslJson,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(crate) struct AnswerBody {
    pub(in crate::http) id: String,
    pub(in crate::http) kind: KindBody,
    /// Whether the articles say it. If not, `citations` are the nearest passages.
    pub(in crate::http) answerable: bool,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) reason: Option<ReasonBody>,
    /// What can be asked, in the asker's language; where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) help: Option<&'static str>,
    /// How likely the articles say it, 0 to 1.
    pub(in crate::http) confidence: f64,
    /// The sentences that answer, each with the numbers of its citations; of a long sentence the clause that answers.
    pub(in crate::http) answer: Vec<StatementBody>,
    pub(in crate::http) citations: Vec<CitationBody>,
    /// What it was made from; of answers about the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) records: Option<RecordsBody>,
    /// What came of having it written; where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) writing: Option<WritingBody>,
    pub(in crate::http) timings_ms: TimingsBody,
    pub(in crate::http) model: String,
}

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Kind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KindBody {
    /// Sentences of passages, quoted.
    Passages,
    /// Sentences that a language model wrote, each held by what it cites.
    Written,
    /// What the records say of the collection; its citations are articles.
    Collection,
    /// Sentences of an article, in its order.
    Summary,
    /// Sentences of two sides about one thing.
    Comparison,
}

impl From<Kind> for KindBody {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Passages => Self::Passages,
            Kind::Written => Self::Written,
            Kind::Collection => Self::Collection,
            Kind::Summary => Self::Summary,
            Kind::Comparison => Self::Comparison,
        }
    }
}

/// What an answer about the collection was made from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Records)]
pub(crate) struct RecordsBody {
    /// Articles whose records were looked at.
    pub(in crate::http) articles: usize,
    /// Articles that fit; the first of them are cited.
    pub(in crate::http) found: usize,
    /// Whether they were found by a search for a topic: then `found` counts what was found.
    pub(in crate::http) searched: bool,
}

/// What came of having an answer written by a language model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Writing)]
pub(crate) struct WritingBody {
    /// `written`; `cut_off`: what held before is shown; `nothing_held` and `nothing_written`: the articles do not say;
    /// `replaced`, `failed`, `not_configured`: the extractive answer is given; `not_sent`: the articles do not say it,
    /// and nothing was sent.
    pub(in crate::http) outcome: &'static str,
    /// What kept it from being written to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) failure: Option<&'static str>,
    /// The language model; empty where none is configured.
    pub(in crate::http) model: String,
    /// The version of the prompt.
    pub(in crate::http) prompt: &'static str,
    /// Sentences that their citations hold.
    pub(in crate::http) shown: usize,
    /// Why each of the others does not stand: `no_source`, `number`, `name`, `negation`, `words`, `reader`.
    pub(in crate::http) faults: Vec<&'static str>,
    /// Cited ids of sentences that were not sent.
    pub(in crate::http) unknown_ids: usize,
    /// Tokens sent and written.
    pub(in crate::http) tokens: usize,
    /// Milliseconds to the first token.
    pub(in crate::http) first_token_ms: u64,
}

impl From<&Writing> for WritingBody {
    fn from(writing: &Writing) -> Self {
        let Writing { model, prompt, outcome, shown, faults, unknown_ids, tokens, first_token_ms } = writing;
        Self {
            outcome: outcome.name(),
            failure: outcome.failure().map(Failure::name),
            model: model.clone(),
            prompt,
            shown: *shown,
            faults: faults.iter().map(|fault| fault.name()).collect(),
            unknown_ids: *unknown_ids,
            tokens: *tokens,
            first_token_ms: *first_token_ms,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reason)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasonBody {
    /// A greeting, thanks, a lone word, noise: nothing was asked.
    NotAQuestion,
    /// The articles do not say it.
    NotInArticles,
}

/// A sentence of an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Statement)]
pub(crate) struct StatementBody {
    pub(in crate::http) text: String,
    /// None at all for a sentence that nothing holds, where the settings have it shown.
    pub(in crate::http) citations: Vec<usize>,
}

impl StatementBody {
    pub(in crate::http) fn of(statement: &Statement) -> Self {
        Self { text: statement.text.clone(), citations: statement.citations.clone() }
    }
}

/// Milliseconds in each stage.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Timings)]
pub(crate) struct TimingsBody {
    pub(in crate::http) embed: f64,
    pub(in crate::http) search: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) answer: Option<f64>,
}

/// Passages that were found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Found)]
pub(in crate::http) struct SearchBody {
    pub(in crate::http) passages: Vec<FoundBody>,
    pub(in crate::http) timings_ms: TimingsBody,
    pub(in crate::http) model: String,
}

/// A stage of a streamed answer: `searching`, `reading`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stage)]
pub(in crate::http) struct StageBody {
    pub(in crate::http) stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) passages: Option<usize>,
}

/// A passage found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundPassage)]
pub(in crate::http) struct FoundBody {
    passage_id: u32,
    article_id: String,
    version: u32,
    title: String,
    authors: Vec<String>,
    section: Option<String>,
    text: String,
    score: f64,
    scores: ScoresBody,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<CopyBody>,
}

/// What `score` was weighed from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scores)]
struct ScoresBody {
    /// Cosine of question and passage.
    meaning: f64,
    /// Highest cosine of the question and a sentence of the passage.
    sentence: f64,
    /// BM25, as a share of what a passage would have that holds every word once.
    words: f64,
    /// The probability that the passage answers, by the reader, where it was read.
    answers: Option<f64>,
}

/// What an answer is told with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What was asked.
    pub(crate) question: &'a str,
    /// The model's id.
    pub(crate) model: &'a str,
    /// What links begin with.
    pub(crate) base: &'a str,
}

/// An answer with a fresh id.
pub(crate) fn answer(answer: &Answer, timings: Timings, context: Context<'_>) -> AnswerBody {
    let Context { question, model, base } = context;
    let reason = answer.reason.map(|reason| match reason {
        Refusal::NotAQuestion => ReasonBody::NotAQuestion,
        Refusal::NotInArticles => ReasonBody::NotInArticles,
    });
    AnswerBody {
        id: format!("ask_{}", ulid::Ulid::generate()),
        kind: answer.kind.into(),
        answerable: answer.answerable,
        reason,
        help: (reason == Some(ReasonBody::NotAQuestion)).then(|| help(question)),
        confidence: round(answer.confidence),
        answer: answer.statements.iter().map(StatementBody::of).collect(),
        citations: (1..).zip(&answer.citations).map(|(n, cited)| citation(n, cited, base)).collect(),
        records: answer.records.map(|Records { articles, found, searched }| RecordsBody { articles, found, searched }),
        writing: answer.writing.as_ref().map(WritingBody::from),
        timings_ms: TimingsBody { embed: timings.embed, search: timings.search, answer: Some(timings.answer) },
        model: model.to_owned(),
    }
}

/// A found passage.
pub(in crate::http) fn found(evidence: &Evidence) -> FoundBody {
    let Evidence { passage, scores, copies, .. } = evidence;
    FoundBody {
        passage_id: passage.id,
        article_id: passage.article.0.clone(),
        version: passage.version,
        title: passage.title.clone(),
        authors: passage.authors.clone(),
        section: passage.passage.section.clone(),
        text: passage.text.clone(),
        score: round(scores.total),
        scores: ScoresBody {
            meaning: round(scores.meaning),
            sentence: round(scores.sentence),
            words: round(scores.words),
            answers: scores.reading.map(|reading| round(logistic(reading.answerable))),
        },
        copies: copies.iter().map(|copy| CopyBody { article_id: copy.article.0.clone(), title: copy.title.clone() }).collect(),
    }
}
