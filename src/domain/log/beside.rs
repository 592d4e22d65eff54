//! Records of the System Log that may belong to an action: notes beside it, and never evidence.
//!
//! That a delegated flow was run means *triggered*, no more: not that it ended, and not on whom. What was done to
//! the same account around that time may be the action's doing or somebody else's; only what names the very request,
//! or the very execution of the flow, ties a record to it.

use super::{LogOrder, LogQuery, LogRecord, Party, Thread, literal};
use crate::domain::flow::ProvenBy;
use crate::domain::{Action, Flow, Login, Untrusted, time};
use jiff::{SignedDuration, Timestamp};

/// What is looked at before and behind the intent of an action.
pub const AROUND: SignedDuration = SignedDuration::from_mins(10);
/// A delegated flow was run.
pub const TRIGGERED: &str = "workflows.user.delegatedflow.run";

/// What the types of records begin with that tell of an account's state, sessions, factors and groups.
const OF_ACCOUNTS: [&str; 5] =
    ["user.lifecycle.", "user.account.", "user.session.clear", "user.mfa.factor.", "group.user_membership."];
/// Where Okta puts the id of the request in its answer.
const REQUEST_ID: &str = "x-okta-request-id";
/// Records asked for at once: more are not told of one action.
const PAGE: usize = 50;

/// How a record belongs to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It names the very request.
    SameRequest,
    /// The same account, around that time.
    SameAccount,
    /// A delegated flow was run around that time.
    Triggered,
}

impl Relation {
    /// The word in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Relation::SameRequest => "by this request",
            Relation::SameAccount => "around that time",
            Relation::Triggered => "triggered",
        }
    }
}

/// What a record says beside an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNote {
    /// The record's own id.
    pub uuid: Untrusted,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event_type: Untrusted,
    /// Who did it.
    pub by: Untrusted,
    /// How it ended.
    pub result: Untrusted,
    /// How it belongs to the action.
    pub relation: Relation,
}

impl LogNote {
    /// What a record says beside an action, if it may belong to it.
    pub fn of(action: &Action, record: &LogRecord) -> Option<LogNote> {
        let at = record.published.filter(|at| is_around(action, *at))?;
        Some(LogNote::at(at, record, relation(action, record)?))
    }

    fn at(at: Timestamp, record: &LogRecord, relation: Relation) -> LogNote {
        LogNote {
            uuid: record.uuid.clone(),
            at,
            event_type: record.event_type.clone(),
            by: record.actor.shown().into(),
            result: record.result.clone(),
            relation,
        }
    }

    /// In words: `user.lifecycle.suspend SUCCESS by ops@example.com at …, by this request`.
    pub fn words(&self) -> String {
        let (at, relation) = (time::rfc3339_seconds(self.at), self.relation.word());
        format!("{} {} by {} at {at}, {relation}", self.event_type, self.result, self.by)
    }

    /// The stable JSON form.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "uuid": self.uuid,
            "at": time::rfc3339(self.at),
            "event_type": self.event_type,
            "by": self.by,
            "result": self.result,
            "relation": self.relation.word(),
        })
    }
}

/// Whether a time is near enough to an action.
pub fn is_around(action: &Action, at: Timestamp) -> bool {
    at.duration_since(action.at).abs() <= AROUND
}

fn relation(action: &Action, record: &LogRecord) -> Option<Relation> {
    if record.event_type.raw() == TRIGGERED {
        return Some(Relation::Triggered);
    }
    if is_of_request(action, record) {
        return Some(Relation::SameRequest);
    }
    let is_told = OF_ACCOUNTS.iter().any(|begins| record.event_type.raw().starts_with(begins));
    (is_told && is_of_account(action, record)).then_some(Relation::SameAccount)
}

/// By the id that came back, or, where no answer came, by the action's own id: it left in the name that the request
/// calls itself by, and Okta keeps that name.
fn is_of_request(action: &Action, record: &LogRecord) -> bool {
    let headers = action.receipt.iter().flat_map(|receipt| &receipt.headers);
    let requests = headers.filter(|(name, _)| name.eq_ignore_ascii_case(REQUEST_ID)).map(|(_, id)| id.trim());
    let execution = action.receipt.iter().filter_map(|receipt| receipt.execution_id.as_deref());
    let named = record.thread(Thread::Transaction).map(Untrusted::raw);
    let is_named = requests.chain(execution).any(|id| !id.is_empty() && Some(id) == named);
    let called = record.agent.as_ref().map(Untrusted::raw).unwrap_or_default();
    is_named || called.ends_with(&signature(&action.id.to_string()))
}

/// What the request of an action adds to the name that it calls itself by.
pub fn signature(action: &str) -> String {
    format!("(action {action})")
}

/// By the id where both have one: a login may be another's by now.
fn is_of_account(action: &Action, record: &LogRecord) -> bool {
    record.users().iter().any(|target: &Party| match (&action.target_id, &target.id) {
        (Some(account), Some(id)) => account == id.raw(),
        _ => target.login().is_some_and(|login: Login| login == action.login),
    })
}

/// The records of an action, as Okta is asked for them.
pub fn query(action: &Action) -> LogQuery {
    around(action, format!("({}) or eventType eq {}", of_account(action), literal(TRIGGERED)))
}

/// Those that tell of its account alone.
pub fn query_of_account(action: &Action) -> LogQuery {
    around(action, of_account(action))
}

/// Who brought about what an action was to bring about, as far as records tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    /// The action's own request or execution, and nobody else since.
    Itself(LogNote),
    /// Another request, since the intent; and the action's own, where one of its records tells of that too.
    Another {
        /// What another did.
        other: LogNote,
        /// What the action did.
        own: Option<LogNote>,
    },
    /// No record tells.
    Nobody,
}

/// Who did to the account what the flow of an action was to do, since its intent. That a record names the request is
/// not enough: one request, and one execution still more, does many things, and some of them to others.
pub fn doer(action: &Action, flow: &Flow, records: &[LogRecord]) -> Doer {
    let did = |record: &&LogRecord| is_effect(action, flow, record);
    let (own, others): (Vec<_>, Vec<_>) =
        records.iter().filter(did).partition(|record| is_of_request(action, record));
    let note = |record: &LogRecord, relation| record.published.map(|at| LogNote::at(at, record, relation));
    let own = own.first().and_then(|record| note(record, Relation::SameRequest));
    match (others.first().and_then(|record| note(record, Relation::SameAccount)), own) {
        (Some(other), own) => Doer::Another { other, own },
        (None, Some(own)) => Doer::Itself(own),
        (None, None) => Doer::Nobody,
    }
}

/// Whether a record tells that what a flow is for was done to the account of the action, and not before its intent.
/// What names the action's request is of it whenever that was: Okta's clock is not ours.
fn is_effect(action: &Action, flow: &Flow, record: &LogRecord) -> bool {
    let of_status = flow.proven_by.map(ProvenBy::event_types).unwrap_or_default();
    let mut types = flow.audit.iter().map(String::as_str).chain(of_status.iter().copied());
    let since = action.at.as_millisecond();
    let is_since = |at: Timestamp| at.as_millisecond() >= since || is_of_request(action, record);
    let is_in_time = |at: Timestamp| is_around(action, at) && is_since(at);
    record.result.raw() == "SUCCESS"
        && record.published.is_some_and(is_in_time)
        && types.any(|wanted| wanted == record.event_type.raw())
        && is_of_account(action, record)
}

fn of_account(action: &Action) -> String {
    let begins = OF_ACCOUNTS.map(|begins| format!("eventType sw {}", literal(begins))).join(" or ");
    let account = match &action.target_id {
        Some(id) => format!("target.id eq {}", literal(id)),
        None => format!("target.alternateId eq {}", literal(action.login.raw())),
    };
    format!("{account} and ({begins})")
}

fn around(action: &Action, filter: String) -> LogQuery {
    let bound = |at: Result<Timestamp, jiff::Error>| at.unwrap_or(action.at);
    LogQuery {
        filter: Some(filter),
        words: None,
        since: bound(action.at.checked_sub(AROUND)),
        until: bound(action.at.checked_add(AROUND)),
        order: LogOrder::Ascending,
        page: PAGE,
    }
}

/// The notes that records make, each once, the surest of them first and then by their time.
pub fn notes(action: &Action, records: impl IntoIterator<Item = LogRecord>) -> Vec<LogNote> {
    let mut notes: Vec<LogNote> = Vec::new();
    for record in records {
        if let Some(note) =
            LogNote::of(action, &record).filter(|note| notes.iter().all(|known| known.uuid != note.uuid))
        {
            notes.push(note);
        }
    }
    notes.sort_by_key(|note| (note.relation, note.at));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{Evidence, Outcome, Receipt, ShownRequest};
    use crate::domain::operation::Operation;
    use crate::domain::{ActionId, Actor, Risk};
    use rstest::rstest;
    use serde_json::json;

    fn action() -> Action {
        let headers = vec![("X-Okta-Request-Id".to_owned(), "req-1".to_owned())];
        Action {
            id: ActionId(uuid::Uuid::nil()),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow: "okta-suspend".into(),
            verb: "suspend".to_owned(),
            risk: Risk::Medium,
            login: Login::new("ann@x"),
            target_id: Some("00u1".to_owned()),
            account_login: None,
            finding: None,
            evidence: Evidence::Acknowledged,
            outcome: Outcome::Accepted,
            request: ShownRequest {
                method: String::new(),
                url: String::new(),
                headers: Vec::new(),
                body: String::new(),
            },
            receipt: Some(Receipt { status: Some(200), headers, ..Receipt::default() }),
            reason: None,
            actor: Actor::default(),
            at: "2026-05-01T12:00:00Z".parse().unwrap(),
        }
    }

    fn record(event_type: &str, at: &str, target: &str, transaction: &str) -> LogRecord {
        let record = json!({
            "uuid": format!("{event_type} {at}"), "published": at, "eventType": event_type,
            "actor": {"alternateId": "ops@x", "type": "User"}, "outcome": {"result": "SUCCESS"},
            "target": [{"type": "AppInstance", "id": "0oa1"}, {"type": "User", "id": target, "alternateId": "ann@x"}],
            "transaction": {"id": transaction},
        });
        LogRecord::of(record.to_string().as_str().into())
    }

    #[rstest]
    #[case("user.lifecycle.suspend", "2026-05-01T12:00:01Z", "00u1", "req-1", Some(Relation::SameRequest))]
    #[case("user.lifecycle.unsuspend", "2026-05-01T12:09:00Z", "00u1", "req-2", Some(Relation::SameAccount))]
    #[case("user.lifecycle.suspend", "2026-05-01T11:51:00Z", "00u1", "req-2", Some(Relation::SameAccount))]
    #[case("user.lifecycle.suspend", "2026-05-01T11:49:00Z", "00u1", "req-1", None)]
    #[case("user.lifecycle.suspend", "2026-05-01T12:00:01Z", "00u2", "req-2", None)]
    #[case("user.session.start", "2026-05-01T12:00:01Z", "00u1", "req-2", None)]
    #[case(TRIGGERED, "2026-05-01T12:00:01Z", "0oa1", "req-2", Some(Relation::Triggered))]
    fn a_record_belongs_by_its_request_its_account_or_as_triggered(
        #[case] event_type: &str,
        #[case] at: &str,
        #[case] target: &str,
        #[case] transaction: &str,
        #[case] expected: Option<Relation>,
    ) {
        let note = LogNote::of(&action(), &record(event_type, at, target, transaction));
        assert_eq!(note.map(|note| note.relation), expected);
    }

    /// Where the reply was lost no id came back; the request itself said which action it was.
    #[rstest]
    #[case::its_own(
        "idtriage/0.1.0 (action 00000000-0000-0000-0000-000000000000)",
        "t",
        Relation::SameRequest
    )]
    #[case::anothers(
        "idtriage/0.1.0 (action 00000000-0000-0000-0000-000000000001)",
        "t",
        Relation::SameAccount
    )]
    #[case::a_browsers("Mozilla/5.0", "t", Relation::SameAccount)]
    #[case::of_its_execution("Okta Workflows", "exec-1", Relation::SameRequest)]
    fn a_lost_reply_is_tied_by_what_the_request_called_itself(
        #[case] agent: &str,
        #[case] transaction: &str,
        #[case] expected: Relation,
    ) {
        let receipt = Receipt { execution_id: Some("exec-1".to_owned()), ..Receipt::default() };
        let lost = Action { receipt: Some(receipt), ..action() };
        let record = record("user.lifecycle.suspend", "2026-05-01T12:00:01Z", "00u1", transaction);
        let mut raw: serde_json::Value = serde_json::from_str(&record.raw).unwrap();
        raw["client"] = json!({"userAgent": {"rawUserAgent": agent}});
        let note = LogNote::of(&lost, &LogRecord::of(raw.to_string().as_str().into())).unwrap();
        assert_eq!(note.relation, expected);
        let by = doer(&lost, &flow(), &[LogRecord::of(raw.to_string().as_str().into())]);
        assert_eq!(matches!(by, Doer::Itself(_)), expected == Relation::SameRequest, "{by:?}");
        raw["outcome"]["result"] = "FAILURE".into();
        let failed = doer(&lost, &flow(), &[LogRecord::of(raw.to_string().as_str().into())]);
        assert_eq!(failed, Doer::Nobody, "that it failed proves no effect");
    }

    fn flow() -> Flow {
        Operation::Suspend.flow()
    }

    const OWN: (&str, &str, &str, &str) = ("user.lifecycle.suspend", "2026-05-01T12:00:01Z", "00u1", "req-1");

    /// What names the request has to be what was wanted, on the very account, and not before it was wanted.
    #[rstest]
    #[case::what_was_wanted(OWN, true)]
    #[case::at_the_very_time(("user.lifecycle.suspend", "2026-05-01T12:00:00Z", "00u1", "req-1"), true)]
    #[case::something_else(("user.session.clear", OWN.1, "00u1", "req-1"), false)]
    #[case::a_mail(("system.email.send", OWN.1, "00u1", "req-1"), false)]
    #[case::the_contrary(("user.lifecycle.unsuspend", OWN.1, "00u1", "req-1"), false)]
    #[case::on_another((OWN.0, OWN.1, "00u2", "req-1"), false)]
    #[case::before_it_by_a_clock_that_is_slow(("user.lifecycle.suspend", "2026-05-01T11:59:59Z", "00u1", "req-1"), true)]
    fn only_what_was_wanted_on_the_very_account_is_a_proof(
        #[case] (event_type, at, target, transaction): (&str, &str, &str, &str),
        #[case] is_proof: bool,
    ) {
        let record = record(event_type, at, target, transaction);
        let by = doer(&action(), &flow(), &[record]);
        assert_eq!(matches!(by, Doer::Itself(_)), is_proof, "{by:?}");
        assert!(is_proof || by == Doer::Nobody);
    }

    #[rstest]
    #[case::behind_it("user.lifecycle.suspend", "2026-05-01T12:03:00Z", "00u1", true)]
    #[case::before_the_intent("user.lifecycle.suspend", "2026-05-01T11:58:00Z", "00u1", false)]
    #[case::something_else("user.session.clear", "2026-05-01T12:03:00Z", "00u1", false)]
    #[case::on_another("user.lifecycle.suspend", "2026-05-01T12:03:00Z", "00u2", false)]
    fn the_same_by_another_request_beats_it(
        #[case] event_type: &str,
        #[case] at: &str,
        #[case] target: &str,
        #[case] beats: bool,
    ) {
        let own = record(OWN.0, OWN.1, OWN.2, OWN.3);
        let by = doer(&action(), &flow(), &[own, record(event_type, at, target, "req-2")]);
        assert_eq!(matches!(by, Doer::Another { own: Some(_), .. }), beats, "{by:?}");
        assert_eq!(matches!(by, Doer::Itself(_)), !beats, "{by:?}");
    }

    #[test]
    fn without_declared_records_those_of_the_wanted_status_count_and_any_target_is_looked_at() {
        let flow = Flow { audit: Vec::new(), proven_by: Some(ProvenBy::Suspended), ..flow() };
        let mut raw: serde_json::Value =
            serde_json::from_str(&record(OWN.0, OWN.1, OWN.2, OWN.3).raw).unwrap();
        let other = json!({"type": "User", "id": "00u2", "alternateId": "bo@x"});
        raw["target"].as_array_mut().unwrap().insert(0, other);
        let records = [LogRecord::of(raw.to_string().as_str().into())];
        assert!(matches!(doer(&action(), &flow, &records), Doer::Itself(_)));
        let nothing = Flow { proven_by: None, ..flow };
        assert_eq!(doer(&action(), &nothing, &records), Doer::Nobody);
    }

    #[test]
    fn each_is_told_once_and_the_surest_first() {
        let [other, own] =
            ["req-2", "req-1"].map(|id| record("user.lifecycle.suspend", "2026-05-01T12:00:01Z", "00u1", id));
        let run = record(TRIGGERED, "2026-05-01T11:59:00Z", "0oa1", "t");
        let before = record("user.lifecycle.unsuspend", "2026-05-01T11:58:00Z", "00u1", "t");
        let told = notes(&action(), [run.clone(), own.clone(), other, before, run]);
        let relations: Vec<Relation> = told.iter().map(|note| note.relation).collect();
        assert_eq!(relations, [Relation::SameRequest, Relation::SameAccount, Relation::Triggered]);
        let words = told[0].words();
        assert_eq!(words, "user.lifecycle.suspend SUCCESS by ops@x at 2026-05-01T12:00:01Z, by this request");
    }

    #[test]
    fn okta_is_asked_for_the_account_and_nobody_breaks_out_of_a_text() {
        let odd = Action { target_id: Some(r#"a" or "b"#.to_owned()), ..action() };
        let query = query(&odd);
        let filter = query.filter.unwrap();
        assert!(
            filter.starts_with(r#"(target.id eq "a\" or \"b" and (eventType sw "user.lifecycle." or"#),
            "{filter}"
        );
        assert!(filter.ends_with(r#"or eventType eq "workflows.user.delegatedflow.run""#), "{filter}");
        assert_eq!(query.until.duration_since(query.since), AROUND + AROUND);
    }
}
