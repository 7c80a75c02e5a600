//! What stands before and behind every handler.

pub(in crate::http) mod edge;
pub(in crate::http) mod guard;
mod origin;
pub(in crate::http) mod shape;
