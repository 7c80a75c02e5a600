//! What is counted of the whole service.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::answer::Answer;
use crate::generate::Failure;
use crate::library::Timings;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    answerable: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
    failure: &'static str,
}

/// A histogram from a tenth of a millisecond to about six seconds.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 16))
}

/// All that is counted.
pub(in crate::http) struct Metrics {
    registry: Registry,
    requests: Family<Served, Counter>,
    seconds: Family<Stage, Histogram, fn() -> Histogram>,
    questions: Family<Outcome, Counter>,
    writings: Family<Ended, Counter>,
    tokens: Counter,
}

impl Metrics {
    pub(in crate::http) fn new() -> Self {
        let mut registry = Registry::with_prefix("ibid");
        let (requests, questions) = (Family::default(), Family::default());
        let (writings, tokens) = (Family::default(), Counter::default());
        let seconds: Family<Stage, Histogram, fn() -> Histogram> = Family::new_with_constructor(histogram);
        registry.register("requests", "Requests by route and status", requests.clone());
        registry.register("questions", "Questions by whether the articles answer", questions.clone());
        registry.register_with_unit(
            "stage",
            "Time in each stage of a question, and of whole requests",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register("writings", "Answers to be written, by how that ended", writings.clone());
        registry.register("writing_tokens", "Tokens sent to the language model, and written by it", tokens.clone());
        Self { registry, requests, seconds, questions, writings, tokens }
    }

    /// All figures, in Prometheus' text form.
    pub(in crate::http) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// One request, answered.
    pub(in crate::http) fn served(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let labels = Served { method, route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&Stage { stage: "request" }).observe(took.as_secs_f64());
    }

    /// One question, answered or refused.
    pub(in crate::http) fn asked(&self, answer: &Answer, timings: Timings) {
        let answerable = if answer.answerable { "true" } else { "false" };
        self.questions.get_or_create(&Outcome { answerable }).inc();
        if let Some(writing) = &answer.writing {
            let failure = writing.outcome.failure().map_or("", Failure::name);
            self.writings.get_or_create(&Ended { outcome: writing.outcome.name(), failure }).inc();
            self.tokens.inc_by(writing.tokens as u64);
        }
        for (stage, milliseconds) in [("embed", timings.embed), ("search", timings.search), ("answer", timings.answer)] {
            self.seconds.get_or_create(&Stage { stage }).observe(milliseconds / 1000.0);
        }
    }
}
