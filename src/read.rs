//! Bytes → text: what a source says, with the line that each byte comes from.
//!
//! [`read`] chooses by the file's extension. Most formats give articles at once; plain text is
//! handed back decoded, because it may be prose or a newspaper page, and a PDF gives characters with
//! their places: what articles they make, only the room `newspaper` can tell. Nothing here opens a file
//! but [`files`], and nothing follows a link in a text.
//!
//! Web pages, Markdown and plain text know their lines. DOCX, ODT, EPUB and RTF go through `document`, which counts
//! their paragraphs; their containers through `archive` and `xml`, which bound what is unpacked. Rows of tables
//! are made by `table`, whatever the format.

mod archive;
mod bundle;
mod charset;
mod columns;
mod csv;
mod document;
mod docx;
mod epub;
mod feed;
pub mod files;
mod front_matter;
mod guard;
mod html;
mod html_blocks;
mod html_open;
mod html_tables;
mod json;
mod jsonl;
mod line_starts;
mod markdown;
mod odt;
mod pdf;
mod plain;
mod printed;
mod properties;
mod rtf;
mod table;
mod xml;

pub use bundle::{Bundle, INSIDE, Inside};
pub use charset::Decoded;
pub use guard::bounded;
pub use pdf::page_picture;
pub use plain::prose;
pub use printed::{Glyph, Printed, PrintedPage, Rule};

use crate::article::{Article, Source};

/// What reading a source gives.
#[derive(Debug)]
pub enum Reading {
    /// Articles, complete.
    Articles(Vec<Article>),
    /// Plain text that is still to be told apart: prose, or a newspaper page.
    Plain(Decoded),
    /// Characters with their places on pages: a report, or newspaper pages.
    Printed(Printed),
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
    #[error("is of a type that is not supported\nhint: {SUPPORTED} are")]
    Unsupported,
    /// Its type is read, and it holds no articles: JSON and XML are written for much else.
    #[error("holds no articles: it is no list of objects with a text, and no feed")]
    NoArticles,
    /// It is no DOCX, but what an older or an encrypted document is wrapped in.
    #[error("is an older document, or an encrypted one\nhint: save it as .docx without a password")]
    OldOrEncrypted,
    /// It is an archive within an archive.
    #[error("is an archive within an archive\nhint: unpack the outer one")]
    Nested,
    /// What it unpacks to has no end, or one that is too far.
    #[error("unpacks to more than {limit} bytes\nhint: divide it")]
    Unpacked {
        /// Bytes that may be unpacked of one file.
        limit: u64,
    },
    /// A part of it, by its name inside.
    #[error("`{name}` {reason}")]
    Part {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Several reasons at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nand "))]
    Several(Vec<Error>),
    /// It needs a password.
    #[error("is encrypted, and the empty password does not open it\nhint: save it without a password")]
    Encrypted,
    /// Pages that are pictures.
    #[error("{0} without text: a scan\nhint: add a text layer with OCR, for instance with OCRmyPDF")]
    Scan(Pages),
    /// Pages whose fonts do not tell which characters they draw.
    #[error("{0} with fonts that do not say which characters they show\nhint: export it again, or treat it as a scan with OCR")]
    NoUnicode(Pages),
    /// Pages whose text is printed upside down or at an angle.
    #[error("{0} with text that is printed at an angle\nhint: turn the page, and save the file")]
    Turned(Pages),
    /// It is not what its format asks for.
    #[error("cannot be read: {0}")]
    Damaged(String),
    /// What was said of a part of it when it was read before; it has not changed.
    #[error("{0}")]
    Earlier(String),
    /// It holds more than is read of one file.
    #[error("holds {count} {what}, over the limit of {limit}\nhint: divide the file")]
    TooMany {
        /// How many there are, at least.
        count: usize,
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// Reading it took too long.
    #[error("took longer than {seconds} s to read\nhint: divide the file")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// It is no ordinary file.
    #[error("is not an ordinary file")]
    NotAFile,
    /// What stands on a line is wrong: of JSON Lines, or the line on which an entry or a record begins.
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

/// Numbers of pages, from 1, rising; written as `pages 1–3, 7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages(pub Vec<u32>);

impl std::fmt::Display for Pages {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.len() == 1 { "has page " } else { "has pages " })?;
        let runs = self.0.chunk_by(|a, b| a + 1 == *b);
        for (place, run) in runs.enumerate() {
            let (first, last) = (run[0], run[run.len() - 1]);
            out.write_str(if place > 0 { ", " } else { "" })?;
            if first == last { write!(out, "{first}")? } else { write!(out, "{first}–{last}")? }
        }
        Ok(())
    }
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
    /// Pages with characters in their places.
    Pdf,
    /// A Word document.
    Docx,
    /// An `OpenDocument` text.
    Odt,
    /// A book.
    Epub,
    /// Rich Text Format.
    Rtf,
    /// RSS or Atom.
    Feed,
    /// Records: an article each, or a table.
    Csv,
    /// A list of articles.
    Json,
    /// An archive of any of these.
    Zip,
}

/// The extensions that are read, for people.
pub const SUPPORTED: &str =
    ".txt, .md, .html, .pdf, .docx, .odt, .epub, .rtf, .jsonl, .json, .csv, .tsv, .rss, .atom, .xml and .zip";

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
            "pdf" => Some(Self::Pdf),
            "docx" | "docm" | "dotx" => Some(Self::Docx),
            "odt" | "ott" => Some(Self::Odt),
            "epub" => Some(Self::Epub),
            "rtf" => Some(Self::Rtf),
            "rss" | "atom" | "xml" => Some(Self::Feed),
            "csv" | "tsv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "zip" => Some(Self::Zip),
            _ => None,
        }
    }
}

/// Reads `source`. Parts that are broken come back beside the rest. An archive is opened by [`Bundle`], which gives a
/// source for each of its files.
pub fn read(source: &Source) -> Outcome {
    let Source { path, bytes, .. } = source;
    let several = |(articles, broken)| (Reading::Articles(articles), broken);
    let decode = |declared: Option<&str>| charset::decode(bytes, declared);
    match Format::of(path).ok_or(Error::Unsupported)? {
        Format::Plain => Ok((Reading::Plain(decode(None)?), vec![])),
        Format::Markdown => markdown::article(&decode(None)?, stem(path)).map(single),
        Format::Html => html::article(&decode(html::declared_charset(bytes).as_deref())?, stem(path)).map(single),
        Format::JsonLines => {
            let (articles, errors) = jsonl::articles(&decode(None)?);
            Ok((Reading::Articles(articles), errors))
        }
        Format::Pdf => pdf::printed(bytes).map(|(printed, broken)| (Reading::Printed(printed), broken)),
        Format::Docx => docx::article(bytes, stem(path)).map(single),
        Format::Odt => odt::article(bytes, stem(path)).map(single),
        Format::Epub => epub::article(bytes, stem(path)).map(|(article, broken)| (Reading::Articles(vec![article]), broken)),
        Format::Rtf => rtf::article(bytes, stem(path)).map(single),
        Format::Feed => {
            let text = xml::decode(bytes)?;
            bounded(move || feed::articles(&text))?.map(several)
        }
        Format::Csv => csv::articles(&decode(None)?, stem(path)).map(several),
        Format::Json => json::articles(&decode(None)?).map(several),
        Format::Zip => Err(Error::Nested),
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
