//! As `properties/bodies.rs` says.
#![no_main]

#[path = "../properties/bodies.rs"]
mod bodies;

use std::sync::LazyLock;

use bodies::Service;
use libfuzzer_sys::fuzz_target;

static MADE: LazyLock<Service> = LazyLock::new(|| Service::open(&tempfile::tempdir().expect("a folder").keep()));

fuzz_target!(|data: &[u8]| MADE.hold(data));
