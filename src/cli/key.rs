//! `ibid key new`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::output::{print, say};
use super::setup::Usage;
use crate::http::keys::{NewKey, is_scope};
use crate::settings::Settings;

#[derive(Args)]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key, print it once, and add its checksum to the file that `server.keys` names
    New {
        /// Whose it is: letters, digits, `-` and `_`
        #[arg(value_name = "NAME")]
        name: String,
        /// What it allows: read, write, admin; in one collection only: read@NAME
        #[arg(long = "scope", value_name = "SCOPE", default_value = "read")]
        scopes: Vec<String>,
    },
}

pub(super) fn run(arguments: &Key, settings: &Settings) -> anyhow::Result<ExitCode> {
    let Command::New { name, scopes } = &arguments.command;
    let file = &settings.server.keys;
    if file.as_os_str().is_empty() {
        let hint = "hint: set `server.keys`, for example IBID__SERVER__KEYS=ibid-keys";
        return Err(Usage(format!("no file for keys is named\n{hint}")).into());
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(Usage(format!("`{}` is no name: letters, digits, `-` and `_` only", name.escape_debug())).into());
    }
    if let Some(unknown) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(
            Usage(format!("`{}` is no scope: read, write and admin are, or read@COLLECTION", unknown.escape_debug())).into()
        );
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let NewKey { key, line } = NewKey::of(&random, name, scopes);
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut keys = options.open(file).with_context(|| format!("cannot write keys `{}`", file.display()))?;
    writeln!(keys, "{line}").with_context(|| format!("cannot write keys `{}`", file.display()))?;
    say("keep this key, it is not shown again:");
    print(&key);
    Ok(ExitCode::SUCCESS)
}
