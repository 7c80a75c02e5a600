//! All integration tests, one file a subject. Each uses the real model, the real
//! SQLite and the real indexes; none needs a network or a fixed port.

#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a test that cannot go on shall fail, and short code reads better"
)]

mod bad_input;
mod collection;
mod collections;
mod deadlines;
mod documents;
mod endpoint;
mod eval;
mod formats;
mod gone;
mod hostile;
mod http;
mod hub;
mod kill;
mod kinds;
mod limits;
mod living;
mod model;
mod mutated;
mod openapi;
mod operations;
mod pages;
mod printed;
mod reader;
mod reembed;
mod rights;
mod rooms;
mod service;
mod shelf;
mod states;
mod vectors;
mod whole;
mod wire;
mod writers;
mod written;
