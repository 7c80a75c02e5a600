//! `ibid key new`, `list` and `remove`

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{harmless, print, say};
use super::setup::Usage;
use crate::http::keys::{self, NewKey, is_scope};
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
    /// Print whose keys there are, what each allows, and its last day
    List,
    /// Remove all keys of a name: a running service takes them no more from its next request on
    Remove {
        /// Whose keys
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(super) fn run(arguments: &Key, settings: &Settings) -> anyhow::Result<ExitCode> {
    let file = &settings.server.keys;
    if file.as_os_str().is_empty() {
        let hint = "hint: set `server.keys`, for example IBID__SERVER__KEYS=ibid-keys";
        return Err(Usage(format!("no file for keys is named\n{hint}")).into());
    }
    match &arguments.command {
        Command::New { name, scopes } => new(file, name, scopes),
        Command::List => list(file),
        Command::Remove { name } => remove(file, name),
    }
}

fn new(file: &Path, name: &str, scopes: &[String]) -> anyhow::Result<ExitCode> {
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
    let key = NewKey::of(&random, name, scopes);
    keys::add(file, &key)?;
    say("keep this key, it is not shown again:");
    print(&key.key);
    Ok(ExitCode::SUCCESS)
}

fn list(file: &Path) -> anyhow::Result<ExitCode> {
    for kept in keys::listed(file)? {
        let last_day = kept.last_day.map(|day| format!(" until {day}")).unwrap_or_default();
        print(&harmless(&format!("{} {}{last_day}", kept.name, kept.scopes)));
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(file: &Path, name: &str) -> anyhow::Result<ExitCode> {
    let count = keys::remove(file, name)?;
    if count == 0 {
        anyhow::bail!("`{}` holds no key of `{}`\nhint: `ibid key list` prints them", file.display(), name.escape_debug());
    }
    say(&format!("removed {count} of `{name}`"));
    Ok(ExitCode::SUCCESS)
}
