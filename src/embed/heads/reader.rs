//! The reader: a cross-encoder that reads a question and a passage together, and says how well the passage answers,
//! which of its sentences do, and in which words (Devlin et al. 2019, section 4.2 and 4.3, for spans and for passages
//! without an answer).
//!
//! Its folder `reader/` lies in the model's. It has the encoder's word embeddings, and layers of its own. What it reads
//! is `<s> question </s> context passage </s>`, tokenised part by part. A token's type says on which side of the first
//! `</s>` it stands, and how well it is matched on the other side (`matching`).

mod load;
mod matching;
mod spans;

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Module as _, Result, Tensor};
use candle_nn::Linear;
use rayon::prelude::*;
use tokenizers::Tokenizer;

use crate::embed::batch::EncoderInput;
use crate::embed::encoder::Encoder;
use crate::embed::tokens::TextTokens;
use matching::{MatchedQuestion, Matches, TokenMatcher};
use spans::best_span;

/// What the reader is given of one passage.
#[derive(Debug, Clone, Copy)]
pub struct ReaderInput<'a> {
    /// What the passage's text does not say itself, such as its article's title; may be empty.
    pub context: &'a str,
    /// The passage.
    pub text: &'a str,
    /// Its sentences: byte ranges in `text`, in order.
    pub sentences: &'a [Range<usize>],
}

/// What the reader says of one sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct SentenceReading {
    /// How likely the sentence answers: the mean over its tokens, a logit. Minus infinity where none was read.
    pub logit: f32,
    /// The likeliest answer within it, at most 30 tokens: bytes in the passage's text. Empty where no token was read.
    pub span: Range<usize>,
    /// How likely that is the answer: the sum of the logits of its start and its end. Minus infinity where none was read.
    pub span_logit: f32,
    /// How much of the question it covers, 0 to 1.
    pub coverage: f32,
}

/// What the reader says of one passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whether the passage answers, a logit.
    pub answerable: f32,
    /// How likely no words of the passage are the answer: what a span's logit is compared with.
    pub no_span: f32,
    /// How much of the question the passage and its context cover, 0 to 1.
    pub coverage: f32,
    /// One for each of the passage's sentences.
    pub sentences: Vec<SentenceReading>,
}

/// A loaded reader.
pub struct Reader {
    tokenizer: Arc<Tokenizer>,
    encoder: Encoder,
    matcher: TokenMatcher,
    limits: Limits,
    /// Ids of `<s>` and `</s>`.
    begin: u32,
    end: u32,
    /// On the first token's hidden state: `out(tanh(dense(h)))`.
    answerable_dense: Linear,
    answerable_out: Linear,
    /// On each token's hidden state: logits of start, end and sentence.
    of_tokens: Linear,
}

/// Tokens that are read of each part.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the configuration names them")]
struct Limits {
    question_tokens: usize,
    context_tokens: usize,
    passage_tokens: usize,
}

/// A passage as the encoder reads it.
struct PairInput {
    /// Tokens before the context's first.
    question: usize,
    /// Tokens of the context.
    context: usize,
    passage: TextTokens,
    /// Of the question's tokens with those of context and passage.
    matches: Matches,
}

impl Reader {
    /// What the reader says of each of `passages` beside `question`.
    pub fn read(&self, question: &str, passages: &[ReaderInput<'_>]) -> Vec<Reading> {
        let question = TextTokens::of(&self.tokenizer, question, false).cut(self.limits.question_tokens);
        let read = || {
            let question = self.matcher.question(&[&[self.begin], question.ids.as_slice(), &[self.end]].concat())?;
            let pair = |passage: &ReaderInput<'_>| self.pair(&question, passage);
            let made: Vec<(EncoderInput, PairInput)> = passages.par_iter().map(pair).collect::<Result<_>>()?;
            let (inputs, pairs): (Vec<EncoderInput>, Vec<PairInput>) = made.into_iter().unzip();
            self.encoder.run(&inputs, |at, hidden| self.reading(hidden, &pairs[at], passages[at].sentences))
        };
        read().expect("shapes were compared when the model was loaded")
    }

    fn pair(&self, question: &MatchedQuestion, passage: &ReaderInput<'_>) -> Result<(EncoderInput, PairInput)> {
        let context = TextTokens::of(&self.tokenizer, passage.context, false).cut(self.limits.context_tokens);
        let text = TextTokens::of(&self.tokenizer, passage.text, false).cut(self.limits.passage_tokens);
        let of_passage = [&context.ids, &text.ids, [self.end].as_slice()].concat();
        let matches = self.matcher.matches(question, &of_passage)?;
        let token_types = self.matcher.types(&matches, of_passage.len());
        let pair = PairInput { question: question.ids.len(), context: context.ids.len(), passage: text, matches };
        Ok((EncoderInput { ids: [question.ids.as_slice(), &of_passage].concat(), token_types }, pair))
    }

    /// What the heads make of the hidden states `[tokens, hidden]` of one passage.
    fn reading(&self, hidden: &Tensor, pair: &PairInput, sentences: &[Range<usize>]) -> Result<Reading> {
        let first = self.answerable_dense.forward(&hidden.narrow(0, 0, 1)?)?.tanh()?;
        let answerable = self.answerable_out.forward(&first)?.flatten_all()?.get(0)?.to_scalar()?;
        let logits: Vec<[f32; 3]> = {
            let flat = self.of_tokens.forward(hidden)?.flatten_all()?.to_vec1::<f32>()?;
            flat.as_chunks().0.to_vec()
        };
        let no_span = logits.first().map_or(f32::NEG_INFINITY, |[start, end, _]| start + end);
        let of_passage = logits.get(pair.question + pair.context..).unwrap_or_default();
        let tokens = pair.passage.of_sentences(sentences);
        let sentence = |(own, bytes): (&Vec<usize>, &Range<usize>)| {
            let coverage = pair.matches.coverage(&own.iter().map(|token| pair.context + token));
            SentenceReading { coverage, ..sentence_reading(own, bytes, of_passage, &pair.passage) }
        };
        let coverage = pair.matches.coverage(&(0..pair.context + pair.passage.ids.len()));
        Ok(Reading { answerable, no_span, coverage, sentences: tokens.iter().zip(sentences).map(sentence).collect() })
    }
}

/// The reading, but for its coverage, of a sentence that has the tokens `own`, of whose `logits` there is one triple a token of the passage.
#[expect(clippy::cast_precision_loss, reason = "tokens of a sentence")]
fn sentence_reading(own: &[usize], bytes: &Range<usize>, logits: &[[f32; 3]], passage: &TextTokens) -> SentenceReading {
    let of_tokens: Vec<[f32; 3]> = own.iter().filter_map(|token| logits.get(*token).copied()).collect();
    let Some((span, span_logit)) = best_span(&of_tokens) else {
        let span = bytes.start..bytes.start;
        return SentenceReading { logit: f32::NEG_INFINITY, span, span_logit: f32::NEG_INFINITY, coverage: 0.0 };
    };
    let logit = of_tokens.iter().map(|[_, _, sentence]| sentence).sum::<f32>() / of_tokens.len() as f32;
    let span = passage.bytes[own[*span.start()]].start..passage.bytes[own[*span.end()]].end;
    SentenceReading { logit, span, span_logit, coverage: 0.0 }
}
