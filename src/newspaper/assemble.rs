//! Drafts → articles, with the map back to the lines.

use std::collections::HashMap;

use super::drafts::{Cutting, Draft, Part};
use super::lines::Layout;
use super::{LeftOut, Page};
use crate::article::{Article, Builder, LineRange, Record, opening};
use crate::read::Decoded;

/// The page's articles, and every line that is in none of them.
pub(super) fn page(layout: &Layout, cutting: &Cutting, decoded: &Decoded) -> Page {
    let mut held = vec![false; layout.lines.len()];
    let articles: Vec<Article> = cutting.drafts.iter().filter_map(|draft| article(layout, draft, decoded, &mut held)).collect();
    let mut reasons: HashMap<usize, &'static str> = HashMap::new();
    for (index, reason) in &cutting.left_out {
        reasons.entry(*index).or_insert(reason);
    }
    let mut left_out: Vec<LeftOut> = Vec::new();
    for (index, line) in layout.lines.iter().enumerate().filter(|(index, _)| !held[*index]) {
        let reason = reasons.get(&index).copied().unwrap_or("not understood");
        left_out.push(LeftOut { line: line.number, text: line.text.clone(), reason });
    }
    Page { articles, left_out }
}

fn article(layout: &Layout, draft: &Draft, decoded: &Decoded, held: &mut [bool]) -> Option<Article> {
    if draft.parts.is_empty() {
        return None;
    }
    let mut builder = Builder::default();
    for part in &draft.parts {
        match part {
            Part::Paragraph(lines) => push(&mut builder, layout, lines),
            Part::Heading(lines) => {
                let start = builder.position();
                push(&mut builder, layout, lines);
                builder.heading_since(start, 2);
            }
        }
        builder.end_paragraph();
    }
    if let Some((_, lines)) = &draft.affiliation {
        push(&mut builder, layout, lines);
    }
    let affiliation_lines = draft.affiliation.iter().flat_map(|(_, lines)| lines);
    let body_lines = draft.parts.iter().flat_map(|part| match part {
        Part::Paragraph(lines) | Part::Heading(lines) => lines,
    });
    for line in body_lines.chain(&draft.title).chain(&draft.byline).chain(affiliation_lines) {
        held[*line] = true;
    }
    Some(builder.finish(record(layout, draft, decoded)))
}

/// Un-wraps `lines`: nothing between Chinese characters, a space between Latin words.
fn push(builder: &mut Builder, layout: &Layout, lines: &[usize]) {
    for (place, index) in lines.iter().enumerate() {
        let line = &layout.lines[*index];
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
        if place > 0 && latin(builder.text().chars().next_back()) && latin(line.text.chars().next()) {
            builder.push(" ", line.number);
        }
        builder.push(&line.text, line.number);
    }
}

fn record(layout: &Layout, draft: &Draft, decoded: &Decoded) -> Record {
    let mut notes = decoded.notes.clone();
    notes.extend(draft.notes.iter().cloned());
    let mut title: String = draft.title.iter().map(|index| layout.lines[*index].text.as_str()).collect();
    if draft.is_lead {
        notes.push("the lead of its page, not an article of its own".to_owned());
    }
    if title.is_empty() {
        title = opening(&draft.words(layout));
        notes.push("no headline was found: its first words stand for the title".to_owned());
    }
    Record {
        title,
        authors: draft.authors.clone(),
        affiliation: draft.affiliation.as_ref().map(|(text, _)| workplace(text)),
        encoding: decoded.encoding.to_owned(),
        notes,
        title_lines: range(layout, &draft.title),
        byline_lines: range(layout, &draft.byline),
        ..Record::default()
    }
}

/// "作者系…" without its first words; "作者分别系…" keeps them, for they say that there are several.
pub(super) fn workplace(text: &str) -> String {
    let bare = text.strip_prefix("本文").unwrap_or(text);
    let heads = ["作者单位：", "作者单位:", "作者系", "作者为", "作者是", "作者係", "作者為", "作者單位：", "作者："];
    let stripped = heads.iter().find_map(|head| bare.strip_prefix(head));
    stripped.unwrap_or(bare).trim().to_owned()
}

fn range(layout: &Layout, lines: &[usize]) -> Option<LineRange> {
    let numbers = || lines.iter().map(|index| layout.lines[*index].number);
    Some(LineRange { first: numbers().min()?, last: numbers().max()? })
}
