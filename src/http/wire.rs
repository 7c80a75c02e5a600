//! The shapes on the wire. Offsets count Unicode code points, end exclusive.

mod article;
mod ask;
mod citation;

pub(super) use article::{ArticleBody, ArticleListBody, LeftOutBody, TextBody, article};
pub(crate) use ask::{AnswerBody, Context};
pub(super) use ask::{
    AnswerModeBody, AskBody, Format, SearchBody, SearchedBody, StageBody, StatementBody, TimingsBody, answer, found, object,
    whole,
};
pub(super) use citation::{CitationBody, LinesBody, citation, place, text_sha256};

/// What offsets count.
pub(super) const OFFSET_UNIT: &str = "code_point";

/// Four digits are what a score is worth.
pub(super) fn round(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}
