//! Reading, cutting and finding the words of texts, each on every input.

use std::rc::Rc;
use std::sync::LazyLock;

use ibid::article::Article;
use ibid::chunk::{self, Rules};
use ibid::embed::Embedder;
use ibid::newspaper;
use ibid::read::{self, Reading, files};
use ibid::text::{self, terms::terms};

use crate::inputs::{INPUTS, pdf};
use crate::{Case, Work};

pub(crate) static EMBEDDER: LazyLock<Embedder> = LazyLock::new(|| Embedder::bundled().expect("the model in the binary"));

/// The articles that a file holds.
fn read(path: &str, bytes: &[u8]) -> Vec<Article> {
    let source = files::source(path.to_owned(), format!("/{path}"), bytes.to_vec());
    // By length: what a model would say costs the same for each pair, and much more.
    let alike = |a: &str, b: &str| if a.len() % 3 == b.len() % 3 { 0.9 } else { 0.1 };
    let mut articles = match read::read(&source) {
        Err(_) => vec![],
        Ok((Reading::Articles(articles), _)) => articles,
        Ok((Reading::Plain(decoded), _)) => match newspaper::reconstruct(&decoded, &alike) {
            Some(page) => page.articles,
            None => vec![read::prose(decoded, "a")],
        },
        Ok((Reading::Printed(document), _)) => newspaper::printed_articles(&document, "a").articles,
    };
    articles.iter_mut().for_each(Article::tidy);
    articles
}

/// The texts of the passages that articles are cut into.
fn cut(articles: &[Article]) -> Vec<String> {
    let rules = Rules { target_tokens: 140, max_tokens: 320 };
    let mut texts = Vec::new();
    for article in articles {
        for passage in chunk::passages(article, rules, &|text| EMBEDDER.count(text)) {
            assert!(article.lines.range(passage.span).is_some(), "each passage leads to lines");
            texts.push(article.quote(passage.span).unwrap_or_default().to_owned());
        }
    }
    texts
}

fn words(texts: &[String]) -> usize {
    texts.iter().map(|text| text::sentences_of(text).len() + terms(text).len()).sum()
}

/// Each input: read, cut, and its words found.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, path, input) in INPUTS {
        cases.push(Case::new(format!("read: {name}"), 1 << 14, 16, move |size| -> Work {
            let bytes = input(size).into_bytes();
            Box::new(move || drop(read(path, &bytes)))
        }));
        cases.push(Case::new(format!("cut: {name}"), 1 << 14, 8, move |size| -> Work {
            let articles = read(path, input(size).as_bytes());
            Box::new(move || drop(cut(&articles)))
        }));
        cases.push(Case::new(format!("words: {name}"), 1 << 14, 8, move |size| -> Work {
            let texts = Rc::new(cut(&read(path, input(size).as_bytes())));
            Box::new(move || {
                words(&texts);
            })
        }));
    }
    cases.push(Case::new("read: pdf", 4, 8, |pages| {
        let bytes = pdf(pages);
        assert!(!read("a.pdf", &bytes).is_empty(), "a PDF that is read");
        Box::new(move || drop(read("a.pdf", &bytes)))
    }));
    cases
}
