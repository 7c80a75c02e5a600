//! The topic of a question about the collection: what is left of it without the words that only ask.

use std::sync::LazyLock;

use toml::Table;

use super::super::written::fold;
use crate::text::is_unspaced;

/// Words that only ask.
struct Asking {
    /// In scripts without spaces, folded as questions are; the longest first.
    unspaced: Vec<String>,
    /// In others.
    spaced: Vec<String>,
}

static ASKING: LazyLock<Asking> = LazyLock::new(|| {
    let table: Table = include_str!("asking.toml").parse().expect("the shipped words are TOML, a test holds it");
    let list = |name: &str| table[name].as_array().expect("a list").iter().map(|word| word.as_str().expect("a text").to_owned());
    let mut unspaced: Vec<String> = list("unspaced").map(|word| fold(&word)).collect();
    unspaced.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    Asking { unspaced, spaced: list("spaced").collect() }
});

/// What a question, `folded`, is about; `None` where nothing is left.
pub fn topic(folded: &str) -> Option<String> {
    let mut text: String = folded.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    if folded.chars().any(is_unspaced) {
        // Of single characters those at an edge: inside they are parts of words.
        let (long, short): (Vec<&String>, Vec<&String>) = ASKING.unspaced.iter().partition(|word| word.chars().count() > 1);
        for word in long {
            text = text.replace(word.as_str(), " ");
        }
        let edges: Vec<char> = short.iter().filter_map(|word| word.chars().next()).collect();
        text = text.split_whitespace().map(|part| part.trim_matches(edges.as_slice())).collect::<Vec<_>>().join(" ");
    }
    let left = text.split_whitespace().filter(|word| !ASKING.spaced.iter().any(|asking| asking == word));
    let topic = left.collect::<Vec<_>>().join(" ");
    (topic.chars().count() > 1).then_some(topic)
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn what_is_left_is_the_topic() {
        let rows = [
            ("有哪些文章谈到夜市?", Some("夜市")),
            ("关于乡村振兴的文章有哪些?", Some("乡村振兴")),
            ("which articles talk about night markets?", Some("night markets")),
            ("¿qué artículos hablan de agua de lluvia?", Some("agua lluvia")),
            ("welche artikel handeln von lastenrädern?", Some("lastenrädern")),
            ("какие статьи говорят о туризме?", Some("туризме")),
            ("how many articles are there?", None),
            ("一共有多少篇文章?", None),
            ("was ist der neueste artikel?", None),
            ("最新の记事は何ですか?", None),
            ("сколько всего статей?", None),
        ];
        for (question, expected) in rows {
            assert_eq!(topic(question).as_deref(), expected, "{question}");
        }
    }
}
