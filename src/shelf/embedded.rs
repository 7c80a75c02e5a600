//! The shelf in a folder: SQLite, and two caches of it.
//!
//! [`Shelf::commit`] writes one source in one transaction; once it returns, nothing
//! short of a broken disk loses it. [`Shelf::refresh`] brings the graph and the
//! index of words up to the last change and swaps in a new [`View`]. Opening does
//! the same, so that a killed process leaves nothing behind that matters.

mod backup;
pub mod beside;
mod database;
mod flat;
mod graph;
pub mod inspect;
mod jobs;
mod lock;
mod rows;
mod schema;
mod sums;
mod view;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rusqlite::{Connection, params};

use self::graph::{Graph, Shape};
use self::view::{Block, PassageSet};
use self::words::Words;
use super::{
    Change, Counts, Error, Filter, Identity, Incoming, Job, KeptTokens, KnownSource, Neighbor, NewPassage, PassageId,
    StoredArticle, StoredPassage,
};
use crate::article::{ArticleId, Source};
use crate::embed::UnitVector;
use crate::settings;

pub use self::backup::{backup, restore};
pub use self::view::View;

/// The folder of the index of words, below the data folder.
const WORDS: &str = "words";

/// Passages that are read from the database at once.
const ROWS: usize = 1024;

/// The new passages of a version of an article.
pub type Passages<'a> = dyn FnMut(&ArticleId, u32) -> Result<Vec<NewPassage>, Error> + 'a;

/// A shelf, open.
pub struct Shelf {
    folder: PathBuf,
    identity: Identity,
    search: settings::Search,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    words: Mutex<Words>,
    view: RwLock<Arc<View>>,
    _lock: lock::Lock,
}

/// Poison means that a thread panicked; what these locks guard is whole at every moment.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// Opens the shelf in `folder`, or begins one; its caches are verified and brought up to date.
    pub fn open(folder: &Path, identity: Identity, search: settings::Search) -> Result<Self, Error> {
        Self::open_with(folder, identity, search, database::claim)
    }

    /// Opens a shelf that another model filled, to fill it anew.
    pub fn open_for_reembedding(folder: &Path, identity: Identity, search: settings::Search) -> Result<Self, Error> {
        Self::open_with(folder, identity, search, |_, _, _| Ok(()))
    }

    fn open_with(
        folder: &Path,
        identity: Identity,
        search: settings::Search,
        claim: impl Fn(&Connection, &Identity, &Path) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|reason| Error::Folder { folder: folder.display().to_string(), reason })?;
        let lock = lock::Lock::take(folder)?;
        let writer = database::open(folder)?;
        claim(&writer, &identity, folder)?;
        let newest = database::last_change(&writer)?;
        if let Some(seen) = words::reached_in(&folder.join(WORDS)).filter(|seen| *seen > newest) {
            // Caches follow what is safely on the disk: the database has lost what they have seen.
            let reason = format!("it ends at change {newest}, and change {seen} was made: this is an older state of it");
            return Err(Error::Damaged { file: folder.join(database::FILE).display().to_string(), reason });
        }
        let words = Words::open(&folder.join(WORDS))?;
        // The dictionary takes a moment to load; the first question shall not wait for it.
        std::thread::spawn(|| super::terms::terms("词典"));
        let dimension = identity.model.dimension;
        let shape = Shape { connections: search.graph_connections, build: search.graph_build, dimension };
        let view = View {
            change: 0,
            dimension,
            blocks: vec![],
            live: Arc::default(),
            graph: Graph::load(folder, shape, newest).map(Arc::new),
            words: words.searcher(),
            exact_below: search.exact_below,
            effort: search.graph_search,
        };
        let shelf = Self {
            folder: folder.to_owned(),
            identity,
            search,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            words: Mutex::new(words),
            view: RwLock::new(Arc::new(view)),
            _lock: lock,
        };
        shelf.refresh()?;
        Ok(shelf)
    }

    /// What the shelf was filled with.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The folder that holds it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes `change` whole or not at all. It survives whatever comes; questions see it after [`Self::refresh`].
    pub fn commit(&self, change: &Change) -> Result<(), Error> {
        database::commit(&mut held(&self.writer), change)?;
        Ok(())
    }

    /// Makes a new version of an article, in the source that it is in.
    pub fn amend(&self, incoming: &Incoming) -> Result<(), Error> {
        database::amend(&mut held(&self.writer), incoming)?;
        Ok(())
    }

    /// Removes an article; `false` when there is none. Questions do not see it after [`Self::refresh`].
    pub fn remove_article(&self, id: &ArticleId, purge: bool) -> Result<bool, Error> {
        Ok(database::remove_article(&mut held(&self.writer), id, purge)?)
    }

    /// Removes a source and its articles. Questions do not see them after [`Self::refresh`].
    pub fn remove(&self, location: &str) -> Result<(), Error> {
        database::remove(&mut held(&self.writer), location)?;
        Ok(())
    }

    /// Replaces all passages: the shelf is of its new identity afterwards, or wholly of the old one.
    pub fn replace_passages(&self, made: &mut Passages<'_>) -> Result<(), Error> {
        database::replace_passages(&mut held(&self.writer), &self.identity, made)
    }

    /// Keeps `sources` as job `id`, whole or not at all.
    pub fn add_job(&self, id: &str, created: i64, sources: &[Source]) -> Result<(), Error> {
        Ok(jobs::add(&mut held(&self.writer), id, created, sources)?)
    }

    /// Writes down how far `job` has come, and lets go of the source of it that was `read`.
    pub fn note_job(&self, job: &Job, read: Option<usize>) -> Result<(), Error> {
        Ok(jobs::note(&mut held(&self.writer), job, read)?)
    }

    /// Ends a job that has not ended; `false` when there is none such.
    pub fn cancel_job(&self, id: &str) -> Result<bool, Error> {
        Ok(jobs::cancel(&mut held(&self.writer), id)?)
    }

    /// The job of this id.
    pub fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        self.read(|connection| jobs::one(connection, id))
    }

    /// The latest jobs, the last begun first.
    pub fn jobs(&self, limit: usize) -> Result<Vec<Job>, Error> {
        self.read(|connection| jobs::latest(connection, limit))
    }

    /// The first job that has not ended.
    pub fn next_job(&self) -> Result<Option<Job>, Error> {
        self.read(jobs::next)
    }

    /// The first source of a job that has not been read, and its place.
    pub fn job_source(&self, job: &str) -> Result<Option<(usize, Source)>, Error> {
        self.read(|connection| jobs::source(connection, job))
    }

    /// Brings the caches up to the last change and swaps in a view of it.
    pub fn refresh(&self) -> Result<(), Error> {
        let writer = held(&self.writer);
        let newest = database::last_change(&writer)?;
        let old = self.view();
        if old.change == newest && newest > 0 {
            return Ok(());
        }
        let words = self.update_words(&writer, newest)?;
        let (block, added) = self.load_block(&writer, old.change)?;
        let mut live = PassageSet::clone(&old.live);
        for id in added {
            live.insert(id);
        }
        for id in removed_since(&writer, old.change)? {
            live.remove(id);
        }
        let mut blocks = old.blocks.clone();
        blocks.extend(block.map(Arc::new));
        let graph = self.grow_graph(old.graph.as_ref(), &blocks, &live, newest)?;
        let view = View {
            change: newest,
            dimension: old.dimension,
            blocks,
            live: Arc::new(live),
            graph,
            words,
            exact_below: old.exact_below,
            effort: old.effort,
        };
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        Ok(())
    }

    /// Brings the index of words up to `newest`. A killed process can leave files in
    /// it that stand in the way of the next commit; it is a cache, and built anew.
    fn update_words(&self, connection: &Connection, newest: u64) -> Result<words::WordSearcher, Error> {
        let mut words = held(&self.words);
        if let Err(error) = replay(connection, &words, newest) {
            tracing::warn!(%error, "the index of words is built again");
            *words = Words::anew(&self.folder.join(WORDS))?;
            replay(connection, &words, newest)?;
        }
        Ok(words.searcher())
    }

    /// Vectors of passages added after `change`, and the numbers of those that are current.
    fn load_block(&self, connection: &Connection, change: u64) -> Result<(Option<Block>, Vec<PassageId>), Error> {
        let dimension = self.identity.model.dimension;
        let sql = format!("SELECT id, vector, removed, sum IS {} FROM passages WHERE added > ?1 ORDER BY id", sums::PASSAGE);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([change])?;
        let (mut block, mut added) = (None::<Block>, Vec::new());
        while let Some(row) = rows.next()? {
            let id: PassageId = row.get(0)?;
            let block = block.get_or_insert_with(|| Block { first: id, rows: Vec::new() });
            // Numbers are dense but for passages that another change holds.
            block.rows.resize((id - block.first) as usize * dimension, 0.0);
            let bytes: Option<Vec<u8>> = row.get(1)?;
            let vector = bytes.and_then(|bytes| UnitVector::from_bytes(&bytes, dimension));
            match vector {
                Some(vector) => block.rows.extend_from_slice(vector.as_slice()),
                None => block.rows.resize(block.rows.len() + dimension, 0.0),
            }
            if row.get::<_, Option<i64>>(2)?.is_none() {
                if !row.get::<_, bool>(3)? {
                    let file = self.folder.join(database::FILE).display().to_string();
                    return Err(Error::Damaged { file, reason: format!("passage {id} is not as it was written") });
                }
                added.push(id);
            }
        }
        Ok((block, added))
    }

    /// The graph with all live passages, `None` while there are so few that a scan is better.
    fn grow_graph(
        &self,
        old: Option<&Arc<Graph>>,
        blocks: &[Arc<Block>],
        live: &PassageSet,
        newest: u64,
    ) -> Result<Option<Arc<Graph>>, Error> {
        if live.len() <= self.search.exact_below {
            return Ok(None);
        }
        let dimension = self.identity.model.dimension;
        let rows = || {
            blocks
                .iter()
                .flat_map(|block| (block.first..).zip(block.rows.chunks_exact(dimension)))
                .filter(|(id, _)| live.contains(*id))
        };
        if let Some(graph) = old {
            let held = live.len_before(graph.end());
            // A few that it lacks are scanned, those that are gone are filtered: building takes minutes.
            if live.len() - held <= self.search.exact_below / 2 && held * 2 >= graph.points() {
                return Ok(Some(Arc::clone(graph)));
            }
        }
        let shape = Shape { connections: self.search.graph_connections, build: self.search.graph_build, dimension };
        // hnsw_rs cannot take points out.
        let graph = Graph::build(shape, &rows().collect::<Vec<_>>(), newest, &self.folder)?;
        Ok(Some(Arc::new(graph)))
    }

    /// The state that questions see.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(&self, with: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let idle = held(&self.readers).pop();
        let connection = idle.map_or_else(|| database::connect(&self.folder), Ok)?;
        let result = with(&connection);
        held(&self.readers).push(connection);
        Ok(result?)
    }

    /// How much is kept.
    pub fn counts(&self) -> Result<Counts, Error> {
        self.read(database::counts)
    }

    /// All sources.
    pub fn sources(&self) -> Result<Vec<KnownSource>, Error> {
        self.read(database::sources)
    }

    /// One source, by its location.
    pub fn source(&self, location: &str) -> Result<Option<KnownSource>, Error> {
        self.read(|connection| database::source(connection, location))
    }

    /// An article, in the version asked for or the latest.
    pub fn article(&self, id: &str, version: Option<u32>) -> Result<Option<StoredArticle>, Error> {
        self.read(|connection| rows::article(connection, id, version))
    }

    /// Current articles, in the order of their sources.
    pub fn articles(&self, offset: usize, limit: usize) -> Result<Vec<StoredArticle>, Error> {
        self.read(|connection| rows::articles(connection, offset, limit))
    }

    /// Lines of a source that are in no article: line, text, reason.
    pub fn left_out(&self, path: &str) -> Result<Vec<(u32, String, String)>, Error> {
        self.read(|connection| rows::left_out(connection, path))
    }

    /// The tokens of passages, in the order asked for; `None` for one that was kept without.
    pub fn tokens(&self, ids: &[PassageId]) -> Result<Vec<KeptTokens>, Error> {
        self.read(|connection| rows::tokens(connection, ids))
    }

    /// Passages with their words, in the order asked for.
    pub fn passages(&self, ids: &[PassageId]) -> Result<Vec<StoredPassage>, Error> {
        self.read(|connection| rows::passages(connection, ids))
    }

    /// The passages nearest in meaning, and those whose words fit best, each best first.
    pub fn search(
        &self,
        question: &str,
        vector: Option<&UnitVector>,
        count: usize,
        filter: &Filter,
    ) -> Result<(Vec<Neighbor>, Vec<Neighbor>), Error> {
        let view = self.view();
        let allowed = if filter.is_empty() { None } else { Some(Arc::new(self.allowed(&view, filter)?)) };
        let near = vector.map(|vector| view.nearest(vector, count, allowed.as_deref())).unwrap_or_default();
        let words = view.words(question, count, allowed)?;
        Ok((near, words))
    }

    /// The passages truly nearest to `vector`, by comparing all: what the graph is measured against.
    pub fn scan(&self, vector: &UnitVector, count: usize) -> Vec<Neighbor> {
        let view = self.view();
        view.scan(vector, count, &view.live)
    }

    /// Cosine similarity of each of `passages` with `vector`.
    pub fn similarities(&self, vector: &UnitVector, passages: &[PassageId]) -> Vec<f32> {
        self.view().similarities(vector, passages)
    }

    /// Cosine similarity of each of `passages` with `one`.
    pub fn cosines(&self, one: PassageId, passages: &[PassageId]) -> Vec<f32> {
        self.view().cosines(one, passages)
    }

    fn allowed(&self, view: &View, filter: &Filter) -> Result<PassageSet, Error> {
        let mut allowed = PassageSet::default();
        let ids = self.read(|connection| rows::allowed(connection, filter))?;
        ids.into_iter().filter(|id| view.live.contains(*id)).for_each(|id| allowed.insert(id));
        Ok(allowed)
    }
}

fn removed_since(connection: &Connection, change: u64) -> rusqlite::Result<Vec<PassageId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM passages WHERE removed > ?1")?;
    let rows = statement.query_map([change], |row| row.get(0))?;
    rows.collect()
}

/// Replays into the index of words what it has not seen.
fn replay(connection: &Connection, words: &Words, newest: u64) -> Result<(), Error> {
    let reached = words.reached();
    if reached == newest {
        return Ok(());
    }
    let mut statement = connection.prepare("SELECT id FROM passages WHERE added > ?1 AND removed IS NULL ORDER BY id")?;
    let added: Vec<PassageId> = statement.query_map(params![reached], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut passages = added.chunks(ROWS).flat_map(|ids| match rows::passages(connection, ids) {
        Ok(found) => found.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    words.update(&mut passages, &removed_since(connection, reached)?, newest)
}
