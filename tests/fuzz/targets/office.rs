//! As `properties/office.rs` says.
#![no_main]

#[path = "../properties/office.rs"]
mod office;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| office::hold(data));
