//! How it ended for one user, and what of that may be wrong for everybody.

use super::BulkState;
use crate::domain::action::{Action, ActionId, Evidence, Outcome, Undone};
use crate::domain::run_end::{Ended, RunEnd, StepEnd};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How it ended for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkEnd {
    /// As what.
    pub outcome: Outcome,
    /// What is proven, where something was sent.
    pub evidence: Option<Evidence>,
    /// The HTTP status that came back, where one did.
    pub status: Option<u16>,
    /// Why, where there is something to say.
    pub why: Option<String>,
    /// The action, where there is just one.
    pub action: Option<ActionId>,
    /// When.
    pub at: Timestamp,
    /// By what it is undone by now.
    pub undone: Option<Undone>,
}

/// What tells one kind of end that may be wrong for everybody from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndKind {
    /// Something left, or may have: what came of it, and the status, where one came back.
    Answered(Outcome, Option<u16>),
    /// Nothing was sent, since something cannot be read, or is not allowed to anybody. Who it was planned for waits.
    Held(Outcome),
}

impl EndKind {
    /// The kind of what came back for one user, if it may be wrong for everybody.
    pub fn of_answer(outcome: Outcome, status: Option<u16>) -> Option<EndKind> {
        // A step that was held back behind another is no user's own, as no pace is.
        let is_odd = matches!(
            outcome,
            Outcome::Refused | Outcome::Failed | Outcome::Unknown | Outcome::Pending | Outcome::NotSent
        );
        is_odd.then_some(EndKind::Answered(outcome, status))
    }
}

impl BulkEnd {
    /// Nothing was sent, because of this.
    pub fn not_sent(outcome: Outcome, why: impl Into<String>, at: Timestamp) -> BulkEnd {
        BulkEnd {
            outcome,
            evidence: None,
            status: None,
            why: Some(why.into()),
            action: None,
            at,
            undone: None,
        }
    }

    /// Something was sent, and the rest of it was held back: that it was not sent is true of the rest alone, and the
    /// reason says what came of which.
    fn cut(why: String, at: Timestamp) -> BulkEnd {
        BulkEnd { evidence: Some(Evidence::Sent), ..BulkEnd::not_sent(Outcome::Failed, why, at) }
    }

    /// How a run on one user ended.
    pub fn of_run(end: &RunEnd, at: Timestamp) -> BulkEnd {
        let worst = end.worst();
        let why: Option<String> = worst.and_then(|step| match &step.ended {
            Ended::Ran { action, .. } => action.receipt.as_ref().and_then(|receipt| receipt.error.clone()),
            Ended::NotSent(refusal) => Some(refusal.why.clone()),
            Ended::Unsure(why) => Some(why.clone()),
        });
        let action = worst.and_then(|step| step.action());
        if worst.is_some_and(|worst| worst.outcome() != end.outcome()) {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            return BulkEnd::cut(format!("{}{why}", end.brief()), at);
        }
        BulkEnd {
            outcome: end.outcome(),
            evidence: action.map(|action| action.evidence),
            status: action.and_then(status),
            why,
            action: end.only_action().map(|action| action.id),
            at,
            undone: None,
        }
    }

    /// How the actions stand that are there already of a run on one user, for whoever takes it up again. One that
    /// is pending with nobody left to settle it may have left, and one that is not there was not sent any more.
    pub fn of_begun(begun: &[Action], at: Timestamp) -> Option<BulkEnd> {
        let end = BulkEnd::standing(begun, BulkState::Paused)?;
        let outcome = if end.outcome == Outcome::Pending { Outcome::Unknown } else { end.outcome };
        let cut = || "begun before the run was taken up again, and not repeated".to_owned();
        let why = Some(end.why.clone().unwrap_or_else(cut));
        Some(BulkEnd { outcome, why, at, ..end })
    }

    /// How the actions of a run on one user stand whose end nobody has told, in the order of its steps. Where the
    /// last step is there, all before it were sent that had to be. Where it is not, somebody may be about to
    /// send it, as long as the run goes on.
    pub fn standing(begun: &[Action], run: BulkState) -> Option<BulkEnd> {
        let end = BulkEnd::of_steps(begun, run)?;
        Some(BulkEnd { undone: BulkEnd::undone_by(begun).cloned(), ..end })
    }

    /// By what a run on one user is undone: of several steps, where any is.
    pub fn undone_by(actions: &[Action]) -> Option<&Undone> {
        actions.iter().find_map(|action| action.undone.as_ref())
    }

    fn of_steps(begun: &[Action], run: BulkState) -> Option<BulkEnd> {
        let (withheld, begun): (Vec<&Action>, Vec<&Action>) =
            begun.iter().partition(|action| action.is_withheld());
        let last = *begun.last()?;
        let of = last.step.map_or(1, |step| step.of);
        let of_one = |action: &Action| BulkEnd {
            outcome: action.outcome,
            evidence: Some(action.evidence),
            status: status(action),
            why: action.receipt.as_ref().and_then(|receipt| receipt.error.clone()),
            action: action.step.is_none().then_some(action.id),
            at: action.receipt.as_ref().and_then(|receipt| receipt.at).unwrap_or(action.at),
            undone: None,
        };
        let is_whole = last.step.is_none_or(|step| step.number == step.of);
        if is_whole {
            let odd = begun.iter().map(|action| of_one(action)).find(BulkEnd::is_odd);
            return Some(odd.unwrap_or_else(|| of_one(last)));
        }
        let is_behind = |rest: &&&Action| match (rest.step, last.step) {
            (Some(rest), Some(last)) => rest.run == last.run && rest.number > last.number,
            _ => false,
        };
        if let Some(rest) = withheld.iter().find(is_behind).filter(|_| last.outcome != Outcome::Pending) {
            let steps = begun.iter().chain([rest]).map(|action| StepEnd::ran((*action).clone(), None));
            return Some(BulkEnd::of_run(&RunEnd { steps: steps.collect() }, of_one(rest).at));
        }
        let goes_on = run == BulkState::Running || last.outcome == Outcome::Pending;
        let outcome = if goes_on { Outcome::Pending } else { Outcome::Unknown };
        let why = format!("{} of {of} steps were sent, and none is repeated", begun.len());
        Some(BulkEnd { outcome, why: Some(why), ..of_one(last) })
    }

    /// Whether it says that something is wrong that may be wrong for everybody: then the run waits for people.
    /// What was not sent because of one user's state or of a guard is that user's exception.
    pub fn is_odd(&self) -> bool {
        self.kind().is_some()
    }

    /// What kind of end it is, where it may be wrong for everybody.
    pub fn kind(&self) -> Option<EndKind> {
        let is_own = self.outcome == Outcome::Refused && self.evidence.is_none();
        EndKind::of_answer(self.outcome, self.status).filter(|_| !is_own)
    }

    /// `refused (answered 403)`; what is undone by now says so first: `undone, was changed (verified)`.
    pub fn words(&self) -> String {
        let ended = self.ended();
        match &self.undone {
            Some(undone) => format!("{undone}, was {ended}"),
            None => ended,
        }
    }

    fn ended(&self) -> String {
        let word = self.outcome.word();
        if self.outcome.says_done() && self.action.is_none() && self.evidence.is_none() && self.why.is_none()
        {
            // Nothing that was run leaves that: somebody wrote it there.
            return format!("{word}, and no action is behind it");
        }
        let evidence = self.evidence.map(Evidence::word);
        let answered = self.status.map(|status| format!("answered {status}"));
        let proof: Vec<String> = evidence.map(str::to_owned).into_iter().chain(answered).collect();
        if proof.is_empty() { word.to_owned() } else { format!("{word} ({})", proof.join(", ")) }
    }
}

fn status(action: &Action) -> Option<u16> {
    action.receipt.as_ref().and_then(|receipt| receipt.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{Receipt, ShownRequest, StepOf};
    use crate::domain::{Actor, Login, Risk};
    use rstest::rstest;

    #[rstest]
    #[case(Outcome::Changed, None, false)]
    #[case(Outcome::Accepted, Some(Evidence::Acknowledged), false)]
    #[case(Outcome::NoChange, None, false)]
    #[case(Outcome::NotLegal, None, false)]
    #[case::guarded(Outcome::Refused, None, false)]
    #[case::by_the_other_side(Outcome::Refused, Some(Evidence::Acknowledged), true)]
    #[case(Outcome::Failed, None, true)]
    #[case(Outcome::Unknown, Some(Evidence::Sent), true)]
    fn what_may_be_wrong_for_everybody_holds_the_run(
        #[case] outcome: Outcome,
        #[case] evidence: Option<Evidence>,
        #[case] is_odd: bool,
    ) {
        let end = BulkEnd { evidence, ..BulkEnd::not_sent(outcome, "x", Timestamp::UNIX_EPOCH) };
        assert_eq!(end.is_odd(), is_odd);
    }

    #[test]
    fn a_change_with_nothing_behind_it_is_said_to_be_so() {
        let bare = BulkEnd { why: None, ..BulkEnd::not_sent(Outcome::Changed, "", Timestamp::UNIX_EPOCH) };
        assert_eq!(bare.words(), "changed, and no action is behind it");
        let proven = BulkEnd { evidence: Some(Evidence::Verified), ..bare.clone() };
        assert_eq!(proven.words(), "changed (verified)");
        assert_eq!(BulkEnd { outcome: Outcome::NoChange, ..bare }.words(), "no-change");
    }

    fn action(outcome: Outcome) -> Action {
        Action {
            id: ActionId(uuid::Uuid::nil()),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow: "okta-contain".into(),
            verb: String::new(),
            risk: Risk::Medium,
            login: Login::new("ann"),
            target_id: None,
            account_login: None,
            finding: None,
            evidence: Evidence::Acknowledged,
            outcome,
            request: ShownRequest {
                method: String::new(),
                url: String::new(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt: None,
            reason: None,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The actions of steps of these numbers, of so many.
    fn begun(steps: &[(u8, Outcome)], of: u8) -> Vec<Action> {
        let run = ActionId(uuid::Uuid::nil());
        let step = |number| (of > 1).then_some(StepOf { run, number, of });
        steps.iter().map(|(number, outcome)| Action { step: step(*number), ..action(*outcome) }).collect()
    }

    #[rstest]
    #[case(&[], 1, None)]
    #[case(&[(1, Outcome::Changed)], 1, Some((Outcome::Changed, true)))]
    #[case::without_a_receipt(&[(1, Outcome::Pending)], 1, Some((Outcome::Unknown, true)))]
    #[case::the_second_step_was_not_sent(&[(1, Outcome::Changed)], 2, Some((Outcome::Unknown, false)))]
    #[case(&[(1, Outcome::Changed), (2, Outcome::Accepted)], 2, Some((Outcome::Accepted, false)))]
    #[case::the_odd_step_is_told(&[(1, Outcome::Failed), (2, Outcome::Accepted)], 2, Some((Outcome::Failed, false)))]
    #[case::the_first_needed_no_send(&[(2, Outcome::Changed)], 2, Some((Outcome::Changed, false)))]
    fn what_was_begun_is_told_and_not_taken_for_whole(
        #[case] steps: &[(u8, Outcome)],
        #[case] of: u8,
        #[case] expected: Option<(Outcome, bool)>,
    ) {
        let end = BulkEnd::of_begun(&begun(steps, of), Timestamp::UNIX_EPOCH);
        assert_eq!(end.map(|end| (end.outcome, end.action.is_some())), expected);
    }

    /// The first of two was done, and the second held back: the end is not that nothing was sent, whoever tells it.
    #[test]
    fn a_step_that_was_held_back_behind_another_is_not_the_whole_end() {
        let withheld = |action: Action| {
            let receipt = Receipt { withheld: true, error: Some("throttling".into()), ..Receipt::default() };
            Action { receipt: Some(receipt), evidence: Evidence::Intended, verb: "clear".into(), ..action }
        };
        let both = |first: Outcome| {
            let mut steps = begun(&[(1, first), (2, Outcome::NotSent)], 2);
            steps[0].verb = "suspend them".into();
            let rest = withheld(steps.remove(1));
            [steps.remove(0), rest]
        };
        let told = |steps: &[Action]| {
            let steps = steps.iter().map(|step| StepEnd::ran(step.clone(), None)).collect();
            BulkEnd::of_run(&RunEnd { steps }, Timestamp::UNIX_EPOCH)
        };
        let end = told(&both(Outcome::Changed));
        let why = "suspend: changed (acknowledged); clear: not-sent (intended): throttling";
        assert_eq!((end.words().as_str(), end.why.as_deref()), ("failed (sent)", Some(why)));
        assert!(end.is_odd(), "it may be so for everybody");
        for run in BulkState::ALL {
            assert_eq!(BulkEnd::standing(&both(Outcome::Changed), run), Some(end.clone()));
        }
        assert_eq!(told(&both(Outcome::Unknown)).outcome, Outcome::Unknown);
        // Where nothing left, it is as before; and another attempt at the same says nothing of this one.
        let [first, rest] = both(Outcome::NotSent);
        let nothing = [withheld(first), rest];
        assert_eq!(told(&nothing).outcome, Outcome::NotSent);
        assert_eq!(BulkEnd::standing(&nothing, BulkState::Running), None);
        let [first, rest] = both(Outcome::Changed);
        let other = rest.step.map(|step| StepOf { run: ActionId(uuid::Uuid::from_u128(16)), ..step });
        let earlier = [first, Action { step: other, ..rest }];
        assert_eq!(BulkEnd::standing(&earlier, BulkState::Running).unwrap().outcome, Outcome::Pending);
    }

    #[rstest]
    #[case::on_its_way(&[(1, Outcome::Pending)], 1, BulkState::Stopped, Outcome::Pending)]
    #[case::about_to_send_the_next(&[(1, Outcome::Changed)], 2, BulkState::Running, Outcome::Pending)]
    #[case::cut_between(&[(1, Outcome::Changed)], 2, BulkState::Stopped, Outcome::Unknown)]
    #[case(&[(1, Outcome::Changed)], 1, BulkState::Stopped, Outcome::Changed)]
    fn who_was_begun_with_stands_as_the_actions_do(
        #[case] steps: &[(u8, Outcome)],
        #[case] of: u8,
        #[case] run: BulkState,
        #[case] expected: Outcome,
    ) {
        assert_eq!(BulkEnd::standing(&begun(steps, of), run).unwrap().outcome, expected);
    }
}
