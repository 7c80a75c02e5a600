//! How the time of a piece of work grows with its size, for tests of what must be linear.
//!
//! Two sizes are compared in one run, each by the processor time of the fastest of some tries: what else the machine does
//! changes nothing. The work has to be done on the thread that asks.

use std::time::Duration;

use cpu_time::ThreadTime;

const TRIES: usize = 5;
/// How many times larger the larger size is.
const TIMES: usize = 8;

/// The exponent `k` with which `work` grows as `size`ᵏ between `size` and eight times as much: 1 where it is linear, 2
/// where it is quadratic.
pub(crate) fn exponent(size: usize, mut work: impl FnMut(usize)) -> f64 {
    let mut fastest = |size| {
        let mut once = || {
            let begun = ThreadTime::now();
            work(size);
            begun.elapsed()
        };
        (0..TRIES).map(|_| once()).min().unwrap_or(Duration::ZERO).as_secs_f64()
    };
    let (small, large) = (fastest(size), fastest(size * TIMES));
    (large / small).ln() / f64::from(u32::try_from(TIMES).unwrap_or(u32::MAX)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_and_quadratic_work_are_told_apart() {
        let sum = |size: usize, times: usize| {
            let rounds = 0..size * times;
            std::hint::black_box(rounds.fold(0_u64, |sum, n| std::hint::black_box(sum ^ n as u64)));
        };
        assert!(exponent(100_000, |size| sum(size, 1)) < 1.5);
        assert!(exponent(1_000, |size| sum(size, size)) > 1.5);
    }
}
