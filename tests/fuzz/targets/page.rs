//! As `properties/page.rs` says.
#![no_main]

#[path = "../properties/page.rs"]
mod page;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| page::hold(data));
