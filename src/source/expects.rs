//! What the senders of a type expect of whoever they post to.

use std::time::Duration;

/// What the senders of a type expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expects {
    /// The header of a GET whose value they want back before they post, where they verify a hook so.
    pub challenge: Option<&'static str>,
    /// How long reading and committing may take together: a little less than they wait for the answer.
    pub answer_time: Duration,
    /// What stands in the answer when everything is kept.
    pub answer: Answer,
}

/// What stands in the answer when everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 200, and how many elements were taken.
    Count,
    /// 204, and nothing.
    Nothing,
}

impl Expects {
    /// Of CII, and of all that say nothing else. CII waits 5 s.
    pub const USUAL: Expects =
        Expects { challenge: None, answer_time: Duration::from_secs(4), answer: Answer::Count };

    /// Of Okta's event hooks: contracts/okta.md, section 8. Okta waits 3 s and repeats once at most.
    pub const OKTA_HOOK: Expects = Expects {
        challenge: Some("x-okta-verification-challenge"),
        answer_time: Duration::from_millis(2_500),
        answer: Answer::Nothing,
    };
}
