//! What an answer proves, and the words for it.
//!
//! A status is the flow's or a proxy's word, not the target's: 2xx is *accepted*, and only a re-read
//! makes it *changed*. A 403 of an API endpoint may be the flow's own answer after it did something, so
//! it is told as "answered 403" and never as "nothing ran".

use crate::domain::action::{Receipt, Settlement};
use crate::domain::operation::Operation;
use crate::domain::{Evidence, Flow, Outcome, untrusted};
use crate::tenant::{CallEnd, NoAnswer};
use jiff::Timestamp;
use serde_json::Value;

/// What the end of a call proves.
pub fn judge(end: CallEnd, flow: &Flow, now: Timestamp) -> Settlement {
    let silent = |end: NoAnswer| Receipt {
        error: Some(end.why),
        at: Some(now),
        tries: end.tries,
        ..Default::default()
    };
    match end {
        CallEnd::Answered(receipt) => {
            let (outcome, evidence) = match flow.operation {
                Some(operation) => (of_okta(operation, &receipt), Evidence::Acknowledged),
                None => of_status(receipt.status, flow),
            };
            Settlement { evidence, outcome, receipt }
        }
        CallEnd::Throttled(receipt) => {
            Settlement { evidence: Evidence::Acknowledged, outcome: Outcome::Refused, receipt }
        }
        CallEnd::HeldBack(why) => held_back(why, now),
        CallEnd::NotSent(end) if end.tries.is_empty() => {
            Settlement { evidence: Evidence::Intended, outcome: Outcome::Failed, receipt: silent(end) }
        }
        // The tries before it did leave, and were answered.
        CallEnd::NotSent(end) => {
            Settlement { evidence: Evidence::Acknowledged, outcome: Outcome::Failed, receipt: silent(end) }
        }
        CallEnd::Unknown(end) => {
            Settlement { evidence: Evidence::Sent, outcome: Outcome::Unknown, receipt: silent(end) }
        }
    }
}

/// No byte left, and that says nothing of the other side: it can be run again.
pub fn held_back(why: String, now: Timestamp) -> Settlement {
    let receipt = Receipt { error: Some(why), at: Some(now), withheld: true, ..Default::default() };
    Settlement { evidence: Evidence::Intended, outcome: Outcome::NotSent, receipt }
}

fn of_status(status: Option<u16>, flow: &Flow) -> (Outcome, Evidence) {
    match status.map(Outcome::of_status) {
        Some(Outcome::Accepted) if flow.is_final => (Outcome::Accepted, Evidence::Finished),
        Some(outcome) => (outcome, Evidence::Acknowledged),
        None => (Outcome::Unknown, Evidence::Sent),
    }
}

/// Okta's codes for an operation on a user: what is already so, and what the user's state forbids. "Already
/// active" is the aim of an activation alone, and "validation failed" is documented as a wrong state for
/// suspending and its undoing alone. A 404 is ambiguous, a deactivated user has it too: a re-read tells.
fn of_okta(operation: Operation, receipt: &Receipt) -> Outcome {
    match (receipt.status, okta_code(receipt).as_deref(), operation) {
        (Some(403), Some("E0000016"), Operation::Activate) => Outcome::NoChange,
        (Some(403), Some("E0000038"), _) => Outcome::NotLegal,
        // Mastered elsewhere; still being activated.
        (Some(403), Some("E0000023"), Operation::Update) => Outcome::NotLegal,
        (Some(409), Some("E0000112"), Operation::Update) => Outcome::NotLegal,
        (Some(400), Some("E0000001"), Operation::Suspend | Operation::Unsuspend) => Outcome::NotLegal,
        (Some(status), ..) => Outcome::of_status(status),
        (None, ..) => Outcome::Unknown,
    }
}

/// The code of an error of Okta's own; what a proxy answers has none.
pub(super) fn okta_code(receipt: &Receipt) -> Option<String> {
    let body: Value = serde_json::from_str(&receipt.body).ok()?;
    body.get("errorCode")?.as_str().map(str::to_owned)
}

/// What happened, in words that claim no more than is proven.
pub fn words(settlement: &Settlement) -> String {
    let Settlement { evidence, outcome, receipt } = settlement;
    let mut words = match (receipt.status, &receipt.error) {
        (Some(_), _) if receipt.complaint.is_some() => {
            receipt.complaint.as_ref().map(|complaint| complaint.why.clone()).unwrap_or_default()
        }
        (Some(status), _) => format!("answered {status}"),
        (None, Some(error)) if *evidence == Evidence::Intended => {
            format!("nothing was sent: {}", untrusted::visible(error))
        }
        (None, Some(error)) => format!("no answer: {}", untrusted::visible(error)),
        (None, None) => "no answer".to_owned(),
    };
    words.push_str(match outcome {
        Outcome::Accepted => "; its effect is unproven",
        Outcome::Unknown => "; it may or may not have happened",
        _ => "",
    });
    if let Some(verified) = &receipt.verified {
        words.push_str("; ");
        words.push_str(verified);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::Try;
    use crate::domain::preset;
    use rstest::rstest;

    fn flow(is_final: bool) -> Flow {
        Flow { is_final, ..preset::flow("suspend-okta-account").unwrap() }
    }

    fn answered(status: u16) -> CallEnd {
        CallEnd::Answered(Receipt { status: Some(status), ..Default::default() })
    }

    #[rstest]
    #[case(200, Outcome::Accepted)]
    #[case(202, Outcome::Accepted)]
    #[case(204, Outcome::Accepted)]
    #[case(302, Outcome::Unknown)]
    #[case(400, Outcome::Failed)]
    #[case(401, Outcome::Refused)]
    #[case(403, Outcome::Refused)]
    #[case(404, Outcome::Refused)]
    #[case(408, Outcome::Unknown)]
    #[case(409, Outcome::Failed)]
    #[case(422, Outcome::Failed)]
    #[case(429, Outcome::Refused)]
    #[case(500, Outcome::Unknown)]
    #[case(502, Outcome::Unknown)]
    #[case(504, Outcome::Unknown)]
    fn a_status_proves_no_more_than_an_answer(#[case] status: u16, #[case] outcome: Outcome) {
        let settled = judge(answered(status), &flow(false), Timestamp::UNIX_EPOCH);
        assert_eq!((settled.outcome, settled.evidence), (outcome, Evidence::Acknowledged));
        assert!(words(&settled).starts_with(&format!("answered {status}")));
        assert!(!words(&settled).contains("nothing"));
    }

    #[rstest]
    #[case(Operation::Suspend, 200, "{}", Outcome::Accepted)]
    #[case(Operation::ClearSessions, 204, "", Outcome::Accepted)]
    #[case(Operation::Activate, 403, "E0000016", Outcome::NoChange)]
    #[case(Operation::Reactivate, 403, "E0000016", Outcome::Refused)]
    #[case(Operation::ResetPassword, 403, "E0000016", Outcome::Refused)]
    #[case(Operation::Reactivate, 403, "E0000038", Outcome::NotLegal)]
    #[case(Operation::Suspend, 400, "E0000001", Outcome::NotLegal)]
    #[case(Operation::Unsuspend, 400, "E0000001", Outcome::NotLegal)]
    #[case(Operation::Update, 403, "E0000023", Outcome::NotLegal)]
    #[case(Operation::Update, 409, "E0000112", Outcome::NotLegal)]
    #[case(Operation::Create, 400, "E0000001", Outcome::Failed)]
    #[case(Operation::ExpirePassword, 400, "E0000001", Outcome::Failed)]
    #[case(Operation::ResetPassword, 400, "E0000028", Outcome::Failed)]
    #[case(Operation::Suspend, 403, "E0000006", Outcome::Refused)]
    #[case(Operation::Deactivate, 404, "E0000007", Outcome::Refused)]
    #[case(Operation::Suspend, 409, "E0000112", Outcome::Failed)]
    #[case(Operation::Suspend, 500, "E0000009", Outcome::Unknown)]
    #[case(Operation::Activate, 403, "<html>", Outcome::Refused)]
    fn okta_says_by_its_code_what_came_of_it(
        #[case] operation: Operation,
        #[case] status: u16,
        #[case] code: &str,
        #[case] outcome: Outcome,
    ) {
        let body =
            if code.starts_with('E') { format!(r#"{{"errorCode":"{code}"}}"#) } else { code.to_owned() };
        let receipt = Receipt { status: Some(status), body, ..Default::default() };
        let settled = judge(CallEnd::Answered(receipt), &operation.flow(), Timestamp::UNIX_EPOCH);
        assert_eq!((settled.outcome, settled.evidence), (outcome, Evidence::Acknowledged));
    }

    #[test]
    fn only_a_final_flows_2xx_is_the_end_of_the_run() {
        let judged = |status| judge(answered(status), &flow(true), Timestamp::UNIX_EPOCH).evidence;
        assert_eq!([judged(200), judged(500)], [Evidence::Finished, Evidence::Acknowledged]);
    }

    #[rstest]
    #[case(CallEnd::NotSent("dns".into()), Outcome::Failed, Evidence::Intended, "nothing was sent: dns")]
    #[case(CallEnd::HeldBack("full".into()), Outcome::NotSent, Evidence::Intended, "nothing was sent: full")]
    #[case(CallEnd::Unknown("cut\u{1b}".into()), Outcome::Unknown, Evidence::Sent, "no answer: cut<U+001B>; it may or may not have happened")]
    #[case(CallEnd::Throttled(Receipt { status: Some(429), ..Default::default() }), Outcome::Refused, Evidence::Acknowledged, "answered 429")]
    fn calls_without_an_answer(
        #[case] end: CallEnd,
        #[case] outcome: Outcome,
        #[case] evidence: Evidence,
        #[case] said: &str,
    ) {
        let settled = judge(end, &flow(true), Timestamp::UNIX_EPOCH);
        assert_eq!((settled.outcome, settled.evidence), (outcome, evidence));
        assert_eq!(words(&settled), said);
    }

    #[rstest]
    #[case(CallEnd::NotSent, Outcome::Failed, Evidence::Acknowledged)]
    #[case(CallEnd::Unknown, Outcome::Unknown, Evidence::Sent)]
    fn tries_before_a_silent_end_are_kept(
        #[case] end: fn(NoAnswer) -> CallEnd,
        #[case] outcome: Outcome,
        #[case] evidence: Evidence,
    ) {
        let tries = vec![Try { at: Timestamp::UNIX_EPOCH, status: 429 }; 2];
        let end = end(NoAnswer { why: "cut".to_owned(), tries: tries.clone() });
        let settled = judge(end, &flow(true), Timestamp::UNIX_EPOCH);
        assert_eq!((settled.outcome, settled.evidence), (outcome, evidence));
        assert_eq!(settled.receipt.tries, tries);
        assert!(words(&settled).starts_with("no answer: cut"));
    }
}
