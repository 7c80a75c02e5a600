//! Graphs are built beside questions: the view has them from the moment on when they are done.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{Shelf, View, held};
use crate::shelf::{Error, PassageId};

/// What a thread that builds graphs shares with the shelf.
pub(super) struct Growing {
    pub(super) folder: PathBuf,
    pub(super) view: RwLock<Arc<View>>,
    /// Held while graphs are built.
    pub(super) building: Mutex<()>,
    /// Whether a thread waits to build, and will see all that is there when its turn comes.
    pub(super) waiting: AtomicBool,
    /// Whether the shelf is being closed: a graph that is not done is given up.
    pub(super) closing: AtomicBool,
}

impl Growing {
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a view of the one that there is at this moment.
    pub(super) fn swap(&self, make: impl FnOnce(&View) -> View) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        *view = Arc::new(make(&view));
    }

    /// Gives up the graph that is being built; none is written once this returns.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        drop(held(&self.building));
    }

    /// Builds what is wanting, graph after graph; `told` hears how many passages each takes in.
    fn settle(&self, told: &dyn Fn(usize)) -> Result<(), Error> {
        let _building = held(&self.building);
        self.waiting.store(false, Ordering::SeqCst);
        loop {
            let view = self.view();
            let Some(range) = view.vectors.wanting(&view.live) else { return Ok(()) };
            told(view.live.count_within(range.start, range.end));
            let going = || !self.closing.load(Ordering::SeqCst);
            let Some(segment) = view.vectors.build(range, &view.live, &going) else { return Ok(()) };
            view.vectors.save(&segment, view.change, &self.folder)?;
            self.swap(|newest| View { vectors: newest.vectors.clone().with_segment(segment), ..newest.clone() });
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // The lock goes with it: whoever opens the folder next finds it free.
        self.growing.close();
    }
}

impl Shelf {
    /// Waits until the graphs are as they should be; `told` hears how many passages go into each that is built.
    pub fn settle(&self, told: &dyn Fn(usize)) -> Result<(), Error> {
        self.growing.settle(told)
    }

    /// Lets the graphs become what they should be, beside all else.
    pub(super) fn settle_behind(&self) {
        let view = self.growing.view();
        if view.vectors.wanting(&view.live).is_none() || self.growing.waiting.swap(true, Ordering::SeqCst) {
            return;
        }
        let growing = Arc::clone(&self.growing);
        std::thread::spawn(move || {
            if let Err(error) = growing.settle(&|passages| tracing::debug!(passages, "building a graph")) {
                tracing::warn!(%error, "a graph could not be built; what it would hold is scanned");
            }
        });
    }

    /// The ranges of passages that graphs cover, in order.
    pub fn graphs(&self) -> Vec<std::ops::Range<PassageId>> {
        self.view().vectors.segments().iter().map(|segment| segment.first()..segment.end()).collect()
    }
}
