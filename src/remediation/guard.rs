//! What must not be done, and what has to be insisted on.

use super::subject::Names;
use crate::config::meant::Guard;
use crate::domain::operation::Operation;
use crate::domain::query::Pattern;
use crate::domain::{Action, ActionId, Evidence, Flow, Login, Outcome, Risk, precedent, time};
use jiff::{SignedDuration, Timestamp};

/// Whether anything may be sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It may.
    Acting,
    /// `--read-only`: plans are shown, nothing is sent.
    ReadOnly,
}

/// Before the name of a group.
const GROUP: &str = "group:";
/// Before that of a class of users.
const CLASS: &str = "classification:";

/// The same to the same user within this time has to be insisted on.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// Why nothing may be sent to a subject, if so.
pub fn refusal(guard: &Guard, mode: Mode, names: &Names) -> Option<String> {
    if mode == Mode::ReadOnly {
        return Some("this console is read-only".to_owned());
    }
    let entry = guard.protected.iter().find(|entry| names.iter().any(|name| protects(entry, name)))?;
    Some(protected_by(entry))
}

/// That somebody is protected, by this entry.
pub(super) fn protected_by(entry: &str) -> String {
    format!("protected: `guard.protected` holds `{entry}`")
}

/// The entries that are names of people.
pub(super) fn names(guard: &Guard) -> impl Iterator<Item = &str> {
    let is_name = |entry: &&str| !is_of(entry, GROUP) && !is_of(entry, CLASS);
    guard.protected.iter().map(String::as_str).filter(is_name)
}

/// Why nobody may run this flow, if its operation is switched off.
pub fn switched_off(guard: &Guard, flow: &Flow) -> Option<String> {
    flow.operation.and_then(|operation| guard.okta.forbids(operation))
}

/// An entry is a name, `group:NAME`, `classification:NAME`, or any of them with `*` standing for anything.
fn protects(entry: &str, name: &str) -> bool {
    Pattern(Login::new(entry).folded().to_owned()).matches(name)
}

/// Why it cannot be told whether a subject is protected, if so: then they count as protected. A list of logins
/// alone never says that.
pub fn untold(guard: &Guard, names: &Names) -> Option<String> {
    let of = |kind: &str, is_known: bool, what: &str| {
        let entry = guard.protected.iter().find(|entry| is_of(entry, kind)).filter(|_| !is_known)?;
        Some(format!(
            "cannot tell whether they are protected: `guard.protected` holds `{entry}`, and their {what} cannot be read"
        ))
    };
    of(GROUP, names.groups_known, "groups").or_else(|| of(CLASS, names.class_known, "classification"))
}

/// Why nobody can tell that whom a flow acts on is not protected, where anybody is.
pub fn untold_whom(guard: &Guard, why: Option<&str>) -> Option<String> {
    let why = why.filter(|_| !guard.protected.is_empty())?;
    Some(format!("cannot tell whom the flow acts on: {why}; `guard.protected` may hold them"))
}

/// The protected login of which a name is all that stands before the domain, if there is one.
pub fn short_of<'a>(guard: &'a Guard, name: &str) -> Option<&'a str> {
    let is_short = |entry: &&String| {
        let login = Login::new(entry);
        let is_login = !is_of(entry, GROUP) && !is_of(entry, CLASS);
        is_login && login.folded().split_once('@').is_some_and(|(of, _)| of == Login::new(name).folded())
    };
    guard.protected.iter().find(is_short).map(String::as_str)
}

/// Whether a group is protected.
pub fn names_groups(guard: &Guard) -> bool {
    guard.protected.iter().any(|entry| is_of(entry, GROUP))
}

/// Whether a login is protected and the subject's other logins could not be read.
pub fn cannot_check_aliases(guard: &Guard, names: &Names) -> bool {
    let is_login = |entry: &String| !is_of(entry, GROUP) && !is_of(entry, CLASS);
    !names.aliases_known && guard.protected.iter().any(is_login)
}

fn is_of(entry: &str, kind: &str) -> bool {
    Login::new(entry).folded().starts_with(kind)
}

/// Whether a reason is asked for.
pub fn requires_reason(guard: &Guard, risk: Risk) -> bool {
    guard.require_reason_from.is_some_and(|from| risk >= from)
}

/// What was done before, of which the analyst has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedent {
    /// The newest of it.
    pub action: ActionId,
    /// Why it has to be insisted on.
    pub why: String,
}

/// What was done before to the same user, newest first, if it has to be insisted on: the newest of all where that was
/// a moment ago, and apart from it the newest of which nobody knows what it did.
pub fn precedent(earlier: &[Action], now: Timestamp) -> Option<Precedent> {
    let last = earlier.iter().find(|action| may_have_left(action))?;
    let told = |action: &Action| format!("action {} ({}", action.id, time::age(now, action.at));
    let is_recent = !last.is_unknown() && now.duration_since(last.at) < RECENT;
    let recent = is_recent.then(|| {
        format!("the same was done less than ten minutes ago: {}, {})", told(last), last.standing())
    });
    let unknown = precedent::unproven(earlier)
        .map(|unknown| format!("{}) has an unknown outcome: look at the target first", told(unknown)));
    let why: Vec<String> = recent.into_iter().chain(unknown).collect();
    (!why.is_empty()).then(|| Precedent { action: last.id, why: why.join("; ") })
}

/// The action that does the same to the same user and has not ended, if any: two at once are refused.
pub fn still_open(earlier: &[Action]) -> Option<String> {
    let open = earlier.iter().find(|action| action.outcome == Outcome::Pending)?;
    Some(format!("action {}, which does the same to the same user, is still pending", open.id))
}

/// A send that failed before a byte left is no earlier send.
fn may_have_left(action: &Action) -> bool {
    let left = action.evidence > Evidence::Intended || action.outcome == Outcome::Unknown;
    left && !is_denied(action)
}

/// Okta itself refused it, so that nothing ran: a flow of Workflows may have answered so after it did something.
fn is_denied(action: &Action) -> bool {
    let is_oktas = Operation::of_flow(&action.flow).is_some();
    is_oktas && matches!(action.outcome, Outcome::Refused | Outcome::NotLegal | Outcome::NoChange)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::meant::OktaAllow;
    use crate::domain::Actor;
    use crate::domain::action::{AnalystWord, Said, ShownRequest};
    use rstest::rstest;

    fn guard(protected: &[&str]) -> Guard {
        Guard {
            protected: protected.iter().map(|p| (*p).to_owned()).collect(),
            require_reason_from: Some(Risk::Medium),
            ..Guard::default()
        }
    }

    #[rstest]
    #[case(Operation::Create, Some("`[okta.allow] create` is false"))]
    #[case(Operation::Update, Some("`[okta.allow] update` is false"))]
    #[case(Operation::Activate, Some("`[okta.allow] enable` is false"))]
    #[case(Operation::Reactivate, Some("`[okta.allow] enable` is false"))]
    #[case(Operation::Deactivate, Some("`[okta.allow] disable` is false"))]
    #[case(Operation::Suspend, None)]
    #[case(Operation::ClearSessions, None)]
    #[case(Operation::AddToGroup, None)]
    fn a_switch_covers_its_operations(#[case] operation: Operation, #[case] why: Option<&str>) {
        let okta = OktaAllow { create: false, update: false, enable: false, disable: false };
        let told = switched_off(&Guard { okta, ..Guard::default() }, &operation.flow());
        assert_eq!(told.is_some(), why.is_some());
        assert!(why.is_none_or(|why| told.unwrap().contains(why)));
        assert_eq!(switched_off(&Guard::default(), &operation.flow()), None, "all is allowed by itself");
    }

    #[rstest]
    #[case(&["break-glass@x"], true)]
    #[case(&["Break-Glass@X"], true)]
    #[case(&["break-glass@*"], true)]
    #[case(&["glass@x"], false)]
    #[case(&["group:Admins"], false)]
    #[case(&[], false)]
    fn protected_names_are_refused(#[case] protected: &[&str], #[case] is_refused: bool) {
        let names = Names::of_login(&Login::new("break-glass@x"));
        assert_eq!(refusal(&guard(protected), Mode::Acting, &names).is_some(), is_refused);
        assert!(refusal(&guard(protected), Mode::ReadOnly, &names).is_some());
    }

    #[test]
    fn who_may_be_protected_counts_as_protected() {
        let unread = Names::of_login(&Login::new("ann"));
        for entry in ["group:Admins", "Group:*", "classification:executive"] {
            let why = untold(&guard(&["bob", entry]), &unread).unwrap();
            assert!(why.contains(&format!("`{entry}`")) && why.contains("cannot tell"), "{why}");
        }
        assert_eq!(untold(&guard(&["ann"]), &unread), None, "a list of logins alone never says that");
        let mut read = unread.clone();
        (read.groups_known, read.class_known) = (true, true);
        assert_eq!(untold(&guard(&["group:Admins", "classification:executive"]), &read), None);
        assert!(cannot_check_aliases(&guard(&["ann"]), &unread));
        assert!(!cannot_check_aliases(&guard(&["group:Admins", "classification:x"]), &unread));
    }

    #[test]
    fn a_reason_is_asked_for_from_a_risk_on() {
        let asked = |risk| requires_reason(&guard(&[]), risk);
        assert_eq!([asked(Risk::Low), asked(Risk::Medium), asked(Risk::High)], [false, true, true]);
        assert!(!requires_reason(&Guard::default(), Risk::High));
    }

    pub(in super::super) fn action(minutes_ago: i64, evidence: Evidence, outcome: Outcome) -> Action {
        Action {
            id: ActionId(uuid::Uuid::from_u128(9)),
            step: None,
            is_test: false,
            undoes: None,
            undone: None,
            before: None,
            flow: "f".into(),
            verb: "v".into(),
            risk: Risk::Low,
            login: Login::new("ann"),
            target_id: None,
            account_login: None,
            finding: None,
            evidence,
            outcome,
            request: ShownRequest {
                method: "POST".into(),
                url: String::new(),
                headers: vec![],
                body: String::new(),
            },
            receipt: None,
            reason: None,
            actor: Actor::default(),
            at: now() - SignedDuration::from_mins(minutes_ago),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    #[rstest]
    #[case(9, Evidence::Acknowledged, Outcome::Accepted, Some("less than ten minutes ago"))]
    #[case(10, Evidence::Acknowledged, Outcome::Accepted, None)]
    #[case(9, Evidence::Intended, Outcome::Failed, None)]
    #[case(9, Evidence::Acknowledged, Outcome::Refused, Some("refused"))]
    #[case(9000, Evidence::Sent, Outcome::Unknown, Some("unknown outcome"))]
    #[case(9000, Evidence::Intended, Outcome::Unknown, Some("unknown outcome"))]
    fn what_was_done_before_has_to_be_insisted_on(
        #[case] minutes: i64,
        #[case] evidence: Evidence,
        #[case] outcome: Outcome,
        #[case] phrase: Option<&str>,
    ) {
        let text = precedent(&[action(minutes, evidence, outcome)], now()).map(|precedent| precedent.why);
        assert_eq!(text.is_some(), phrase.is_some(), "{text:?}");
        assert!(phrase.is_none_or(|phrase| text.unwrap().contains(phrase)));
    }

    #[rstest]
    #[case::an_hour_ago(60, None)]
    #[case::the_ten_minutes_stay(9, Some("less than ten minutes ago: action"))]
    fn an_unknown_one_with_somebodys_word_is_not_insisted_on_for_being_unknown(
        #[case] minutes: i64,
        #[case] phrase: Option<&str>,
    ) {
        let word = AnalystWord {
            said: Said::NotChanged,
            actor: Actor { user: "bo".to_owned(), ..Actor::default() },
            at: now(),
            reason: "seen there".to_owned(),
        };
        let told = action(minutes, Evidence::Sent, Outcome::Unknown).with_word(word);
        let why = precedent(&[told], now()).map(|precedent| precedent.why);
        assert_eq!(why.is_some(), phrase.is_some(), "{why:?}");
        let why = why.unwrap_or_default();
        assert!(
            phrase.is_none_or(|phrase| why.contains(phrase) && why.contains("not changed, said by bo")),
            "{why}"
        );
        assert!(!why.contains("unknown"), "{why}");
    }

    #[rstest]
    #[case(Outcome::Refused, None)]
    #[case(Outcome::NotLegal, None)]
    #[case(Outcome::NoChange, None)]
    #[case(Outcome::Failed, Some("less than ten minutes ago"))]
    #[case(Outcome::Changed, Some("less than ten minutes ago"))]
    fn what_okta_itself_refused_was_not_done(#[case] outcome: Outcome, #[case] phrase: Option<&str>) {
        let flow = Operation::Suspend.flow_id();
        let refused = Action { flow, ..action(1, Evidence::Acknowledged, outcome) };
        let text = precedent(&[refused], now()).map(|precedent| precedent.why);
        assert_eq!(text.is_some(), phrase.is_some(), "{text:?}");
        assert!(phrase.is_none_or(|phrase| text.unwrap().contains(phrase)));
    }

    #[test]
    fn an_unsent_failure_hides_no_unknown_one() {
        let earlier =
            [action(1, Evidence::Intended, Outcome::Failed), action(60, Evidence::Sent, Outcome::Unknown)];
        assert!(precedent(&earlier, now()).unwrap().why.contains("unknown"));
        assert!(still_open(&earlier).is_none());
        assert!(still_open(&[action(1, Evidence::Sent, Outcome::Pending)]).is_some());
    }

    /// What came behind it may have been told why it was not done, and the one before may have worked.
    #[rstest]
    #[case(Outcome::Refused, 1, &["less than ten minutes ago", "unknown outcome"])]
    #[case(Outcome::Refused, 30, &["unknown outcome"])]
    #[case(Outcome::Failed, 30, &["unknown outcome"])]
    #[case(Outcome::Accepted, 30, &["unknown outcome"])]
    #[case(Outcome::Changed, 1, &["less than ten minutes ago"])]
    #[case(Outcome::Changed, 30, &[])]
    fn a_later_answer_hides_no_unknown_one(
        #[case] outcome: Outcome,
        #[case] minutes: i64,
        #[case] phrases: &[&str],
    ) {
        let later = Action {
            id: ActionId(uuid::Uuid::from_u128(10)),
            ..action(minutes, Evidence::Acknowledged, outcome)
        };
        let earlier = [later, action(60, Evidence::Sent, Outcome::Unknown)];
        let told = precedent(&earlier, now());
        let why = told.as_ref().map(|told| told.why.clone()).unwrap_or_default();
        assert_eq!(why.split("; ").filter(|text| !text.is_empty()).count(), phrases.len(), "{why}");
        assert!(phrases.iter().all(|phrase| why.contains(phrase)), "{why}");
        assert!(
            told.is_none_or(|told| told.action == earlier[0].id),
            "insisting covers nothing that comes later"
        );
    }
}
