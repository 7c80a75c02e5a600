//! The stored form of an article's places on pages.
//!
//! One record a printed line, numbers little-endian: start (4 bytes), page (4), vertical (1), the two borders across
//! it (2 each), how many edges (4), the edges (2 each). A text without pages has no bytes.

use crate::article::{PageMap, PrintedLine, Quarter};

/// Bytes of a record before its edges.
const HEAD: usize = 17;

pub(super) fn to_bytes(places: &PageMap) -> Option<Vec<u8>> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::new();
    for line in places.lines() {
        bytes.extend(number(line.start));
        bytes.extend(line.page.to_le_bytes());
        bytes.push(u8::from(line.vertical));
        bytes.extend(line.across.iter().flat_map(|border| border.to_le_bytes()));
        bytes.extend(number(line.edges.len()));
        bytes.extend(line.edges.iter().flat_map(|edge| edge.to_le_bytes()));
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// `None` when the bytes are no such records.
pub(super) fn from_bytes(mut bytes: &[u8]) -> Option<PageMap> {
    let mut lines = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        let long = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let short = |at: usize| head.get(at..at + 2)?.try_into().ok().map(Quarter::from_le_bytes);
        let (start, count) = (usize::try_from(long(0)?).ok()?, usize::try_from(long(13)?).ok()?);
        let (edges, rest) = rest.split_at_checked(count.checked_mul(2)?)?;
        let edges = edges.as_chunks::<2>().0.iter().map(|edge| Quarter::from_le_bytes(*edge)).collect();
        lines.push(PrintedLine { start, page: long(4)?, vertical: head[8] != 0, across: [short(9)?, short(11)?], edges });
        bytes = rest;
    }
    if bytes.is_empty() { PageMap::from_lines(lines) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_as_they_were_and_damaged_ones_do_not() {
        let line = |start| PrintedLine { start, page: 70_000, vertical: start > 0, across: [1, 65_535], edges: vec![3, 9, 300] };
        let places = PageMap::from_lines(vec![line(0), line(6)]).unwrap();
        let bytes = to_bytes(&places).unwrap();
        assert_eq!(from_bytes(&bytes).unwrap(), places);
        assert_eq!((to_bytes(&PageMap::default()), from_bytes(&[])), (None, Some(PageMap::default())));
        assert!(from_bytes(&bytes[1..]).is_none() && from_bytes(&bytes[..bytes.len() - 1]).is_none());
    }
}
