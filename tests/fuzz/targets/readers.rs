//! As `properties/readers.rs` says.
#![no_main]

#[path = "../properties/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readers::hold(data));
