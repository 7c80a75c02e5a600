//! The words of answers from records, in the question's language.

use crate::article::one_line;
use crate::shelf::Described;
use crate::text::language;

/// "Three articles", in the language of `question`.
pub fn count(question: &str, articles: usize) -> String {
    match language(question) {
        Some("zh" | "zh-Hant") => format!("共 {articles} 篇文章。"),
        Some("ja") => format!("記事は{articles}本です。"),
        Some("es") if articles == 1 => "1 artículo.".to_owned(),
        Some("es") => format!("{articles} artículos."),
        Some("de") => format!("{articles} Artikel."),
        Some("fr") if articles == 1 => "1 article.".to_owned(),
        Some("fr") => format!("{articles} articles."),
        Some("ru") => format!("Статей: {articles}."),
        _ if articles == 1 => "1 article.".to_owned(),
        _ => format!("{articles} articles."),
    }
}

/// An article in one line: its title, its authors, its date.
pub fn described(record: &Described) -> String {
    let mut words = one_line(&record.title);
    let about: Vec<String> = record.authors.iter().map(|author| one_line(author)).chain(record.published.clone()).collect();
    if !about.is_empty() {
        words.push_str(" — ");
        words.push_str(&about.join(", "));
    }
    words
}
