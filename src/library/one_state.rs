//! A question is answered from one state of the library, whatever is written between two of its reads.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::{Asking, Library};
use crate::answer::Answer;
use crate::embed::Embedder;
use crate::read::files::source;
use crate::retrieve::{Evidence, Mode, Question};
use crate::settings;
use crate::shelf::Filter;

/// What is written before a read, and whether questions are let see it at once.
#[derive(Debug, Clone, Copy)]
struct Write {
    removes: bool,
    refreshes: bool,
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let one = (prop::bool::weighted(0.3), any::<bool>()).prop_map(|(removes, refreshes)| Write { removes, refreshes });
    prop::collection::vec(one, 1..5)
}

const LOCATION: &str = "api:gates";

/// Three articles that are written together: each says the number of its state in title, author, text and place.
fn articles(number: usize) -> crate::article::Source {
    let line = |gate: &str, keeper: &str| {
        let author = format!("{keeper}第{number}");
        let text = format!(
            "{}{gate}号闸门每天开{number}次。{gate}号闸门由{author}看守，守夜的人把水位记在本子上。",
            "前言。\n".repeat(number % 3)
        );
        serde_json::json!({ "id": gate, "title": format!("{gate}号闸门的第{number}份记录"), "authors": [author], "text": text })
            .to_string()
    };
    let lines = [line("一", "林"), line("二", "周"), line("三", "何")];
    source("gates.jsonl".to_owned(), LOCATION.to_owned(), lines.join("\n").into_bytes())
}

/// All that readers see of an article of one state, and of its source.
type Seen = String;

/// The states that the library was in, one after each commit: its articles.
#[derive(Default)]
struct States(Vec<BTreeSet<Seen>>);

impl States {
    fn note(&mut self, library: &Library) {
        let articles = library.shelf().articles(0, 100).unwrap();
        self.0.push(articles.iter().map(|stored| format!("{stored:?}")).collect());
    }
}

/// A library, and what it was.
struct Written {
    library: Arc<Library>,
    states: Arc<Mutex<States>>,
    _folder: tempfile::TempDir,
}

impl Written {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings::resolve(None, std::iter::empty(), vec![]).unwrap();
        folder.path().clone_into(&mut settings.library.data);
        let library = Arc::new(Library::open(settings, Embedder::bundled().unwrap()).unwrap());
        library.add(&[articles(1)]).unwrap();
        library.shelf().refresh().unwrap();
        let states = Arc::default();
        Self { library, states, _folder: folder }
    }

    /// What `ask` gives while something is written before each of its reads, and how often that was. In turn these are
    /// the `writes`.
    fn asked<T>(&self, writes: &[Write], ask: impl FnOnce(&Library) -> T) -> (T, usize) {
        let (library, states) = (Arc::clone(&self.library), Arc::clone(&self.states));
        let mut seen = States::default();
        seen.note(&library);
        *states.lock().unwrap() = seen;
        let writes = writes.to_vec();
        let mut number = 0;
        let act = move || {
            let write = writes[number % writes.len()];
            number += 1;
            if write.removes {
                library.remove(LOCATION).unwrap();
            } else {
                library.add(&[articles(number + 1)]).unwrap();
            }
            if write.refreshes {
                library.shelf().refresh().unwrap();
            }
            states.lock().unwrap().note(&library);
        };
        self.library.shelf().between_reads(Some(Box::new(act)));
        let given = ask(&self.library);
        self.library.shelf().between_reads(None);
        // The next question begins with something to be found.
        self.library.add(&[articles(1)]).unwrap();
        self.library.shelf().refresh().unwrap();
        (given, self.states.lock().unwrap().0.len() - 1)
    }

    /// Whether one of the states holds all of `seen`, and is empty just where nothing was found.
    fn is_of_one_state(&self, seen: &BTreeSet<Seen>, found: bool) -> bool {
        self.states.lock().unwrap().0.iter().any(|state| seen.is_subset(state) && state.is_empty() != found)
    }
}

/// The articles that an answer cites.
fn cited(answer: &Answer) -> BTreeSet<Seen> {
    for citation in &answer.citations {
        let (article, span) = (&citation.article().article, citation.span());
        assert_eq!(article.quote(span), Some(citation.quote()));
        assert_eq!(article.quote(citation.passage().1), Some(citation.passage().2));
        assert_eq!(article.lines.range(span), Some(citation.lines()));
    }
    answer.citations.iter().map(|citation| format!("{:?}", citation.article())).collect()
}

/// The states of which `evidence` can be: its titles and texts name their numbers.
fn numbers(evidence: &[Evidence]) -> BTreeSet<String> {
    let number = |text: &str| text.split('第').nth(1).and_then(|rest| rest.split('份').next()).unwrap_or_default().to_owned();
    for one in evidence {
        let number = number(&one.passage.title);
        assert!(one.passage.text.contains(&format!("开{number}次")), "{one:?}");
        assert!(one.passage.authors[0].ends_with(&format!("第{number}")), "{one:?}");
    }
    evidence.iter().map(|one| number(&one.passage.title)).collect()
}

fn question(text: &str) -> Question {
    Question::parse(text, None).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_of_one_state_whatever_is_written_between_its_reads(writes in writes()) {
        let written = Written::begin();
        let ask = |text: &str, earlier: &[&str], filter: Filter| {
            let earlier = earlier.iter().map(|text| question(text)).collect();
            let asking = Asking { earlier, filter, ..Asking::of(question(text), 5) };
            written.asked(&writes, |library| library.ask(&asking, &mut |_| ()).unwrap().0)
        };
        let rows: [(&str, &[&str], Filter); 5] = [
            ("二号闸门每天开几次？", &[], Filter::default()),
            ("二号闸门每天开几次？", &[], Filter { languages: vec!["zh".to_owned()], ..Filter::default() }),
            ("那三号闸门呢？", &["二号闸门每天开几次？"], Filter::default()),
            ("一共有多少篇文章？", &[], Filter::default()),
            ("有哪些文章谈到闸门？", &[], Filter::default()),
        ];
        for (text, earlier, filter) in rows {
            let (answer, reads) = ask(text, earlier, filter);
            prop_assert!(reads > 0);
            let told = answer.statements.iter().map(|statement| statement.text.as_str()).collect::<Vec<_>>();
            prop_assert!(written.is_of_one_state(&cited(&answer), answer.answerable), "{text} {told:?}");
        }
        for mode in [Mode::Hybrid, Mode::Dense, Mode::Lexical] {
            let find = |library: &Library| library.find(&question("三号闸门每天开几次？"), &Filter::default(), mode, 5).unwrap();
            let (found, _) = written.asked(&writes, find);
            prop_assert!(numbers(&found.evidence).len() <= 1, "{:?}", found.evidence);
            let all = found.evidence.len();
            prop_assert!(all == 3 || all == 0 && writes.iter().any(|write| write.removes), "{all} of three");
        }
    }
}
