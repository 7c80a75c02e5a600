//! The command line: one file per command.

mod ask;
mod backup;
mod check;
mod doctor;
mod eval;
mod ingest;
mod key;
mod mcp;
mod model;
mod output;
mod reembed;
mod serve;
mod setup;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use toml::Value;

use crate::library::collections;
use crate::settings::{self, Override, Settings};
use crate::shelf;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 something failed or a source could not be used, 2 wrong usage or settings, \
    3 data damaged, 4 data of another model, 5 data folder in use.";

const EXAMPLES: &str = "Examples:
  ibid serve                                  serve the sample articles on 127.0.0.1:8080
  ibid serve --corpus ~/articles              serve your own
  ibid ask '强省会的关键在于什么？'             answer in the terminal
  ibid ask --json 'Who runs the night market?'

Settings: defaults, then ./ibid.toml or --config FILE, then IBID__SECTION__KEY variables, then flags.
`ibid settings` prints every setting with its default.";

/// Answers questions from a collection of articles, and shows exactly where each answer stands.
#[derive(Parser)]
#[command(name = "ibid", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// Settings file [default: ./ibid.toml if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that holds the library [default: ibid-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Collection to work on, below the data folder [default: the library itself]
    #[arg(long, global = true, value_name = "NAME")]
    collection: Option<String>,
    /// Folder of an embedding model [default: the model in the binary]
    #[arg(long, global = true, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Say only what failed
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Read articles, then answer questions over HTTP
    ///
    /// Listens at once; `/readyz` answers 200 when the articles are read. Without
    /// --corpus, the sample articles in the binary are served.
    Serve(serve::Serve),
    /// Read files and folders into the library
    ///
    /// Reads .txt (prose or a newspaper page, any charset), .md, .html, .pdf, .docx, .odt,
    /// .epub, .rtf, .jsonl, .json, .csv, .tsv, feeds (.rss, .atom, .xml) and .zip of these.
    /// What has not changed costs nothing. A file that cannot be used is reported,
    /// the rest goes on, and the command ends with 1.
    Ingest(ingest::Ingest),
    /// Ask a question in the terminal
    Ask(ask::Ask),
    /// Run benchmark question sets and print the figures
    ///
    /// Each set is read into a library of its own. A question that finds nothing
    /// counts as zero.
    Eval(eval::Eval),
    /// Serve tools for assistants (MCP) over standard input and output
    ///
    /// The same tools are at `/mcp` of `ibid serve`.
    Mcp,
    /// Copy the library, with its collections, while it is used or not
    ///
    /// The copy holds all articles, versions and vectors as they stand at one moment, and is
    /// verified before it appears. It is one file; a folder where there are collections, each
    /// copied at a moment of its own. `ibid restore` puts it back.
    Backup(backup::Backup),
    /// Put a copy made by `ibid backup` into an empty data folder
    Restore(backup::Restore),
    /// Verify the library and its collections, while they are used or not
    ///
    /// Compares every row with its checksum and the caches with theirs. Ends with 3 when
    /// something is damaged that cannot be made again; caches are built again by themselves.
    Check(check::Check),
    /// Say what would keep ibid from working here, and what to do about it
    Doctor,
    /// Embed all articles anew, those of collections too, with another model or other chunk rules
    Reembed,
    /// List, describe, verify, measure and fetch embedding models
    ///
    /// `--model DIR` chooses the one that is described, verified or measured.
    Model(model::Model),
    /// Make keys for a service that others than this machine may reach
    Key(key::Key),
    /// Print every setting with its default, as a file to start from
    Settings,
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { command, common } = arguments;
    if matches!(command, Command::Settings) {
        output::print(settings::DEFAULTS.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let mut overrides = Vec::new();
    let path = |path: &PathBuf| Value::String(path.to_string_lossy().into_owned());
    overrides.extend(common.data.as_ref().map(|data| Override { key: "library.data", value: path(data), flag: "--data" }));
    overrides.extend(common.model.as_ref().map(|model| Override { key: "model.path", value: path(model), flag: "--model" }));
    if let Command::Serve(serve) = &command {
        overrides.extend(serve.overrides());
    }
    let mut settings = resolve(common.config, overrides)?;
    if let Some(name) = &common.collection {
        if !collections::is_name(name) {
            let message = format!("`{}` is no name for a collection", name.escape_debug());
            return Err(setup::Usage(format!("{message}\nhint: small letters, digits and hyphens, 64 at most")).into());
        }
        settings = collections::settings(&settings, name);
    }
    if !matches!(command, Command::Eval(_) | Command::Model(_)) {
        setup::private_files();
    }
    setup::logging(&settings.log, common.quiet)?;
    match command {
        Command::Serve(serve) => serve::run(&serve, settings, common.quiet),
        Command::Ingest(ingest) => ingest::run(&ingest, settings, common.quiet),
        Command::Ask(ask) => ask::run(&ask, settings, common.quiet),
        Command::Eval(eval) => eval::run(&eval, &settings, common.quiet),
        Command::Model(model) => model::run(&model, &settings, common.quiet),
        Command::Mcp => mcp::run(settings),
        Command::Key(key) => key::run(&key, &settings),
        Command::Backup(backup) => backup::backup(&backup, &settings, common.quiet),
        Command::Restore(restore) => backup::restore(&restore, &settings, common.quiet),
        Command::Check(check) => check::run(&check, &settings, common.quiet),
        Command::Doctor => Ok(doctor::run(&settings)),
        Command::Reembed => reembed::run(&settings, common.quiet),
        Command::Settings => Ok(ExitCode::SUCCESS),
    }
}

fn resolve(config: Option<PathBuf>, overrides: Vec<Override>) -> Result<Settings, settings::Error> {
    let usual = PathBuf::from("ibid.toml");
    let file = config.or_else(|| usual.is_file().then_some(usual));
    settings::resolve(file.as_deref(), std::env::vars(), overrides)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<settings::Error>() || error.is::<setup::Usage>() {
        return 2;
    }
    match error.downcast_ref::<shelf::Error>() {
        Some(shelf::Error::Damaged { .. }) => 3,
        Some(shelf::Error::OtherModel { .. }) => 4,
        Some(shelf::Error::Held { .. }) => 5,
        _ => 1,
    }
}
