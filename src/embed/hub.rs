//! Fetches a model from a hub that speaks Hugging Face's API: the only code that uses a network,
//! and only when it is asked to.
//!
//! A name is resolved to a commit once; what is on disk stays at that commit. Each file is
//! fetched beside its name, resumed where it broke off, compared with the hub's SHA-256, and
//! moved into place whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::checksums::LIST;
use crate::text::hex;

/// The hub that names refer to, unless another is given.
pub const HUB: &str = "https://huggingface.co";

/// Why a model could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The hub did not answer as it should.
    #[error("cannot fetch `{url}`: {reason}\nhint: is the name right, and is the hub reachable? --from names a mirror")]
    Fetch {
        /// What was asked for.
        url: String,
        /// What came back.
        reason: String,
    },
    /// The hub's model is nothing that can be run.
    #[error("`{name}` cannot be used: {reason}")]
    Unusable {
        /// The model.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not what the hub says, or not what it was.
    #[error("`{file}` has SHA-256 {found}, not {expected}\nhint: it was removed; run the command again")]
    Checksum {
        /// The file.
        file: String,
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// The folder could not be written.
    #[error("cannot write `{path}`: {reason}")]
    Write {
        /// The file or folder.
        path: String,
        /// The system's words.
        reason: io::Error,
    },
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    #[serde(default)]
    size: u64,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
}

/// A file that is being fetched: its name, bytes that are there, bytes in all.
pub struct Fetching<'a> {
    /// Its name, below the folder.
    pub file: &'a str,
    /// Bytes that are on disk.
    pub done: u64,
    /// Bytes in all.
    pub all: u64,
}

/// Fetches `name` at `revision` from `hub` into `folder`; returns the commit.
///
/// # Errors
/// When the hub does not answer, has no model that can be run, or a file is not what it says; and when `folder` cannot
/// be written.
pub fn pull(hub: &str, name: &str, revision: &str, folder: &Path, progress: &dyn Fn(Fetching<'_>)) -> Result<String, Error> {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("{hub}/api/models/{name}/revision/{revision}?blobs=true");
    let failed = |reason: String| Error::Fetch { url: url.clone(), reason };
    let mut answer = agent.get(&url).call().map_err(|error| failed(error.to_string()))?;
    let text = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    let listing: Listing = serde_json::from_str(&text).map_err(|error| failed(format!("no listing of files: {error}")))?;
    let wanted = wanted(name, &listing)?;
    let mut sums = String::new();
    for sibling in wanted {
        let from = format!("{hub}/{name}/resolve/{}/{}", listing.sha, sibling.rfilename);
        let sum = one(&agent, &from, sibling, folder, progress)?;
        sums.push_str(&format_sum(&sum, &sibling.rfilename));
    }
    let list = folder.join(LIST);
    fs::write(&list, sums).map_err(|reason| Error::Write { path: list.display().to_string(), reason })?;
    Ok(listing.sha)
}

fn format_sum(sum: &str, file: &str) -> String {
    format!("{sum}  {file}\n")
}

/// The files that a model is run from; names that lead out of the folder are no files of it.
fn wanted<'a>(name: &str, listing: &'a Listing) -> Result<Vec<&'a Sibling>, Error> {
    let inside = |file: &str| Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let other = |file: &str| ["onnx/", "openvino/", "."].iter().any(|prefix| file.starts_with(prefix));
    let kind = |file: &str| ["README.md", ".json", "model.safetensors"].iter().any(|suffix| file.ends_with(suffix));
    let files: Vec<&Sibling> = listing
        .siblings
        .iter()
        .filter(|sibling| inside(&sibling.rfilename) && !other(&sibling.rfilename) && kind(&sibling.rfilename))
        .collect();
    for needed in ["model.safetensors", "tokenizer.json"] {
        if !files.iter().any(|sibling| sibling.rfilename.ends_with(needed)) {
            return Err(Error::Unusable { name: name.to_owned(), reason: format!("it has no `{needed}`") });
        }
    }
    Ok(files)
}

/// Fetches one file and returns its SHA-256.
fn one(
    agent: &ureq::Agent,
    url: &str,
    sibling: &Sibling,
    folder: &Path,
    progress: &dyn Fn(Fetching<'_>),
) -> Result<String, Error> {
    let path = folder.join(&sibling.rfilename);
    let write = |reason: io::Error| Error::Write { path: path.display().to_string(), reason };
    let expected = sibling.lfs.as_ref().map(|lfs| lfs.sha256.clone());
    if path.is_file() && (expected.is_none() || expected == digest(&path).ok()) {
        return digest(&path).map_err(write);
    }
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(write)?;
    let partial = PathBuf::from(format!("{}.partial", path.display()));
    fetch(agent, url, sibling, &partial, progress)?;
    let found = digest(&partial).map_err(write)?;
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        fs::remove_file(&partial).map_err(write)?;
        return Err(Error::Checksum { file: sibling.rfilename.clone(), expected, found });
    }
    fs::rename(&partial, &path).map_err(write)?;
    Ok(found)
}

/// Goes on where `partial` ends.
fn fetch(
    agent: &ureq::Agent,
    url: &str,
    sibling: &Sibling,
    partial: &Path,
    progress: &dyn Fn(Fetching<'_>),
) -> Result<(), Error> {
    let failed = |reason: String| Error::Fetch { url: url.to_owned(), reason };
    let write = |reason: io::Error| Error::Write { path: partial.display().to_string(), reason };
    let mut done = fs::metadata(partial).map_or(0, |metadata| metadata.len());
    if done > 0 && done == sibling.size {
        return Ok(());
    }
    let mut request = agent.get(url);
    if done > 0 {
        request = request.header("Range", format!("bytes={done}-"));
    }
    let mut answer = request.call().map_err(|error| failed(error.to_string()))?;
    // A server that does not resume sends all of it again.
    let resumed = answer.status().as_u16() == 206;
    done = if resumed { done } else { 0 };
    let mut file = OpenOptions::new().create(true).write(true).truncate(!resumed).append(resumed).open(partial).map_err(write)?;
    let mut body = answer.body_mut().as_reader();
    let mut block = vec![0; 1 << 16];
    loop {
        let read = body.read(&mut block).map_err(|error| failed(error.to_string()))?;
        if read == 0 {
            break;
        }
        file.write_all(&block[..read]).map_err(write)?;
        done += read as u64;
        progress(Fetching { file: &sibling.rfilename, done, all: sibling.size.max(done) });
    }
    file.sync_all().map_err(write)?;
    if done < sibling.size {
        return Err(failed(format!("it ended after {done} of {} bytes; run the command again to go on", sibling.size)));
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    while let read @ 1.. = file.read(&mut block)? {
        digest.update(&block[..read]);
    }
    Ok(hex(&digest.finalize()))
}
