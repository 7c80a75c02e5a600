//! How long the stages of a question take.

use std::time::Instant;

/// Tells the log, where it listens, how long a stage of a question took.
pub(crate) fn staged<T>(stage: &'static str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = work();
    tracing::debug!(target: "ibid::stages", stage, micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    made
}
