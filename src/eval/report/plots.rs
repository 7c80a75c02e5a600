//! Plots as SVG, coloured by the page's own styles, so that they follow light and dark.

use std::fmt::Write as _;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// Text as it may stand in markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A frame with both axes from zero to one and what is drawn in it.
struct Frame(String);

impl Frame {
    fn new(title: &str, across: &str, up: &str) -> Self {
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(title));
        for tenth in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = at_y(tenth);
            let (end, label) = (WIDTH - RIGHT, LEFT - 6.0);
            write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{end}\"/><text class=\"up\" x=\"{label}\" y=\"{:.1}\">{tenth}</text>",
                y + 3.5
            )
            .expect("writing to a String cannot fail");
        }
        let (x, y) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 4.0);
        write!(svg, "<text class=\"axis\" x=\"{x}\" y=\"{y}\">{}</text>", escape(across))
            .expect("writing to a String cannot fail");
        let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
        write!(svg, "<text class=\"axis\" transform=\"translate(10 {middle}) rotate(-90)\">{}</text>", escape(up))
            .expect("writing to a String cannot fail");
        Self(svg)
    }

    fn ticks(&mut self) {
        for tenth in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let (x, y) = (at_x(tenth), HEIGHT - BOTTOM + 14.0);
            write!(self.0, "<text class=\"across\" x=\"{x:.1}\" y=\"{y}\">{tenth}</text>")
                .expect("writing to a String cannot fail");
        }
    }

    fn bar(&mut self, class: &str, (from, to): (f64, f64), height: f64, title: &str) {
        let (x, width, y) = (at_x(from), at_x(to) - at_x(from), at_y(height));
        write!(
            self.0,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
            at_y(0.0) - y,
            escape(title)
        )
        .expect("writing to a String cannot fail");
    }

    fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{:.1} {:.1}", at_x(*x), at_y(*y))).collect();
        write!(self.0, "<path class=\"line {class}\" d=\"M{}\"/>", path.join("L")).expect("writing to a String cannot fail");
    }

    fn dot(&mut self, x: f64, y: f64, title: &str) {
        write!(self.0, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"><title>{}</title></circle>", at_x(x), at_y(y), escape(title))
            .expect("writing to a String cannot fail");
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }
}

fn at_x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn at_y(share: f64) -> f64 {
    HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

/// How the confidences of answerable and of unanswerable questions lie, as shares of each.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "twentieths of 0 to 1")]
pub(super) fn distributions(answerable: &[f64], unanswerable: &[f64]) -> String {
    const BINS: usize = 20;
    let mut frame = Frame::new("Confidence of answerable and unanswerable questions", "confidence", "share of questions");
    frame.ticks();
    for (class, values) in [("yes", answerable), ("no", unanswerable)] {
        let mut bins = [0_usize; BINS];
        for value in values {
            bins[((value * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        for (bin, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (from, to) = (bin as f64 / BINS as f64, (bin + 1) as f64 / BINS as f64);
            let share = *count as f64 / values.len() as f64;
            frame.bar(class, (from, to), share, &format!("{from:.2} to {to:.2}: {count} questions"));
        }
    }
    frame.end()
}

/// A curve of risk over coverage.
pub(super) fn curve(points: &[(f64, f64)]) -> String {
    let mut frame = Frame::new("Share of wrong answers by share of questions answered", "share answered", "share wrong");
    frame.ticks();
    frame.line("yes", points);
    frame.end()
}

/// What the confidence says against what is so; the diagonal is perfect.
pub(super) fn reliability(bins: &[(f64, f64, usize)]) -> String {
    let mut frame = Frame::new("Share of answerable questions by confidence", "confidence", "share answerable");
    frame.ticks();
    frame.line("guide", &[(0.0, 0.0), (1.0, 1.0)]);
    for (confidence, answerable, questions) in bins {
        frame.dot(
            *confidence,
            *answerable,
            &format!("{questions} questions: confidence {confidence:.2}, answerable {answerable:.2}"),
        );
    }
    frame.end()
}

/// Median, 95th and 99th percentile of each stage, in milliseconds, on one scale.
pub(super) fn latency(stages: &[(&str, [f64; 3])]) -> String {
    let longest = stages.iter().flat_map(|(_, times)| times).copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Milliseconds by stage\">");
    let mut y = TOP;
    for (stage, times) in stages {
        write!(svg, "<text class=\"name\" x=\"56\" y=\"{:.1}\">{stage}</text>", y + 30.0)
            .expect("writing to a String cannot fail");
        for (time, name) in times.iter().zip(["p50", "p95", "p99"]) {
            let width = time / longest * (WIDTH - 170.0);
            write!(
                svg,
                "<rect class=\"dense\" x=\"64\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"13\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{name} {time:.2} ms</text>",
                70.0 + width,
                y + 10.5
            )
            .expect("writing to a String cannot fail");
            y += 18.0;
        }
        y += 12.0;
    }
    svg.push_str("</svg>");
    svg
}

/// One mode's figure and its interval.
pub(super) struct Bar {
    pub(super) mode: &'static str,
    pub(super) figure: f64,
    pub(super) interval: (f64, f64),
}

/// One group of bars a set, one bar a mode, with their intervals.
pub(super) fn bars(groups: &[(String, Vec<Bar>)]) -> String {
    const ROW: f64 = 16.0;
    const NAME: f64 = 150.0;
    let rows: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "rows of a plot")]
    let height = (rows as f64).mul_add(ROW, groups.len() as f64 * 8.0) + 4.0;
    let length = |share: f64| share.clamp(0.0, 1.0) * (2.0 * WIDTH - NAME - 60.0);
    let mut svg = format!("<svg viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"Figure by set and mode\">", 2.0 * WIDTH);
    let mut y = 4.0;
    for (name, bars) in groups {
        write!(svg, "<text class=\"name\" x=\"{}\" y=\"{:.1}\">{}</text>", NAME - 8.0, y + 11.0, escape(name))
            .expect("writing to a String cannot fail");
        for Bar { mode, figure, interval: (low, high) } in bars {
            let (bar, from, to, middle) = (length(*figure), NAME + length(*low), NAME + length(*high), y + 6.0);
            write!(
                svg,
                "<rect class=\"{mode}\" x=\"{NAME}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"12\"><title>{mode}: {figure:.4} [{low:.4}, {high:.4}]</title></rect>\
                 <path class=\"whisker\" d=\"M{from:.1} {middle:.1}H{to:.1}\"/>\
                 <text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{figure:.3}</text>",
                to.max(NAME + bar) + 6.0,
                y + 10.0
            )
            .expect("writing to a String cannot fail");
            y += ROW;
        }
        y += 8.0;
    }
    svg.push_str("</svg>");
    svg
}
