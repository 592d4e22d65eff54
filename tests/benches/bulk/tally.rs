//! What the lab was asked to do, as it comes: its own record does not hold that much.

use idtriage::lab::Lab;
use jiff::Timestamp;
use std::collections::HashMap;

#[derive(Default)]
pub(crate) struct Tally {
    /// How often each user was acted on.
    pub(crate) users: HashMap<String, usize>,
    /// When the flow was called, since the run was taken up last.
    calls: Vec<Timestamp>,
    pub(crate) refused: usize,
    /// All stints together.
    made: usize,
    seconds: f64,
}

impl Tally {
    pub(crate) fn take(&mut self, lab: &Lab) {
        for call in lab.recorder().take().into_iter().filter(|request| request.path.starts_with("/api/flo/"))
        {
            self.refused += usize::from(call.status == 429);
            self.calls.push(call.at);
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap_or_default();
            let user = body["entityDisplayName"].as_str().unwrap_or_default().to_owned();
            *self.users.entry(user).or_default() += usize::from(call.status != 429);
        }
    }

    /// Prints the calls of the stint that is over.
    pub(crate) fn stint(&mut self, name: &str) {
        let calls = std::mem::take(&mut self.calls);
        let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
            return println!("{name}: no calls");
        };
        let (made, took) = (calls.len().saturating_sub(1), last.duration_since(*first).as_secs_f64());
        println!("{name}: {made} calls in {took:.1} s, {:.2} a second", made as f64 / took);
        self.made += made;
        self.seconds += took;
    }

    /// Calls a second while it was driven.
    pub(crate) fn rate(&self) -> f64 {
        self.made as f64 / self.seconds
    }
}
