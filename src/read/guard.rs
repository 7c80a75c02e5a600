//! Keeps what a hostile file does to its reader within bounds: a panic or a hang costs that file, not the process.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::Error;

/// How long one file may take. A report of a thousand pages takes a few seconds.
pub(super) const LONGEST: Duration = Duration::from_mins(1);
/// Formats that nest are read by recursion; a thread's usual two megabytes would end the process.
const STACK: usize = 64 << 20;

/// What ends a reader that has used up its time, without a word on stderr.
struct OutOfTime;

/// Ends the reader that calls it when `deadline` has passed. Only within [`guarded`].
pub(super) fn check(deadline: Instant) {
    if Instant::now() > deadline {
        std::panic::resume_unwind(Box::new(OutOfTime));
    }
}

/// What `work` makes of a file that was read: on a thread of its own, for at most as long as a file may take.
///
/// # Errors
/// When it panics, or takes longer; then its thread is left behind.
pub fn bounded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    guarded(LONGEST, |_| Ok(work()))
}

/// Does `work` on a thread of its own, for at most `longest`.
///
/// `work` hears its deadline and looks at it with [`check`]. One that does not is left behind: its thread cannot be
/// ended from outside, but nobody waits for it.
pub(super) fn guarded<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce(Instant) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = channel();
    let deadline = Instant::now() + longest;
    let thread = std::thread::Builder::new().name("reader".to_owned()).stack_size(STACK);
    let running = thread.spawn(move || {
        // Whoever has given up waiting does not hear.
        let _ = sender.send(work(deadline));
    })?;
    match receiver.recv_timeout(longest + longest / 4) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => Err(Error::TooSlow { seconds: longest.as_secs() }),
        Err(RecvTimeoutError::Disconnected) => Err(match running.join() {
            Err(reason) if reason.is::<OutOfTime>() => Error::TooSlow { seconds: longest.as_secs() },
            _ => Error::Damaged("its reader failed on it".to_owned()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_panics_or_takes_too_long_is_reported_and_the_process_goes_on() {
        let failed = guarded::<()>(LONGEST, |_| std::panic::resume_unwind(Box::new("a bug")));
        assert!(matches!(failed, Err(Error::Damaged(_))));
        let slow = guarded::<()>(Duration::from_millis(1), |deadline| {
            loop {
                check(deadline);
            }
        });
        assert!(matches!(slow, Err(Error::TooSlow { .. })));
        assert_eq!(guarded(LONGEST, |_| Ok(3)).unwrap(), 3);
    }
}
