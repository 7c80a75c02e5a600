//! Which articles may answer a question.

/// Which articles may answer. Empty parts allow all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these is among the authors.
    pub authors: Vec<String>,
    /// Published on this day or later, `YYYY-MM-DD`; undated articles fall out.
    pub published_from: Option<String>,
    /// Published on this day or earlier.
    pub published_to: Option<String>,
    /// One of these is the article.
    pub articles: Vec<String>,
    /// One of these is the source's path.
    pub sources: Vec<String>,
    /// One of these is the language, or what its tag begins with: `zh` allows `zh-Hant`.
    pub languages: Vec<String>,
}

impl Filter {
    /// Whether it allows all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
