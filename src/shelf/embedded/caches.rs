//! Bringing the caches up to the last change: vectors in memory, the graph, the index of words.

use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, params};

use super::graph::{Graph, Shape};
use super::view::{Block, PassageSet, View};
use super::words::{self, Words};
use super::{Shelf, WORDS, database, held, rows, sums};
use crate::embed::UnitVector;
use crate::shelf::{Error, PassageId};

/// Passages that are read from the database at once.
const ROWS: usize = 1024;

impl Shelf {
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
