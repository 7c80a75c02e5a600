//! The likeliest span of a sentence.

use std::ops::RangeInclusive;

/// Tokens of a span, at most.
const SPAN_TOKENS: usize = 30;

/// The span with the highest sum of its start's and its end's logits, which are the first two of each token's; `None`
/// where there is no token. Of equal ones it is the first.
pub(super) fn best_span(tokens: &[[f32; 3]]) -> Option<(RangeInclusive<usize>, f32)> {
    let mut best: Option<(RangeInclusive<usize>, f32)> = None;
    for (start, [of_start, ..]) in tokens.iter().enumerate() {
        for (end, [_, of_end, _]) in tokens.iter().enumerate().skip(start).take(SPAN_TOKENS) {
            let logit = of_start + of_end;
            if best.as_ref().is_none_or(|(_, known)| logit > *known) {
                best = Some((start..=end, logit));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_behind_its_start_and_within_thirty_tokens() {
        assert_eq!(best_span(&[]), None);
        assert_eq!(best_span(&[[1.0, 2.0, 0.0]]), Some((0..=0, 3.0)));
        // The best end stands before the best start.
        assert_eq!(best_span(&[[0.0, 9.0, 0.0], [9.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), Some((1..=2, 10.0)));
        let mut far = vec![[0.0; 3]; 40];
        (far[0][0], far[29][1], far[30][1]) = (5.0, 4.0, 8.0);
        assert_eq!(best_span(&far), Some((0..=29, 9.0)));
    }
}
