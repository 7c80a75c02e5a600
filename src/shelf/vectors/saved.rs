//! Graphs on the disk: one file each, whole or not there.
//!
//! A file holds numbers of 32 bits, the lowest byte first: a head (see [`Head`]), where each passage's neighbours
//! begin, the neighbours, and for each layer above the ground the passages in it with theirs; behind all stands its SHA-256.
//! Vectors are not in it: they come from the library, and a graph without them says nothing.
//! Nothing is read from a file before its sum is right.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::build::Shape;
use super::segment::Segment;

const MAGIC: &[u8; 16] = b"ibid graph 2\n\0\0\0";
const SUM: usize = 32;
/// Extension of a graph that is being written.
const UNFINISHED: &str = "tmp";

/// What a graph belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) shape: Shape,
    pub(super) dimension: usize,
    /// The change of the library that it has seen.
    pub(super) change: u64,
}

/// Writes a graph below `folder`. Graphs of the same passages go when it is safe.
pub(super) fn save(segment: &Segment, head: Head, folder: &Path) -> std::io::Result<()> {
    let name = format!("graph-{}-{}-{}", segment.first, segment.end(), head.change);
    let (temporary, target) = (folder.join(format!("{name}.{UNFINISHED}")), folder.join(&name));
    let mut bytes = written(segment, head);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    let mut file = File::create(&temporary)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &target)?;
    File::open(folder)?.sync_all()?;
    for old in saved(folder)?.into_iter().filter(|old| *old != target) {
        let within = ends(&old).is_none_or(|(first, end)| segment.first <= first && end <= segment.end());
        if within {
            remove(&old)?;
        }
    }
    Ok(())
}

/// The first number and the end that a file's name says.
fn ends(path: &Path) -> Option<(u32, u32)> {
    let mut numbers = path.file_name()?.to_str()?.strip_prefix("graph-")?.split('-');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The graphs saved below `folder` that are whole, of this shape and not ahead of change `head.change`, by their passages.
pub(super) fn load(folder: &Path, head: Head) -> Vec<Segment> {
    let mut segments: Vec<(u64, Segment)> = Vec::new();
    let (unfinished, saved): (Vec<PathBuf>, _) = saved(folder).unwrap_or_default().into_iter().partition(|path| unfinished(path));
    for path in unfinished {
        remove_or_say(&path);
    }
    for path in saved {
        let loaded = verified(&path).and_then(|(found, segment)| {
            if found.change > head.change || (found.shape, found.dimension) != (head.shape, head.dimension) {
                return Err(Unfit::Foreign);
            }
            Ok((found.change, segment))
        });
        match loaded {
            Ok(segment) => segments.push(segment),
            Err(reason) => {
                tracing::warn!(path = %path.display(), %reason, "a saved graph is not used; it will be built again");
                // A later state of the library must not take it for its own.
                remove_or_say(&path);
            }
        }
    }
    // A process that was killed can leave a graph beside the one that took its passages in.
    segments.sort_by_key(|(change, segment)| std::cmp::Reverse((*change, segment.points)));
    let mut kept: Vec<Segment> = Vec::new();
    for (_, segment) in segments {
        if kept.iter().all(|other| segment.end() <= other.first || other.end() <= segment.first) {
            kept.push(segment);
        }
    }
    kept.sort_by_key(|segment| segment.first);
    kept
}

/// What is wrong with the graphs saved below `folder`. One that a killed process had not finished is nothing wrong.
pub(crate) fn look(folder: &Path) -> Vec<String> {
    let saved = saved(folder).unwrap_or_default();
    saved
        .iter()
        .filter(|path| !unfinished(path))
        .filter_map(|path| Some(format!("`{}`: {}", path.display(), verified(path).err()?)))
        .collect()
}

/// Why a file of a graph cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it is of another version")]
    OtherVersion,
    #[error("it contradicts itself")]
    Contradictory,
    #[error("it belongs to another state of the library")]
    Foreign,
}

fn verified(path: &Path) -> Result<(Head, Segment), Unfit> {
    let bytes = fs::read(path)?;
    let (body, sum) = bytes.split_at(bytes.len().saturating_sub(SUM));
    if body.len() < MAGIC.len() || Sha256::digest(body).as_slice() != sum {
        return Err(Unfit::Damaged);
    }
    let body = body.strip_prefix(MAGIC).ok_or(Unfit::OtherVersion)?;
    read(body).ok_or(Unfit::Contradictory)
}

fn written(segment: &Segment, head: Head) -> Vec<u8> {
    let Segment { first, starts, links, upper, entry, points } = segment;
    let number = |number: usize| u32::try_from(number).expect("passages are counted in 32 bits");
    #[expect(clippy::cast_possible_truncation, reason = "in two halves")]
    let change = [head.change as u32, (head.change >> 32) as u32];
    let mut numbers: Vec<u32> = vec![number(head.shape.connections), number(head.shape.build), number(head.dimension)];
    numbers.extend(change);
    numbers.extend([*first, *entry, number(*points), number(starts.len()), number(links.len()), number(upper.len())]);
    let mut bytes = MAGIC.to_vec();
    bytes.reserve(4 * (numbers.len() + starts.len() + links.len()));
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    put(&numbers);
    put(starts);
    put(links);
    for layer in upper {
        let mut passages: Vec<(&u32, &Vec<u32>)> = layer.iter().collect();
        passages.sort();
        put(&[number(passages.len())]);
        for (passage, links) in passages {
            put(&[*passage, number(links.len())]);
            put(links);
        }
    }
    bytes
}

/// Numbers that are yet to be read.
struct Numbers<'a>(&'a [[u8; 4]]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*first))
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.next()?).ok()
    }

    fn list(&mut self, count: usize) -> Option<Vec<u32>> {
        let (list, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(list.iter().map(|number| u32::from_le_bytes(*number)).collect())
    }
}

/// `None` when the numbers are no graph.
fn read(bytes: &[u8]) -> Option<(Head, Segment)> {
    let mut numbers = Numbers(bytes.as_chunks::<4>().0);
    let shape = Shape { connections: numbers.size()?, build: numbers.size()? };
    let dimension = numbers.size()?;
    let change = u64::from(numbers.next()?) | u64::from(numbers.next()?) << 32;
    let (first, entry, points) = (numbers.next()?, numbers.next()?, numbers.size()?);
    let (starts, links, layers) = (numbers.size()?, numbers.size()?, numbers.size()?);
    let (starts, links) = (numbers.list(starts)?, numbers.list(links)?);
    let mut upper = Vec::new();
    for _ in 0..layers {
        let mut layer = HashMap::new();
        for _ in 0..numbers.size()? {
            let (passage, count) = (numbers.next()?, numbers.size()?);
            layer.insert(passage, numbers.list(count)?);
        }
        upper.push(layer);
    }
    let passages = u32::try_from(starts.len().checked_sub(1)?).ok()?;
    let known = |links: &[u32]| links.iter().all(|slot| *slot < passages);
    let ordered = starts.is_sorted() && starts.last().is_some_and(|end| *end as usize == links.len());
    let upper_known = upper.iter().flatten().all(|(slot, links)| *slot < passages && known(links));
    let sound = ordered && known(&links) && upper_known && entry < passages.max(1) && first.checked_add(passages).is_some();
    sound.then_some((Head { shape, dimension, change }, Segment { first, starts, links, upper, entry, points }))
}

/// Saved graphs and what was left of some.
fn saved(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("graph-") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a graph was still being written when its process ended.
fn unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == UNFINISHED)
}

fn remove_or_say(path: &Path) {
    if let Err(error) = remove(path) {
        tracing::warn!(path = %path.display(), %error, "a saved graph that is not used could not be removed");
    }
}

/// Earlier versions kept a graph in a folder.
fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_graph_is_the_same_and_one_that_was_cut_or_turned_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let layer = HashMap::from([(1, vec![0, 2]), (0, vec![1])]);
        let segment =
            Segment { first: 7, starts: vec![0, 2, 2, 3], links: vec![1, 2, 0], upper: vec![layer], entry: 1, points: 3 };
        let head = Head { shape: Shape { connections: 4, build: 9 }, dimension: 8, change: 1 << 40 };
        save(&segment, head, folder.path()).unwrap();
        let path = saved(folder.path()).unwrap().remove(0);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(verified(&path).unwrap(), (head, segment));
        assert_eq!(load(folder.path(), head).len(), 1);
        for at in 0..bytes.len() {
            let mut turned = bytes.clone();
            turned[at] ^= 4;
            fs::write(&path, turned).unwrap();
            assert!(verified(&path).is_err(), "{at}");
            fs::write(&path, &bytes[..at]).unwrap();
            assert!(verified(&path).is_err(), "{at}");
        }
        // What is not used is removed, and so is what is ahead of the library.
        assert!(load(folder.path(), head).is_empty() && saved(folder.path()).unwrap().is_empty());
        fs::write(&path, &bytes).unwrap();
        assert!(load(folder.path(), Head { change: 3, ..head }).is_empty() && !path.exists());
        // A write that was cut off is no damage, and goes.
        let unfinished = path.with_extension(UNFINISHED);
        fs::write(&unfinished, &bytes[..40]).unwrap();
        assert!(look(folder.path()).is_empty());
        assert!(load(folder.path(), head).is_empty() && !unfinished.exists());
    }
}
