//! How work grows with its input: each reader, cutting, words, storing and checking take linear time, whatever stands
//! in the text.
//!
//! Each case is run on inputs of three sizes, each four times the one before, and the processor time of the fastest
//! runs is compared: time on the clock would be that of whatever else the machine does. A case grows as `size`ᵏ; `k`
//! must be at most [`MOST`]. `cargo test --release --test linear` runs small sizes, and
//! `cargo test --release --test linear -- --large` sizes as large as a source may be; a name or a part of one runs
//! those cases alone.

mod inputs;
mod kept;
mod texts;

use std::time::Duration;

use cpu_time::ProcessTime;

/// The exponent that is still linear: memory that no longer fits into a cache is a little slower.
const MOST: f64 = 1.2;
/// Each size is so many times the one before.
const STEP: usize = 4;
/// How often a case is measured anew that looked worse than linear.
const TRIES: usize = 3;
/// A size is run again until this much was spent on it, or it was run often enough.
const ENOUGH: Duration = Duration::from_millis(60);
const RUNS: usize = 5;

/// Work that is measured; what has to be there before is made by whoever makes this.
type Work = Box<dyn FnMut()>;

/// What is measured.
pub(crate) struct Case {
    name: String,
    /// The smallest of three sizes, in what `work` counts.
    small: usize,
    /// How many times larger the sizes are with `--large`.
    large: usize,
    work: Box<dyn Fn(usize) -> Work>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, small: usize, large: usize, work: impl Fn(usize) -> Work + 'static) -> Self {
        Self { name: name.into(), small, large, work: Box::new(work) }
    }

    /// Processor seconds at each size.
    fn seconds(&self, large: bool) -> [(usize, f64); 3] {
        let first = if large { self.small * self.large } else { self.small };
        [first, first * STEP, first * STEP * STEP].map(|size| (size, fastest(&mut (self.work)(size))))
    }
}

fn fastest(work: &mut Work) -> f64 {
    let mut times = Vec::new();
    while times.len() < RUNS && (times.is_empty() || times.iter().sum::<Duration>() < ENOUGH) {
        let begun = ProcessTime::now();
        work();
        times.push(begun.elapsed());
    }
    times.into_iter().min().unwrap_or_default().as_secs_f64()
}

/// The slope of the line through the logarithms.
#[expect(clippy::cast_precision_loss, reason = "sizes are small numbers")]
fn exponent(measured: &[(usize, f64); 3]) -> f64 {
    let points = measured.map(|(size, seconds)| ((size as f64).ln(), seconds.max(1e-9).ln()));
    let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (middle(|point| point.0), middle(|point| point.1));
    let (rise, run) =
        points.iter().fold((0.0, 0.0), |(rise, run), point| (rise + (point.0 - x) * (point.1 - y), run + (point.0 - x).powi(2)));
    rise / run
}

/// Measures a case and says what was found; whether it is linear.
fn is_linear(case: &Case, large: bool) -> bool {
    let mut best = f64::INFINITY;
    for _ in 0..TRIES {
        let measured = case.seconds(large);
        let exponent = exponent(&measured);
        let times: Vec<String> = measured.iter().map(|(size, seconds)| format!("{size} in {:.1} ms", seconds * 1e3)).collect();
        say(&format!("{:<44} {exponent:5.2}   {}", case.name, times.join(", ")));
        best = best.min(exponent);
        if best <= MOST {
            return true;
        }
    }
    false
}

#[expect(clippy::print_stdout, reason = "a table for whoever runs it")]
fn say(line: &str) {
    println!("{line}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let large = arguments.iter().any(|argument| argument == "--large");
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    // The measure itself: what is quadratic is told from what is linear.
    assert!(exponent(&[(1, 1.0), (4, 16.0), (16, 256.0)]) > 1.9 && exponent(&[(1, 1.0), (4, 4.0), (16, 16.0)]) < 1.1);
    let cases = texts::cases().into_iter().chain(kept::cases());
    let chosen = cases.filter(|case| wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part.as_str())));
    let worse: Vec<String> = chosen.filter(|case| !is_linear(case, large)).map(|case| case.name).collect();
    assert!(worse.is_empty(), "worse than size^{MOST}: {worse:?}");
}
