//! Which script a character belongs to, by its place in Unicode.

/// A Chinese character, as Chinese, Japanese and Korean write them: the blocks of CJK ideographs.
pub fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

/// A character of a script that sets no spaces between words: Chinese, Japanese, Thai and their marks.
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0e00..=0x0eff | 0x1780..=0x17ff | 0x2e80..=0x9fff | 0xf900..=0xfaff | 0xff00..=0xffef | 0x20000..=0x3ffff)
        || matches!(c, '“' | '”' | '‘' | '’' | '…' | '—')
}
