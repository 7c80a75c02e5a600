//! As `properties/stored.rs` says.
#![no_main]

#[path = "../properties/stored.rs"]
mod stored;

use std::sync::LazyLock;

use stored::Written;
use libfuzzer_sys::fuzz_target;

static MADE: LazyLock<Written> = LazyLock::new(|| Written::into(&tempfile::tempdir().expect("a folder").keep()));

fuzz_target!(|data: &[u8]| MADE.hold(data));
