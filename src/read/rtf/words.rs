//! RTF's bytes → its words: groups, controls and characters.

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A group begins.
    Open,
    /// A group ends.
    Close,
    /// The group may be passed over.
    Optional,
    /// A control with its number.
    Control(&'a str, Option<i32>),
    /// A byte of text, in the file's charset.
    Byte(u8),
}

/// The words of `bytes`.
pub(super) fn words(bytes: &[u8]) -> Words<'_> {
    Words { rest: bytes }
}

/// The words that are left.
pub(super) struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'\r' | b'\n' | 0 => {}
                b'{' => return Some(Word::Open),
                b'}' => return Some(Word::Close),
                b'\\' => {
                    if let Some(word) = self.control() {
                        return Some(word);
                    }
                }
                byte => return Some(Word::Byte(*byte)),
            }
        }
    }
}

impl<'a> Words<'a> {
    /// The control whose backslash has been read; `None` for one that says nothing.
    fn control(&mut self) -> Option<Word<'a>> {
        let letters = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if letters == 0 {
            return self.symbol();
        }
        let (name, rest) = self.rest.split_at(letters);
        let signed = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[signed..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = if digits > 0 { signed + digits } else { 0 };
        let number = std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.parse().ok());
        self.rest = rest[length..].strip_prefix(b" ").unwrap_or(&rest[length..]);
        let name = std::str::from_utf8(name).ok()?;
        if name == "bin" {
            let length = number.and_then(|length: i32| usize::try_from(length).ok()).unwrap_or(0);
            self.rest = self.rest.get(length..).unwrap_or_default();
            return None;
        }
        Some(Word::Control(name, number))
    }

    fn symbol(&mut self) -> Option<Word<'a>> {
        let (sign, rest) = self.rest.split_at_checked(1)?;
        self.rest = rest;
        match sign[0] {
            b'*' => Some(Word::Optional),
            b'\'' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                self.rest = rest.get(2..).unwrap_or_default();
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(Word::Byte)
            }
            b'\r' | b'\n' => Some(Word::Control("par", None)),
            b'{' | b'}' | b'\\' | b'~' | b'_' => std::str::from_utf8(sign).ok().map(|sign| Word::Control(sign, None)),
            _ => None,
        }
    }
}
