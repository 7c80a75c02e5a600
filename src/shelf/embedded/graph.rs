//! The graph of vectors: the only file that knows `hnsw_rs`.
//!
//! The graph is a cache. It is saved into a fresh folder with a manifest that
//! names its files' checksums and the change that it has reached; nothing is
//! handed to the loader before it is verified, for the loader may panic or end the
//! process on damaged files. It cannot delete: what is gone is filtered by the view.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use hnsw_rs::anndists::dist::Distance;
use hnsw_rs::hnsw::Hnsw;
use hnsw_rs::hnswio::HnswIo;
use hnsw_rs::prelude::AnnT as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::flat::{Flat, Point};
use crate::read::files::hex;
use crate::shelf::{Error, PassageId};

/// `1 - cosine`, never below zero: the crate's own asserts on rounding errors.
/// The name of this type is written into saved graphs; renaming it makes them unreadable.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UnitDistance;

impl Distance<f32> for UnitDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        (1.0 - crate::embed::dot(a, b)).max(0.0)
    }
}

/// How the graph is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Connections a passage keeps.
    pub(super) connections: usize,
    /// Candidates held while building.
    pub(super) build: usize,
    /// Numbers in a vector.
    pub(super) dimension: usize,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    shape: Shape,
    change: u64,
    end: PassageId,
    points: usize,
    files: Vec<(String, u64, String)>,
}

/// A graph, in memory.
pub(super) struct Graph {
    flat: Flat,
    /// The first passage that came after it.
    end: PassageId,
}

impl Graph {
    /// Builds a graph of `vectors` on all cores, saves it below `folder` as what `change` has reached,
    /// and keeps the view that questions walk.
    pub(super) fn build(shape: Shape, vectors: &[(PassageId, &[f32])], change: u64, folder: &Path) -> Result<Self, Error> {
        const LAYERS: usize = 16;
        let hnsw = Hnsw::new(shape.connections, vectors.len().max(1), LAYERS, shape.build, UnitDistance);
        let rows: Vec<(&[f32], usize)> = vectors.iter().map(|(id, row)| (*row, *id as usize)).collect();
        hnsw.parallel_insert_slice(&rows);
        let end = vectors.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
        save(&hnsw, Manifest { shape, change, end, points: hnsw.get_nb_point(), files: vec![] }, folder)?;
        Ok(Self { flat: flattened(&hnsw, shape.dimension), end })
    }

    /// Points in it, those that are gone included.
    pub(super) fn points(&self) -> usize {
        self.flat.points()
    }

    /// The first passage that came after it was built.
    pub(super) fn end(&self) -> PassageId {
        self.end
    }

    /// What questions walk.
    pub(super) fn flat(&self) -> &Flat {
        &self.flat
    }

    /// The graph saved below `folder`, if it is whole, of this shape, and not ahead of `newest`.
    pub(super) fn load(folder: &Path, shape: Shape, newest: u64) -> Option<Self> {
        let saved = saved(folder).ok()?;
        saved.iter().rev().find_map(|path| match Self::load_from(path, shape, newest) {
            Ok(graph) => Some(graph),
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "the saved graph is not used; it will be built again");
                // A later state of the library must not take it for its own.
                if let Err(error) = remove(path) {
                    tracing::warn!(path = %path.display(), %error, "and could not be removed");
                }
                None
            }
        })
    }

    fn load_from(path: &Path, shape: Shape, newest: u64) -> Result<Self, String> {
        let manifest = verified(path)?;
        if manifest.shape != shape || manifest.change > newest {
            return Err("it belongs to another state of the library".to_owned());
        }
        let name = manifest.files.first().and_then(|(file, ..)| file.strip_suffix(".hnsw.graph")).ok_or("no files")?;
        // The loaded graph borrows its loader; one is leaked at each start, a few hundred bytes.
        let mut loader: Option<&'static mut HnswIo> = Some(Box::leak(Box::new(HnswIo::new(path, name))));
        let load = AssertUnwindSafe(move || loader.take().map(HnswIo::load_hnsw::<f32, UnitDistance>));
        let attempt = catch_unwind(load).map_err(|_| "the loader panicked".to_owned())?;
        let hnsw = attempt.ok_or("no loader")?.map_err(|error| error.to_string())?;
        if hnsw.get_nb_point() != manifest.points {
            return Err("points are missing".to_owned());
        }
        Ok(Self { flat: flattened(&hnsw, shape.dimension), end: manifest.end })
    }
}

/// What is wrong with the graphs saved below `folder`.
pub(super) fn look(folder: &Path) -> Vec<String> {
    let saved = saved(folder).unwrap_or_default();
    saved.iter().filter_map(|path| Some(format!("`{}`: {}", path.display(), verified(path).err()?))).collect()
}

/// The manifest of the graph in `path`, when its files are what it says.
fn verified(path: &Path) -> Result<Manifest, String> {
    let text = fs::read(path.join("manifest.json")).map_err(|error| error.to_string())?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    for (file, length, sha256) in &manifest.files {
        let found = fingerprint(&path.join(file)).map_err(|error| error.to_string())?;
        if found != (*length, sha256.clone()) {
            return Err(format!("`{file}` is damaged"));
        }
    }
    Ok(manifest)
}

/// Writes a graph below `folder`; earlier ones go when it is safe.
fn save(hnsw: &Hnsw<'_, f32, UnitDistance>, mut manifest: Manifest, folder: &Path) -> Result<(), Error> {
    let temporary = folder.join(format!("graph-{}.tmp", manifest.change));
    let target = folder.join(format!("graph-{}", manifest.change));
    remove(&temporary)?;
    fs::create_dir_all(&temporary)?;
    let name = hnsw.file_dump(&temporary, "graph").map_err(|error| std::io::Error::other(error.to_string()))?;
    for suffix in ["hnsw.graph", "hnsw.data"] {
        let file = format!("{name}.{suffix}");
        let (length, sha256) = fingerprint(&temporary.join(&file))?;
        File::open(temporary.join(&file))?.sync_all()?;
        manifest.files.push((file, length, sha256));
    }
    let text = serde_json::to_vec(&manifest).expect("a manifest is numbers and names");
    fs::write(temporary.join("manifest.json"), text)?;
    File::open(temporary.join("manifest.json"))?.sync_all()?;
    remove(&target)?;
    fs::rename(&temporary, &target)?;
    File::open(folder)?.sync_all()?;
    for old in saved(folder)? {
        if old != target {
            remove(&old)?;
        }
    }
    Ok(())
}

/// The view of a built graph.
fn flattened(hnsw: &Hnsw<'_, f32, UnitDistance>, dimension: usize) -> Flat {
    let index = hnsw.get_point_indexation();
    let id = |id: usize| PassageId::try_from(id).unwrap_or(PassageId::MAX);
    let points: Vec<_> =
        (0..=usize::from(index.get_max_level_observed())).flat_map(|layer| index.get_layer_iterator(layer)).collect();
    let points: Vec<Point<'_>> = points
        .iter()
        .map(|point| {
            let layers = point.get_neighborhood_id();
            let neighbours = layers.iter().map(|layer| layer.iter().map(|neighbour| id(neighbour.d_id)).collect());
            Point { passage: id(point.get_origin_id()), vector: point.get_v(), neighbours: neighbours.collect() }
        })
        .collect();
    Flat::of(&points, dimension)
}

/// Saved graphs, the oldest first.
fn saved(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(change) = name.strip_prefix("graph-").and_then(|rest| rest.trim_end_matches(".tmp").parse::<u64>().ok()) {
            found.push((change, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fingerprint(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let read = std::io::Read::read(&mut file, &mut buffer)?;
        if read == 0 {
            return Ok((length, hex(&hash.finalize())));
        }
        hash.update(&buffer[..read]);
        length += read as u64;
    }
}
