//! A text whose long runs of spaces and marks are cut short, so that looking for sentences takes linear time.
//!
//! Whether a sentence ends after a full stop depends on the next letter (UAX #29, SB8), which is looked for anew at each
//! space between. No run that readers write is as long as one that makes this slow.

/// Characters that are kept at each end of a run.
const KEPT: usize = 32;

/// The shorter text, and how its places lead back.
pub(super) struct Shortened {
    /// Without the middles of long runs.
    pub(super) text: String,
    /// Where something was left out, and how many bytes in all up to there.
    cuts: Vec<(usize, usize)>,
}

impl Shortened {
    /// `text` with each line break and tab as a space.
    pub(super) fn of(text: &str) -> Self {
        let mut short = Self { text: String::with_capacity(text.len()), cuts: Vec::new() };
        let (mut at, mut left_out) = (0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let run = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
            let word = rest[run..].find(|c: char| !c.is_alphanumeric()).map_or(rest.len(), |end| run + end);
            match middle(&rest[..run]) {
                Some((from, to)) => {
                    short.push(&rest[..from]);
                    left_out += to - from;
                    short.cuts.push((short.text.len(), left_out));
                    short.push(&rest[to..word]);
                }
                None => short.push(&rest[..word]),
            }
            at += word;
        }
        short
    }

    fn push(&mut self, text: &str) {
        self.text.extend(text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }));
    }

    /// The place in the whole text that byte `at` of the shorter one stands for.
    pub(super) fn original(&self, at: usize) -> usize {
        let before = self.cuts.partition_point(|(place, _)| *place <= at);
        at + before.checked_sub(1).map_or(0, |last| self.cuts[last].1)
    }
}

/// What is left out of a run, if it is long.
fn middle(run: &str) -> Option<(usize, usize)> {
    if run.len() <= 2 * KEPT {
        return None;
    }
    let from = run.char_indices().nth(KEPT)?.0;
    let to = run.char_indices().rev().nth(KEPT - 1)?.0;
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_and_only_long_runs_are_shortened() {
        let plain = "Eins.\nZwei;\tdrei … 四。";
        let short = Shortened::of(plain);
        assert_eq!((short.text.as_str(), short.original(9)), ("Eins. Zwei; drei … 四。", 9));
        let long = format!("a.{}b.{}", "\u{3000}".repeat(1000), "-".repeat(500));
        let short = Shortened::of(&long);
        assert_eq!(short.text.chars().count(), "a".len() + 2 * KEPT + "b".len() + 2 * KEPT);
        let b = short.text.find('b').unwrap();
        assert_eq!(long.as_bytes()[short.original(b)], b'b');
        assert_eq!((short.original(0), short.original(short.text.len())), (0, long.len()));
    }
}
