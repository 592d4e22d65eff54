//! By what an action is undone, as far as that is known now.

use super::{Action, ActionId, Outcome, Receipt, Said};
use crate::domain::later::Stands;
use crate::domain::time;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// By what an action is undone. How it ended stays as it was: what was done is not taken back by what undoes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// The action that undid it.
    pub by: ActionId,
    /// How that one stands, for people: `changed`, `accepted`, or by whose word it is.
    pub standing: String,
    /// When it was intended.
    #[serde(with = "time::millis")]
    pub at: Timestamp,
}

impl Undone {
    /// What an action says of the one that it undoes; nothing where it is not in force.
    pub fn by(action: &Action) -> Option<Undone> {
        action.is_in_force().then(|| Undone { by: action.id, standing: action.standing(), at: action.at })
    }

    /// The stable JSON form.
    pub fn to_json(&self) -> Value {
        json!({ "by": self.by, "standing": self.standing, "at": time::rfc3339(self.at) })
    }

    /// In full: `by action 6f1c… at 2026-02-03T04:05:06Z (changed)`.
    pub fn in_full(&self, at: &str) -> String {
        format!("by action {} at {at} ({})", self.by, self.standing)
    }
}

/// In few words: `undone`, and what that rests on where it is less than a proven change.
impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.standing == Outcome::Changed.word() {
            true => f.write_str("undone"),
            false => write!(f, "undone ({})", self.standing),
        }
    }
}

impl Action {
    /// Whether it had an effect that is there now, as far as is known: nothing undid it, and the last look at its target
    /// contradicts nothing of it.
    pub fn is_in_force(&self) -> bool {
        let last = self.receipt.as_ref().and_then(Receipt::last_look);
        let is_back =
            self.outcome == Outcome::Accepted && last.is_some_and(|(_, stands)| stands == Stands::Before);
        self.had_effect() && self.undone.is_none() && !is_back && self.contradicted().is_none()
    }

    /// Whether it did what it was to do, as far as anything says so: a proof, an answer, or somebody's word.
    pub fn had_effect(&self) -> bool {
        match self.upheld() {
            Some(said) => said == Said::Changed,
            None => self.outcome.says_done(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::action;
    use super::super::{AnalystWord, Evidence};
    use super::*;
    use crate::domain::Actor;
    use rstest::rstest;

    fn undoing(outcome: Outcome) -> Action {
        action(Evidence::Acknowledged, outcome, None)
    }

    #[rstest]
    #[case(Outcome::Changed, Some("undone"))]
    #[case(Outcome::Accepted, Some("undone (accepted)"))]
    #[case(Outcome::NoChange, None)]
    #[case(Outcome::Unknown, None)]
    #[case(Outcome::Pending, None)]
    #[case(Outcome::Refused, None)]
    fn what_had_an_effect_undoes(#[case] outcome: Outcome, #[case] expected: Option<&str>) {
        let undone = Undone::by(&undoing(outcome));
        assert_eq!(undone.as_ref().map(Undone::to_string).as_deref(), expected);
        let again = Action { undone, ..undoing(outcome) };
        assert_eq!(Undone::by(&again).is_some(), expected.is_some() && again.undone.is_none());
    }

    #[rstest]
    #[case(Said::Changed, Some("undone (changed, said by Bo)"))]
    #[case(Said::NotChanged, None)]
    fn a_word_decides_where_nothing_is_proven(#[case] said: Said, #[case] expected: Option<&str>) {
        let actor = Actor { analyst: Some("Bo".to_owned()), ..Actor::default() };
        let word = AnalystWord { said, actor, at: Timestamp::UNIX_EPOCH, reason: "seen".to_owned() };
        for outcome in [Outcome::Unknown, Outcome::Accepted] {
            let undone = Undone::by(&undoing(outcome).with_word(word.clone()));
            assert_eq!(undone.map(|undone| undone.to_string()).as_deref(), expected);
        }
    }

    #[rstest]
    #[case::as_before(Stands::Before, Outcome::Accepted, false)]
    #[case::as_wanted(Stands::Wanted, Outcome::Accepted, true)]
    #[case::proven_before_that(Stands::Before, Outcome::Changed, true)]
    fn what_a_look_contradicts_undoes_nothing(
        #[case] stands: Stands,
        #[case] outcome: Outcome,
        #[case] expected: bool,
    ) {
        let receipt =
            Receipt { looked: Some(Timestamp::UNIX_EPOCH), stands: Some(stands), ..Receipt::default() };
        let undoing = Action { receipt: Some(receipt), ..undoing(outcome) };
        assert_eq!(Undone::by(&undoing).is_some(), expected);
    }

    #[test]
    fn what_was_done_is_told_behind_what_undid_it() {
        let undone = Undone::by(&undoing(Outcome::Accepted));
        let done = Action { undone, ..undoing(Outcome::Changed) };
        assert_eq!(done.standing(), "undone (accepted), was changed");
    }
}
