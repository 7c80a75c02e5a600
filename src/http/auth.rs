//! Who may do what: keys, rights, how often a key may ask, and the log of changes.

pub(in crate::http) mod audit;
pub mod keys;
pub(in crate::http) mod rates;
pub(in crate::http) mod rights;
