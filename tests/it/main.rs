//! All integration tests, one file a subject. Each uses the real model, the real
//! SQLite and the real indexes; none needs a network or a fixed port.

mod bad_input;
mod http;
mod kill;
mod model;
mod pages;
mod rooms;
mod service;
mod shelf;
