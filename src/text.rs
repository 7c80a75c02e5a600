//! What is known of texts in every script: characters, sentences, languages, terms that can be found again.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `scripts` | which script a character belongs to |
//! | `sentences`, `shortened` | paragraphs and sentences, after UAX #29 |
//! | `language` | the language of a text, as a BCP 47 tag |
//! | `fold` | letters without width, case, diacritics and traditional forms |
//! | `terms` | what the index of words holds of a text |
//! | `hex` | bytes as hexadecimal digits |

mod fold;
mod hex;
mod language;
mod scripts;
mod sentences;
mod shortened;
pub mod terms;

pub use hex::hex;
pub use language::{language, sure_language};
pub use scripts::{is_han, is_unspaced};
pub(crate) use sentences::{divide, paragraphs, trimmed};
pub use sentences::{is_row, sentences, sentences_of};
