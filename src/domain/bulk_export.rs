//! A run on many as it is handed on: as JSON under names that stay, and as CSV that no spreadsheet runs.

use super::action::Undone;
use super::bulk::{BulkEnd, BulkId, BulkRun, BulkUser};
use super::{Login, csv, time};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A run, as it stands now.
pub fn run_json(run: &BulkRun, now: Timestamp) -> Value {
    json!({
        "id": run.id, "flow": run.flow, "verb": run.verb, "risk": run.risk.word(), "state": run.word(now), "why": run.why,
        "users": run.counts.total(), "queued": run.counts.queued, "ended": run.counts.ended,
        "undone": run.counts.undone(),
        "inputs": run.inputs, "reason": run.reason, "insisted": run.is_insisted, "actor": run.actor,
        "at": time::rfc3339(run.at),
    })
}

/// One of its users: `target` is the id of the account that is acted on, and `account_login` its login, where that is
/// not the user's own.
pub fn user_json(id: BulkId, user: &BulkUser) -> Value {
    let end = user.end.as_ref();
    let undone = end.and_then(|end| end.undone.as_ref());
    json!({
        "bulk": id, "position": user.position, "login": user.login, "target": user.target_id,
        "account_login": user.account_login,
        "finding": user.finding, "outcome": end.map(|end| end.outcome.word()),
        "evidence": end.and_then(|end| end.evidence), "status": end.and_then(|end| end.status),
        "why": end.and_then(|end| end.why.clone()), "action": end.and_then(|end| end.action),
        "undoes": user.undoes, "undone": undone.map(Undone::to_json), "at": end.map(|end| time::rfc3339(end.at)),
    })
}

/// The line of headings, with its line end.
pub fn csv_heading() -> String {
    csv::line([
        "bulk",
        "flow",
        "position",
        "login",
        "target",
        "finding",
        "outcome",
        "evidence",
        "status",
        "why",
        "action",
        "at",
        "account_login",
        "undone_by",
        "undone_at",
        "undoes",
    ])
}

/// A user's line, with its line end. Who still waits has no outcome.
pub fn csv_row(run: &BulkRun, user: &BulkUser) -> String {
    let end = user.end.as_ref();
    let text = |text: Option<String>| text.unwrap_or_default();
    let evidence = end.and_then(|end| end.evidence).map(|evidence| evidence.word().to_owned());
    let undone = end.and_then(|end| end.undone.as_ref());
    let cells: [&str; 16] = [
        &run.id.to_string(),
        &run.flow.0,
        &user.position.to_string(),
        user.login.raw(),
        &text(user.target_id.clone()),
        &text(user.finding.map(|finding| finding.to_string())),
        end.map_or(run.waiting(), |end| end.outcome.word()),
        &text(evidence),
        &text(end.and_then(|end| end.status).map(|status| status.to_string())),
        &text(end.and_then(|end| end.why.clone())),
        &text(end.and_then(|end| end.action).map(|action| action.to_string())),
        &text(end.map(|end: &BulkEnd| time::rfc3339(end.at))),
        user.account_login.as_ref().map_or("", Login::raw),
        &text(undone.map(|undone| undone.by.to_string())),
        &text(undone.map(|undone| time::rfc3339(undone.at))),
        &text(user.undoes.map(|action| action.to_string())),
    ];
    csv::line(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bulk::tests::run;
    use crate::domain::{ActionId, Login, Outcome};

    #[test]
    fn a_row_has_a_cell_a_heading_and_no_formula() {
        let end = BulkEnd::not_sent(Outcome::Refused, "=HYPERLINK()", Timestamp::UNIX_EPOCH);
        let user = BulkUser {
            position: 3,
            login: Login::new("@ann"),
            target_id: None,
            account_login: None,
            finding: None,
            made_of: Default::default(),
            doubts: Vec::new(),
            undoes: None,
            end: Some(end),
        };
        let row = csv_row(&run(), &user);
        assert!(
            row.contains(",3,\"'@ann\",,,refused,,,\"'=HYPERLINK()\",,1970-01-01T00:00:00.000Z,,,,\r\n"),
            "{row}"
        );
        let account_login = Some(Login::new("+olga"));
        let named = BulkUser { account_login, target_id: Some("00u1".into()), ..user.clone() };
        let row = csv_row(&run(), &named);
        assert!(row.contains(",\"'@ann\",00u1,,") && row.ends_with(",\"'+olga\",,,\r\n"), "{row}");
        let json = user_json(run().id, &named);
        assert_eq!([&json["login"], &json["target"], &json["account_login"]], ["@ann", "00u1", "+olga"]);
        assert_eq!(row.matches(',').count(), csv_heading().matches(',').count());
        let undone = Undone {
            by: ActionId(uuid::Uuid::from_u128(7)),
            standing: "accepted".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let back =
            BulkUser { end: named.end.map(|end| BulkEnd { undone: Some(undone), ..end }), ..user.clone() };
        let row = csv_row(&run(), &back);
        assert!(
            row.ends_with(",00000000-0000-0000-0000-000000000007,1970-01-01T00:00:00.000Z,\r\n"),
            "{row}"
        );
        assert_eq!(user_json(run().id, &back)["undone"]["standing"], "accepted");
        let waits = csv_row(&run(), &BulkUser { end: None, ..user });
        assert!(waits.contains(",queued,"), "{waits}");
    }
}
