//! A language model behind an endpoint that speaks OpenAI's chat completions: a prompt goes out, text comes in pieces.
//!
//! Only where `[generate]` names an endpoint is there one, and only to that address is anything sent. What it may cost
//! is bounded: time to the first token and in all, tokens of an answer and of a day, tries, how many at once. One that
//! keeps failing is left alone for a while (`breaker`). Nobody waits for it without an answer: whoever asks gets a
//! [`Failure`] instead, and answers in another way.

mod breaker;
mod client;
mod limits;
mod stream;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::settings;
use breaker::Breaker;
use client::{Client, Line, Sending};
use limits::{Budget, Places};
use stream::{Event, Events};

/// What is sent: how the model is to write, and what about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The message of role `system`.
    pub system: String,
    /// The message of role `user`.
    pub user: String,
    /// Tokens that both have, about.
    pub tokens: usize,
}

/// Why nothing, or not all, was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// As many answers are being written as may be at once.
    #[error("as many answers are being written as may be at once")]
    Busy,
    /// The day's tokens are used up.
    #[error("the day's tokens are used up")]
    Spent,
    /// It failed too often of late, and is left alone for a while.
    #[error("the endpoint failed too often of late")]
    Resting,
    /// The file of its key cannot be read.
    #[error("the file of the key cannot be read")]
    NoKey,
    /// No connection, or a lost one.
    #[error("the endpoint cannot be reached")]
    Unreachable,
    /// It answered with this status.
    #[error("the endpoint answered with status {0}")]
    Status(u16),
    /// The first token did not come in time.
    #[error("the first token did not come in time")]
    NoFirstToken,
    /// The whole did not come in time.
    #[error("the answer did not come in time")]
    Late,
    /// What came is no completion.
    #[error("what came is no completion")]
    Garbled,
    /// The stream ended before its end.
    #[error("the answer was cut off")]
    CutOff,
    /// It wrote more than it was allowed to.
    #[error("more was written than may be")]
    Endless,
    /// Whoever asked waits no more.
    #[error("nobody waits for the answer any more")]
    CalledOff,
}

impl Failure {
    /// As the wire and files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Spent => "tokens_spent",
            Self::Resting => "resting",
            Self::NoKey => "no_key",
            Self::Unreachable => "unreachable",
            Self::Status(429) => "rate_limited",
            Self::Status(_) => "refused_by_endpoint",
            Self::NoFirstToken => "no_first_token",
            Self::Late => "late",
            Self::Garbled => "garbled",
            Self::CutOff => "cut_off",
            Self::Endless => "endless",
            Self::CalledOff => "called_off",
        }
    }

    /// Whether another try may help.
    fn passes(self) -> bool {
        matches!(self, Self::Unreachable | Self::Status(408 | 409 | 425 | 429 | 500..=599))
    }

    /// Whether it tells against the endpoint.
    fn is_the_endpoints(self) -> bool {
        !matches!(self, Self::Busy | Self::Spent | Self::Resting | Self::NoKey | Self::CalledOff)
    }
}

/// What a generation used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens sent and written, as the endpoint counts them; about, where it does not say.
    pub tokens: usize,
    /// Milliseconds to the first token; 0 where none came.
    pub first_token_ms: u64,
}

/// A language model, and what it may cost.
#[derive(Debug)]
pub struct Generator {
    client: Client,
    breaker: Breaker,
    budget: Budget,
    places: Places,
    limits: settings::Generate,
}

/// Takes pieces of text as they come, and says whether more is wanted.
pub type Pieces<'a> = dyn FnMut(&str) -> ControlFlow<()> + 'a;

impl Generator {
    /// The one that the settings name; `None` where they name none.
    pub fn of(settings: &settings::Generate) -> Option<Self> {
        (!settings.endpoint.is_empty()).then(|| Self {
            client: Client::of(settings),
            breaker: Breaker::new(settings.breaker_failures, Duration::from_secs(settings.breaker_seconds)),
            budget: Budget::new(settings.tokens_per_day),
            places: Places::new(settings.concurrency),
            limits: settings.clone(),
        })
    }

    /// Its settings.
    pub fn settings(&self) -> &settings::Generate {
        &self.limits
    }

    /// Host and port of the endpoint: where prompts go.
    pub fn host(&self) -> &str {
        self.client.host()
    }

    /// Sends `prompt` and hands on what is written as it comes.
    ///
    /// # Errors
    /// What kept it from being written to its end; pieces that came before were handed on.
    pub fn write(&self, prompt: &Prompt, pieces: &mut Pieces<'_>) -> (Usage, Result<(), Failure>) {
        let most = prompt.tokens + self.limits.max_tokens;
        let Some(_place) = self.places.take() else { return (Usage::default(), Err(Failure::Busy)) };
        if !self.breaker.allows(Instant::now()) {
            return (Usage::default(), Err(Failure::Resting));
        }
        if !self.budget.reserve(most) {
            self.breaker.heard_nothing();
            return (Usage::default(), Err(Failure::Spent));
        }
        let mut run = Run::begin(self, prompt);
        let done = run.tries(pieces);
        let usage = run.usage(prompt);
        self.budget.settle(most, usage.tokens);
        match done {
            Ok(()) => self.breaker.succeeded(),
            Err(failure) if failure.is_the_endpoints() => {
                tracing::warn!(reason = failure.name(), host = self.host(), "an answer was not written to its end");
                self.breaker.failed(Instant::now());
            }
            Err(_) => self.breaker.heard_nothing(),
        }
        (usage, done)
    }
}

/// One prompt on its way, over all tries.
struct Run<'a> {
    generator: &'a Generator,
    prompt: &'a Prompt,
    begun: Instant,
    /// Time to the first token, and for the whole.
    limits: [Duration; 2],
    first_token: Option<Duration>,
    /// As the endpoint counts them.
    told: Option<usize>,
    characters: usize,
}

impl<'a> Run<'a> {
    fn begin(generator: &'a Generator, prompt: &'a Prompt) -> Self {
        /// Left of the asker's time, to answer in another way.
        const REST: Duration = Duration::from_secs(2);
        let begun = Instant::now();
        let asker = crate::deadline::current().map(|deadline| deadline.at().saturating_duration_since(begun));
        let most = asker.map_or(Duration::MAX, |time| time.saturating_sub(REST));
        let settings = &generator.limits;
        let limits = [settings.first_token_seconds, settings.seconds].map(|limit| Duration::from_secs(limit).min(most));
        Self { generator, prompt, begun, limits, first_token: None, told: None, characters: 0 }
    }

    fn tries(&mut self, pieces: &mut Pieces<'_>) -> Result<(), Failure> {
        let mut pause = Duration::from_millis(250);
        for left in (0..=self.generator.limits.retries).rev() {
            let sending = self.generator.client.send(self.prompt, &self.generator.limits)?;
            let done = self.receive(&sending, pieces);
            match done {
                // What was handed on cannot be taken back: no other try then.
                Err(failure) if failure.passes() && left > 0 && self.characters == 0 => {
                    let wanted = sending.retry_after().unwrap_or(pause);
                    if self.begun.elapsed() + wanted >= self.limits[0] {
                        return Err(failure);
                    }
                    std::thread::sleep(wanted);
                    pause *= 2;
                }
                done => return done,
            }
        }
        Err(Failure::Unreachable)
    }

    /// Reads lines until the end, the limits, or until nobody waits.
    fn receive(&mut self, sending: &Sending, pieces: &mut Pieces<'_>) -> Result<(), Failure> {
        /// Between two looks at whether anybody still waits.
        const LOOK: Duration = Duration::from_millis(50);
        /// Characters that a token has at most, on average: an endpoint that does not stop by itself is stopped.
        const LONG: usize = 8;
        let [first, whole] = self.limits;
        let mut events = Events::default();
        loop {
            if crate::deadline::has_passed() {
                return Err(Failure::CalledOff);
            }
            let elapsed = self.begun.elapsed();
            if self.first_token.is_none() && elapsed >= first {
                return Err(Failure::NoFirstToken);
            }
            if elapsed >= whole {
                return Err(Failure::Late);
            }
            let line = match sending.next(LOOK) {
                Line::Text(line) => line,
                Line::Nothing => continue,
                Line::Failed(failure) => return Err(failure),
                Line::End => return events.end().map_or(Err(Failure::CutOff), |event| self.hear(event, pieces).map(drop)),
            };
            for event in events.read(&line)? {
                if self.hear(event, pieces)?.is_break() {
                    return Ok(());
                }
            }
            if self.characters > self.generator.limits.max_tokens.saturating_mul(LONG) {
                return Err(Failure::Endless);
            }
        }
    }

    fn hear(&mut self, event: Event, pieces: &mut Pieces<'_>) -> Result<ControlFlow<()>, Failure> {
        match event {
            Event::Text(text) => {
                self.first_token.get_or_insert_with(|| self.begun.elapsed());
                self.characters += text.chars().count();
                Ok(pieces(&text))
            }
            Event::Used(tokens) => {
                self.told = Some(tokens);
                Ok(ControlFlow::Continue(()))
            }
            Event::Refused => Err(Failure::Garbled),
            Event::Done => Ok(ControlFlow::Break(())),
        }
    }

    fn usage(&self, prompt: &Prompt) -> Usage {
        /// Characters of a token, fewer in scripts without spaces: rather too many tokens than too few.
        const SHORT: usize = 2;
        let first_token_ms = self.first_token.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let guessed = prompt.tokens + self.characters.div_ceil(SHORT);
        Usage { tokens: self.told.unwrap_or(guessed), first_token_ms }
    }
}
