//! Blocks → one draft an article, and the headlines that stand apart.

use super::blocks::{Block, Kind};
use super::lines::Layout;
use super::{furniture, names};

/// A headline that may be a title: lines as indexes into the layout.
#[derive(Debug, Clone)]
pub(super) struct Headline {
    /// Its lines.
    pub(super) lines: Vec<usize>,
    /// The draft that begins right after it, and how near it stands: 1 alone above it.
    pub(super) above: Option<(usize, f32)>,
    /// It follows the one before it without a larger distance: they may be one.
    pub(super) joins_previous: bool,
}

/// A part of an article's body.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// A paragraph's lines.
    Paragraph(Vec<usize>),
    /// A section heading's lines.
    Heading(Vec<usize>),
}

/// One article in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// Its title's lines, once [`super::titles`] has found it.
    pub(super) title: Vec<usize>,
    /// Its authors.
    pub(super) authors: Vec<String>,
    /// The byline's lines.
    pub(super) byline: Vec<usize>,
    /// Its body, in order.
    pub(super) parts: Vec<Part>,
    /// The affiliation and its lines.
    pub(super) affiliation: Option<(String, Vec<usize>)>,
    /// It leads into the page and is none of its articles.
    pub(super) is_lead: bool,
    /// What was doubtful.
    pub(super) notes: Vec<String>,
}

impl Draft {
    /// Its paragraphs' words.
    pub(super) fn words(&self, layout: &Layout) -> String {
        let lines = self.parts.iter().flat_map(|part| match part {
            Part::Paragraph(lines) | Part::Heading(lines) => lines,
        });
        lines.map(|index| layout.lines[*index].text.as_str()).collect()
    }
}

/// A page, cut apart.
#[derive(Debug, Default)]
pub(super) struct Cutting {
    /// One for each article, in the order of the file.
    pub(super) drafts: Vec<Draft>,
    /// Headlines that are not yet anybody's.
    pub(super) headlines: Vec<Headline>,
    /// Lines that belong to no article, and why.
    pub(super) left_out: Vec<(usize, &'static str)>,
}

/// Cuts `blocks` into drafts.
pub(super) fn drafts(layout: &Layout, blocks: Vec<Block>) -> Cutting {
    let mut cutter = Cutter { layout, cutting: Cutting::default(), pending: Vec::new(), closed: true, label: Vec::new() };
    let mut blocks = blocks.into_iter().peekable();
    while let Some(block) = blocks.next() {
        let followed_by_text = matches!(blocks.peek().map(|next| &next.kind), Some(Kind::Paragraph | Kind::Head));
        cutter.take(block, followed_by_text);
    }
    cutter.finish()
}

struct Cutter<'a> {
    layout: &'a Layout,
    cutting: Cutting,
    /// Headlines since the last text.
    pending: Vec<Vec<usize>>,
    /// The last draft has had its end.
    closed: bool,
    /// A lead's label.
    label: Vec<usize>,
}

impl Cutter<'_> {
    fn take(&mut self, block: Block, followed_by_text: bool) {
        match block.kind {
            Kind::Furniture(reason) => self.cutting.left_out.extend(block.lines.iter().map(|line| (*line, reason))),
            Kind::LeadLabel => self.label.extend(block.lines),
            Kind::Head => self.pending.push(block.lines),
            Kind::Byline(authors) => self.byline(authors, block.lines, followed_by_text),
            Kind::Affiliation(text) => self.affiliation(text, block.lines),
            Kind::Paragraph => self.paragraph(block.lines),
        }
    }

    /// A byline begins an article, unless it stands at the end of one that has none.
    fn byline(&mut self, authors: Vec<String>, lines: Vec<usize>, followed_by_text: bool) {
        let closes = !self.closed && self.pending.is_empty();
        let unsigned = self.cutting.drafts.last().is_some_and(|draft| draft.authors.is_empty() && !draft.parts.is_empty());
        if closes && unsigned && (!followed_by_text || self.reads_on_after(&lines)) {
            if let Some(draft) = self.cutting.drafts.last_mut() {
                (draft.authors, draft.byline) = (authors, lines);
            }
            self.closed = true;
            return;
        }
        self.begin();
        if let Some(draft) = self.cutting.drafts.last_mut() {
            (draft.authors, draft.byline) = (authors, lines);
        }
    }

    /// Whether the line after a byline stands apart: then the byline ends what is before it.
    fn reads_on_after(&self, byline: &[usize]) -> bool {
        let next = byline.last().map_or(0, |last| last + 1);
        self.layout.is_apart(next) && !byline.first().is_some_and(|first| self.layout.is_apart(*first))
    }

    fn affiliation(&mut self, text: String, lines: Vec<usize>) {
        self.pending_as_headings();
        match self.cutting.drafts.last_mut() {
            Some(draft) if draft.affiliation.is_none() => draft.affiliation = Some((text, lines)),
            _ => self.cutting.left_out.extend(lines.iter().map(|line| (*line, "an affiliation without an article"))),
        }
        self.closed = true;
    }

    fn paragraph(&mut self, lines: Vec<usize>) {
        let text = &self.layout.lines[lines[0]].text;
        let reported = is_dispatch(text);
        let fresh = self.cutting.drafts.last().is_some_and(|draft| draft.parts.is_empty());
        // Distance begins an article only where nothing better would: among unsigned ones.
        let unsigned = self.cutting.drafts.last().is_some_and(|draft| draft.authors.is_empty());
        let apart = unsigned && self.pending.first().is_some_and(|head| self.layout.is_apart(head[0]));
        if self.closed || (!fresh && (reported || apart)) {
            self.begin();
        } else if fresh {
            // Between a byline and its text: the title, printed below the name.
            let draft = self.cutting.drafts.len() - 1;
            self.set_apart(Some(draft));
        } else {
            self.pending_as_headings();
        }
        let signed = lines.last().and_then(|last| names::closing_byline(&self.layout.lines[*last].text));
        let Some(draft) = self.cutting.drafts.last_mut() else { return };
        draft.parts.push(Part::Paragraph(lines));
        if let Some(authors) = signed
            && draft.authors.is_empty()
        {
            draft.authors = authors;
            self.closed = true;
        }
    }

    /// Begins a draft; the headlines just before it may be its title.
    fn begin(&mut self) {
        let draft = self.cutting.drafts.len();
        self.set_apart(Some(draft));
        self.cutting.drafts.push(Draft::default());
        self.closed = false;
    }

    fn set_apart(&mut self, above: Option<usize>) {
        let run = std::mem::take(&mut self.pending);
        let count = run.len();
        for (place, lines) in run.into_iter().enumerate() {
            let tight = place > 0 && self.layout.lines[lines[0]].gap <= self.layout.spacing.saturating_sub(1);
            let joins_previous = place > 0 && (tight || (self.layout.spacing == 0 && self.layout.lines[lines[0]].gap == 0));
            #[expect(clippy::cast_precision_loss, reason = "a handful of headlines")]
            let nearness = 1.0 / (count - place) as f32 / if place + 1 == count { (count as f32).sqrt() } else { 2.0 };
            let above = above.map(|draft| (draft, nearness));
            self.cutting.headlines.push(Headline { lines, above, joins_previous });
        }
    }

    /// In the middle of an article, a headline is a section heading.
    fn pending_as_headings(&mut self) {
        let run = std::mem::take(&mut self.pending);
        match self.cutting.drafts.last_mut() {
            Some(draft) => {
                let mut headings: Vec<Vec<usize>> = Vec::new();
                for lines in run {
                    let line = &self.layout.lines[lines[0]];
                    match headings.last_mut() {
                        Some(last) if self.layout.spacing == 0 && line.gap == 0 => last.extend(lines),
                        _ => headings.push(lines),
                    }
                }
                draft.parts.extend(headings.into_iter().map(Part::Heading));
            }
            None => self.pending = run,
        }
    }

    fn finish(mut self) -> Cutting {
        self.set_apart(None);
        self.cutting.drafts.retain(|draft| !draft.parts.is_empty() || !draft.byline.is_empty());
        self.find_lead();
        self.cutting
    }

    /// Text before the first of several signed articles leads into the page.
    fn find_lead(&mut self) {
        const LONGEST: usize = 500;
        let label = std::mem::take(&mut self.label);
        let words = self.cutting.drafts.first().map_or(0, |draft| draft.words(self.layout).chars().count());
        let all_others_signed = self.cutting.drafts.iter().skip(1).all(|draft| !draft.authors.is_empty());
        let several = self.cutting.drafts.len() > 1;
        match self.cutting.drafts.first_mut() {
            Some(first)
                if several
                    && first.authors.is_empty()
                    && first.affiliation.is_none()
                    && all_others_signed
                    && (!label.is_empty() || words < LONGEST) =>
            {
                first.is_lead = true;
                first.title = label;
            }
            _ => self.cutting.left_out.extend(label.iter().map(|line| (*line, "a label"))),
        }
    }
}

/// "本报讯", "新华社北京1月3日电": how a news item begins.
fn is_dispatch(text: &str) -> bool {
    let head: String = text.chars().take(24).collect();
    let desk = ["本报", "新华社", "本報", "新華社", "中新社", "据新华社"].iter().any(|word| head.starts_with(word));
    desk && ["讯", "电", "訊", "電"].iter().any(|word| head.contains(word))
}

impl Headline {
    /// Its words.
    pub(super) fn words(&self, layout: &Layout) -> String {
        self.lines.iter().map(|index| layout.lines[*index].text.as_str()).collect()
    }

    /// Whether it names a column and not an article.
    pub(super) fn is_column(&self, layout: &Layout) -> bool {
        furniture::looks_like_column(&self.words(layout))
    }
}
