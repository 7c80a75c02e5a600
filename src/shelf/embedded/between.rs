//! What a test does between two reads of a question.

use std::sync::Mutex;

use super::held;

/// What is done.
pub(crate) type Act = Box<dyn FnMut() + Send>;

/// What is done before each read, if anything.
#[derive(Default)]
pub(super) struct Between(Mutex<Option<Act>>);

impl Between {
    /// From now on does `act` before each read, or nothing.
    pub(super) fn set(&self, act: Option<Act>) {
        *held(&self.0) = act;
    }

    /// A read begins. What is done before it may read as well: that is no read of the question.
    pub(super) fn read_begins(&self) {
        let act = held(&self.0).take();
        if let Some(mut act) = act {
            act();
            self.set(Some(act));
        }
    }
}
