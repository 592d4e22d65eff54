//! `findings list/show` and the triage changes.

use super::args::{self, Which};
use super::failure::{DONE, Failure, combined};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::finding::HistoryEntry;
use crate::domain::{Actor, Change, Disposition, Finding, FindingId, NOTHING, Query, Untrusted, time};
use crate::store::{FindingFilter, From, Store};
use jiff::Timestamp;

/// Who changes something, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// When.
    pub at: Timestamp,
}

/// Whether the subcommand changes something.
pub(super) fn changes(what: &args::Findings) -> bool {
    change_of(what).is_some()
}

/// What an analyst says in it, in their own words, and what that is.
pub(super) fn words(what: &args::Findings) -> Option<(&'static str, String)> {
    let (_, change) = change_of(what)?;
    change.words().map(|(what, words)| (what, words.to_owned()))
}

/// What is changed, and of which findings.
fn change_of(what: &args::Findings) -> Option<(Which, Change)> {
    use args::Findings;
    Some(match what {
        Findings::List { .. } | Findings::Show { .. } => return None,
        Findings::Claim(which) => (which.clone(), Change::Claim),
        Findings::Release(which) => (which.clone(), Change::Release),
        Findings::Note { id, text } => {
            (Which { ids: vec![*id], seen: None }, Change::Note { text: text.clone() })
        }
        Findings::Close { which, disposition, reason } => {
            (which.clone(), Change::Close { disposition: *disposition, reason: reason.clone() })
        }
        Findings::Reopen { which, reason } => (which.clone(), Change::Reopen { reason: reason.clone() }),
    })
}

/// Runs the subcommand.
///
/// # Errors
/// What cannot be read, is not there or is not allowed.
pub(super) async fn run(
    what: &args::Findings,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    use args::Findings;
    match what {
        Findings::List { query, page, before } => {
            let from = before.map_or(From::Newest, From::Before);
            list(&query.join(" "), from, page.limit, store, out).await
        }
        Findings::Show { id } => show(*id, store, out).await,
        _ => match change_of(what) {
            Some((which, wanted)) => change(&which, &wanted, store, by, out).await,
            None => Ok(DONE),
        },
    }
}

async fn list(
    query: &str,
    from: From<FindingId>,
    limit: usize,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let filter = FindingFilter { login: None, query: Query::parse(query)? };
    let page = store.findings(&filter, from, limit).await?;
    if out.is_json() {
        page.rows.iter().try_for_each(|finding| out.json(&finding.to_json()))?;
    } else {
        out.table(&table(&page.rows))?;
    }
    if let Some(next) = page.next {
        out.note(&format!("there is more: `--before {next}`"))?;
    }
    Ok(DONE)
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::of(&[
        column("ID", 12),
        column("SEVERITY", 8),
        column("STATE", 8),
        column("LOGIN", 48),
        column("CHECK", 40),
        column("ASSIGNEE", 24),
        column("LAST SEEN", 20),
        column("TIMES", 6),
    ]);
    for finding in findings {
        table.row([
            finding.id.to_string(),
            finding.severity.to_string(),
            finding.state.word().to_owned(),
            finding.login.to_string(),
            finding.check.name(),
            finding.assignee.clone().unwrap_or_else(|| NOTHING.to_owned()),
            time::rfc3339_seconds(finding.last_seen),
            finding.times.to_string(),
        ]);
    }
    table
}

async fn show(id: FindingId, store: &dyn Store, out: &mut Output<'_>) -> Result<u8, Failure> {
    let finding = store.finding(id).await?;
    let finding = finding.ok_or(crate::store::ChangeError::NoSuchFinding(id))?;
    let history = store.history(id).await?;
    if out.is_json() {
        let mut json = finding.to_json();
        json["history"] = history.iter().map(entry_json).collect();
        out.json(&json)?;
        return Ok(DONE);
    }
    out.facts(&facts(&finding))?;
    for entry in &history {
        out.text("")?;
        out.text(&format!("{}  {} {}", time::rfc3339_seconds(entry.at), entry.actor, entry.what))?;
        if !entry.text.is_blank() {
            out.text(entry.text.raw())?;
        }
    }
    Ok(DONE)
}

fn entry_json(entry: &HistoryEntry) -> serde_json::Value {
    serde_json::json!({
        "at": time::rfc3339(entry.at),
        "actor": entry.actor,
        "what": entry.what,
        "text": entry.text,
    })
}

fn facts(finding: &Finding) -> Vec<(&'static str, String)> {
    vec![
        ("id", finding.id.to_string()),
        ("login", finding.login.raw().to_owned()),
        ("title", Untrusted::raw(&finding.check.title).to_owned()),
        ("check", finding.check.id.raw().to_owned()),
        ("severity", finding.severity.to_string()),
        ("state", finding.state.word().to_owned()),
        ("assignee", finding.assignee.clone().unwrap_or_default()),
        ("disposition", finding.disposition.map(Disposition::title).unwrap_or_default().to_owned()),
        ("first seen", time::rfc3339(finding.first_seen)),
        ("last seen", time::rfc3339(finding.last_seen)),
        ("times", finding.times.to_string()),
        ("version", finding.version.to_string()),
    ]
}

/// Each finding on its own: one that cannot be changed does not hold up the others.
async fn change(
    which: &Which,
    change: &Change,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    if which.seen.is_some() && which.ids.len() > 1 {
        return Err(Failure::usage("`--seen` is the version of one finding, and several are named"));
    }
    let mut statuses = Vec::new();
    // Who reads no more has not withdrawn the changes: all are made, and the status tells of all.
    for id in &which.ids {
        match store.change(*id, which.seen, change, by.actor, by.at).await {
            Ok(finding) => {
                let _ = told(&finding, change, out);
                statuses.push(DONE);
            }
            Err(error) => {
                let failure = Failure::from(error);
                let _ = out.error(&failure);
                statuses.push(failure.status());
            }
        }
    }
    Ok(combined(statuses))
}

fn told(finding: &Finding, change: &Change, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        out.json(&finding.to_json())?;
    } else {
        let (id, login, check) = (finding.id, &finding.login, finding.check.name());
        out.text(&format!("finding {id} {}: {login}, {check}", change.past()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::failure::{FAILED, MIXED, USAGE};
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::finding::tests::finding;
    use rstest::rstest;
    use std::sync::Mutex;

    fn store() -> FakeStore {
        FakeStore { findings: Mutex::new(vec![finding()]), ..Default::default() }
    }

    fn ann() -> Actor {
        Actor { user: "ann".into(), ..Default::default() }
    }

    fn claim(ids: &[i64], seen: Option<u64>) -> args::Findings {
        args::Findings::Claim(Which { ids: ids.iter().copied().map(FindingId).collect(), seen })
    }

    #[rstest]
    #[case(claim(&[7], None), DONE, "")]
    #[case(claim(&[7], Some(1)), DONE, "")]
    #[case(claim(&[7], Some(9)), FAILED, "was changed meanwhile (version 1, you saw 9)")]
    #[case(claim(&[8], None), FAILED, "there is no finding `8`")]
    #[case(claim(&[7, 8], None), MIXED, "there is no finding `8`")]
    #[case(claim(&[7, 7], None), MIXED, "finding `7` is claimed by `ann`")]
    fn changes_are_made_one_by_one(#[case] what: args::Findings, #[case] expected: u8, #[case] told: &str) {
        let (store, actor) = (store(), ann());
        let by = By { actor: &actor, at: Timestamp::UNIX_EPOCH };
        let (status, text) = printed(Form::Text, async |out| run(&what, &store, by, out).await.unwrap());
        assert_eq!(status, expected);
        assert!(text.errors.contains(told), "{}", text.errors);
        if expected != FAILED {
            assert_eq!(text.out, "finding 7 claimed: ann@example.com, No MFA Configured\n");
        }
    }

    #[test]
    fn a_seen_version_is_of_one_finding() {
        let (store, actor) = (store(), ann());
        let by = By { actor: &actor, at: Timestamp::UNIX_EPOCH };
        let (ended, _) =
            printed(Form::Text, async |out| run(&claim(&[7, 8], Some(1)), &store, by, out).await);
        assert_eq!(ended.unwrap_err().status(), USAGE);
    }

    #[test]
    fn one_is_shown_with_its_history() {
        let (store, actor) = (store(), ann());
        let by = By { actor: &actor, at: Timestamp::UNIX_EPOCH };
        let show = args::Findings::Show { id: FindingId(7) };
        let (_, text) = printed(Form::Text, async |out| run(&show, &store, by, out).await.unwrap());
        assert!(
            text.out.ends_with("\n1970-01-01T00:00:00Z  ann noted\na new\nphone<U+001B>[2J\n"),
            "{}",
            text.out
        );
        let (_, json) = printed(Form::Json, async |out| run(&show, &store, by, out).await.unwrap());
        assert!(json.out.contains(r#""state":"open""#) && json.out.contains("\\u001b[2J"), "{}", json.out);
    }

    #[test]
    fn a_wrong_filter_is_wrong_usage() {
        let (store, actor) = (store(), ann());
        let by = By { actor: &actor, at: Timestamp::UNIX_EPOCH };
        let page = args::PageArguments { limit: 1 };
        let list = args::Findings::List { query: vec!["colour:red".into()], page, before: None };
        let (ended, _) = printed(Form::Text, async |out| run(&list, &store, by, out).await);
        let failure = ended.unwrap_err();
        assert!(failure.status() == USAGE && failure.to_string().contains("hint: terms are"), "{failure}");
    }
}
