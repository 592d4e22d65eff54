//! One flow on many people: who waits, who was acted on, and how that ended.
//!
//! A bulk run is confirmed once. Each of its users has an action of its own, whose id follows from the run's:
//! whoever takes the run up again, also after a crash, sees by the actions that are there who was acted on,
//! and nobody is acted on twice.

use super::action::{Action, ActionId, Evidence, Outcome};
use super::run_end::{Ended, RunEnd};
use super::{Actor, FindingId, FlowId, Login, Risk};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// More users than these are in no run, whatever is configured.
pub const MOST_USERS: usize = 100_000;

/// A bulk run's id: a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BulkId(pub uuid::Uuid);

impl BulkId {
    /// The id of the action on the user of this place: always the same for the same place. The lowest byte
    /// is left to the steps of a run of several actions.
    pub fn action(self, position: u32) -> ActionId {
        let place = (u128::from(position) + 1) << 8;
        ActionId(uuid::Uuid::from_u128(self.0.as_u128() ^ place))
    }
}

impl fmt::Display for BulkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for BulkId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(BulkId)
    }
}

/// Where a bulk run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkState {
    /// Somebody drives it, or did until they went away.
    Running,
    /// It waits for somebody to go on.
    Paused,
    /// Those who wait are acted on no more.
    Stopped,
    /// Nobody waits.
    Done,
}

impl BulkState {
    /// Every state.
    pub const ALL: [BulkState; 4] =
        [BulkState::Running, BulkState::Paused, BulkState::Stopped, BulkState::Done];

    /// The word on the screen, in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            BulkState::Running => "running",
            BulkState::Paused => "paused",
            BulkState::Stopped => "stopped",
            BulkState::Done => "done",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<BulkState> {
        BulkState::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether somebody may still be acted on.
    pub fn is_over(self) -> bool {
        matches!(self, BulkState::Stopped | BulkState::Done)
    }
}

/// One flow on many people, as it was confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRun {
    /// Its id.
    pub id: BulkId,
    /// Which flow.
    pub flow: FlowId,
    /// What it does, in words.
    pub verb: String,
    /// The flow's risk.
    pub risk: Risk,
    /// Values for declared inputs, the same for everybody.
    pub inputs: BTreeMap<String, String>,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Whether what stands against single users was insisted on.
    pub is_insisted: bool,
    /// Who confirmed it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Where it stands.
    pub state: BulkState,
    /// Why it stands so, where somebody or something held it.
    pub why: Option<String>,
    /// Until when somebody drives it, where somebody does.
    pub held_until: Option<Timestamp>,
    /// How many users there are, by how it ended.
    pub counts: BulkCounts,
}

impl BulkRun {
    /// Whether it is called running, and whoever drove it is gone.
    pub fn is_interrupted(&self, now: Timestamp) -> bool {
        self.state == BulkState::Running && self.held_until.is_none_or(|until| until < now)
    }

    /// Where it stands, in a word.
    pub fn word(&self, now: Timestamp) -> &'static str {
        if self.is_interrupted(now) { "interrupted" } else { self.state.word() }
    }
}

/// How many users of a bulk run ended how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkCounts {
    /// Those nobody has acted on yet.
    pub queued: usize,
    /// The others.
    pub ended: BTreeMap<&'static str, usize>,
}

impl BulkCounts {
    /// Counts one more.
    pub fn add(&mut self, end: Option<Outcome>, how_many: usize) {
        match end {
            None => self.queued += how_many,
            Some(outcome) => *self.ended.entry(outcome.word()).or_default() += how_many,
        }
    }

    /// Those who ended so.
    pub fn of(&self, outcome: Outcome) -> usize {
        self.ended.get(outcome.word()).copied().unwrap_or_default()
    }

    /// All who ended.
    pub fn done(&self) -> usize {
        self.ended.values().sum()
    }

    /// All.
    pub fn total(&self) -> usize {
        self.queued + self.done()
    }

    /// `3 changed, 1 refused, 6 queued`.
    pub fn words(&self) -> String {
        let ended = Outcome::ALL.iter().map(|outcome| (outcome.word(), self.of(*outcome)));
        let all = ended.chain([("queued", self.queued)]).filter(|(_, count)| *count > 0);
        let words: Vec<String> = all.map(|(word, count)| format!("{count} {word}")).collect();
        if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
    }
}

/// One user of a bulk run.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkUser {
    /// The place in the run, from 0.
    pub position: u32,
    /// Who.
    pub login: Login,
    /// The id of the account that was shown, where one was known.
    pub target_id: Option<String>,
    /// The finding that it is run from.
    pub finding: Option<FindingId>,
    /// How it ended; `None` for who still waits.
    pub end: Option<BulkEnd>,
}

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
}

impl BulkEnd {
    /// Nothing was sent, because of this.
    pub fn not_sent(outcome: Outcome, why: impl Into<String>, at: Timestamp) -> BulkEnd {
        BulkEnd { outcome, evidence: None, status: None, why: Some(why.into()), action: None, at }
    }

    /// How a run on one user ended.
    pub fn of_run(end: &RunEnd, at: Timestamp) -> BulkEnd {
        let worst = end.steps.iter().find(|step| step.outcome() == end.outcome());
        let why = worst.and_then(|step| match &step.ended {
            Ended::Ran { action, .. } => action.receipt.as_ref().and_then(|receipt| receipt.error.clone()),
            Ended::NotSent(refusal) => Some(refusal.why.clone()),
            Ended::Unsure(why) => Some(why.clone()),
        });
        let action = worst.and_then(|step| step.action());
        BulkEnd {
            outcome: end.outcome(),
            evidence: action.map(|action| action.evidence),
            status: action.and_then(status),
            why,
            action: end.only_action().map(|action| action.id),
            at,
        }
    }

    /// How the actions stand that are there already of a run on one user, of as many as it has. One that is pending
    /// with nobody left to settle it may have left, and one that is not there was not sent any more.
    pub fn of_begun(begun: &[Action], of: usize, at: Timestamp) -> Option<BulkEnd> {
        let last = begun.last()?;
        let outcome = |action: &Action| match action.outcome {
            Outcome::Pending => Outcome::Unknown,
            outcome => outcome,
        };
        let of_one = |action: &Action| BulkEnd {
            outcome: outcome(action),
            evidence: Some(action.evidence),
            status: status(action),
            why: Some("begun before the run was taken up again, and not repeated".to_owned()),
            action: (of == 1).then_some(action.id),
            at,
        };
        if begun.len() < of {
            let why = format!(
                "begun before the run was taken up again: {} of {of} steps were sent, and none is repeated",
                begun.len()
            );
            return Some(BulkEnd { outcome: Outcome::Unknown, why: Some(why), ..of_one(last) });
        }
        let odd = begun.iter().map(of_one).find(BulkEnd::is_odd);
        Some(odd.unwrap_or_else(|| of_one(last)))
    }

    /// Whether it says that something is wrong that may be wrong for everybody: then the run waits for people.
    /// What was not sent because of one user's state or of a guard is that user's exception.
    pub fn is_odd(&self) -> bool {
        match self.outcome {
            Outcome::Accepted | Outcome::Changed | Outcome::NoChange | Outcome::NotLegal => false,
            Outcome::Refused => self.evidence.is_some(),
            Outcome::Failed | Outcome::Unknown | Outcome::Pending => true,
        }
    }

    /// What tells one kind of end from another.
    pub fn kind(&self) -> (Outcome, Option<u16>) {
        (self.outcome, self.status)
    }

    /// `refused (answered 403)`.
    pub fn words(&self) -> String {
        let word = self.outcome.word();
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
    use rstest::rstest;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_users_and_no_two_steps_share_an_action() {
        let id = BulkId(uuid::Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef));
        let places = [0, 1, 254, 255, 256, 65_535, 99_999];
        let steps = |place: u32| (0..=3).map(move |step| (place, step));
        let all = places.into_iter().flat_map(steps);
        let ids: BTreeSet<ActionId> = all
            .map(|(place, step)| if step == 0 { id.action(place) } else { id.action(place).step(step) })
            .collect();
        assert_eq!(ids.len(), places.len() * 4);
        assert!(!ids.contains(&ActionId(id.0)), "the run's own id is no action's");
        assert_eq!(id.action(7), id.action(7));
    }

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

    fn action(outcome: Outcome) -> Action {
        Action {
            id: ActionId(uuid::Uuid::nil()),
            step: None,
            is_test: false,
            undoes: None,
            before: None,
            flow: "okta-contain".into(),
            verb: String::new(),
            risk: Risk::Medium,
            login: Login::new("ann"),
            target_id: None,
            finding: None,
            evidence: Evidence::Acknowledged,
            outcome,
            request: crate::domain::action::ShownRequest {
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

    #[rstest]
    #[case(&[], 1, None)]
    #[case(&[Outcome::Changed], 1, Some((Outcome::Changed, true)))]
    #[case::without_a_receipt(&[Outcome::Pending], 1, Some((Outcome::Unknown, true)))]
    #[case::the_second_step_was_not_sent(&[Outcome::Changed], 2, Some((Outcome::Unknown, false)))]
    #[case(&[Outcome::Changed, Outcome::Accepted], 2, Some((Outcome::Accepted, false)))]
    #[case::the_odd_step_is_told(&[Outcome::Failed, Outcome::Accepted], 2, Some((Outcome::Failed, false)))]
    fn what_was_begun_is_told_and_not_taken_for_whole(
        #[case] begun: &[Outcome],
        #[case] of: usize,
        #[case] expected: Option<(Outcome, bool)>,
    ) {
        let begun: Vec<Action> = begun.iter().map(|outcome| action(*outcome)).collect();
        let end = BulkEnd::of_begun(&begun, of, Timestamp::UNIX_EPOCH);
        assert_eq!(end.map(|end| (end.outcome, end.action.is_some())), expected);
    }

    #[test]
    fn counts_are_told_in_the_order_of_outcomes() {
        let mut counts = BulkCounts::default();
        assert_eq!(counts.words(), "nobody");
        counts.add(None, 6);
        counts.add(Some(Outcome::Refused), 1);
        counts.add(Some(Outcome::Changed), 3);
        assert_eq!(counts.words(), "3 changed, 1 refused, 6 queued");
        assert_eq!((counts.done(), counts.total(), counts.of(Outcome::Unknown)), (4, 10, 0));
    }
}
