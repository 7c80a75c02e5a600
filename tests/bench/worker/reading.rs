//! Reading a file into articles, without embedding them.

use std::time::Instant;

use ibid::newspaper;
use ibid::read::{self, Reading, files};
use serde_json::{Value, json};

/// Seconds, articles and characters of one file, its pages if it has some, and the most memory that it took, in MiB.
pub(super) fn read(path: &str) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let source = files::source(path.to_owned(), path.to_owned(), bytes);
    let begun = Instant::now();
    let (reading, broken) = read::read(&source).unwrap_or_else(|error| panic!("{path} {error}"));
    let (pages, articles) = match reading {
        Reading::Articles(articles) => (0, articles),
        Reading::Plain(decoded) => (0, vec![read::prose(decoded, "file")]),
        Reading::Printed(document) => (document.pages.len(), newspaper::printed_articles(&document, "file").articles),
    };
    let seconds = begun.elapsed().as_secs_f64();
    let characters: usize = articles.iter().map(|article| article.text.chars().count()).sum();
    let (articles, broken, memory) = (articles.len(), broken.len(), peak_memory());
    json!({ "seconds": seconds, "pages": pages, "articles": articles, "characters": characters, "broken": broken, "memory_mib": memory })
}

/// The most memory that this process has had, in MiB, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes / 1024)
}
