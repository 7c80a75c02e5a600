//! A source → its articles, and an article → its passages with their vectors. Nothing is kept here.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Library, rules};
use crate::article::{Article, Passage, Record, Source};
use crate::background;
use crate::chunk;
use crate::deadline;
use crate::embed::{Embedded, Embedder, PassageText, UnitVector};
use crate::newspaper::{self, LeftOut};
use crate::read::{self, Reading};
use crate::settings::Settings;
use crate::shelf::{Content, Error, NewPassage, SentenceVectors};
use crate::text;

/// Passages that are embedded between two looks at the deadline.
const AT_ONCE: usize = 64;

/// What a source holds.
#[derive(Default)]
pub(super) struct SourceContent {
    pub(super) articles: Vec<Article>,
    /// Lines of a page that are in no article.
    pub(super) left_out: Vec<LeftOut>,
    /// Parts that cannot be used.
    pub(super) broken: Vec<read::Error>,
}

impl Library {
    pub(super) fn articles(&self, source: &Source) -> Result<SourceContent, read::Error> {
        let (reading, broken) = read::read(source)?;
        let mut found = match reading {
            Reading::Articles(articles) => SourceContent { articles, broken, ..SourceContent::default() },
            Reading::Plain(decoded) => match self.reconstruct(&decoded) {
                Some(page) => SourceContent { articles: page.articles, left_out: page.left_out, broken },
                None => SourceContent {
                    articles: vec![read::prose(decoded, read::stem(&source.path))],
                    broken,
                    ..SourceContent::default()
                },
            },
            Reading::Printed(document) => {
                let stem = read::stem(&source.path).to_owned();
                let page = read::bounded(move || newspaper::printed_articles(&document, &stem))?;
                SourceContent { articles: page.articles, left_out: page.left_out, broken }
            }
        };
        found.articles.iter_mut().for_each(Article::tidy);
        Ok(found)
    }

    /// Takes a newspaper page apart; each headline and body is embedded once, however many it is compared with.
    fn reconstruct(&self, decoded: &read::Decoded) -> Option<newspaper::Page> {
        let vectors: RefCell<HashMap<String, Option<UnitVector>>> = RefCell::default();
        let vector = |text: &str| {
            if let Some(known) = vectors.borrow().get(text) {
                return known.clone();
            }
            // Of what is given up nothing is kept, whatever it makes of the page.
            let late = deadline::has_passed();
            let made = if late { None } else { self.embedder.passages(&[text.to_owned()]).pop().flatten() };
            vectors.borrow_mut().insert(text.to_owned(), made.clone());
            made
        };
        newspaper::reconstruct(decoded, &|a, b| vector(a).zip(vector(b)).map_or(0.0, |(a, b)| a.dot(&b)))
    }

    /// Cuts and embeds an article.
    pub(super) fn content(&self, article: Article) -> Result<Content, Error> {
        let deadline = deadline::current();
        background::shared(|| deadline::with(deadline, || content(&self.settings, &self.embedder, article)))
    }
}

/// Cuts and embeds an article, unless that would take longer than it may.
pub(super) fn content(settings: &Settings, embedder: &Embedder, article: Article) -> Result<Content, Error> {
    let passages = chunk::passages(&article, rules(settings), &|text| embedder.count(text));
    let texts: Vec<PassageText> = passages.iter().map(|passage| text_of(&article, passage)).collect();
    let dimension = embedder.info().dimension;
    let mut made = Vec::with_capacity(texts.len());
    for some in texts.chunks(AT_ONCE) {
        if deadline::has_passed() {
            return Err(Error::Late);
        }
        made.extend(embedder.embed(some));
    }
    let passages = passages.into_iter().zip(made).map(|(passage, Embedded { vector, sentences })| {
        let sentences = SentenceVectors::of(&sentences, dimension);
        NewPassage { passage, vector, sentences }
    });
    Ok(Content { passages: passages.collect(), article })
}

/// What is embedded of a passage.
fn text_of(article: &Article, passage: &Passage) -> PassageText {
    let Record { title, authors, .. } = &article.record;
    let text = article.quote(passage.span).unwrap_or_default().to_owned();
    let sentences = text::sentences_of(&text).into_iter().map(|span| span.start..span.end).collect();
    PassageText { context: chunk::context(title, authors, passage.section.as_deref()), text, sentences }
}
