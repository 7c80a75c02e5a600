//! The extractive answerer: the sentence that answers, quoted whole; further ones only where they answer as well.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::clause::clause;
use super::confidence::Measures;
use super::list::announced;
use super::written::fold;
use super::{Answer, Answerer, Asked, Citation, Hear, Kind, Refusal, Statement};
use crate::article::Span;
use crate::embed::{Parameters, SentenceWeights};
use crate::retrieve::{Evidence, Scores, Sentence};
use crate::shelf::StoredArticle;

/// How an answer is made.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// What was learnt for the model.
    pub parameters: &'a Parameters,
    /// Sentences at most; a list is given whole.
    pub sentences: usize,
    /// The probability below which the answer is refused.
    pub threshold: f32,
    /// Passages shown when it is refused.
    pub nearest: usize,
}

/// Evidence with its article.
pub type Found = (Evidence, Arc<StoredArticle>);

/// A sentence that may answer.
struct Candidate {
    /// Which evidence it is of.
    owner: usize,
    sentence: Sentence,
    score: f32,
}

/// Quotes the sentences that answer.
#[derive(Debug, Clone, Copy)]
pub struct Extractive<'a> {
    /// What was learnt, and the bounds.
    pub rules: Rules<'a>,
}

impl Answerer for Extractive<'_> {
    fn answer(&self, asked: &Asked<'_>, hear: &mut Hear<'_>) -> Answer {
        let answer = extractive(asked, &self.rules);
        answer.tell(hear);
        answer
    }
}

impl Extractive<'_> {
    /// "The articles do not say", where `answer` was found and nothing of it can be shown.
    pub(super) fn refuse(&self, asked: &Asked<'_>, answer: &Answer) -> Answer {
        refusal(asked.evidence, &self.rules, answer.measures)
    }
}

/// Answers from the sentences of the evidence, which is the best first. What was said before is passed over.
fn extractive(asked: &Asked<'_>, rules: &Rules<'_>) -> Answer {
    let evidence = asked.evidence;
    let mut candidates = candidates(evidence, &rules.parameters.sentence);
    candidates.retain(|one| {
        let article = &evidence[one.owner].1;
        let sentence = article.article.quote(one.sentence.span).unwrap_or_default();
        !article.article.record.is_about_authors(sentence) || names_its_record(asked, article)
    });
    let owners: BTreeSet<usize> = candidates.iter().map(|one| one.owner).collect();
    candidates.retain(|one| is_new(asked, &evidence[one.owner].1, one.sentence));
    let first = |one: &Candidate| (one.owner, one.sentence.span.start);
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(first(a).cmp(&first(b))));
    let Some(best) = candidates.first() else { return refusal(evidence, rules, Measures::default()) };
    let measures = Measures::of(owners.iter().map(|owner| &evidence[*owner].0), &best.sentence);
    if measures.probability(&rules.parameters.confidence) < rules.threshold {
        return refusal(evidence, rules, measures);
    }
    let confidence = measures.probability(&rules.parameters.confidence);
    let mut answer = Answer {
        kind: Kind::Passages,
        answerable: true,
        confidence,
        reason: None,
        measures,
        statements: vec![],
        citations: vec![],
        writing: None,
        records: None,
    };
    let further = rules.parameters.sentence.further;
    let as_well = |one: &&Candidate| one.sentence.reading.is_some() && (one.score - best.score).exp() >= further;
    for one in std::iter::once(best).chain(candidates.iter().skip(1).filter(as_well)) {
        if answer.statements.len() >= rules.sentences.max(1) {
            break;
        }
        state(&mut answer, &evidence[one.owner], one.sentence);
        list(&mut answer, evidence, one);
    }
    if answer.statements.is_empty() { refusal(evidence, rules, measures) } else { answer }
}

/// Whether a sentence was not said before, or answers now with other words than it did then.
fn is_new(asked: &Asked<'_>, article: &StoredArticle, sentence: Sentence) -> bool {
    let Some(shown) = shown(article, sentence) else { return false };
    let inside = |words: &Span| sentence.span.start <= words.start && words.end <= sentence.span.end;
    let apart = |a: Span, b: Span| a.end <= b.start || b.end <= a.start;
    let then = asked.answered.iter().find(|(id, words)| *id == article.id && inside(words)).map(|(_, words)| *words);
    let now = sentence.reading.and_then(|reading| reading.answer);
    !asked.said.iter().any(|said| said.contains(shown)) || then.zip(now).is_some_and(|(then, now)| apart(then, now))
}

/// Whether the question, or what was said before, names an author of the article or its title.
fn names_its_record(asked: &Asked<'_>, article: &StoredArticle) -> bool {
    let record = &article.article.record;
    let names: Vec<String> = record.authors.iter().chain([&record.title]).map(|name| fold(name)).collect();
    let holds = |text: &str| names.iter().any(|name| !name.is_empty() && text.contains(name.as_str()));
    holds(&fold(asked.question)) || asked.said.iter().any(|said| holds(&fold(said)))
}

/// All sentences with their scores.
fn candidates(evidence: &[Found], weights: &SentenceWeights) -> Vec<Candidate> {
    let of_one = |(owner, (evidence, _)): (usize, &Found)| -> Vec<Candidate> {
        let made =
            |sentence: &Sentence| Candidate { owner, sentence: *sentence, score: score(sentence, &evidence.scores, weights) };
        evidence.sentences.iter().map(made).collect()
    };
    evidence.iter().enumerate().flat_map(of_one).collect()
}

/// The weighted sum of what the reader says of a sentence and of its passage; the cosine where nothing was read.
fn score(sentence: &Sentence, passage: &Scores, weights: &SentenceWeights) -> f32 {
    let (Some(read), Some(of_passage)) = (sentence.reading, passage.reading) else { return sentence.meaning };
    weights.logit * read.logit
        + weights.span * (read.span_logit - of_passage.no_span)
        + weights.passage * passage.total
        + weights.meaning * sentence.meaning
        + weights.coverage * read.coverage
}

/// Adds a sentence and its citation, unless it was said: syndicated copies say the same.
fn state(answer: &mut Answer, (evidence, article): &Found, sentence: Sentence) {
    let Some(text) = shown(article, sentence) else { return };
    if answer.statements.iter().any(|statement| statement.text == text) {
        return;
    }
    let words = sentence.reading.and_then(|reading| reading.answer);
    let Some(citation) = Citation::cut(article, sentence.span, evidence) else { return };
    answer.citations.push(citation.with_answer(words));
    answer.statements.push(Statement { text: text.to_owned(), citations: vec![answer.citations.len()] });
}

/// Adds the items of the list that a sentence announces.
fn list(answer: &mut Answer, evidence: &[Found], one: &Candidate) {
    let passages: Vec<&Evidence> = evidence.iter().map(|(evidence, _)| evidence).collect();
    let text = &evidence[one.owner].1.article.text;
    for (owner, span) in announced(&passages, one.owner, one.sentence.span, text) {
        state(answer, &evidence[owner], Sentence { span, meaning: 0.0, reading: None });
    }
}

/// The words of a sentence that are shown: all, or the clause of a long one that holds the answer.
fn shown(article: &StoredArticle, sentence: Sentence) -> Option<&str> {
    let quote = article.article.quote(sentence.span)?;
    let Some(Span { start, end }) = sentence.reading.and_then(|reading| reading.answer) else { return Some(quote) };
    let from = sentence.span.start;
    let inside = start.checked_sub(from)?..end.checked_sub(from)?;
    quote.get(clause(quote, inside))
}

/// "The articles do not say": the nearest passages, and nothing claimed.
fn refusal(evidence: &[Found], rules: &Rules<'_>, measures: Measures) -> Answer {
    let cut = evidence
        .iter()
        .take(rules.nearest)
        .filter_map(|(evidence, article)| Citation::cut(article, evidence.passage.passage.span, evidence));
    let confidence = if measures == Measures::default() { 0.0 } else { measures.probability(&rules.parameters.confidence) };
    let reason = Some(Refusal::NotInArticles);
    let citations = cut.collect();
    let kind = Kind::Passages;
    Answer { kind, answerable: false, confidence, reason, measures, statements: vec![], citations, writing: None, records: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{ArticleId, Builder, Passage, Record};
    use crate::embed::Confidence;
    use crate::retrieve::{PassageReading, SentenceReading};
    use crate::shelf::StoredPassage;
    use crate::text::sentences_of;

    /// A passage that is a whole article, and what the reader says of its sentences: logit and answer.
    fn found(id: u32, text: &str, read: &[(f32, &str)]) -> Found {
        let mut builder = Builder::default();
        builder.push_lines(text, 1);
        builder.end_paragraph();
        let article = builder.finish(Record { title: id.to_string(), ..Record::default() });
        let text = article.text.trim_end();
        let spans = sentences_of(text);
        assert_eq!(spans.len(), read.len(), "{text}");
        let sentence = |(span, (logit, answer)): (&Span, &(f32, &str))| {
            let at = text[span.start..span.end].find(answer).map(|at| span.start + at);
            let answer = at.filter(|_| !answer.is_empty()).map(|at| Span::new(at, at + answer.len()));
            let reading = Some(SentenceReading { logit: *logit, span_logit: *logit, coverage: 0.5, answer });
            Sentence { span: *span, meaning: 0.5, reading }
        };
        let sentences: Vec<Sentence> = spans.iter().zip(read).map(sentence).collect();
        let best = read.iter().map(|(logit, _)| *logit).fold(f32::NEG_INFINITY, f32::max);
        let reading = Some(PassageReading { answerable: best, no_span: 0.0, span: best, sentence: best, coverage: 0.5 });
        let passage = StoredPassage {
            id,
            article: ArticleId(id.to_string()),
            version: 1,
            passage: Passage { span: Span::new(0, text.len()), section: None },
            text: text.to_owned(),
            title: id.to_string(),
            authors: vec![],
            language: None,
        };
        let scores = Scores { total: best, reading, same_language: 1.0, ..Scores::default() };
        let evidence = Evidence { passage, scores, sentences, copies: vec![] };
        let stored = StoredArticle {
            id: ArticleId(id.to_string()),
            version: 1,
            superseded: false,
            sha256: String::new(),
            source_path: "a.txt".to_owned(),
            source_sha256: String::new(),
            article,
        };
        (evidence, Arc::new(stored))
    }

    fn answer(evidence: &[Found], said: &[String]) -> Answer {
        answer_after(evidence, said, &[])
    }

    fn answer_after(evidence: &[Found], said: &[String], answered: &[(ArticleId, Span)]) -> Answer {
        let asked = Asked { question: "", evidence, said, answered };
        extractive(&asked, &Rules { parameters: &parameters(), sentences: 3, threshold: 0.5, nearest: 5 })
    }

    /// The confidence is that of the best sentence's logit.
    fn parameters() -> Parameters {
        let shipped = Parameters::default();
        let sentence = SentenceWeights { logit: 1.0, span: 0.0, passage: 0.5, meaning: 0.0, coverage: 0.0, further: 0.5 };
        let confidence = Confidence {
            bias: 0.0,
            fused: 0.0,
            answerable: 1.0,
            span: 0.0,
            sentence: 0.0,
            coverage: 0.0,
            sentence_coverage: 0.0,
            lead: 0.0,
            foreign: 0.0,
            ..shipped.confidence
        };
        Parameters { sentence, confidence, ..shipped }
    }

    fn texts(answer: &Answer) -> Vec<&str> {
        answer.statements.iter().map(|statement| statement.text.as_str()).collect()
    }

    #[test]
    fn one_sentence_is_given_where_one_answers_and_its_words_are_marked() {
        let evidence =
            [found(1, "夜市很热闹。摊位费二十元。", &[(-3.0, ""), (4.0, "二十元")]), found(2, "河水很清。", &[(-4.0, "")])];
        let answer = answer(&evidence, &[]);
        assert_eq!((answer.answerable, texts(&answer)), (true, vec!["摊位费二十元。"]));
        let citation = &answer.citations[0];
        assert_eq!(citation.answer().and_then(|span| citation.article().article.quote(span)), Some("二十元"));
        assert!(answer.reason.is_none() && answer.confidence > 0.9);
    }

    #[test]
    fn another_passage_that_says_it_as_well_is_given_and_a_copy_is_not() {
        let evidence = [
            found(1, "摊位费二十元。", &[(4.0, "二十元")]),
            found(2, "每晚收二十元。", &[(3.8, "二十元")]),
            found(3, "摊位费二十元。", &[(3.9, "二十元")]),
            found(4, "收费不高。", &[(1.0, "")]),
        ];
        assert_eq!(texts(&answer(&evidence, &[])), ["摊位费二十元。", "每晚收二十元。"]);
        let said = ["摊位费二十元。 [1]".to_owned()];
        assert_eq!(texts(&answer(&evidence, &said)), ["每晚收二十元。"]);
    }

    #[test]
    fn another_part_of_a_sentence_that_was_said_is_given() {
        let evidence = [found(1, "摊位费二十元，垃圾自己带走。", &[(4.0, "自己带走")])];
        let said = ["摊位费二十元，垃圾自己带走。 [1]".to_owned()];
        let words = |words: &str| {
            let at = evidence[0].0.passage.text.find(words).unwrap();
            [(ArticleId("1".to_owned()), Span::new(at, at + words.len()))]
        };
        assert!(answer_after(&evidence, &said, &words("二十元")).answerable);
        assert!(!answer_after(&evidence, &said, &words("带走")).answerable);
    }

    #[test]
    fn who_the_authors_are_answers_only_who_asks_for_them() {
        // Passages hold the line alone.
        let (evidence, stored) = found(1, "（作者系云溪商学院副教授）", &[(4.0, "副教授")]);
        let mut stored = Arc::unwrap_or_clone(stored);
        let record = &mut stored.article.record;
        (record.affiliation, record.authors) = (Some("云溪商学院副教授".to_owned()), vec!["常青".to_owned()]);
        let evidence = [(evidence, Arc::new(stored)), found(2, "夜市很热闹。", &[(-1.0, "")])];
        let ask = |question: &str| {
            let parameters = parameters();
            let asked = Asked { question, evidence: &evidence, said: &[], answered: &[] };
            extractive(&asked, &Rules { parameters: &parameters, sentences: 3, threshold: 0.5, nearest: 5 }).answerable
        };
        assert_eq!((ask("常青是谁？"), ask("市长是谁？")), (true, false));
    }

    #[test]
    fn a_list_is_given_whole() {
        let text = "措施有四项：\n一是修路。\n二是架桥。\n三是通车。\n四是种树。\n完了。";
        let evidence = [found(1, text, &[(4.0, ""), (0.0, ""), (0.0, ""), (0.0, ""), (0.0, ""), (0.0, "")])];
        assert_eq!(texts(&answer(&evidence, &[])), ["措施有四项：", "一是修路。", "二是架桥。", "三是通车。", "四是种树。"]);
    }

    #[test]
    fn what_the_articles_do_not_say_is_refused_with_the_nearest_passages() {
        let refused = answer(&[found(1, "夜市很热闹。", &[(-3.0, "")])], &[]);
        assert_eq!((refused.answerable, refused.reason, refused.citations.len()), (false, Some(Refusal::NotInArticles), 1));
        assert!(refused.confidence < 0.1 && refused.statements.is_empty());
        assert!(answer(&[], &[]).confidence.abs() < 1e-6);
    }
}
