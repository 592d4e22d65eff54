//! Waiting for a condition, in plain and in asynchronous tests. A deadline only keeps a broken program from hanging the tests: it says
//! nothing about how quick the program is.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(45);
/// Between two looks.
pub(crate) const POLL: Duration = Duration::from_millis(10);

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
        pause();
    }
}

/// Waits for what is to come.
pub(crate) async fn within<T>(what: impl Display, coming: impl Future<Output = T>) -> T {
    let Ok(came) = tokio::time::timeout(DEADLINE, coming).await else { panic!("waited in vain for {what}") };
    came
}

/// Leaves the processor to whoever is to make it so.
pub(crate) fn pause() {
    thread::sleep(POLL);
}

/// Asks until it is so.
pub(crate) fn until(what: impl Display, mut ask: impl FnMut() -> bool) {
    answer(what, || ask().then_some(()));
}
