//! What the styles of a DOCX say of their paragraphs: headings and how deep, titles, tables of contents.

use std::collections::HashMap;

use crate::read::xml::Element;

/// Styles that are based on each other.
const LONGEST_CHAIN: usize = 16;

/// What a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Text,
    Title,
    Heading(u8),
    /// An entry of the table of contents: it says what stands elsewhere.
    Contents,
}

#[derive(Default)]
struct Style {
    name: String,
    parent: Option<String>,
    outline: Option<u8>,
}

/// The styles of a document, by id.
#[derive(Default)]
pub(super) struct Styles(HashMap<String, Style>);

impl Styles {
    /// The styles that `word/styles.xml` defines.
    pub(super) fn of(tree: &Element<'_>) -> Self {
        let one = |style: &Element<'_>| {
            let value = |element: Option<&Element<'_>>| element.and_then(|element| element.attribute("val"));
            let read = Style {
                name: value(style.child("name")).unwrap_or_default().to_lowercase(),
                parent: value(style.child("basedOn")),
                outline: style.child("pPr").and_then(outline),
            };
            Some((style.attribute("styleId")?, read))
        };
        Self(tree.all("style").into_iter().filter_map(one).collect())
    }

    /// What a paragraph with these properties is.
    pub(super) fn role(&self, properties: Option<&Element<'_>>) -> Role {
        let own = properties.and_then(outline);
        let id = properties.and_then(|properties| properties.child("pStyle")).and_then(|style| style.attribute("val"));
        let named = id.map_or(Role::Text, |id| self.role_of(&id));
        match own {
            Some(level) if level < 9 && named == Role::Text => Role::Heading(level + 1),
            _ => named,
        }
    }

    fn role_of(&self, id: &str) -> Role {
        let mut id = id;
        for _ in 0..LONGEST_CHAIN {
            let Some(style) = self.0.get(id) else { return by_name(&id.to_lowercase()) };
            let named = by_name(&style.name);
            if named != Role::Text {
                return named;
            }
            if let Some(level) = style.outline {
                return if level < 9 { Role::Heading(level + 1) } else { Role::Text };
            }
            let Some(parent) = &style.parent else { break };
            id = parent;
        }
        Role::Text
    }
}

fn outline(properties: &Element<'_>) -> Option<u8> {
    properties.child("outlineLvl")?.attribute("val")?.parse().ok()
}

/// What a style's name says: names are in English whatever the language of the program.
fn by_name(name: &str) -> Role {
    let level = |prefix: &str| name.strip_prefix(prefix)?.trim().parse::<u8>().ok().filter(|level| (1..=9).contains(level));
    match name {
        "title" => Role::Title,
        "toc heading" | "contents heading" => Role::Contents,
        _ if level("toc").or(level("contents")).is_some() => Role::Contents,
        _ => level("heading").map_or(Role::Text, Role::Heading),
    }
}
