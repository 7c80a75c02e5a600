//! What serves: the app with its libraries, places for blocking work, connections, figures.

mod app;
pub(in crate::http) mod collections;
pub(in crate::http) mod connections;
mod current;
pub(in crate::http) mod library;
pub(in crate::http) mod metrics;
pub(in crate::http) mod pool;
pub(in crate::http) mod takeover;
mod watched;

pub(in crate::http) use app::host_of;
pub use app::{App, AppError};
