//! An exact quote, and where it stands.

use std::sync::Arc;

use crate::article::{ArticleId, LineRange, PageBox, Span};
use crate::retrieve::{Evidence, Scores};
use crate::shelf::{PassageId, StoredArticle};

/// An exact quote and where it stands. Only [`Citation::cut`] makes one, from the article itself.
#[derive(Debug, Clone)]
pub struct Citation {
    article: Arc<StoredArticle>,
    span: Span,
    answer: Option<Span>,
    passage: PassageId,
    passage_span: Span,
    section: Option<String>,
    scores: Scores,
    copies: Vec<(ArticleId, String)>,
    whole: bool,
}

impl Citation {
    /// Cuts `span` out of the article that `evidence` comes from; `None` when it is
    /// not a span of it, or leads to no line of the source.
    pub fn cut(article: &Arc<StoredArticle>, span: Span, evidence: &Evidence) -> Option<Self> {
        let passage_span = evidence.passage.passage.span;
        let quote = article.article.quote(span)?;
        article.article.quote(passage_span)?;
        article.article.lines.range(span)?;
        (!quote.trim().is_empty()).then(|| Self {
            article: Arc::clone(article),
            span,
            answer: None,
            passage: evidence.passage.id,
            passage_span,
            section: evidence.passage.passage.section.clone(),
            scores: evidence.scores,
            copies: evidence.copies.iter().map(|copy| (copy.article.clone(), copy.title.clone())).collect(),
            whole: false,
        })
    }

    /// The same for the article as a whole: the quote is what it begins with.
    #[must_use]
    pub(crate) fn of_whole_article(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Whether the article as a whole is cited.
    pub fn is_of_whole_article(&self) -> bool {
        self.whole
    }

    /// The same with the words that answer, where these are a part of the quote.
    #[must_use]
    pub(crate) fn with_answer(self, words: Option<Span>) -> Self {
        let inside = |words: &Span| self.span.start <= words.start && words.end <= self.span.end && !words.is_empty();
        let answer = words.filter(inside).filter(|words| self.article.article.quote(*words).is_some());
        Self { answer, ..self }
    }

    /// The words of the quote that answer, in bytes of the article's text; where the reader tells them.
    pub fn answer(&self) -> Option<Span> {
        self.answer
    }

    /// The article.
    pub fn article(&self) -> &StoredArticle {
        &self.article
    }

    /// Where the quote stands, in bytes of the article's text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The exact words.
    pub fn quote(&self) -> &str {
        self.article.article.quote(self.span).expect("checked when it was cut, and articles do not change")
    }

    /// The passage that the quote was found in: its number, where it stands, its words.
    pub fn passage(&self) -> (PassageId, Span, &str) {
        let words = self.article.article.quote(self.passage_span).expect("checked when it was cut, and articles do not change");
        (self.passage, self.passage_span, words)
    }

    /// The heading that it stands under.
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// Lines of the source that hold the quote.
    pub fn lines(&self) -> LineRange {
        self.article.article.lines.range(self.span).expect("checked when it was cut, and articles do not change")
    }

    /// Where the quote is printed, one box a printed line; none for sources without pages.
    pub fn boxes(&self) -> Vec<PageBox> {
        let article = &self.article.article;
        article.places.boxes(&article.text, self.span)
    }

    /// Other articles with the same passage: ids and titles.
    pub fn copies(&self) -> &[(ArticleId, String)] {
        &self.copies
    }

    /// How its passage scored.
    pub fn scores(&self) -> Scores {
        self.scores
    }
}
