//! A console on a pseudo-terminal that drives the run, while keys are pressed all the time.

use super::keys::{Keys, selected};
use super::support::place::Place;
use super::support::screen::Screen;
use super::support::wait;
use super::tally::Tally;
use idtriage::lab::Lab;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at what the lab was asked.
const TALLY: Duration = Duration::from_millis(200);
/// Until a question can be answered, and some.
const ARMS: Duration = Duration::from_millis(600);
/// Keys that are pressed while the run waits, each time it does.
const PAUSED_KEYS: usize = 300;

pub(crate) struct Console {
    screen: Screen,
    /// The user who stands first in the run.
    first: String,
    /// While the run goes on.
    pub(crate) running: Keys,
    /// While it waits.
    pub(crate) paused: Keys,
}

impl Console {
    /// With the place's one run, which waits, on its screen.
    pub(crate) fn start(place: &Place) -> Console {
        let mut screen = Screen::start(place, &[], 120, 40);
        screen.shows("Feed");
        screen.press("B");
        screen.shows("paused");
        screen.press("\r");
        screen.shows("c go on");
        screen.until("the first user", |text| text.matches('@').count() > 2);
        let first = selected(&screen);
        Console { screen, first, running: Keys::default(), paused: Keys::default() }
    }

    /// Goes on with the run until so many users were acted on, or to its end, pressing keys all the while.
    pub(crate) fn drive(&mut self, lab: &Lab, tally: &mut Tally, until: usize) {
        self.go_on();
        let mut looked = Instant::now();
        while self.goes_on() && tally.users.len() < until {
            self.running.press(&mut self.screen, &self.first);
            if looked.elapsed() >= TALLY {
                looked = Instant::now();
                tally.take(lab);
            }
        }
        if self.goes_on() {
            self.screen.press("p");
            wait::until("the run to wait", || !self.goes_on());
        }
        tally.take(lab);
    }

    pub(crate) fn press_while_it_waits(&mut self) {
        for _ in 0..PAUSED_KEYS {
            self.paused.press(&mut self.screen, &self.first);
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state() == "done"
    }

    fn go_on(&mut self) {
        self.screen.press("c");
        self.screen.shows("Go on with it");
        // The question is not answered in its first moment.
        thread::sleep(ARMS);
        self.screen.press("suspend\r");
        wait::until("the run to be driven", || self.state() != "paused");
    }

    fn goes_on(&self) -> bool {
        self.state() == "running"
    }

    /// The first word of the row with the bar.
    fn state(&self) -> String {
        let rows = self.screen.rows();
        let row = rows.iter().find(|row| row.contains(" done: "));
        row.and_then(|row| row.split_whitespace().next()).unwrap_or_default().to_owned()
    }
}
