//! `ibid eval compare A B`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::cli::output::print;
use crate::eval::compare::compare;
use crate::eval::record::Record;

#[derive(Args)]
pub(super) struct Compare {
    /// Folder of a run, as `--out` wrote it
    a: PathBuf,
    /// Folder of the run to compare it with
    b: PathBuf,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// Wins and losses to list
    #[arg(long, default_value_t = 10)]
    list: usize,
    /// For bootstrap intervals and the randomisation test
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(arguments: &Compare) -> anyhow::Result<ExitCode> {
    let comparison = compare(&records(&arguments.a)?, &records(&arguments.b)?, arguments.seed);
    anyhow::ensure!(
        !comparison.differences.is_empty(),
        "`{}` and `{}` have no question in common",
        arguments.a.display(),
        arguments.b.display()
    );
    let text = if arguments.json { serde_json::to_string_pretty(&comparison)? } else { comparison.markdown(arguments.list) };
    print(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn records(folder: &Path) -> anyhow::Result<Vec<Record>> {
    let file = folder.join("per_query.jsonl");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("reading `{}`\nhint: name a folder that `ibid eval --out` wrote", file.display()))?;
    let parsed = (1..).zip(text.lines()).map(|(number, line)| {
        serde_json::from_str(line).with_context(|| format!("{}:{number}: no record of a question", file.display()))
    });
    parsed.collect()
}
