//! What stops a drive: a wish, an end of a kind that nobody saw yet, or one that was seen and comes again and again.
//!
//! What may be wrong for everybody is told once, and whoever goes on has seen it: then it is taken for one user's
//! own, until it comes too often in a row. Of what was answered the answers make a row, since they say how the other
//! side is now; of what could not even be planned the plans do. Who could not be planned waits until it is told
//! whose fault that is. The first answer of a drive is nobody's own, whatever was seen before: it says whether the
//! other side answers well by now, and until one did, nobody follows.

use super::Wish;
use crate::domain::Outcome;
use crate::domain::bulk::{BulkEnd, BulkUser, EndKind};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A kind that was seen and comes more often than this in a row is nobody's own.
const IN_A_ROW: usize = 5;

/// Which of the answers about one user it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Something is sent behind it.
    Between,
    /// The last.
    Last,
}

pub(super) struct Brake {
    wishes: watch::Receiver<Wish>,
    /// The kinds of ends that there were when somebody let it go on.
    known: BTreeSet<EndKind>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    why: Option<String>,
    /// Whether that is only that somebody else has it.
    is_lost: bool,
    /// What pulled it, where somebody has to remember that.
    held_by: Option<EndKind>,
    /// The users of whom it was the same, one after the other.
    row: Option<(EndKind, BTreeSet<u32>)>,
    /// Whether an answer went well since the drive began.
    is_open: bool,
    /// Those who could not be planned, though it may be their own fault.
    suspects: Vec<(BulkUser, BulkEnd)>,
}

impl Brake {
    pub(super) fn new(wishes: watch::Receiver<Wish>, known: impl IntoIterator<Item = EndKind>) -> Brake {
        Brake { wishes, known: known.into_iter().collect(), state: Mutex::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.wish() != Wish::GoOn || self.why().is_some()
    }

    pub(super) fn wish(&self) -> Wish {
        *self.wishes.borrow()
    }

    pub(super) fn why(&self) -> Option<String> {
        self.state().why.clone()
    }

    /// What paused the run and stands at no user: whoever goes on has seen it.
    pub(super) fn held_by(&self) -> Option<EndKind> {
        self.state().held_by
    }

    /// Whether somebody may go beside others: an answer went well.
    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    /// Why nothing may leave any more, if so.
    pub(super) fn may_leave(&self) -> Result<(), String> {
        let is_held = self.wish() != Wish::GoOn || self.state().is_pulled();
        if is_held { Err("the run was held before it left: they still wait".to_owned()) } else { Ok(()) }
    }

    /// Somebody else drives it from now on, or had it wait. They may have seen already who was begun with, so that
    /// those leave: nobody is called begun with whom nothing reached.
    pub(super) fn lose(&self, why: String) {
        let mut state = self.state();
        if state.why.is_none() {
            (state.why, state.is_lost) = (Some(why), true);
        }
    }

    /// The first reason is told.
    pub(super) fn pull(&self, why: String) {
        self.state().why.get_or_insert(why);
    }

    /// Somebody could not be planned, and it may be so for everybody: they wait.
    pub(super) fn hold(&self, user: BulkUser, end: BulkEnd) {
        let kind = EndKind::Held(end.outcome);
        let why = format!("`{}`: {}", user.login, end.why.as_deref().unwrap_or_default());
        let is_known = self.known.contains(&kind);
        let mut state = self.state();
        if state.why.is_some() {
            return;
        }
        if !is_known {
            (state.why, state.held_by) = (Some(why), Some(kind));
        } else if state.comes_again(kind, user.position) {
            state.why = Some(in_a_row(&why));
        } else {
            state.suspects.push((user, end));
        }
    }

    /// A plan was made: those who could not be planned before had a reason of their own. They are handed out, unless
    /// the run is held: then a plan that was under way says nothing for them.
    pub(super) fn planned(&self) -> Vec<(BulkUser, BulkEnd)> {
        let mut state = self.state();
        if state.why.is_some() {
            return Vec::new();
        }
        if matches!(state.row, Some((EndKind::Held(_), _))) {
            state.row = None;
        }
        std::mem::take(&mut state.suspects)
    }

    /// An answer came, before anybody else is begun. One that went well ends a row of those that did not.
    pub(super) fn answered(&self, user: &BulkUser, (outcome, status): (Outcome, Option<u16>), which: Answer) {
        if let Some(kind) = EndKind::of_answer(outcome, status) {
            let answered = status.map(|status| format!(" (answered {status})")).unwrap_or_default();
            return self.count(user, kind, || format!("`{}` is {}{answered}", user.login, outcome.word()));
        }
        let mut state = self.state();
        state.is_open |= which == Answer::Last;
        let is_in_it = state.row.as_ref().is_some_and(|(_, users)| users.contains(&user.position));
        if which == Answer::Last && !is_in_it {
            state.row = None;
        }
    }

    /// It ended for somebody whom this drive acted on.
    pub(super) fn ended(&self, user: &BulkUser, end: &BulkEnd) {
        if let Some(kind) = end.kind() {
            self.count(user, kind, || words(user, end));
        }
    }

    /// So it stands for somebody whom an earlier drive acted on: that says nothing of how the other side is now.
    pub(super) fn begun(&self, user: &BulkUser, end: &BulkEnd) {
        if end.kind().is_some_and(|kind| !self.known.contains(&kind)) {
            self.pull(words(user, end));
        }
    }

    fn count(&self, user: &BulkUser, kind: EndKind, words: impl FnOnce() -> String) {
        if !self.known.contains(&kind) || !self.is_open() {
            return self.pull(words());
        }
        let mut state = self.state();
        if state.comes_again(kind, user.position) {
            state.why.get_or_insert_with(|| in_a_row(&words()));
        }
    }

    /// A thread that panicked while it held this left it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_pulled(&self) -> bool {
        self.why.is_some() && !self.is_lost
    }

    /// One more of a kind; whether that is one too many.
    fn comes_again(&mut self, kind: EndKind, position: u32) -> bool {
        match &mut self.row {
            Some((same, users)) if *same == kind => {
                users.insert(position);
            }
            row => *row = Some((kind, BTreeSet::from([position]))),
        }
        self.row.as_ref().is_some_and(|(_, users)| users.len() > IN_A_ROW)
    }
}

fn in_a_row(words: &str) -> String {
    format!("more than {IN_A_ROW} in a row, the last: {words}")
}

fn words(user: &BulkUser, end: &BulkEnd) -> String {
    let why = end.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("`{}` is {}{why}", user.login, end.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Login;
    use jiff::Timestamp;

    const HELD: EndKind = EndKind::Held(Outcome::Refused);

    fn user(position: u32) -> BulkUser {
        let login = Login::new(&format!("user{position}"));
        BulkUser {
            position,
            login,
            target_id: None,
            account_login: None,
            finding: None,
            made_of: Default::default(),
            doubts: Vec::new(),
            undoes: None,
            end: None,
        }
    }

    fn unread() -> BulkEnd {
        BulkEnd::not_sent(Outcome::Refused, "unread", Timestamp::UNIX_EPOCH)
    }

    fn brake(known: &[EndKind]) -> Brake {
        Brake::new(watch::channel(Wish::GoOn).1, known.iter().copied())
    }

    #[test]
    fn who_cannot_be_planned_waits_until_it_is_told_whose_fault_that_is() {
        let first = brake(&[]);
        first.hold(user(0), unread());
        assert_eq!((first.why().as_deref(), first.held_by()), (Some("`user0`: unread"), Some(HELD)));

        let again = brake(&[HELD]);
        (0..5).for_each(|position| again.hold(user(position), unread()));
        assert_eq!((again.why(), again.planned().len()), (None, 5), "one by one they are their own");
        (5..11).for_each(|position| again.hold(user(position), unread()));
        assert!(again.why().unwrap().starts_with("more than 5 in a row"));
        assert!(again.planned().is_empty(), "it is nobody's own");
    }

    /// What was seen before ends as before: nobody follows.
    #[test]
    fn the_first_answer_of_a_drive_is_nobodys_own() {
        let refused = (Outcome::Refused, Some(401));
        let brake = brake(&[EndKind::Answered(refused.0, refused.1)]);
        brake.answered(&user(0), (Outcome::Accepted, Some(200)), Answer::Between);
        assert!(!brake.is_open() && brake.may_leave().is_ok(), "it is not through yet");
        brake.answered(&user(0), refused, Answer::Last);
        assert_eq!(brake.why().as_deref(), Some("`user0` is refused (answered 401)"));
        assert!(brake.may_leave().is_err());
    }

    #[test]
    fn a_row_of_answers_ends_with_one_that_went_well() {
        let lost = (Outcome::Unknown, Some(500));
        let brake = brake(&[EndKind::Answered(lost.0, lost.1)]);
        let well = (Outcome::Accepted, Some(200));
        brake.answered(&user(99), well, Answer::Last);
        let all_lost = |users: std::ops::Range<u32>| {
            users.for_each(|position| brake.answered(&user(position), lost, Answer::Last));
        };
        all_lost(0..5);
        // A second answer about the same user is no second user, and what goes well between two steps is no end.
        brake.answered(&user(4), lost, Answer::Last);
        brake.answered(&user(5), well, Answer::Between);
        assert_eq!(brake.why(), None);
        brake.answered(&user(6), well, Answer::Last);
        all_lost(7..12);
        assert_eq!(brake.why(), None, "five since then");
        brake.answered(&user(12), well, Answer::Between);
        all_lost(12..13);
        assert!(brake.is_on());
    }
}
