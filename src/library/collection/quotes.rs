//! Answers about the collection that quote articles: their headings, a summary, a comparison.

use std::collections::BTreeSet;

use super::{About, evidence};
use crate::answer::collection::{Named, topic};
use crate::answer::{Answer, Answerer as _, Asked, Citation, Extractive, Kind, Rules, Statement};
use crate::article::Span;
use crate::embed::UnitVector;
use crate::retrieve::{Mode, Question};
use crate::shelf::{Error, Filter, StoredArticle, StoredPassage};
use crate::text::sentences_of;

/// Sentences of a summary.
const SENTENCES: (usize, usize) = (3, 7);

impl About<'_> {
    /// The headings of an article, quoted.
    pub(super) fn contents(&self) -> Result<Option<Answer>, Error> {
        let meant = self.meant();
        let Some(record) = meant.first() else { return Ok(None) };
        let Some((article, passages)) = self.article(&record.id)? else { return Ok(None) };
        let (mut statements, mut citations) = (Vec::new(), Vec::new());
        for heading in &article.article.headings {
            let nearest = passages.iter().find(|passage| passage.passage.span.end > heading.span.start).or(passages.last());
            let citation = nearest.and_then(|passage| Citation::cut(&article, heading.span, &evidence(passage)));
            if let Some(citation) = citation {
                citations.push(citation);
                let text = article.article.quote(heading.span).unwrap_or_default().trim().to_owned();
                statements.push(Statement { text, citations: vec![citations.len()] });
            }
        }
        Ok(self.made(Kind::Collection, (1, false), statements, citations))
    }

    /// Sentences that cover an article, or what its author says of a topic, in its order.
    pub(super) fn summary(&self) -> Result<Option<Answer>, Error> {
        let meant = self.meant();
        let topic = topic(&self.named.rest).filter(|_| self.named.articles.is_empty());
        let (mut statements, mut citations) = (Vec::new(), Vec::new());
        let each = (SENTENCES.1 / meant.len().max(1)).max(1);
        for record in meant.iter().take(SENTENCES.1) {
            let Some((article, passages)) = self.article(&record.id)? else { continue };
            let about = topic.as_deref().unwrap_or(&record.title);
            let Some(vector) = self.pinned.library.embedder.question(about) else { continue };
            for (passage, span) in
                self.central(&article, &passages, &vector, each.max(if meant.len() == 1 { SENTENCES.0 } else { 1 }))?
            {
                let Some(citation) = Citation::cut(&article, span, &evidence(passage)) else { continue };
                citations.push(citation);
                let text = article.article.quote(span).unwrap_or_default().to_owned();
                statements.push(Statement { text, citations: vec![citations.len()] });
            }
        }
        Ok(self.made(Kind::Summary, (meant.len(), false), statements, citations))
    }

    /// The sentences nearest to `vector`, one of each passage before a second of any, in reading order.
    fn central<'p>(
        &self,
        article: &StoredArticle,
        passages: &'p [StoredPassage],
        vector: &UnitVector,
        most: usize,
    ) -> Result<Vec<(&'p StoredPassage, Span)>, Error> {
        let ids: Vec<u32> = passages.iter().map(|passage| passage.id).collect();
        let cosines = self.pinned.snapshot().sentence_cosines(vector, &ids)?;
        let mut all = Vec::new();
        for (passage, cosines) in passages.iter().zip(cosines) {
            let from = passage.passage.span.start;
            let spans = sentences_of(&passage.text).into_iter().map(|span| Span::new(from + span.start, from + span.end));
            let of_text = |span: &Span| {
                let quote = article.article.quote(*span).unwrap_or_default();
                !article.article.record.is_about_authors(quote)
            };
            let mut scored: Vec<(f32, Span)> = cosines.into_iter().zip(spans).filter(|(_, span)| of_text(span)).collect();
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            all.extend(scored.into_iter().enumerate().map(|(rank, (cosine, span))| (rank, cosine, passage, span)));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut seen = BTreeSet::new();
        all.retain(|(.., span)| seen.insert((span.start, span.end)));
        all.truncate(most);
        all.sort_by_key(|(.., span)| span.start);
        Ok(all.into_iter().map(|(_, _, passage, span)| (passage, span)).collect())
    }

    /// For each of two authors, or articles, what they say of the topic.
    pub(super) fn comparison(&self) -> Result<Option<Answer>, Error> {
        let Named { authors, articles, rest, .. } = &self.named;
        let about = topic(rest).unwrap_or_else(|| self.question.to_owned());
        let Ok(question) = Question::parse(&about, None) else { return Ok(None) };
        let by_author =
            authors.iter().map(|author| (author.clone(), Filter { authors: vec![author.clone()], ..Filter::default() }));
        let title = |id: &String| {
            self.records.iter().find(|record| record.id == *id).map(|record| record.title.clone()).unwrap_or_default()
        };
        let by_title = articles.iter().map(|id| (title(id), Filter { articles: vec![id.clone()], ..Filter::default() }));
        let sides: Vec<(String, Filter)> = if authors.len() == 2 { by_author.collect() } else { by_title.collect() };
        let (mut statements, mut citations) = (Vec::new(), Vec::new());
        for (name, filter) in sides {
            let found = self.pinned.search(&question, &filter, Mode::Hybrid, 8)?;
            let evidence = self.pinned.with_articles(found.evidence)?;
            let parameters = self.pinned.library.embedder.parameters();
            // What is nearest is shown for both sides, however sure it answers.
            let rules = Rules { parameters, sentences: 2, threshold: 0.0, nearest: 0 };
            let asked = Asked { question: question.as_str(), evidence: &evidence, said: &[], answered: &[] };
            let own = Extractive { rules }.answer(&asked, &mut |_| ());
            if own.statements.is_empty() {
                return Ok(None);
            }
            let before = citations.len();
            citations.extend(own.citations);
            statements.extend(own.statements.into_iter().map(|statement| Statement {
                text: format!("{name}: {}", statement.text),
                citations: statement.citations.iter().map(|n| n + before).collect(),
            }));
        }
        Ok(self.made(Kind::Comparison, (2, true), statements, citations))
    }
}
