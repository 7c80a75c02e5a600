//! Reads the best candidates beside the question, and makes evidence of all.
//!
//! Those that were read come first, by their totals; those that were not follow by their fused scores.

use std::ops::Range;

use super::candidates::{Candidate, joined};
use super::{Evidence, PassageReading, Question, Request, Scores, Sentence, SentenceReading, in_time};
use crate::article::{ArticleId, Span};
use crate::embed::{Embedder, ReaderInput, Reading, logistic};
use crate::shelf::{Error, PassageId, StoredPassage, staged};
use crate::text::sentences_of;

/// Evidence of `candidates`, which come by fused score.
pub(super) fn ranked(request: &Request<'_>, mut candidates: Vec<Candidate>) -> Result<Vec<Evidence>, Error> {
    let Request { snapshot, embedder, limit, .. } = *request;
    let weights = &embedder.parameters().reading;
    let unread = candidates.split_off(candidates.len().min(weights.passages));
    let passages = staged("load passages", || snapshot.passages(&ids(&candidates)))?;
    in_time()?;
    let mut evidence = read(request, passages, candidates);
    in_time()?;
    for one in &mut evidence {
        one.scores.total = one.scores.total(weights);
        let reading = one.scores.reading;
        one.scores.relevance = reading.map_or(one.scores.meaning.clamp(0.0, 1.0), |reading| logistic(reading.answerable));
    }
    rerank(request, &mut evidence);
    evidence.sort_by(|a, b| b.scores.total.total_cmp(&a.scores.total).then(a.passage.id.cmp(&b.passage.id)));
    let room = limit.saturating_sub(evidence.len()).min(unread.len());
    let unread = placed_behind(&evidence, unread.into_iter().take(room).collect());
    let passages = snapshot.passages(&ids(&unread))?;
    evidence.extend(joined(passages, unread, |passage, candidate| Evidence {
        passage,
        scores: candidate.scores,
        sentences: vec![],
        copies: vec![],
    }));
    Ok(evidence)
}

/// The best passages with their sentences, read where the model has a reader.
fn read(request: &Request<'_>, passages: Vec<StoredPassage>, candidates: Vec<Candidate>) -> Vec<Evidence> {
    let ranges: Vec<Vec<Range<usize>>> = passages.iter().map(ranges).collect();
    // What was asked before finds the passages; the reader was taught with one question.
    let question = request.question.question.asked_now();
    let readings = staged("read", || readings(request.embedder, question, &passages, &ranges));
    let mut ranges = ranges.into_iter();
    let mut readings = readings.into_iter();
    let evidence = joined(passages, candidates, |passage, candidate| {
        let (ranges, reading) = (ranges.next().unwrap_or_default(), readings.next());
        let sentences = sentences(&passage, &ranges, &candidate.sentences, reading.as_ref());
        let reading = reading.as_ref().map(of_passage);
        Evidence { passage, scores: Scores { reading, ..candidate.scores }, sentences, copies: vec![] }
    });
    evidence.collect()
}

/// The sentences of a passage, in bytes of its text.
fn ranges(passage: &StoredPassage) -> Vec<Range<usize>> {
    sentences_of(&passage.text).iter().map(|span| span.start..span.end).collect()
}

/// What the reader says of each passage; nothing at all where the model has none.
fn readings(embedder: &Embedder, question: &str, passages: &[StoredPassage], ranges: &[Vec<Range<usize>>]) -> Vec<Reading> {
    let Some(reader) = embedder.reader() else { return vec![] };
    let contexts: Vec<String> = passages.iter().map(StoredPassage::context).collect();
    let inputs = passages.iter().zip(&contexts).zip(ranges);
    let inputs: Vec<ReaderInput<'_>> =
        inputs.map(|((passage, context), sentences)| ReaderInput { context, text: &passage.text, sentences }).collect();
    reader.read(question, &inputs)
}

/// The words of each sentence of `passages` that answer `question` best, as bytes of their articles.
pub fn answers(embedder: &Embedder, question: &Question, passages: &[StoredPassage]) -> Vec<(ArticleId, Span)> {
    let ranges: Vec<Vec<Range<usize>>> = passages.iter().map(ranges).collect();
    let readings = readings(embedder, question.as_str(), passages, &ranges);
    let found = passages.iter().zip(&ranges).zip(&readings).flat_map(|((passage, ranges), reading)| {
        let answers = sentences(passage, ranges, &[], Some(reading)).into_iter();
        answers.filter_map(|sentence| Some((passage.article.clone(), sentence.reading?.answer?)))
    });
    found.collect()
}

/// Sentences of a passage with their cosines and what the reader says of them.
fn sentences(passage: &StoredPassage, ranges: &[Range<usize>], cosines: &[f32], reading: Option<&Reading>) -> Vec<Sentence> {
    let from = passage.passage.span.start;
    let place = |range: &Range<usize>| Span::new(from + range.start, from + range.end);
    let one = |(number, range): (usize, &Range<usize>)| {
        let read = reading.and_then(|reading| reading.sentences.get(number)).map(|read| {
            let inside = range.start <= read.span.start && read.span.end <= range.end && !read.span.is_empty();
            let answer = (inside && passage.text.get(read.span.clone()).is_some()).then(|| place(&read.span));
            SentenceReading { logit: read.logit, span_logit: read.span_logit, coverage: read.coverage, answer }
        });
        Sentence { span: place(range), meaning: cosines.get(number).copied().unwrap_or(0.0), reading: read }
    };
    ranges.iter().enumerate().map(one).collect()
}

fn of_passage(reading: &Reading) -> PassageReading {
    let best = |of: fn(&crate::embed::SentenceReading) -> f32| reading.sentences.iter().map(of).reduce(f32::max);
    PassageReading {
        answerable: reading.answerable,
        no_span: reading.no_span,
        span: best(|sentence| sentence.span_logit).map_or(0.0, |logit| logit - reading.no_span),
        sentence: best(|sentence| sentence.logit).unwrap_or(0.0),
        coverage: reading.coverage,
    }
}

/// The passages that were read go by the cross-encoder, where there is one.
fn rerank(request: &Request<'_>, evidence: &mut [Evidence]) {
    if !request.embedder.reranks() {
        return;
    }
    let texts: Vec<String> = evidence.iter().map(|one| format!("{}\n{}", one.passage.context(), one.passage.text)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let reranked = request.embedder.reranked(request.text(), &texts).unwrap_or_default();
    for (one, score) in evidence.iter_mut().zip(reranked) {
        (one.scores.total, one.scores.relevance) = (score, score);
    }
}

/// Totals of candidates that were not read: their fused scores, shifted below the totals of those that were.
fn placed_behind(read: &[Evidence], mut unread: Vec<Candidate>) -> Vec<Candidate> {
    let least = |of: fn(&Scores) -> f32| read.iter().map(|one| of(&one.scores)).fold(f32::INFINITY, f32::min);
    let (total, relevance) = (least(|scores| scores.total), least(|scores| scores.relevance));
    let highest = unread.first().map_or(0.0, |best| best.scores.fused);
    let shift = (total - highest).min(0.0);
    for Candidate { scores, .. } in &mut unread {
        scores.total = (scores.fused + shift).min(total);
        scores.relevance = scores.meaning.clamp(0.0, 1.0).min(relevance);
    }
    unread
}

fn ids(candidates: &[Candidate]) -> Vec<PassageId> {
    candidates.iter().map(|candidate| candidate.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Passage;
    use crate::embed;

    fn passage(text: &str, start: usize) -> StoredPassage {
        StoredPassage {
            id: 7,
            article: ArticleId("a".to_owned()),
            version: 1,
            passage: Passage { span: Span::new(start, start + text.len()), section: None },
            text: text.to_owned(),
            title: String::new(),
            authors: vec![],
            language: None,
        }
    }

    #[test]
    fn what_the_reader_says_of_a_sentence_stands_in_the_article_and_inside_the_sentence() {
        let passage = passage("夜市很热闹。摊位费二十元。", 100);
        let ranges: Vec<Range<usize>> = sentences_of(&passage.text).iter().map(|span| span.start..span.end).collect();
        let read = |span| embed::SentenceReading { logit: 2.0, span, span_logit: 3.0, coverage: 0.4 };
        let reading = Reading { answerable: 1.0, no_span: 0.5, coverage: 0.6, sentences: vec![read(0..100), read(27..36)] };
        let found = sentences(&passage, &ranges, &[0.1, 0.2], Some(&reading));
        assert_eq!(found[0].reading.unwrap().answer, None, "it is longer than the sentence");
        assert_eq!(found[1].reading.unwrap().answer, Some(Span::new(127, 136)));
        assert_eq!((found[1].span, found[1].meaning), (Span::new(118, 139), 0.2));
        let of_passage = of_passage(&reading);
        assert_eq!((of_passage.span, of_passage.sentence, of_passage.coverage), (2.5, 2.0, 0.6));
        let unread = sentences(&passage, &ranges, &[], None);
        assert!(unread.iter().all(|sentence| sentence.reading.is_none()));
    }

    #[test]
    fn what_was_not_read_comes_behind_in_its_own_order() {
        let scores = |total: f32, fused: f32| Scores { total, fused, relevance: 0.3, meaning: 0.9, ..Scores::default() };
        let read = |total| Evidence { passage: passage("a", 0), scores: scores(total, 1.0), sentences: vec![], copies: vec![] };
        let unread = |id, fused| Candidate { id, scores: scores(0.0, fused), sentences: vec![] };
        let placed = placed_behind(&[read(5.0), read(-2.0)], vec![unread(1, 0.9), unread(2, 0.4)]);
        assert!((placed[0].scores.total + 2.0).abs() < 1e-6 && (placed[1].scores.total + 2.5).abs() < 1e-6);
        assert!(placed.iter().all(|one| one.scores.relevance <= 0.3));
        let alone = placed_behind(&[], vec![unread(1, 0.9)]);
        assert!((alone[0].scores.total - 0.9).abs() < 1e-6);
    }
}
