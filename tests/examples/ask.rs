//! Reads files into a library and asks it: `cargo run --release --example ask -- FOLDER QUESTION`.

#![expect(clippy::print_stdout, reason = "an example prints what it finds")]

use std::path::PathBuf;

use anyhow::Context as _;
use ibid::embed::Embedder;
use ibid::library::{Asking, Corpus, Library};
use ibid::retrieve::Question;
use ibid::settings;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: ask FOLDER QUESTION";
    let (folder, question) = (arguments.next().context(usage)?, arguments.next().context(usage)?);

    // A library in a folder that goes when this ends; `settings.library.data` names one that stays.
    let data = tempfile::tempdir()?;
    let mut settings = settings::resolve(None, std::iter::empty(), vec![])?;
    data.path().clone_into(&mut settings.library.data);
    let library = Library::open(settings, Embedder::bundled()?)?;

    let report = library.ingest(&Corpus::Paths(vec![PathBuf::from(folder)]), &|_| ())?;
    println!("{} articles, {} passages", report.articles, report.passages);
    for unusable in &report.unusable {
        println!("not read: {}: {}", unusable.path, unusable.reason);
    }

    let (answer, _) = library.ask(&Asking::of(Question::parse(&question, None)?, 5), &mut |_| ())?;
    if !answer.answerable {
        println!("The articles do not say.");
    }
    for statement in &answer.statements {
        println!("{} {:?}", statement.text, statement.citations);
    }
    for (number, citation) in (1..).zip(&answer.citations) {
        let (article, lines) = (citation.article(), citation.lines());
        println!("[{number}] {}, {}, lines {} to {}", article.article.record.title, article.source_path, lines.first, lines.last);
    }
    Ok(())
}
