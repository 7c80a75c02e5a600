//! XML → a tree of elements, by the parser `quick-xml`.
//!
//! Elements and attributes are known by their local names: the formats that are read here do not use one name in two
//! namespaces for things that both hold text. No document type is read, so that no entity is defined by a file, and
//! none is fetched: only the five of XML itself and numbers are resolved.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Error, charset};

/// Elements within elements.
const DEEPEST: usize = 256;
/// Elements and texts of one file; each takes some hundred bytes.
const MOST_NODES: usize = 4_000_000;

/// An element with what is inside.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
    /// Its elements and texts, in order.
    pub(super) children: Vec<Node<'a>>,
    /// The bytes of the file between its tags.
    pub(super) inside: Range<usize>,
}

/// What an element holds.
pub(super) enum Node<'a> {
    /// Another element.
    Element(Element<'a>),
    /// Text, its entities resolved.
    Text(Cow<'a, str>),
}

impl<'a> Element<'a> {
    fn new(start: BytesStart<'a>, at: usize) -> Self {
        Self { start, children: Vec::new(), inside: at..at }
    }

    /// Its local name.
    pub(super) fn name(&self) -> &str {
        std::str::from_utf8(self.start.local_name().into_inner()).unwrap_or_default()
    }

    /// The value of the attribute with this local name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut all = self.start.attributes();
        all.with_checks(false);
        let found = all.flatten().find(|attribute| attribute.key.local_name().into_inner() == name.as_bytes())?;
        let value = found.unescape_value().unwrap_or_else(|_| String::from_utf8_lossy(&found.value).into_owned().into());
        Some(value.into_owned())
    }

    /// The elements inside.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element inside with this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element<'a>> {
        self.elements().find(|element| element.name() == name)
    }

    /// The elements inside and below with this name, in order; none within another of them.
    pub(super) fn all<'b>(&'b self, name: &str) -> Vec<&'b Element<'a>> {
        let mut found = Vec::new();
        self.gather(name, &mut found);
        found
    }

    fn gather<'b>(&'b self, name: &str, found: &mut Vec<&'b Element<'a>>) {
        for element in self.elements() {
            if element.name() == name { found.push(element) } else { element.gather(name, found) }
        }
    }

    /// All its text, as one line.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.add_text(&mut text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All its text, as it stands.
    pub(super) fn raw_text(&self) -> String {
        let mut text = String::new();
        self.add_text(&mut text);
        text
    }

    fn add_text(&self, text: &mut String) {
        for node in &self.children {
            match node {
                Node::Element(element) => element.add_text(text),
                Node::Text(words) => text.push_str(words),
            }
        }
    }
}

/// An XML file's text, by the charset that it declares.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Error> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let declared = head.split_once("encoding=").and_then(|(_, after)| after.get(1..)?.split(['"', '\'']).next());
    charset::decode(bytes, declared).map(|decoded| decoded.text)
}

/// The tree of `text`: an element without a name that holds the outermost one.
///
/// # Errors
/// When it is not well-formed, nests too deeply or holds too much.
pub(super) fn parse(text: &str) -> Result<Element<'_>, Error> {
    let damaged = |what: &str| Error::Damaged(format!("its XML {what}"));
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::new(BytesStart::new(""), 0)];
    let mut nodes = 0;
    loop {
        let before = position(&reader);
        let event = reader.read_event().map_err(|error| damaged(&format!("is broken: {error}")))?;
        let node = match event {
            Event::Eof => break,
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(damaged(&format!("nests more than {DEEPEST} elements")));
                }
                open.push(Element::new(start, position(&reader)));
                continue;
            }
            Event::End(_) => {
                let Some(mut element) = open.pop().filter(|_| !open.is_empty()) else { break };
                element.inside.end = before;
                Node::Element(element)
            }
            Event::Empty(start) => Node::Element(Element::new(start, position(&reader))),
            Event::Text(text) => Node::Text(text.decode().map_err(|_| damaged("holds no text"))?),
            Event::CData(text) => Node::Text(text.decode().map_err(|_| damaged("holds no text"))?),
            Event::GeneralRef(entity) => Node::Text(resolved(&entity).into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
        };
        nodes += 1;
        if nodes > MOST_NODES {
            return Err(Error::TooMany { count: nodes, what: "XML elements", limit: MOST_NODES });
        }
        if let Some(parent) = open.last_mut() {
            parent.children.push(node);
        }
    }
    if open.len() > 1 {
        return Err(damaged("ends within an element"));
    }
    open.pop().ok_or_else(|| damaged("is empty"))
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// What an entity stands for; nothing for one that XML does not know by itself.
fn resolved(entity: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return character.to_string();
    }
    let name = entity.decode().unwrap_or_default();
    quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_its_texts_and_no_entity_of_the_file_is_resolved() {
        let text = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY y 'yy'>]>\n\
                    <w:a t='1 &lt; 2'><b>春&#x6c34;&amp;&x;&y;</b><c><![CDATA[<d>]]></c></w:a>";
        let tree = parse(text).unwrap();
        let a = tree.child("a").unwrap();
        assert_eq!((a.attribute("t").as_deref(), a.text().as_str()), (Some("1 < 2"), "春水&<d>"));
        assert_eq!(&text[a.child("b").unwrap().inside.clone()], "春&#x6c34;&amp;&x;&y;");
    }

    #[test]
    fn what_is_not_well_formed_or_nests_too_deeply_is_refused() {
        for text in ["<a><b></a>", "<a>", "<a", &"<a>".repeat(300)] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
