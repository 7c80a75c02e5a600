//! What is made of an encoder's last hidden states: a vector, a score, or a reading.

pub(super) mod dense;
pub(super) mod pooling;
pub(super) mod reader;
pub(super) mod reranker;
