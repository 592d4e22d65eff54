//! One run of one flow on one subject: what was meant, what is proven, how it ended.

mod execution;
mod undone;
pub mod word;

pub use execution::{EndKind, ExecutionEnd, execution_ids};
pub use undone::Undone;
pub use word::{AnalystWord, Said};

use super::later::Stands;
use super::{Actor, FindingId, FlowId, Login, Risk, time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An action's id: a UUID. It is also the `eventId` that the flow gets, so that it can tell repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub uuid::Uuid);

impl ActionId {
    /// The id of a step of the run that has this id: always the same for the same step.
    #[must_use]
    pub fn step(self, number: u8) -> ActionId {
        // The low bits of a random UUID are random: nothing else is told by them.
        ActionId(uuid::Uuid::from_u128(self.0.as_u128() ^ u128::from(number)))
    }

    /// The id of another attempt at the same, from 0, where the one before was withheld: always the same for the
    /// same attempt. The lowest bits are left to the steps.
    #[must_use]
    pub fn attempt(self, number: u8) -> ActionId {
        ActionId(uuid::Uuid::from_u128(self.0.as_u128() ^ (u128::from(number & 0xf) << 4)))
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for ActionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(ActionId)
    }
}

/// Which of the actions of a run of several one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOf {
    /// The run.
    pub run: ActionId,
    /// Its place in it, from 1.
    pub number: u8,
    /// How many there were to be. One that has no action was not sent.
    pub of: u8,
}

impl StepOf {
    /// The step of a run from its words: `1 of 2`.
    pub fn parse(run: ActionId, words: &str) -> Option<StepOf> {
        let (number, of) = words.split_once(" of ")?;
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&number).then_some(StepOf { run, number, of })
    }

    /// The actions of the steps behind it, each with its place.
    pub fn later(self) -> impl Iterator<Item = (u8, ActionId)> {
        (self.number.saturating_add(1)..=self.of).map(move |number| (number, self.run.step(number)))
    }
}

/// The words on the screen and in JSON: `1 of 2`.
impl fmt::Display for StepOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.number, self.of)
    }
}

/// How much is proven. Ordered: the highest *proven* level is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The intent is in the journal; nothing has left.
    Intended,
    /// A first byte may have left.
    Sent,
    /// The other side answered over HTTP.
    Acknowledged,
    /// The run's end is on record, or a flow configured `final` answered 2xx.
    Finished,
    /// The target was re-read and is in the wanted state.
    Verified,
}

impl Evidence {
    /// Every level, weakest first.
    pub const ALL: [Evidence; 5] =
        [Evidence::Intended, Evidence::Sent, Evidence::Acknowledged, Evidence::Finished, Evidence::Verified];

    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Evidence::Intended => "intended",
            Evidence::Sent => "sent",
            Evidence::Acknowledged => "acknowledged",
            Evidence::Finished => "finished",
            Evidence::Verified => "verified",
        }
    }

    /// The level of a word.
    pub fn parse(word: &str) -> Option<Evidence> {
        Evidence::ALL.into_iter().find(|evidence| evidence.word() == word)
    }
}

/// How an action ended, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not ended yet.
    Pending,
    /// 2xx; the effect is unproven.
    Accepted,
    /// The target is in the wanted state now and was not before.
    Changed,
    /// The target was in the wanted state already.
    NoChange,
    /// The target's state does not allow it.
    NotLegal,
    /// It was held back before a byte left: by our pace, a stop, or a lease that ran out. It can be run again.
    NotSent,
    /// Our guard, or a 401, 403, 404 or 429 of the other side.
    Refused,
    /// Another 4xx, or nothing was sent because the connection failed.
    Failed,
    /// It may or may not have happened: 5xx, 408, time-out, cut connection, crash.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 9] = [
        Outcome::Pending,
        Outcome::Accepted,
        Outcome::Changed,
        Outcome::NoChange,
        Outcome::NotLegal,
        Outcome::NotSent,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Unknown,
    ];

    /// The word on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pending => "pending",
            Outcome::Accepted => "accepted",
            Outcome::Changed => "changed",
            Outcome::NoChange => "no-change",
            Outcome::NotLegal => "not-legal",
            Outcome::NotSent => "not-sent",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }

    /// Whether it says that what was to be done is done, as far as is known.
    pub fn says_done(self) -> bool {
        matches!(self, Outcome::Changed | Outcome::Accepted)
    }

    /// The outcome of a word.
    pub fn parse(word: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// What an HTTP status says of a request that acts.
    pub fn of_status(status: u16) -> Outcome {
        match status {
            200..=299 => Outcome::Accepted,
            401 | 403 | 404 | 429 => Outcome::Refused,
            408 => Outcome::Unknown,
            400..=499 => Outcome::Failed,
            // 5xx, and the redirects that are never followed: whoever answered may have acted before.
            _ => Outcome::Unknown,
        }
    }

    /// The exit status of a command that ended so (design, section 5).
    pub fn exit_status(self) -> u8 {
        match self {
            Outcome::Accepted | Outcome::Changed | Outcome::NoChange => 0,
            Outcome::Failed | Outcome::Refused | Outcome::NotLegal | Outcome::NotSent => 1,
            Outcome::Pending | Outcome::Unknown => 4,
        }
    }
}

/// What leaves, as it is shown, stored and compared: secrets are masked in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRequest {
    /// `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names and values in the order they are sent; a secret's value is `[secret]`.
    pub headers: Vec<(String, String)>,
    /// The body as it is sent.
    pub body: String,
}

impl ShownRequest {
    /// The digest of everything shown: what leaves must rebuild to the same.
    pub fn digest(&self) -> String {
        let mut parts = vec![self.method.as_bytes(), self.url.as_bytes()];
        for (name, value) in &self.headers {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        parts.push(self.body.as_bytes());
        super::digest::of_parts(parts)
    }
}

/// One try before the one that counted, whose answer said that nothing ran: 429, or the wish for another
/// proof of the token's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// When it was sent.
    #[serde(with = "time::millis")]
    pub at: Timestamp,
    /// The status that came back.
    pub status: u16,
}

/// What whoever refused says of it, in words that tell a missing scope from a missing role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Why: code, words and request id, masked.
    pub why: String,
    /// What mends it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What came back, masked and cut as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The headers of the allow-list.
    pub headers: Vec<(String, String)>,
    /// The body, cut at 16 KiB, secrets masked.
    pub body: String,
    /// The SHA-256 of the whole body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// When it came, or when we gave up.
    #[serde(default, with = "time::millis_option")]
    pub at: Option<Timestamp>,
    /// What went wrong, in words, where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What an answer of Okta's says of why it is none that was hoped for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<Complaint>,
    /// The execution id that the flow returned, where one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// Tries before, whose answers said that nothing ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
    /// What the bounded re-read of the target saw, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
    /// Whether it was held back before it left: nothing was sent, and whoever waits may be acted on by another
    /// attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// How the run's execution ended, where a record of that arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<ExecutionEnd>,
    /// When its target was last looked at again behind the run by a look that could read how it stands.
    #[serde(default, with = "time::millis_option", skip_serializing_if = "Option::is_none")]
    pub looked: Option<Timestamp>,
    /// How it stood at that look. Without it nothing was read: earlier versions kept the time of every look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<Stands>,
    /// What somebody says of how it ended: no evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<AnalystWord>,
}

impl Receipt {
    /// The last look behind the run that could read the target: when, and how it stood.
    pub fn last_look(&self) -> Option<(Timestamp, Stands)> {
        self.looked.zip(self.stands)
    }

    /// Whether it is an answer, or the lack of one: not only what was found out beside it.
    fn is_answer(&self) -> bool {
        self.status.is_some() || self.error.is_some() || self.at.is_some() || !self.body.is_empty()
    }

    /// With what was found out later. What was seen of the target is a note: it stays also where it raises nothing.
    fn and(self, later: &Receipt, seen: Seen) -> Receipt {
        let verified = match seen {
            Seen::Newest => later.verified.clone().or(self.verified),
            Seen::First => self.verified.or_else(|| later.verified.clone()),
        };
        let ended = self.ended.or_else(|| later.ended.clone());
        // Nobody's word is in what comes back: the one that was given stays.
        let word = self.word.or_else(|| later.word.clone());
        // The later look, with what it saw.
        let is_newer = later.looked.is_some() && later.looked >= self.looked;
        let (looked, stands) =
            if is_newer { (later.looked, later.stands) } else { (self.looked, self.stands) };
        Receipt { verified, ended, looked, stands, word, ..self }
    }
}

/// Which of two notes of how the target stood is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// The later one, if there is one.
    Newest,
    /// The first one, if there is one: it is the proof.
    First,
}

/// One run of one flow on one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// Where it is one of several: which.
    pub step: Option<StepOf>,
    /// Whether the flow was only tried, with the documented sample: nobody was meant.
    pub is_test: bool,
    /// The action that it undoes, where it was run for that.
    pub undoes: Option<ActionId>,
    /// By what it is undone by now.
    pub undone: Option<Undone>,
    /// How the target stood before, where a re-read can prove the effect: only a change from it does.
    pub before: Option<String>,
    /// The flow.
    pub flow: FlowId,
    /// The flow's verb in plain words, as it was then.
    pub verb: String,
    /// The risk it was asked with.
    pub risk: Risk,
    /// The subject.
    pub login: Login,
    /// The id of the account that was acted on, where one is known: two logins may lead to the same.
    pub target_id: Option<String>,
    /// The login of that account, where it is not the subject's.
    pub account_login: Option<Login>,
    /// The finding it was run from.
    pub finding: Option<FindingId>,
    /// What is proven.
    pub evidence: Evidence,
    /// How it ended.
    pub outcome: Outcome,
    /// What left.
    pub request: ShownRequest,
    /// What came back.
    pub receipt: Option<Receipt>,
    /// Why, in the analyst's words.
    pub reason: Option<String>,
    /// Who.
    pub actor: Actor,
    /// When it was intended.
    pub at: Timestamp,
}

impl Action {
    /// Whom it was on: by the account's own login first, where that is another one.
    pub fn whom(&self) -> String {
        super::plan::whom(self.account_login.as_ref(), &self.login)
    }

    /// What a settlement makes of an action: what is known is not taken back by less. Whoever keeps
    /// receipts keeps them all; the action shows the best proven one, and what was seen of its target.
    #[must_use]
    pub fn settled_by(self, settlement: &Settlement) -> Action {
        let evidence = self.evidence_with(settlement);
        let takes = self.takes(settlement);
        let outcome = if takes { settlement.outcome } else { self.outcome };
        let receipt = self.receipt_with(&settlement.receipt, takes);
        Action { evidence, outcome, receipt, ..self }
    }

    /// An answer takes the place of the one before; what was found out beside it is laid onto what is there.
    fn receipt_with(&self, later: &Receipt, takes: bool) -> Option<Receipt> {
        let before = self.receipt.clone();
        if takes && (later.is_answer() || before.is_none()) {
            return Some(later.clone().and(&before.unwrap_or_default(), Seen::First));
        }
        // What is seen behind a proof does not take its place.
        let is_proven = self.evidence == Evidence::Verified;
        let seen = if takes || !is_proven { Seen::Newest } else { Seen::First };
        before.map(|before| before.and(later, seen))
    }

    /// Whether it was held back before anything left, so that nothing came of it.
    pub fn is_withheld(&self) -> bool {
        let is_marked = self.receipt.as_ref().is_some_and(|receipt| receipt.withheld);
        // Records of earlier versions say that it failed.
        let is_unsent = matches!(self.outcome, Outcome::NotSent | Outcome::Failed);
        is_marked && self.evidence == Evidence::Intended && is_unsent
    }

    /// Whether it is under way, and no byte of it can have left so far.
    pub fn waits_for_its_turn(&self) -> bool {
        self.outcome == Outcome::Pending && self.evidence == Evidence::Intended
    }

    fn takes(&self, settlement: &Settlement) -> bool {
        let is_unsettled = matches!(self.outcome, Outcome::Pending | Outcome::Unknown);
        let says_nothing = matches!(settlement.outcome, Outcome::Pending | Outcome::Unknown);
        match (is_unsettled, says_nothing) {
            // An expired lease is not pending again because of a late interim word.
            (true, _) => !(self.outcome == Outcome::Unknown && settlement.outcome == Outcome::Pending),
            (false, true) => false,
            (false, false) => settlement.evidence >= self.evidence,
        }
    }

    /// Evidence never goes down, but for one case: `sent` is put down before the first byte, so that a
    /// crash is not taken for "nothing left". The first settlement knows whether one did leave.
    fn evidence_with(&self, settlement: &Settlement) -> Evidence {
        let has_answer = self.receipt.as_ref().is_some_and(Receipt::is_answer);
        let may_have_left = self.evidence > Evidence::Sent || has_answer;
        if settlement.is_not_sent() && !may_have_left {
            return settlement.evidence;
        }
        self.evidence.max(settlement.evidence)
    }

    /// The stable JSON form (design, section 5); one of several says of which run, and which it is, and one that
    /// only tried a flow says so.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({
            "id": self.id,
            "flow": self.flow,
            "login": self.login,
            "target": self.target_id,
            "finding": self.finding,
            "evidence": self.evidence,
            "outcome": self.outcome,
            "request": self.request,
            "receipt": self.receipt,
            "reason": self.reason,
            "actor": self.actor,
            "at": time::rfc3339(self.at),
        });
        if let Some(account) = &self.account_login {
            json["account_login"] = account.raw().into();
        }
        if let Some(step) = self.step {
            json["run"] = step.run.to_string().into();
            json["step"] = step.to_string().into();
        }
        if self.is_test {
            json["test"] = true.into();
        }
        if let Some(undoes) = self.undoes {
            json["undoes"] = undoes.to_string().into();
        }
        if let Some(undone) = &self.undone {
            json["undone"] = undone.to_json();
        }
        if let Some(said) = self.said() {
            json["said"] = said.word().into();
        }
        json
    }
}

/// What a settling says: the outcome, what is proven, and the receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// What is proven.
    pub evidence: Evidence,
    /// How it ended.
    pub outcome: Outcome,
    /// What came back.
    pub receipt: Receipt,
}

impl Settlement {
    /// As a look behind the run brings it that could read how the target stands.
    #[must_use]
    pub fn looked_at(self, now: Timestamp, stands: Stands) -> Settlement {
        let receipt = Receipt { looked: Some(now), stands: Some(stands), ..self.receipt };
        Settlement { receipt, ..self }
    }

    /// Whether it says that no byte left.
    pub fn is_not_sent(&self) -> bool {
        let is_unsent = matches!(self.outcome, Outcome::NotSent | Outcome::Failed);
        is_unsent && self.evidence == Evidence::Intended
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rstest::rstest;

    pub(crate) fn action(evidence: Evidence, outcome: Outcome, receipt: Option<Receipt>) -> Action {
        Action {
            id: ActionId(uuid::Uuid::from_u128(1)),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow: "suspend".into(),
            verb: "suspend".to_owned(),
            risk: Risk::High,
            login: Login::new("ann@example.com"),
            target_id: None,
            account_login: None,
            finding: None,
            evidence,
            outcome,
            request: ShownRequest {
                method: "POST".to_owned(),
                url: "https://a/invoke".to_owned(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt,
            reason: None,
            actor: Actor::default(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[rstest]
    #[case(Evidence::Sent, Outcome::Unknown, Evidence::Finished, Outcome::Changed, Outcome::Changed)]
    #[case(Evidence::Sent, Outcome::Unknown, Evidence::Sent, Outcome::Pending, Outcome::Unknown)]
    #[case(Evidence::Acknowledged, Outcome::Unknown, Evidence::Intended, Outcome::Failed, Outcome::Failed)]
    #[case(Evidence::Acknowledged, Outcome::Accepted, Evidence::Verified, Outcome::Changed, Outcome::Changed)]
    #[case(Evidence::Verified, Outcome::Changed, Evidence::Acknowledged, Outcome::Accepted, Outcome::Changed)]
    #[case(Evidence::Verified, Outcome::Changed, Evidence::Verified, Outcome::Unknown, Outcome::Changed)]
    fn the_best_proven_outcome_is_kept(
        #[case] evidence: Evidence,
        #[case] outcome: Outcome,
        #[case] later: Evidence,
        #[case] said: Outcome,
        #[case] expected: Outcome,
    ) {
        let settlement = Settlement { evidence: later, outcome: said, receipt: Receipt::default() };
        let settled = action(evidence, outcome, Some(Receipt::default())).settled_by(&settlement);
        assert_eq!((settled.evidence, settled.outcome), (evidence.max(later), expected));
    }

    #[rstest]
    #[case(Outcome::Pending, None, Evidence::Intended)]
    // The lease ran out meanwhile.
    #[case(Outcome::Unknown, None, Evidence::Intended)]
    // An earlier settlement says that a byte may have left.
    #[case(Outcome::Unknown, Some(Receipt { error: Some("cut".to_owned()), ..Receipt::default() }), Evidence::Sent)]
    // A look at the target says nothing of what left.
    #[case(Outcome::Unknown, Some(Receipt { verified: Some("seen".to_owned()), ..Receipt::default() }), Evidence::Intended)]
    fn what_failed_before_a_byte_left_was_not_sent(
        #[case] outcome: Outcome,
        #[case] receipt: Option<Receipt>,
        #[case] expected: Evidence,
    ) {
        let said = Receipt { error: Some("dns".to_owned()), ..Receipt::default() };
        let not_sent = Settlement { evidence: Evidence::Intended, outcome: Outcome::Failed, receipt: said };
        let settled = action(Evidence::Sent, outcome, receipt).settled_by(&not_sent);
        assert_eq!((settled.evidence, settled.outcome), (expected, Outcome::Failed));
    }

    fn told(verified: Option<&str>, ended: Option<EndKind>) -> Receipt {
        let ended =
            ended.map(|how| ExecutionEnd { how, event_type: "FLOW_END".into(), at: Timestamp::UNIX_EPOCH });
        Receipt { verified: verified.map(str::to_owned), ended, ..Receipt::default() }
    }

    #[test]
    fn what_is_found_out_later_leaves_the_answer_as_it_is() {
        let answer = Receipt { status: Some(200), body: "{}".to_owned(), ..told(Some("still ACTIVE"), None) };
        let accepted = action(Evidence::Acknowledged, Outcome::Accepted, Some(answer.clone()));
        let said = |evidence, outcome, receipt| Settlement { evidence, outcome, receipt };
        // The end of its execution.
        let end = told(None, Some(EndKind::Completed));
        let finished = accepted.settled_by(&said(Evidence::Finished, Outcome::Accepted, end.clone()));
        assert_eq!((finished.evidence, finished.outcome), (Evidence::Finished, Outcome::Accepted));
        assert_eq!(finished.receipt, Some(Receipt { ended: end.ended.clone(), ..answer.clone() }));
        // A look that proves it.
        let seen = said(Evidence::Verified, Outcome::Changed, told(Some("SUSPENDED"), None));
        let proven = finished.settled_by(&seen);
        let receipt = Receipt { verified: Some("SUSPENDED".to_owned()), ended: end.ended.clone(), ..answer };
        assert_eq!((proven.outcome, proven.receipt.clone()), (Outcome::Changed, Some(receipt.clone())));
        // Whatever is seen behind a proof takes nothing of it back, and neither does the end that was known.
        let failed = said(Evidence::Finished, Outcome::Accepted, told(Some("ACTIVE"), Some(EndKind::Failed)));
        assert_eq!(proven.clone().settled_by(&failed).receipt, Some(receipt.clone()));
        // Neither does a word of the run's own that proves nothing.
        let unproven = said(Evidence::Acknowledged, Outcome::Accepted, told(Some("ACTIVE"), None));
        assert_eq!(proven.clone().settled_by(&unproven).receipt, Some(receipt.clone()));
        // A re-read of the run's own lands behind the end of its execution.
        let own = Receipt { status: Some(200), ..told(Some("SUSPENDED"), None) };
        let settled = proven.settled_by(&said(Evidence::Verified, Outcome::Changed, own));
        assert_eq!(settled.receipt.unwrap().ended, receipt.ended);
    }

    #[rstest]
    #[case::nothing_seen_yet(None, Evidence::Acknowledged, Outcome::Accepted, "still ACTIVE")]
    #[case::something_seen(Some("not re-read"), Evidence::Acknowledged, Outcome::Accepted, "still ACTIVE")]
    #[case::of_the_same_evidence(Some("not re-read"), Evidence::Finished, Outcome::Accepted, "still ACTIVE")]
    #[case::nobody_knows(None, Evidence::Sent, Outcome::Unknown, "still ACTIVE")]
    fn what_is_seen_behind_the_end_of_a_run_is_kept(
        #[case] before: Option<&str>,
        #[case] evidence: Evidence,
        #[case] outcome: Outcome,
        #[case] kept: &str,
    ) {
        let answer = Receipt { status: Some(200), ..told(before, Some(EndKind::Completed)) };
        let finished = action(Evidence::Finished, Outcome::Accepted, Some(answer.clone()));
        let own = Receipt { status: Some(200), ..told(Some("still ACTIVE"), None) };
        let settled = finished.settled_by(&Settlement { evidence, outcome, receipt: own });
        assert_eq!((settled.evidence, settled.outcome), (Evidence::Finished, Outcome::Accepted));
        assert_eq!(settled.receipt, Some(Receipt { verified: Some(kept.to_owned()), ..answer }));
    }

    #[test]
    fn an_answer_that_comes_late_leaves_what_was_seen() {
        let expired = action(Evidence::Sent, Outcome::Unknown, Some(told(Some("still ACTIVE"), None)));
        let answer = Receipt { status: Some(200), ..Receipt::default() };
        let said =
            Settlement { evidence: Evidence::Acknowledged, outcome: Outcome::Accepted, receipt: answer };
        let receipt = expired.settled_by(&said).receipt.unwrap();
        assert_eq!((receipt.status, receipt.verified.as_deref()), (Some(200), Some("still ACTIVE")));
    }

    #[rstest]
    #[case(None, &[], "{}", &[])]
    #[case(None, &[("x-okta-execution-id", "e1"), ("date", "d")], "", &["e1"])]
    #[case(None, &[("X-Flow-Execution", " e1 ")], r#"{"execution_id":"e2"}"#, &["e1", "e2"])]
    #[case(None, &[("x-execution", "")], r#"{"executionId":"e2"}"#, &["e2"])]
    #[case(None, &[], r#"{"execution_id":7}"#, &["7"])]
    #[case(None, &[], r#"{"execution_id":{"a":1}}"#, &[])]
    #[case(None, &[], r#"{"execution_id":"e2","cut off"#, &[])]
    #[case(Some("e2"), &[("x-execution", "e2")], r#"{"execution_id":"e2"}"#, &["e2"])]
    #[case(Some("e0"), &[("x-execution", "[secret]")], "", &["e0"])]
    fn a_receipt_names_executions(
        #[case] found: Option<&str>,
        #[case] headers: &[(&str, &str)],
        #[case] body: &str,
        #[case] expected: &[&str],
    ) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let execution_id = found.map(str::to_owned);
        let receipt = Receipt { headers, body: body.to_owned(), execution_id, ..Receipt::default() };
        assert_eq!(execution_ids(&receipt), expected);
    }

    #[test]
    fn a_long_text_is_no_execution() {
        let receipt = Receipt { execution_id: Some("e".repeat(200)), ..Receipt::default() };
        assert_eq!(execution_ids(&receipt), [""; 0]);
    }

    #[rstest]
    #[case("1 of 2", Some(1))]
    #[case("2 of 2", Some(0))]
    #[case("3 of 2", None)]
    #[case("0 of 2", None)]
    #[case("1", None)]
    fn a_step_is_read_back_and_knows_what_was_to_follow(#[case] words: &str, #[case] behind: Option<usize>) {
        let run = ActionId(uuid::Uuid::from_u128(8));
        let step = StepOf::parse(run, words);
        assert_eq!(step.map(|step| step.later().count()), behind);
        assert!(step.is_none_or(|step| step.to_string() == words));
        assert!(step.is_none_or(|step| step.later().all(|(number, id)| id == run.step(number))));
    }

    #[test]
    fn words_round_trip() {
        assert!(Outcome::ALL.into_iter().all(|o| Outcome::parse(o.word()) == Some(o)));
        assert!(Evidence::ALL.into_iter().all(|e| Evidence::parse(e.word()) == Some(e)));
        assert!(Evidence::Sent < Evidence::Verified);
    }

    #[test]
    fn the_digest_sees_every_part() {
        let request = ShownRequest {
            method: "POST".into(),
            url: "https://a/invoke".into(),
            headers: vec![("x-a".into(), "1".into())],
            body: "{}".into(),
        };
        let changed = ShownRequest { body: "{ }".into(), ..request.clone() };
        assert_ne!(request.digest(), changed.digest());
    }
}
