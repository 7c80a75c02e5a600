//! A question in a conversation → a question that stands alone.
//!
//! Nothing is rewritten: a question that refers back, or is too short to mean
//! anything by itself, is asked together with the question before it.

use super::Question;
use crate::text::is_unspaced;
use crate::text::terms::units;

/// Words that point back when they stand anywhere in a question.
const POINTING: [&str; 52] = [
    "it", "its", "they", "them", "their", "theirs", "he", "him", "his", "she", "her", "hers", "this", "these", "those", "there",
    "former", "latter", "ello", "esto", "eso", "ellos", "ellas", "él", "ella", "su", "sus", "elle", "ils", "elles", "cela", "ça",
    "leur", "leurs", "er", "sie", "ihr", "ihre", "sein", "seine", "dies", "diese", "он", "она", "оно", "они", "его", "её", "ее",
    "их", "это", "там",
];
/// The same in scripts that write no spaces.
const POINTING_UNSPACED: [&str; 20] = [
    "它", "他", "她", "其中", "这个", "那个", "这些", "那些", "这样", "該", "该", "此", "上述", "前者", "后者", "後者", "這個",
    "這些", "그것", "それ",
];
/// What a question that goes on begins with.
const GOING_ON: [&str; 22] = [
    "那",
    "还有",
    "還有",
    "然后",
    "另外",
    "为什么呢",
    "and ",
    "but ",
    "so ",
    "then ",
    "also ",
    "what about",
    "how about",
    "why?",
    "why so",
    "y ",
    "¿y ",
    "et ",
    "und ",
    "а ",
    "и ",
    "では",
];
/// Fewer words (or characters, where words have no spaces) than this ask nothing alone.
const SPARSE: usize = 4;
/// More than this name what they point to: "Where did the mayor who built it spend his last years?"
const SHORT: usize = 8;
/// Earlier questions that are asked along, at most.
const REACH: usize = 2;

/// `question` as it has to be asked after the `earlier` ones, the latest last.
pub fn in_context(question: &Question, earlier: &[Question]) -> Question {
    let mut asked = question.clone();
    let mut latest = question;
    for before in earlier.iter().rev().take(REACH) {
        if !refers_back(latest) {
            break;
        }
        asked = asked.after(before.as_str());
        latest = before;
    }
    asked
}

/// `question` asked with the last of the `earlier` ones; `None` where there is none.
pub fn behind_the_last(question: &Question, earlier: &[Question]) -> Option<Question> {
    Some(question.after(earlier.last()?.as_str()))
}

/// Whether `question` needs what was said before it.
fn refers_back(question: &Question) -> bool {
    let folded = question.as_str().to_lowercase();
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let unspaced = folded.chars().filter(|c| is_unspaced(*c)).count();
    let goes_on = (units(&folded).len() < SPARSE && !names_something(question.as_str()))
        || GOING_ON.iter().any(|start| folded.starts_with(start))
        || folded.trim_end_matches(['？', '?', '。', ' ']).ends_with('呢');
    let points = words.iter().any(|word| POINTING.contains(word)) || POINTING_UNSPACED.iter().any(|word| folded.contains(word));
    let short = if unspaced > 0 { unspaced <= SHORT * 2 } else { words.len() <= SHORT };
    goes_on || (points && short && !names_something(question.as_str()))
}

/// A capital inside a question: a name, that is what it asks about.
fn names_something(question: &str) -> bool {
    question.split_whitespace().skip(1).any(|word| word.len() > 1 && word.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        Question::parse(text, None).unwrap()
    }

    fn check(earlier: &[&str], asked: &str, expected: &str) {
        let earlier: Vec<Question> = earlier.iter().map(|text| question(text)).collect();
        assert_eq!(in_context(&question(asked), &earlier).as_str(), expected);
    }

    #[test]
    fn a_question_that_refers_back_is_asked_with_the_one_before() {
        check(&["夜市几点开？"], "那摊位费呢？", "夜市几点开？ 那摊位费呢？");
        check(&["Who runs the night market?"], "When was it founded?", "Who runs the night market? When was it founded?");
        check(&["夜市几点开？", "那摊位费呢？"], "为什么？", "夜市几点开？ 那摊位费呢？ 为什么？");
    }

    #[test]
    fn a_question_that_stands_alone_is_asked_alone() {
        check(&["夜市几点开？"], "白沙河断面水质达到几类？", "白沙河断面水质达到几类？");
        check(
            &["Who runs the night market?"],
            "How many parcels does a cargo bike carry?",
            "How many parcels does a cargo bike carry?",
        );
        check(&["Who runs the night market?"], "Where did Lin Hua spend her youth?", "Where did Lin Hua spend her youth?");
        check(&[], "那摊位费呢？", "那摊位费呢？");
    }
}
