//! The report as one HTML page that needs nothing else. Questions and answers are text
//! from outside: all of it is escaped.

use std::fmt::Write as _;

use super::plots::{self, Bar, escape};
use super::{FIGURES, Manifest, Section, failures};
use crate::eval::compare::short;
use crate::eval::record::Record;

const LISTED: usize = 30;

pub(super) fn report(manifest: &Manifest, sections: &[Section], records: &[Vec<Record>]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>ibid: evaluation</title><style>{}</style></head><body><main><h1>Evaluation</h1>",
        include_str!("report.css")
    );
    let Manifest { version, model, model_sha256, settings_sha256, seed, machine, began, .. } = manifest;
    let facts = [
        ("ibid", (*version).to_owned()),
        ("model", format!("{model} · {}", &model_sha256[..12.min(model_sha256.len())])),
        ("settings", settings_sha256[..12.min(settings_sha256.len())].to_owned()),
        ("seed", seed.to_string()),
        ("machine", machine.clone()),
        ("began", began.clone()),
    ];
    page.push_str("<dl>");
    for (name, value) in facts {
        write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value)).expect("writing to a String cannot fail");
    }
    page.push_str("</dl>");
    for (figure, title) in [
        ("recall@1", "The right document first (recall@1)"),
        ("ndcg@10", "Ranking (nDCG@10)"),
        ("evidence@1", "The first quote holds the answer (evidence@1)"),
    ] {
        page.push_str(&by_set(sections, figure, title));
    }
    for (section, records) in sections.iter().zip(records) {
        page.push_str(&one(section, records));
    }
    page.push_str("</main></body></html>\n");
    page
}

/// One figure over all sets and modes; nothing where no set has it.
fn by_set(sections: &[Section], figure: &str, title: &str) -> String {
    let mut groups: Vec<(String, Vec<Bar>)> = Vec::new();
    for section in sections {
        let Some(value) = section.summary.metrics.get(figure) else { continue };
        let interval = section.summary.intervals.get(figure).copied().unwrap_or((*value, *value));
        let bar = Bar { mode: section.mode, figure: *value, interval };
        match groups.iter_mut().find(|(set, _)| *set == section.set) {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((section.set.clone(), vec![bar])),
        }
    }
    if groups.is_empty() {
        return String::new();
    }
    let key = "<p class=\"key\"><span class=\"hybrid\"></span>hybrid <span class=\"dense\"></span>dense <span class=\"lexical\"></span>lexical</p>";
    format!("<section><h2>{title}</h2>{key}{}</section>", plots::bars(&groups))
}

fn one(section: &Section, records: &[Record]) -> String {
    let Section { set, mode, questions, passages, summary, speed, notes, .. } = section;
    let mut text = format!(
        "<section><h2>{} <small>{mode}</small></h2><p>{questions} questions, {passages} passages.</p><div class=\"plots\">",
        escape(set)
    );
    let confidences = |answerable: bool| -> Vec<f64> {
        let asked = records.iter().filter(|record| record.answerable == answerable);
        asked.filter_map(|record| Some(record.given.as_ref()?.confidence)).collect()
    };
    if !summary.risk_coverage.is_empty() {
        let curve: Vec<(f64, f64)> = summary.risk_coverage.iter().map(|risk| (risk.coverage, risk.risk)).collect();
        let bins: Vec<(f64, f64, usize)> =
            summary.reliability.iter().map(|bin| (bin.confidence, bin.answerable, bin.questions)).collect();
        for (title, plot) in [
            (
                "Confidence: <i class=\"yes\"></i>answerable, <i class=\"no\"></i>unanswerable",
                plots::distributions(&confidences(true), &confidences(false)),
            ),
            ("Risk and coverage", plots::curve(&curve)),
            ("Reliability", plots::reliability(&bins)),
        ] {
            write!(text, "<figure><figcaption>{title}</figcaption>{plot}</figure>").expect("writing to a String cannot fail");
        }
    }
    let time = |stage: &str, share: &str| speed.get(&format!("{stage}_ms_{share}")).copied().unwrap_or_default();
    let stages = ["embed", "search", "answer"].map(|stage| (stage, ["p50", "p95", "p99"].map(|share| time(stage, share))));
    write!(text, "<figure><figcaption>Latency</figcaption>{}</figure>", plots::latency(&stages))
        .expect("writing to a String cannot fail");
    text.push_str("</div><table><thead><tr><th>figure</th><th>value</th><th>95 % interval</th></tr></thead><tbody>");
    for name in FIGURES {
        let Some(figure) = summary.metrics.get(name) else { continue };
        let interval = summary.intervals.get(name).map(|(low, high)| format!("{low:.4} – {high:.4}")).unwrap_or_default();
        write!(text, "<tr><td>{name}</td><td>{figure:.4}</td><td>{interval}</td></tr>").expect("writing to a String cannot fail");
    }
    for (name, figure) in speed {
        write!(text, "<tr><td>{name}</td><td>{figure:.3}</td><td></td></tr>").expect("writing to a String cannot fail");
    }
    text.push_str("</tbody></table>");
    for note in notes {
        write!(text, "<p>Note: {}.</p>", escape(note)).expect("writing to a String cannot fail");
    }
    text.push_str(&failed(records));
    text.push_str("</section>");
    text
}

fn failed(records: &[Record]) -> String {
    let failures = failures(records);
    if failures.is_empty() {
        return String::new();
    }
    let mut text = format!("<details><summary>Failures: {}</summary><ul>", failures.len());
    for (record, why) in failures.iter().take(LISTED) {
        let gold = record.answers.first().or(record.evidence.first()).map(|gold| short(gold)).unwrap_or_default();
        let said = record.given.as_ref().map(|given| short(&given.text)).unwrap_or_default();
        write!(text, "<li><b>{}</b> {}<br><small>{why}", escape(&record.id), escape(&short(&record.question)))
            .expect("writing to a String cannot fail");
        for (name, value) in [("gold", gold), ("said", said)] {
            if !value.is_empty() {
                write!(text, "<br>{name}: {}", escape(&value)).expect("writing to a String cannot fail");
            }
        }
        text.push_str("</small></li>");
    }
    text.push_str("</ul></details>");
    text
}
