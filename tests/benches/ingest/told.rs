//! Medians, and whether a goal is met: words, no verdict of the run.

use std::time::Duration;

/// A figure in every round, least first.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Vec<f64>);

impl FromIterator<f64> for Rounds {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Rounds {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Rounds(figures)
    }
}

impl Rounds {
    /// The quotients round by round: whatever the machine does to one round it does to both.
    pub(crate) fn ratio(ours: &[f64], theirs: &[f64]) -> Rounds {
        ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
    }

    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// The median, with the least and the greatest.
    pub(crate) fn told(&self, digits: usize) -> String {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        format!("{:.digits$} ({least:.digits$} to {most:.digits$})", self.median())
    }
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// In words, and what has become of it.
    pub(crate) fn told(self, figure: f64) -> String {
        let (words, is_met) = match self {
            Goal::AtLeast(goal) => (format!("at least {goal}"), figure >= goal),
            Goal::AtMost(goal) => (format!("at most {goal}"), figure <= goal),
        };
        format!("goal {words}: {}", if is_met { "met" } else { "MISSED" })
    }
}

/// A ratio beside its goal.
pub(crate) fn say_ratio(what: &str, rounds: &Rounds, goal: Goal) {
    println!("{what:<62} {:<24} {}", rounds.told(2), goal.told(rounds.median()));
}

/// Times beside what their 99th part should be at most.
pub(crate) fn say_times(what: &str, mut times: Vec<Duration>, goal_ms: f64) {
    times.sort_unstable();
    let p99 = at(&times, 99);
    let told = format!(
        "median {:.1} ms, p99 {p99:.1} ms, worst {:.1} ms of {}",
        at(&times, 50),
        at(&times, 100),
        times.len()
    );
    println!("{what:<34} {told:<52} {}", Goal::AtMost(goal_ms).told(p99));
}

/// The time in ms below which so many percent lie; the times are sorted.
pub(crate) fn at(times: &[Duration], percent: usize) -> f64 {
    let last = times.len().saturating_sub(1);
    times[(last * percent).div_ceil(100)].as_secs_f64() * 1_000.0
}
