//! How well texts that are no passages of the library answer a question: `POST /v1/rerank`.

use std::ops::Range;

use super::in_time;
use crate::embed::{Embedder, ReaderInput, logistic};
use crate::shelf::Error;
use crate::text::sentences_of;

/// Texts that are read between two looks at the deadline.
const AT_ONCE: usize = 32;

/// How likely each of `texts` answers `question`, 0 to 1: by the cross-encoder, else by the model's reader, else by the
/// cosine of their vectors.
///
/// # Errors
/// [`Error::Late`] when the deadline has passed.
pub fn relevance(embedder: &Embedder, question: &str, texts: &[&str]) -> Result<Vec<f32>, Error> {
    let mut scores = Vec::with_capacity(texts.len());
    for some in texts.chunks(AT_ONCE) {
        in_time()?;
        scores.extend(of_some(embedder, question, some));
    }
    Ok(scores)
}

fn of_some(embedder: &Embedder, question: &str, texts: &[&str]) -> Vec<f32> {
    if let Some(scores) = embedder.reranked(question, texts) {
        return scores;
    }
    let Some(reader) = embedder.reader() else { return cosines(embedder, question, texts) };
    let sentences: Vec<Vec<Range<usize>>> =
        texts.iter().map(|text| sentences_of(text).iter().map(|span| span.start..span.end).collect()).collect();
    let inputs = texts.iter().zip(&sentences).map(|(text, sentences)| ReaderInput { context: "", text, sentences });
    let inputs: Vec<ReaderInput<'_>> = inputs.collect();
    reader.read(question, &inputs).iter().map(|reading| logistic(reading.answerable)).collect()
}

fn cosines(embedder: &Embedder, question: &str, texts: &[&str]) -> Vec<f32> {
    let Some(question) = embedder.question(question) else { return vec![0.0; texts.len()] };
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let vectors = embedder.passages(&texts);
    vectors.iter().map(|vector| vector.as_ref().map_or(0.0, |vector| question.dot(vector).clamp(0.0, 1.0))).collect()
}
