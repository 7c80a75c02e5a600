//! Letters that are written alike in searches, whatever their width, case, diacritics or form.

use unicode_normalization::UnicodeNormalization as _;

use super::is_unspaced;
use crate::article::Span;

/// A folded character and the bytes it came from.
#[derive(Clone, Copy)]
pub(super) struct Letter {
    pub(super) character: char,
    pub(super) span: Span,
}

/// The folded characters of `text`, with their bytes.
pub(super) fn fold(text: &str) -> Vec<Letter> {
    let mut folded: Vec<Letter> = Vec::with_capacity(text.len() / 2);
    for (start, original) in text.char_indices() {
        let span = Span::new(start, start + original.len_utf8());
        if original.is_ascii() {
            folded.push(Letter { character: original.to_ascii_lowercase(), span });
            continue;
        }
        // Han characters have one form, but for those of compatibility.
        if matches!(u32::from(original), 0x3400..=0x9fff) {
            folded.push(Letter { character: original, span });
            continue;
        }
        let compatible = std::iter::once(original).nfkc().flat_map(char::to_lowercase);
        for character in compatible {
            // Only the marks of European scripts are dropped: a Thai or Hindi vowel is a letter.
            let parts = if is_unspaced(character) || matches!(u32::from(character), 0x0900..) {
                Parts::Whole(character)
            } else {
                Parts::Split(character)
            };
            parts.push(span, &mut folded);
        }
    }
    let joined: String = folded.iter().map(|folded| folded.character).collect();
    // One character for one character, so offsets hold.
    let simplified = fast2s::convert(&joined);
    folded.iter_mut().zip(simplified.chars()).for_each(|(folded, character)| folded.character = character);
    folded
}

enum Parts {
    Whole(char),
    Split(char),
}

impl Parts {
    fn push(self, span: Span, folded: &mut Vec<Letter>) {
        match self {
            Self::Whole(character) => folded.push(Letter { character, span }),
            Self::Split(character) => {
                let letters = std::iter::once(character).nfd().filter(|part| !('\u{300}'..='\u{36f}').contains(part));
                folded.extend(letters.map(|character| Letter { character, span }));
            }
        }
    }
}
