//! The words that pages are recognised by, from `words.toml`.

use std::sync::LazyLock;

use toml::Table;

/// All lists of the file, read once.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let table: Table = include_str!("words.toml").parse().expect("the shipped words are TOML, a test holds it");
    Words {
        advertisement_labels: list(&table, "advertisement_labels"),
        advertising: list(&table, "advertising"),
        beside_dates: list(&table, "beside_dates"),
        columns: list(&table, "columns"),
        compound_surnames: list(&table, "compound_surnames"),
        contacts: list(&table, "contacts"),
        credits: list(&table, "credits"),
        lead_labels: list(&table, "lead_labels"),
        newspapers: list(&table, "newspapers"),
        no_names: list(&table, "no_names"),
        page_pointers: list(&table, "page_pointers"),
        pens: list(&table, "pens"),
        roles: list(&table, "roles"),
        surnames: table["surnames"].as_str().expect("a text").to_owned(),
    }
});

/// The lists.
pub(super) struct Words {
    /// Lines that announce advertising.
    pub(super) advertisement_labels: Vec<String>,
    /// Words of advertisements.
    pub(super) advertising: Vec<String>,
    /// What stands beside the date at the head of a page.
    pub(super) beside_dates: Vec<String>,
    /// Words that columns are named with.
    pub(super) columns: Vec<String>,
    /// Family names of two characters, simplified and traditional.
    pub(super) compound_surnames: Vec<String>,
    /// Words of addresses, subscriptions and prices of the newspaper itself.
    pub(super) contacts: Vec<String>,
    /// What a line of credits begins with.
    pub(super) credits: Vec<String>,
    /// Labels that head a page's lead.
    pub(super) lead_labels: Vec<String>,
    /// What names of newspapers end with.
    pub(super) newspapers: Vec<String>,
    /// Words of two or three characters that begin like a name and are none: columns and labels.
    pub(super) no_names: Vec<String>,
    /// What a pointer to another page begins with.
    pub(super) page_pointers: Vec<String>,
    /// What stands before or behind a name with a mark between: "文/李明".
    pub(super) pens: Vec<String>,
    /// What may stand before names. The first that fits is taken: longer ones come first.
    pub(super) roles: Vec<String>,
    /// Family names of one character, simplified and traditional.
    pub(super) surnames: String,
}

fn list(table: &Table, name: &str) -> Vec<String> {
    let words = table[name].as_array().expect("a list");
    words.iter().map(|word| word.as_str().expect("a text").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_words_and_no_line_break() {
        assert!(WORDS.roles.len() > 20 && WORDS.credits.contains(&"校对 ".to_owned()), "a space at the end counts");
        assert!(WORDS.surnames.starts_with("赵钱孙李") && !WORDS.surnames.contains('\n'));
    }
}
