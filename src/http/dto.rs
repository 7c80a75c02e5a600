//! The shapes on the wire. Offsets count Unicode code points, end exclusive.

mod answer;
mod article;
mod ask;
mod citation;
pub(in crate::http) mod error;
pub(in crate::http) mod export;
mod found;
pub(in crate::http) mod help;
mod job;
pub(in crate::http) mod markdown;

pub(crate) use answer::{AnswerBody, Context};
pub(in crate::http) use answer::{StatementBody, TimingsBody, answer};
pub(in crate::http) use article::{ArticleBody, ArticleListBody, LeftOutBody, TextBody, article};
pub(in crate::http) use ask::{AnswerModeBody, AskBody, Format, SearchedBody, object, whole};
pub(in crate::http) use citation::{CitationBody, LinesBody, citation, place, text_sha256};
pub(in crate::http) use found::{SearchBody, StageBody, found};
pub(in crate::http) use job::{JobBody, JobListBody, Unused};

/// What offsets count.
pub(in crate::http) const OFFSET_UNIT: &str = "code_point";

/// Four digits are what a score is worth.
pub(in crate::http) fn round(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}
