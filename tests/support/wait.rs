//! Waiting for a condition. A deadline only keeps a broken program from hanging the tests: it says
//! nothing about how quick the program is.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(45);
const POLL: Duration = Duration::from_millis(10);

/// Asks until there is an answer.
pub(crate) fn answer<T>(what: impl Display, ask: impl FnMut() -> Option<T>) -> T {
    answer_or(what, String::new, ask)
}

/// Asks until there is an answer; `seen` tells what was there instead when none comes.
pub(crate) fn answer_or<T>(
    what: impl Display,
    seen: impl Fn() -> String,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}\n{}", seen());
        thread::sleep(POLL);
    }
}

/// Asks until it is so.
pub(crate) fn until(what: impl Display, mut ask: impl FnMut() -> bool) {
    answer(what, || ask().then_some(()));
}
