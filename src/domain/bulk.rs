//! One flow on many people: who waits, who was acted on, and how that ended.
//!
//! A bulk run is confirmed once. Each of its users has an action of its own, whose id follows from the run's:
//! whoever takes the run up again, also after a crash, sees by the actions that are there who was acted on,
//! and nobody is acted on twice.

mod end;
mod left_out;

pub use end::{BulkEnd, EndKind};
pub use left_out::{Doubts, doubts, insisted_by_again, left_out};

use super::action::{ActionId, Outcome};
use super::many::ConfirmMany;
use super::plan::MadeOf;
use super::{Actor, FindingId, FlowId, Login, Risk, digest, operation};
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

    /// The place of the user whom an action is on, a step's too; `None` where it is none of this run's.
    pub fn position(self, action: ActionId) -> Option<u32> {
        let place = (self.0.as_u128() ^ action.0.as_u128()) >> 8;
        let most = u128::try_from(MOST_USERS).unwrap_or_default();
        (1..=most).contains(&place).then(|| u32::try_from(place - 1).ok()).flatten()
    }

    /// Between which ids the actions on the user of a place have theirs.
    pub fn actions(self, position: u32) -> (ActionId, ActionId) {
        let bits = self.action(position).0.as_u128();
        let of = |bits| ActionId(uuid::Uuid::from_u128(bits));
        (of(bits & !0xff), of(bits | 0xff))
    }

    /// Between which ids the run of an action has its own, if the action is one of a run's at all: they differ
    /// in their low bits alone.
    pub fn around(action: ActionId) -> (BulkId, BulkId) {
        let low = (1_u128 << LOW_BITS) - 1;
        let of = |bits| BulkId(uuid::Uuid::from_u128(bits));
        (of(action.0.as_u128() & !low), of(action.0.as_u128() | low))
    }
}

/// So many low bits tell the actions of a run apart.
const LOW_BITS: u32 = 32;

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
    /// What was confirmed, to which whoever takes it up again is held; `None` of a run that was kept before there
    /// was such a thing.
    pub seal: Option<Seal>,
    /// How many users there are, by how it ended.
    pub counts: BulkCounts,
}

impl BulkRun {
    /// Whether it is called running, and whoever drove it is gone.
    pub fn is_interrupted(&self, now: Timestamp) -> bool {
        self.state == BulkState::Running && self.held_until.is_none_or(|until| until < now)
    }

    /// `confirmed by ann at 2026-02-03T04:05:06Z with high risk`: who takes it up again answers for that.
    pub fn confirmed_by(&self) -> String {
        let (at, risk) = (super::time::rfc3339_seconds(self.at), self.risk.word());
        format!("confirmed by {} at {at} with {risk} risk", self.actor.signed())
    }

    /// So many were left out when it was confirmed: they were never to be acted on, and are no progress.
    pub fn left_out(&self) -> usize {
        self.seal.as_ref().map_or(0, |seal| self.counts.total().saturating_sub(seal.acting))
    }

    /// So many of those who are acted on are done, and so many they are.
    pub fn progress(&self) -> (usize, usize) {
        let left_out = self.left_out();
        (self.counts.done().saturating_sub(left_out), self.counts.total().saturating_sub(left_out))
    }

    /// Whether somebody of it was left out when it was confirmed.
    pub fn leaves_out(&self, user: &BulkUser) -> bool {
        let place = usize::try_from(user.position).unwrap_or(usize::MAX);
        self.seal.as_ref().is_some_and(|seal| place >= seal.acting)
    }

    /// How it ended for those who are acted on, without those who never were to be. Of an older run that is not told
    /// apart.
    pub fn acted_on(&self) -> BulkCounts {
        let mut counts = self.counts.clone();
        let left_out = self.seal.iter().flat_map(|seal| &seal.left_out);
        for (word, left_out) in left_out {
            if let Some(count) = counts.ended.get_mut(word.as_str()) {
                *count = count.saturating_sub(*left_out);
            }
        }
        counts
    }

    /// How it ended for those who are acted on, in words: of a run that is over, who is left is acted on no more.
    pub fn acted_on_words(&self) -> String {
        self.acted_on().words_of(self.waiting())
    }

    /// The same of all, those among them who were left out.
    pub fn words(&self) -> String {
        self.counts.words_of(self.waiting())
    }

    /// How somebody stands whose end nobody has told.
    pub fn waiting(&self) -> &'static str {
        if self.state.is_over() { "not acted on" } else { QUEUED }
    }

    /// `1 left out`, where somebody was.
    pub fn left_out_words(&self) -> Option<String> {
        Some(self.left_out()).filter(|count| *count > 0).map(|count| format!("{count} left out"))
    }

    /// What going on with it asks for: what its confirmation asked for where that was more than a key.
    pub fn asks_to_go_on(&self) -> Option<ConfirmMany> {
        let word = || self.verb.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        match self.risk {
            // Nobody would be acted on.
            _ if self.counts.queued == 0 => None,
            Risk::High => Some(ConfirmMany::Count(self.counts.queued)),
            Risk::Medium => Some(ConfirmMany::Word(word().unwrap_or("run").to_owned())),
            Risk::Low => None,
        }
    }

    /// Whether what it did is undone by now, on each whom it may have changed or on some; nothing where nobody's is, or
    /// while somebody may still be acted on.
    pub fn undone_word(&self) -> Option<&'static str> {
        use Outcome::{Accepted, Changed, Failed, NotSent, Pending, Refused, Unknown};
        if self.counts.undone() == 0 || !self.state.is_over() {
            return None;
        }
        let counts = self.acted_on();
        let is_left = |outcomes: &[Outcome]| outcomes.iter().any(|outcome| counts.standing(*outcome) > 0);
        // Of several steps the worst one is told: the one before it may have changed them.
        let may_have_changed = is_left(&[Changed, Accepted, Unknown, Pending])
            || (operation::has_steps(&self.flow) && is_left(&[Failed, Refused, NotSent]));
        Some(if may_have_changed { "part undone" } else { UNDONE })
    }

    /// Whether nothing of it is left to undo.
    pub fn is_undone(&self) -> bool {
        self.undone_word() == Some(UNDONE)
    }

    /// Where it stands, in a word.
    pub fn word(&self, now: Timestamp) -> &'static str {
        match self.is_interrupted(now) {
            // Nobody is left to be acted on: only nobody said so.
            true if self.counts.queued == 0 => BulkState::Done.word(),
            true => "interrupted",
            false => self.state.word(),
        }
    }
}

/// What was confirmed for everybody, as digests: the journal has the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Of the flow as it was configured, its inputs, and whether doubts were insisted on.
    #[serde(rename = "flow_sha256")]
    pub flow: String,
    /// So many are acted on at most: those in the first places.
    pub acting: usize,
    /// The limit that they were held to.
    pub limit: u32,
    /// Of who is acted on, in their order: the login, the account, the finding, the doubts that were shown, and the
    /// event and the body that were.
    #[serde(rename = "people_sha256")]
    pub people: String,
    /// The id of the group that it is about, where it is about one; not kept of older runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// So many were left out, by the word that their end has; not kept of older runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, usize>,
}

impl Seal {
    /// The digest of people in their order. What became of them is not in it.
    pub fn people<'a>(users: impl IntoIterator<Item = &'a BulkUser>) -> String {
        let digests: Vec<String> = users.into_iter().map(BulkUser::digest).collect();
        digest::of_parts(digests.iter().map(String::as_bytes))
    }
}

/// What is undone on each whom it may have changed.
const UNDONE: &str = "undone";

/// Who waits for their turn.
const QUEUED: &str = "queued";

/// How many users of a bulk run ended how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkCounts {
    /// Those nobody has acted on yet.
    pub queued: usize,
    /// The others.
    pub ended: BTreeMap<&'static str, usize>,
    /// So many of the others are undone by now.
    pub undone: BTreeMap<&'static str, usize>,
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

    /// Those whose action is there, and has not ended.
    pub fn pending(&self) -> usize {
        self.of(Outcome::Pending)
    }

    /// Counts one more who ended so and is undone by now.
    pub fn add_undone(&mut self, end: Outcome, how_many: usize) {
        *self.undone.entry(end.word()).or_default() += how_many;
    }

    /// All who are undone by now.
    pub fn undone(&self) -> usize {
        self.undone.values().sum()
    }

    /// `3 changed`, `3 changed (2 undone)`, or `3 changed (undone)` where all are; nothing where nobody ended so.
    fn ended_so(&self, outcome: Outcome) -> Option<String> {
        let (count, word) = (self.of(outcome), outcome.word());
        let undone = match self.undone.get(word).copied().unwrap_or_default() {
            0 => String::new(),
            undone if undone < count => format!(" ({undone} undone)"),
            _ => " (undone)".to_owned(),
        };
        (count > 0).then(|| format!("{count} {word}{undone}"))
    }

    /// Those who ended so, and are not undone.
    fn standing(&self, outcome: Outcome) -> usize {
        self.of(outcome).saturating_sub(self.undone.get(outcome.word()).copied().unwrap_or_default())
    }

    /// All who ended.
    pub fn done(&self) -> usize {
        self.ended.values().sum::<usize>().saturating_sub(self.pending())
    }

    /// All.
    pub fn total(&self) -> usize {
        self.queued + self.pending() + self.done()
    }

    /// `1 refused, 3 changed (2 undone), 6 queued`: what wants a look first, since a narrow screen cuts the rest.
    pub fn words(&self) -> String {
        self.words_of(QUEUED)
    }

    fn words_of(&self, waiting: &str) -> String {
        const FIRST: [Outcome; 5] =
            [Outcome::Unknown, Outcome::Failed, Outcome::NotSent, Outcome::Refused, Outcome::NotLegal];
        let rest = Outcome::ALL.iter().filter(|outcome| !FIRST.contains(outcome));
        let ended = FIRST.iter().chain(rest).filter_map(|outcome| self.ended_so(*outcome));
        let queued = Some(self.queued).filter(|count| *count > 0).map(|count| format!("{count} {waiting}"));
        let words: Vec<String> = ended.chain(queued).collect();
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
    /// The login of that account as it was shown, where it is not the user's.
    pub account_login: Option<Login>,
    /// The finding that it is run from.
    pub finding: Option<FindingId>,
    /// What was confirmed of what is sent: only that is sent. Empty of who was queued before that was kept.
    pub made_of: MadeOf,
    /// What stood against it when it was confirmed all the same, as [`doubts`] has it: insisting covers that, and
    /// nothing that came since.
    pub doubts: Vec<String>,
    /// The action of theirs that it undoes, in a run that undoes another.
    pub undoes: Option<ActionId>,
    /// How it ended; `None` for who still waits. Of who was begun with, and whose end nobody has told yet, it is
    /// how the actions stand that are there.
    pub end: Option<BulkEnd>,
}

impl BulkUser {
    /// `olga@example.com (ruth@example.com)`: by the account's own login first, where that is another one.
    pub fn whom(&self) -> String {
        super::plan::whom(self.account_login.as_ref(), &self.login)
    }

    fn digest(&self) -> String {
        let said = self.digest_of_said();
        if self.made_of == MadeOf::default() && self.account_login.is_none() && self.undoes.is_none() {
            // Runs were sealed so before the rest was kept: their seals hold.
            return said;
        }
        let event = self.made_of.event.map(|event| event.0.to_be_bytes());
        let event = event.as_ref().map_or(&[][..], |event| event.as_slice());
        let body = self.made_of.body.as_deref().unwrap_or_default().as_bytes();
        let account = self.account_login.as_ref().map(Login::raw).unwrap_or_default().as_bytes();
        let undoes = self.undoes.map(|action| action.to_string()).unwrap_or_default();
        digest::of_parts([said.as_bytes(), event, body, account, undoes.as_bytes()])
    }

    fn digest_of_said(&self) -> String {
        let place = self.position.to_be_bytes();
        let finding = self.finding.map(|finding| finding.0.to_be_bytes());
        let finding = finding.as_ref().map_or(&[][..], |finding| finding.as_slice());
        let target = self.target_id.as_deref().unwrap_or_default().as_bytes();
        let fixed = [place.as_slice(), self.login.raw().as_bytes(), target, finding];
        digest::of_parts(fixed.into_iter().chain(self.doubts.iter().map(String::as_bytes)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::EventId;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::collections::BTreeSet;

    pub(crate) fn run() -> BulkRun {
        BulkRun {
            id: BulkId(uuid::Uuid::nil()),
            flow: "okta-suspend".into(),
            verb: "suspend".into(),
            risk: Risk::Medium,
            inputs: BTreeMap::new(),
            reason: None,
            is_insisted: false,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
            state: BulkState::Paused,
            why: None,
            held_until: None,
            seal: None,
            counts: BulkCounts::default(),
        }
    }

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
        for place in places {
            let ids = [id.action(place), id.action(place).step(2)];
            let (first, last) = BulkId::around(ids[1]);
            assert!(first <= id && id <= last);
            assert_eq!(ids.map(|action| id.position(action)), [Some(place); 2]);
        }
        assert_eq!(id.position(ActionId(id.0)), None);
        assert_eq!(id.position(ActionId(uuid::Uuid::from_u128(7))), None);
    }

    fn user() -> BulkUser {
        BulkUser {
            position: 3,
            login: Login::new("Ann"),
            target_id: Some("00u1".into()),
            account_login: None,
            finding: Some(FindingId(7)),
            made_of: MadeOf::default(),
            doubts: vec!["a".into()],
            undoes: None,
            end: None,
        }
    }

    /// What an older version sealed: the digest of the place, the login, the account, the finding and the doubts.
    #[test]
    fn the_seal_of_a_run_that_is_there_already_holds() {
        let sealed = "e0194fb87903f4aca3c7bae8672b7eb9f68390979a0c8fb65dd71efedba3a3fb";
        assert_eq!(Seal::people([&user()]), sealed);
    }

    proptest! {
        /// No two that differ in anything that was confirmed have the same digest, also where a part is missing.
        #[test]
        fn whatever_was_confirmed_is_in_the_seal(one in confirmed(), other in confirmed()) {
            prop_assert_eq!(one == other, Seal::people([&one]) == Seal::people([&other]), "{:?} {:?}", one, other);
        }
    }

    fn confirmed() -> impl Strategy<Value = BulkUser> {
        let text = || prop::option::of(prop_oneof![Just("a".to_owned()), Just("b".to_owned())]);
        let number = || prop::option::of(1i64..3);
        (
            text(),
            text(),
            number(),
            number(),
            prop::collection::vec(text().prop_map(Option::unwrap_or_default), 0..3),
            prop::option::of((1..3u128).prop_map(|id| ActionId(uuid::Uuid::from_u128(id)))),
        )
            .prop_map(|(body, account, event, finding, doubts, undoes)| BulkUser {
                account_login: account.map(|login| Login::new(&login)),
                finding: finding.map(FindingId),
                made_of: MadeOf { event: event.map(EventId), body },
                doubts,
                undoes,
                ..user()
            })
    }

    #[test]
    fn who_was_left_out_is_no_progress_and_stands_in_no_count() {
        let mut counts = BulkCounts::default();
        [(None, 6), (Some(Outcome::Refused), 3), (Some(Outcome::Changed), 1)]
            .into_iter()
            .for_each(|(end, how_many)| counts.add(end, how_many));
        let left_out = BTreeMap::from([("refused".to_owned(), 2)]);
        let seal =
            Seal { flow: String::new(), acting: 8, limit: 50, people: String::new(), group: None, left_out };
        let run = BulkRun { seal: Some(seal.clone()), counts, ..run() };
        assert_eq!((run.progress(), run.left_out()), ((2, 8), 2));
        assert_eq!(run.acted_on().words(), "1 refused, 1 changed, 6 queued");
        // An older run does not say who they were.
        let older = BulkRun { seal: Some(Seal { left_out: BTreeMap::new(), ..seal }), ..run };
        assert_eq!(older.acted_on(), older.counts);
    }

    #[test]
    fn counts_are_told_with_what_wants_a_look_first() {
        let mut counts = BulkCounts::default();
        assert_eq!(counts.words(), "nobody");
        counts.add(None, 6);
        counts.add(Some(Outcome::Refused), 1);
        counts.add(Some(Outcome::Changed), 3);
        assert_eq!(counts.words(), "1 refused, 3 changed, 6 queued");
        assert_eq!((counts.done(), counts.total(), counts.of(Outcome::Unknown)), (4, 10, 0));
        counts.add(Some(Outcome::Pending), 2);
        assert_eq!((counts.done(), counts.pending(), counts.total()), (4, 2, 12));
    }

    #[rstest]
    #[case::nobody(BulkState::Done, &[(Outcome::Changed, 3, 0)], None, "3 changed")]
    #[case::some(BulkState::Done, &[(Outcome::Changed, 3, 2)], Some("part undone"), "3 changed (2 undone)")]
    #[case::all(BulkState::Stopped, &[(Outcome::Changed, 3, 3), (Outcome::Accepted, 1, 1)], Some("undone"),
        "3 changed (undone), 1 accepted (undone)")]
    #[case::unknown(BulkState::Done, &[(Outcome::Changed, 3, 3), (Outcome::Unknown, 1, 0)], Some("part undone"),
        "1 unknown, 3 changed (undone)")]
    #[case::only_that(BulkState::Done, &[(Outcome::Changed, 1, 0), (Outcome::Unknown, 1, 1)], Some("part undone"),
        "1 unknown (undone), 1 changed")]
    #[case::refused(BulkState::Done, &[(Outcome::Changed, 3, 3), (Outcome::Refused, 2, 0)], Some("undone"),
        "2 refused, 3 changed (undone)")]
    #[case::goes_on(BulkState::Paused, &[(Outcome::Changed, 3, 3)], None, "3 changed (undone)")]
    fn a_run_is_undone_where_nobody_is_left_as_it_left_them(
        #[case] state: BulkState,
        #[case] ended: &[(Outcome, usize, usize)],
        #[case] expected: Option<&str>,
        #[case] words: &str,
    ) {
        let mut counts = BulkCounts::default();
        for (outcome, count, undone) in ended {
            counts.add(Some(*outcome), *count);
            if *undone > 0 {
                counts.add_undone(*outcome, *undone);
            }
        }
        let of =
            |flow: &str| BulkRun { flow: flow.into(), state, counts: counts.clone(), seal: None, ..run() };
        let run = of("okta-suspend");
        assert_eq!((run.undone_word(), run.is_undone()), (expected, expected == Some("undone")));
        let said: BTreeSet<String> = words.split(", ").map(str::to_owned).collect();
        assert_eq!(run.words().split(", ").map(str::to_owned).collect::<BTreeSet<_>>(), said);
        // Of several steps one may have changed who counts as refused.
        let is_refused = ended.iter().any(|(outcome, ..)| *outcome == Outcome::Refused);
        let of_steps = of(&operation::CONTAIN.flow_id().0);
        assert_eq!(of_steps.undone_word(), if is_refused { Some("part undone") } else { expected });
    }
}
