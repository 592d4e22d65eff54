//! Keys that are pressed all the time, and how long each took until the screen showed what it did.

use super::support::screen::Screen;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the screen.
const LOOK: Duration = Duration::from_micros(200);
/// Between an answer and the next key, as a key that is held down comes.
const BETWEEN: Duration = Duration::from_millis(25);
/// A key that is not answered by then is not answered.
const DEADLINE: Duration = Duration::from_secs(45);

/// How long the keys of a time took.
#[derive(Default)]
pub(crate) struct Keys(Vec<Duration>);

impl Keys {
    /// Moves from the first user of the run to the second, or back, and waits until the screen shows that. The run
    /// changes other things on the screen; that no key but this one does.
    pub(crate) fn press(&mut self, screen: &mut Screen, first: &str) {
        let before = selected(screen);
        let key = if before == first { "j" } else { "k" };
        let pressed = Instant::now();
        screen.press(key);
        while selected(screen) == before {
            assert!(pressed.elapsed() < DEADLINE, "`{key}` was not answered\n{}", screen.text());
            thread::sleep(LOOK);
        }
        self.0.push(pressed.elapsed());
        thread::sleep(BETWEEN);
    }

    /// The median, the 99th percentile and the worst, in milliseconds.
    pub(crate) fn told(&self) -> [f64; 3] {
        let mut took: Vec<f64> = self.0.iter().map(|took| took.as_secs_f64() * 1_000.0).collect();
        took.sort_by(f64::total_cmp);
        let last = took.len().saturating_sub(1) as f64;
        let at = |part: f64| took.get((last * part) as usize).copied().unwrap_or(f64::NAN);
        [at(0.5), at(0.99), at(1.0)]
    }

    pub(crate) fn print(&self, name: &str) {
        let [median, p99, worst] = self.told();
        let count = self.0.len();
        println!("{name}{count} keys: median {median:.1} ms, p99 {p99:.1} ms, worst {worst:.1} ms");
    }
}

/// The user whose row is selected.
pub(crate) fn selected(screen: &Screen) -> String {
    let rows = screen.lit_rows();
    let mut first_words = rows.iter().filter_map(|row| row.split_whitespace().next());
    first_words.find(|word| word.contains('@')).unwrap_or_default().to_owned()
}
