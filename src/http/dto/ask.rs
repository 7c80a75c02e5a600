//! What is sent to `POST /v1/ask` and `POST /v1/search`.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error::Problem;
use crate::library::Asking;
use crate::retrieve::{Mode, Question};
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
