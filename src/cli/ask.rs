//! `ibid ask "…"`

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::output::{harmless, print, say};
use super::setup::{self, Usage};
use crate::answer::{Answer, Citation, Refusal, Writing};
use crate::article::one_line;
use crate::http;
use crate::library::{Asking, Corpus, Library};
use crate::retrieve::Question;
use crate::settings::{AnswerMode, Settings};

#[derive(Args)]
pub(super) struct Ask {
    /// The question
    #[arg(value_name = "QUESTION")]
    question: OsString,
    /// Files and folders to read first
    #[arg(long, value_name = "PATH")]
    corpus: Vec<PathBuf>,
    /// Print the answer as `POST /v1/ask` gives it
    #[arg(long)]
    json: bool,
    /// Who answers: sentences of the articles, or the language model of `[generate]` [default: as the settings say]
    #[arg(long, value_enum, value_name = "MODE")]
    mode: Option<Mode>,
    /// Passages to look at, at most
    #[arg(long, default_value_t = 5, value_name = "N")]
    limit: usize,
}

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Sentences of the articles, quoted
    Extractive,
    /// A language model, held to the sentences that it cites
    Written,
}

impl From<Mode> for AnswerMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Extractive => Self::Extractive,
            Mode::Written => Self::Written,
        }
    }
}

pub(super) fn run(arguments: &Ask, settings: Settings, quiet: bool) -> anyhow::Result<ExitCode> {
    let Some(text) = arguments.question.to_str() else {
        return Err(Usage("the question is not UTF-8\nhint: set the terminal's character set to UTF-8".to_owned()).into());
    };
    let question = Question::parse(text, Some(settings.answer.max_question_chars)).map_err(|error| Usage(error.to_string()))?;
    let named = if arguments.corpus.is_empty() { settings.library.corpus.clone() } else { arguments.corpus.clone() };
    let corpus = setup::corpus(&named)?;
    let embedder = setup::embedder(&settings)?;
    let library = Library::open(settings, embedder)?;
    // A library that holds something is asked as it is, unless files are named.
    if corpus != Corpus::Bundled || library.shelf().counts()?.articles == 0 {
        setup::ingest(&library, &corpus, quiet)?;
    }
    let mode = arguments.mode.map(AnswerMode::from);
    let (answer, timings) = library.ask(&Asking { mode, ..Asking::of(question, arguments.limit.max(1)) }, &mut |_| ())?;
    if arguments.json {
        print(&http::answer_json(&answer, timings, text, &library.embedder().info().id));
    } else if answer.reason == Some(Refusal::NotAQuestion) {
        print(http::help(text));
    } else {
        show(&answer);
        if !quiet {
            if let Some(writing) = &answer.writing {
                say(&written(writing));
            }
            say(&format!(
                "confidence {:.2}; embed {:.1} ms, search {:.1} ms, answer {:.1} ms",
                answer.confidence, timings.embed, timings.search, timings.answer
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What came of having it written.
fn written(writing: &Writing) -> String {
    let failure = writing.outcome.failure().map(|failure| format!(" ({failure})")).unwrap_or_default();
    let faults: Vec<&str> = writing.faults.iter().map(|fault| fault.name()).collect();
    let faults = if faults.is_empty() { String::new() } else { format!("; not shown for: {}", faults.join(", ")) };
    format!("writing: {}{failure}; {} sentences shown{faults}; {} tokens", writing.outcome.name(), writing.shown, writing.tokens)
}

/// The answer with its marks, then what they point to.
fn show(answer: &Answer) {
    if !answer.answerable {
        print("The articles do not say. / 文章中没有说到。");
        if !answer.citations.is_empty() {
            print("\nNearest passages:");
        }
    }
    for statement in &answer.statements {
        let marks: Vec<String> = statement.citations.iter().map(|n| format!("[{n}]")).collect();
        print(&format!("{} {}", harmless(&statement.text), styled(&marks.concat(), "1")));
    }
    if let Some(records) = answer.records {
        print(&format!("(from the records of {} articles; {} fit)", records.articles, records.found));
    }
    print("");
    for (n, citation) in (1..).zip(&answer.citations) {
        print(&cited(n, citation, answer.answerable));
    }
}

fn cited(n: usize, citation: &Citation, answerable: bool) -> String {
    let stored = citation.article();
    let record = &stored.article.record;
    let authors = if record.authors.is_empty() { String::new() } else { format!("{}: ", one_line(&record.authors.join("、"))) };
    let section = citation.section().map(|section| format!(" › {}", one_line(section))).unwrap_or_default();
    let lines = citation.lines();
    let page = citation.boxes().first().map(|first| format!("page {}, ", first.page)).unwrap_or_default();
    let place = format!("{}, {page}lines {}–{}", stored.source_path, lines.first, lines.last);
    // A title with a line break in it must not look like one more source.
    let head = format!("{} {}{}{}", styled(&format!("[{n}]"), "1"), authors, styled(&one_line(&record.title), "1"), section);
    let mut shown = format!("{head}\n    {}", styled(&one_line(&place), "2"));
    if !citation.copies().is_empty() {
        let titles: Vec<String> = citation.copies().iter().map(|(_, title)| one_line(title)).collect();
        shown.push_str("\n    also in: ");
        shown.push_str(&titles.join(", "));
    }
    if !answerable {
        shown.push_str("\n    ");
        shown.push_str(&harmless(citation.quote()).replace('\n', "\n    "));
    }
    shown
}

/// Text in a terminal's style, unless nobody watches or `NO_COLOR` is set.
fn styled(text: &str, code: &str) -> String {
    let plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    if plain { text.to_owned() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
}
