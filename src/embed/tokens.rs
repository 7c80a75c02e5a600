//! A text's tokens, and the bytes of the text that each stands for.

use std::ops::Range;

use tokenizers::Tokenizer;

/// The tokens of a text.
#[derive(Debug, Default)]
pub(super) struct TextTokens {
    pub(super) ids: Vec<u32>,
    /// The bytes of each token without the spaces around them; empty for special tokens and for spaces.
    pub(super) bytes: Vec<Range<usize>>,
}

impl TextTokens {
    /// The tokens of `text`, with special ones where `special` says so. A text that cannot be tokenised has none.
    pub(super) fn of(tokenizer: &Tokenizer, text: &str, special: bool) -> Self {
        let Ok(encoding) = tokenizer.encode(text, special) else { return Self::default() };
        let places = encoding.get_offsets().iter().zip(encoding.get_special_tokens_mask());
        let bytes = places.map(|((from, to), special)| if *special == 1 { 0..0 } else { without_spaces(text, *from..*to) });
        Self { bytes: bytes.collect(), ids: encoding.get_ids().to_vec() }
    }

    /// The first `count` of them.
    pub(super) fn cut(mut self, count: usize) -> Self {
        self.ids.truncate(count);
        self.bytes.truncate(count);
        self
    }

    /// The tokens of each of `sentences`, byte ranges in order: those whose first byte lies in it.
    pub(super) fn of_sentences(&self, sentences: &[Range<usize>]) -> Vec<Vec<usize>> {
        let mut tokens = vec![vec![]; sentences.len()];
        for (token, bytes) in self.bytes.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
            let at = sentences.partition_point(|sentence| sentence.end <= bytes.start);
            if sentences.get(at).is_some_and(|sentence| sentence.contains(&bytes.start)) {
                tokens[at].push(token);
            }
        }
        tokens
    }
}

/// A range of `text` without the spaces at its ends.
fn without_spaces(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(part) = text.get(range.clone()) else { return range };
    let (before, after) = (part.len() - part.trim_start().len(), part.len() - part.trim_end().len());
    if before == part.len() { range.start..range.start } else { range.start + before..range.end - after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_the_sentence_of_its_first_byte() {
        let text = "a b。 c";
        let bytes = [0..0, 0..1, 1..3, 3..6, 6..7, 6..8].map(|range| without_spaces(text, range)).to_vec();
        assert_eq!(bytes, [0..0, 0..1, 2..3, 3..6, 6..6, 7..8]);
        let tokens = TextTokens { ids: vec![0; 6], bytes };
        assert_eq!(tokens.of_sentences(&[0..6, 6..6, 6..8]), [vec![1, 2, 3], vec![], vec![5]]);
        assert_eq!(tokens.of_sentences(&[0..2, 2..4]), [vec![1], vec![2, 3]]);
        assert_eq!(tokens.cut(2).of_sentences(&[0..6, 6..8]), [vec![1], vec![]]);
    }
}
