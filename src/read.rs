//! Bytes → text: what a source says, with the line that each byte comes from.
//!
//! [`read`] chooses by the file's extension. Markdown, HTML and JSON Lines give
//! articles at once; plain text is handed back decoded, because it may be prose or
//! a newspaper page, and only the room `page` can tell. Nothing here opens a file
//! but [`files`], and nothing follows a link in a text.

mod charset;
pub mod files;
mod front_matter;
mod html;
mod html_blocks;
mod jsonl;
mod language;
mod markdown;
mod plain;

pub use charset::Decoded;
pub use language::{language, sure_language};
pub use plain::prose;

use crate::article::{Article, Source};

/// What reading a source gives.
#[derive(Debug)]
pub enum Reading {
    /// Articles, complete.
    Articles(Vec<Article>),
    /// Plain text that is still to be told apart: prose, or a newspaper page.
    Plain(Decoded),
}

/// Why a source cannot be used. Each says what to do where there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is larger than the settings allow.
    #[error("is {size} bytes long, over the limit of {limit}\nhint: raise `read.max_source_bytes`, or divide the file")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// `read.max_source_bytes`.
        limit: u64,
    },
    /// No text in it.
    #[error("is empty")]
    Empty,
    /// It is no text.
    #[error("is binary, not text")]
    Binary,
    /// Its extension is none that ibid reads.
    #[error("is of a kind that is not read\nhint: .txt, .md, .html and .jsonl are")]
    Unsupported,
    /// It is no ordinary file.
    #[error("is not an ordinary file")]
    NotAFile,
    /// A line of JSON Lines is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// Line number, from 1.
        line: u32,
        /// What is wrong.
        reason: String,
    },
    /// The front matter of a Markdown file is wrong.
    #[error("front matter: {0}")]
    FrontMatter(String),
}

/// A source's articles, and what could not be read of it.
pub type Outcome = Result<(Reading, Vec<Error>), Error>;

/// The format that a path's extension names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prose or a newspaper page.
    Plain,
    /// Markdown with front matter.
    Markdown,
    /// A web page.
    Html,
    /// One article a line.
    JsonLines,
}

impl Format {
    /// The format of `path`, `None` for kinds that are not read.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "txt" | "text" => Some(Self::Plain),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// Reads `source`. Single lines of JSON Lines that are broken come back beside the rest.
pub fn read(source: &Source) -> Outcome {
    let format = Format::of(&source.path).ok_or(Error::Unsupported)?;
    let declared = (format == Format::Html).then(|| html::declared_charset(&source.bytes)).flatten();
    let decoded = charset::decode(&source.bytes, declared.as_deref())?;
    let stem = stem(&source.path);
    match format {
        Format::Plain => Ok((Reading::Plain(decoded), vec![])),
        Format::Markdown => markdown::article(&decoded, stem).map(single),
        Format::Html => html::article(&decoded, stem).map(single),
        Format::JsonLines => {
            let (articles, errors) = jsonl::articles(&decoded);
            Ok((Reading::Articles(articles), errors))
        }
    }
}

fn single(article: Article) -> (Reading, Vec<Error>) {
    (Reading::Articles(vec![article]), vec![])
}

/// A path's last part without its extension: the title when a text has none.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A date as `YYYY-MM-DD`, when the text begins with one that exists.
fn date(text: &str) -> Option<String> {
    let head = text.trim().get(..10)?;
    head.parse::<jiff::civil::Date>().ok().map(|date| date.to_string())
}
