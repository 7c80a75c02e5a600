//! `ibid doctor`: each line one thing that ibid needs, whether it is there, and what to do if not.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use super::output::print;
use super::setup;
use crate::http::keys;
use crate::library;
use crate::settings::Settings;

/// What was found: well, worth knowing, or in the way.
enum Finding {
    Well(String),
    Know(String),
    Wrong(String),
}

use Finding::{Know, Well, Wrong};

pub(super) fn run(settings: &Settings) -> ExitCode {
    let mut findings = vec![
        ("binary".to_owned(), Well(format!("ibid {}", env!("CARGO_PKG_VERSION")))),
        ("processor".to_owned(), processor()),
        ("model".to_owned(), model(settings)),
        ("data folder".to_owned(), folder(&settings.library.data)),
        ("library".to_owned(), library(settings)),
        ("corpus".to_owned(), corpus(settings)),
        ("address".to_owned(), address(settings)),
        ("keys".to_owned(), key_file(settings)),
        ("descriptors".to_owned(), descriptors(settings)),
    ];
    findings.extend(collections(settings));
    let mut wrong = false;
    for (name, finding) in findings {
        let (mark, text) = match finding {
            Well(text) => ("ok  ", text),
            Know(text) => ("note", text),
            Wrong(text) => {
                wrong = true;
                ("FAIL", text)
            }
        };
        print(&format!("{mark}  {name}: {}", text.replace("\nhint: ", "\n      hint: ")));
    }
    if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn processor() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Well(format!("{cores} cores, {}", crate::embed::instructions()))
}

fn model(settings: &Settings) -> Finding {
    match setup::embedder(settings) {
        Ok(embedder) => {
            let info = embedder.info();
            Well(format!("`{}`, {} dimensions, weights {}", info.id, info.dimension, &info.sha256[..16]))
        }
        Err(error) => Wrong(format!("{error:#}\nhint: `ibid model verify` compares a folder with its checksums")),
    }
}

fn folder(data: &Path) -> Finding {
    let shown = data.display();
    if !data.exists() {
        return Know(format!("`{shown}` is not there yet; the first `ibid serve` or `ibid ingest` makes it"));
    }
    let probe = data.join("doctor.part");
    let written = OpenOptions::new().create(true).write(true).truncate(true).open(&probe);
    let finding = match written {
        Ok(_) if is_open_to_others(data) => {
            Know(format!("`{shown}` can be read by others on this machine\nhint: `chmod 700 {shown}`"))
        }
        Ok(_) => Well(format!("`{shown}` can be written")),
        Err(error) => Wrong(format!("`{shown}` cannot be written: {error}\nhint: change its owner, or name another with --data")),
    };
    // It was there for a moment only; if it cannot be removed, it is empty.
    let _ = std::fs::remove_file(probe);
    finding
}

fn is_open_to_others(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(folder).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

fn library(settings: &Settings) -> Finding {
    let data = &settings.library.data;
    if !data.join("ibid.sqlite").exists() {
        return Know("nothing is kept yet".to_owned());
    }
    match library::check(data, settings, None, &|_| ()) {
        Err(error) => Wrong(error.to_string()),
        Ok(checked) => match (checked.damage.first(), checked.stale.first()) {
            (Some(damage), _) => Wrong(format!("{damage}\nhint: `ibid check --deep` says all; restore a backup")),
            (None, Some(stale)) => Know(format!("{} articles; {stale}; it will be built again", checked.counts.articles)),
            (None, None) => Well(format!("{} articles, {} passages", checked.counts.articles, checked.counts.passages)),
        },
    }
}

/// Each collection, as the library itself.
fn collections(settings: &Settings) -> Vec<(String, Finding)> {
    match library::collections::all(settings) {
        Err(error) => vec![("collections".to_owned(), Wrong(error.to_string()))],
        Ok(all) => all.iter().skip(1).map(|(name, settings)| (format!("collection `{name}`"), library(settings))).collect(),
    }
}

fn corpus(settings: &Settings) -> Finding {
    let paths = &settings.library.corpus;
    match setup::corpus(paths) {
        Err(error) => Wrong(error.to_string()),
        Ok(_) if paths.is_empty() => Well("the sample articles in the binary".to_owned()),
        Ok(_) => Well(format!("{} paths, all there", paths.len())),
    }
}

fn address(settings: &Settings) -> Finding {
    let listen = &settings.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => Well(format!("`{listen}` is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Know(format!("`{listen}` is in use, perhaps by a running `ibid serve`\nhint: name another with --listen"))
        }
        Err(error) => Wrong(format!("cannot listen on `{listen}`: {error}\nhint: name another with --listen")),
    }
}

fn key_file(settings: &Settings) -> Finding {
    let file = &settings.server.keys;
    if file.as_os_str().is_empty() {
        return Well("none needed: only this machine is served".to_owned());
    }
    match keys::listed(file).map(|keys| keys.len()) {
        Ok(0) => Know(format!("`{}` holds none: nobody can ask\nhint: `ibid key new NAME` makes one", file.display())),
        Ok(count) => Well(format!("{count} in `{}`", file.display())),
        Err(error) => Wrong(error.to_string()),
    }
}

fn descriptors(settings: &Settings) -> Finding {
    let wanted = settings.server.max_connections;
    let possible = crate::http::possible_connections(wanted);
    if possible < wanted {
        return Know(format!("enough for {possible} connections of {wanted}\nhint: `ulimit -n` says how many the system allows"));
    }
    Well(format!("enough for {wanted} connections"))
}
