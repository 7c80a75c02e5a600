//! Questions about the collection, answered from its records.

mod follow_up;
mod quotes;

use std::sync::Arc;
use std::time::Instant;

use super::ask::{Asking, Timings};
use super::{Library, Pinned};
use crate::answer::collection::{CollectionKind, Named, Period, count, described, topic, with_known_titles};
use crate::answer::{Answer, Citation, Kind, Records, Statement};
use crate::article::Span;
use crate::retrieve::{EmbeddedQuestion, Evidence, Mode, Question, Scores, milliseconds};
use crate::shelf::{Described, Error, Filter, StoredArticle, StoredPassage};
use crate::text::sentences_of;
use crate::text::terms::Folded;

/// Articles that an answer lists, at most.
const LISTED: usize = 20;
/// Passages of each leg in which a topic's articles are looked for.
const SEARCHED: usize = 200;
/// What titles are quoted with.
const QUOTING: [char; 7] = ['《', '「', '『', '“', '«', '„', '"'];

impl Library {
    /// Which kind of question about the collection `question` is, if any.
    pub fn collection_kind(&self, question: &EmbeddedQuestion) -> Option<CollectionKind> {
        let name = self.embedder.parameters().collection.kind(question.vector.as_ref()?)?;
        CollectionKind::of(name)
    }
}

impl Pinned<'_> {
    /// The answer from the records; `None` for a question that is not about the collection, or of which the records
    /// know nothing: then the passages are asked.
    pub(super) fn about_collection(
        &self,
        asking: &Asking,
        question: &EmbeddedQuestion,
    ) -> Result<Option<(Answer, Timings)>, Error> {
        let library = self.library;
        if !asking.filter.is_empty() || library.embedder.parameters().collection.weights.is_empty() {
            return Ok(None);
        }
        let begun = Instant::now();
        let (text, told) = (asking.question.as_str(), library.collection_kind(question));
        if told.is_none() && !text.contains(QUOTING) {
            return Ok(None);
        }
        let records = self.records()?;
        let by_title = || {
            let text = with_known_titles(text, &records)?;
            let embedded = library.embedded(&Question::parse(&text, None).ok()?, Mode::Hybrid);
            library.collection_kind(&embedded)
        };
        let Some(kind) = told.or_else(by_title) else { return Ok(None) };
        let named = Named::of(text, &records, &today());
        About { pinned: self, question: text, kind, named, records }.timed_answer(question.embed_ms, begun)
    }
}

/// An article with its passages.
type Whole = (Arc<StoredArticle>, Vec<StoredPassage>);

/// A question about the collection, and what it names.
struct About<'a> {
    pinned: &'a Pinned<'a>,
    question: &'a str,
    kind: CollectionKind,
    named: Named,
    records: Vec<Described>,
}

/// `YYYY-MM-DD`
fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

impl About<'_> {
    /// The answer, and what it took.
    fn timed_answer(&self, embed: f64, begun: Instant) -> Result<Option<(Answer, Timings)>, Error> {
        let Some(answer) = self.answer()? else { return Ok(None) };
        Ok(Some((answer, Timings { embed, search: milliseconds(begun), answer: 0.0 })))
    }

    fn answer(&self) -> Result<Option<Answer>, Error> {
        let Named { authors, articles, from_institution, sources, period, .. } = &self.named;
        match self.kind {
            // Who has no article here is in no record; passages that name somebody would answer something else.
            CollectionKind::ByAuthor if authors.is_empty() => Ok(Some(Answer::of_no_record(self.records.len()))),
            CollectionKind::FromInstitution if from_institution.is_empty() => Ok(None),
            CollectionKind::InTime if period.is_none() => Ok(None),
            CollectionKind::InSource if sources.is_empty() => Ok(None),
            CollectionKind::Contents | CollectionKind::Summary if articles.is_empty() && authors.is_empty() => Ok(None),
            CollectionKind::Compare if authors.len() != 2 && articles.len() != 2 => Ok(None),
            CollectionKind::WhoWrote => self.author(),
            CollectionKind::Contents => self.contents(),
            CollectionKind::Summary => self.summary(),
            CollectionKind::Compare => self.comparison(),
            CollectionKind::Holdings => self.list(&self.records.iter().collect::<Vec<_>>(), false),
            CollectionKind::Newest | CollectionKind::Oldest => self.by_date(),
            CollectionKind::Topic
            | CollectionKind::ByAuthor
            | CollectionKind::FromInstitution
            | CollectionKind::InTime
            | CollectionKind::InSource
            | CollectionKind::HowMany => {
                let (chosen, searched) = self.chosen()?;
                self.list(&chosen, searched)
            }
        }
    }

    /// The records that fit what the question names, and its topic where it has one; whether a search was needed.
    fn chosen(&self) -> Result<(Vec<&Described>, bool), Error> {
        let Named { authors, articles, from_institution, sources, period, rest, .. } = &self.named;
        let in_period = |record: &Described, Period { from, to }: &Period| {
            record.published.as_ref().is_some_and(|day| from <= day && day <= to)
        };
        let by_institution = self.kind == CollectionKind::FromInstitution;
        let fits = |record: &&Described| {
            (authors.is_empty() || record.authors.iter().any(|author| authors.contains(author)))
                && (articles.is_empty() || articles.contains(&record.id))
                && (!by_institution || from_institution.contains(&record.id))
                && (sources.is_empty() || sources.contains(&record.source_path))
                && period.as_ref().is_none_or(|period| in_period(record, period))
        };
        let chosen: Vec<&Described> = self.records.iter().filter(fits).collect();
        let names_nothing =
            authors.is_empty() && articles.is_empty() && sources.is_empty() && period.is_none() && !by_institution;
        // Of what is named beside, what is left is seldom a topic of its own.
        let topic = topic(rest).filter(|_| self.kind == CollectionKind::Topic || names_nothing);
        let Some(topic) = topic else { return Ok((chosen, false)) };
        let about = self.about_topic(&topic)?;
        let mut found: Vec<&Described> = chosen.into_iter().filter(|record| about.contains(&record.id)).collect();
        found.sort_by_key(|record| about.iter().position(|id| *id == record.id));
        Ok((found, true))
    }

    /// Ids of articles about `topic`, the nearest first: a passage of theirs holds its words, or is near enough.
    fn about_topic(&self, topic: &str) -> Result<Vec<String>, Error> {
        let Ok(question) = Question::parse(topic, None) else { return Ok(vec![]) };
        let embedded = self.pinned.library.embedded(&question, Mode::Hybrid);
        let (near, words) = self.pinned.snapshot().search(topic, embedded.vector.as_ref(), SEARCHED, &Filter::default())?;
        let least = self.pinned.library.embedder.parameters().collection.topic;
        let mut ids: Vec<(f32, u32)> = near.iter().filter(|one| one.score >= least).map(|one| (one.score, one.passage)).collect();
        let passages = self.pinned.snapshot().passages(&words.iter().map(|one| one.passage).collect::<Vec<_>>())?;
        let holds = |passage: &&StoredPassage| {
            let text = Folded::of(&format!("{}\n{}", passage.context(), passage.text));
            topic.split_whitespace().all(|word| holds_word(&text, word))
        };
        ids.extend(passages.iter().filter(holds).map(|passage| {
            let known = near.iter().find(|one| one.passage == passage.id).map_or(0.0, |one| one.score);
            (1.0 + known, passage.id)
        }));
        ids.sort_by(|a, b| b.0.total_cmp(&a.0));
        let passages = self.pinned.snapshot().passages(&ids.iter().map(|(_, id)| *id).collect::<Vec<_>>())?;
        let mut articles: Vec<String> = Vec::new();
        for passage in passages {
            if !articles.contains(&passage.article.0) {
                articles.push(passage.article.0);
            }
        }
        Ok(articles)
    }

    /// Lists articles; for a count, its number first. `None` where there are none.
    fn list(&self, chosen: &[&Described], searched: bool) -> Result<Option<Answer>, Error> {
        let counts = self.kind == CollectionKind::HowMany;
        let (mut statements, mut citations) = (Vec::new(), Vec::new());
        for record in chosen.iter().take(LISTED) {
            let Some(citation) = self.whole(&record.id)? else { continue };
            citations.push(citation);
            statements.push(Statement { text: described(record), citations: vec![citations.len()] });
        }
        if counts && !citations.is_empty() {
            let text = count(self.question, chosen.len());
            statements = vec![Statement { text, citations: (1..=citations.len()).collect() }];
        }
        Ok(self.made(Kind::Collection, (chosen.len(), searched), statements, citations))
    }

    /// The latest or the earliest of those that fit.
    fn by_date(&self) -> Result<Option<Answer>, Error> {
        let (chosen, searched) = self.chosen()?;
        let mut dated: Vec<&Described> = chosen.into_iter().filter(|record| record.published.is_some()).collect();
        dated.sort_by(|a, b| a.published.cmp(&b.published).then(a.id.cmp(&b.id)));
        if self.kind == CollectionKind::Newest {
            dated.reverse();
        }
        let first = dated.first().map(|record| record.published.clone());
        dated.retain(|record| Some(&record.published) == first.as_ref());
        self.list(&dated, searched)
    }

    /// Who wrote the article that is named, or that is nearest to the topic.
    fn author(&self) -> Result<Option<Answer>, Error> {
        let searched = self.named.articles.is_empty();
        // A title that no record has is no topic.
        if searched && self.named.quotes_something {
            return Ok(None);
        }
        let ids = if searched {
            let about = topic(&self.named.rest).map(|topic| self.about_topic(&topic)).transpose()?.unwrap_or_default();
            about.into_iter().take(1).collect()
        } else {
            self.named.articles.clone()
        };
        let signed: Vec<&Described> =
            self.records.iter().filter(|record| ids.contains(&record.id) && !record.authors.is_empty()).collect();
        self.list(&signed, searched)
    }

    /// The articles that are named, by title or by author.
    fn meant(&self) -> Vec<&Described> {
        let Named { authors, articles, .. } = &self.named;
        let by_title = self.records.iter().filter(|record| articles.contains(&record.id));
        let by_author = self
            .records
            .iter()
            .filter(|record| articles.is_empty() && record.authors.iter().any(|author| authors.contains(author)));
        by_title.chain(by_author).collect()
    }

    /// The answer; `None` where it would say nothing.
    fn made(
        &self,
        kind: Kind,
        (found, searched): (usize, bool),
        statements: Vec<Statement>,
        citations: Vec<Citation>,
    ) -> Option<Answer> {
        let records = Records { articles: self.records.len(), found, searched };
        (!statements.is_empty()).then(|| Answer::of_records(kind, records, statements, citations))
    }

    fn article(&self, id: &str) -> Result<Option<Whole>, Error> {
        let Some(article) = self.pinned.snapshot().article(id, None)?.filter(|article| !article.superseded) else {
            return Ok(None);
        };
        let passages = self.pinned.snapshot().passages_of(id, article.version)?;
        Ok(Some((Arc::new(article), passages)))
    }

    /// A citation of an article as a whole.
    fn whole(&self, id: &str) -> Result<Option<Citation>, Error> {
        let Some((article, passages)) = self.article(id)? else { return Ok(None) };
        let first = passages.first().and_then(|passage| {
            let sentence = sentences_of(&passage.text).first().copied()?;
            let from = passage.passage.span.start;
            let span = Span::new(from + sentence.start, from + sentence.end);
            Citation::cut(&article, span, &evidence(passage))
        });
        Ok(first.map(Citation::of_whole_article))
    }
}

/// Whether a text holds a word, or in a script of spaced words another form of it.
fn holds_word(text: &Folded, word: &str) -> bool {
    /// Letters by which the index of words knows other forms.
    const STEMS: [usize; 2] = [4, 6];
    let letters: Vec<char> = word.chars().collect();
    let stem = |length: usize| letters.iter().take(length).collect::<String>();
    let other_forms = || {
        let longest = if letters.len() > STEMS[1] { STEMS[1] } else { STEMS[0] };
        letters.len() > longest && (text.holds(&format!("{}*", stem(longest))) || text.holds(&stem(longest)))
    };
    text.holds(word) || other_forms()
}

/// A passage that no search found.
fn evidence(passage: &StoredPassage) -> Evidence {
    let scores = Scores { relevance: 1.0, ..Scores::default() };
    Evidence { passage: passage.clone(), scores, sentences: vec![], copies: vec![] }
}
