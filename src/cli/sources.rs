//! `sources …`: where events come from and how that goes, and which log records are findings. `doctor`
//! repeats what is said of the sources.

use super::doctor::{Checked, Verdict};
use super::failure::{DONE, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::config::Config;
use crate::domain::event::SourceName;
use crate::domain::log_check::{LogCheck, Opens};
use crate::domain::source::STALE_AFTER;
use crate::domain::time::{self, Zone};
use crate::domain::{LogChecks, NOTHING, SourceHealth, SourceState, SourcesReport};
use crate::store::Store;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A source, and whether it is in the configuration and in the report.
struct Row<'a> {
    source: &'a SourceHealth,
    is_configured: bool,
    is_reported: bool,
}

/// Lists the configured sources as they were last said to be, and those that were said and are not
/// configured any more. `holder` is whoever receives now.
///
/// # Errors
/// If the store cannot be read or the output is closed.
pub(super) async fn list(
    configured: &[SourceHealth],
    store: &dyn Store,
    holder: Option<&str>,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let report = store.reported().await?;
    let rows = rows(configured, report.as_ref());
    if out.is_json() {
        for row in &rows {
            out.json(&row.json(report.as_ref()))?;
        }
        return Ok(DONE);
    }
    if rows.is_empty() {
        out.note("no source is configured; a `[[source]]` says what to receive")?;
    }
    out.table(&table(&rows, now))?;
    match &report {
        Some(report) if !rows.is_empty() => out.note(&said(report, holder, now))?,
        None if !rows.is_empty() => out.note("nothing was received into this store yet")?,
        _ => {}
    }
    Ok(DONE)
}

fn rows<'a>(configured: &'a [SourceHealth], report: Option<&'a SourcesReport>) -> Vec<Row<'a>> {
    let reported: &[SourceHealth] = report.map_or(&[], |report| &report.sources);
    let find = |sources: &'a [SourceHealth], name: &SourceName| sources.iter().find(|it| it.name == *name);
    let known = configured.iter().map(|source| match find(reported, &source.name) {
        Some(said) => Row { source: said, is_configured: true, is_reported: true },
        None => Row { source, is_configured: true, is_reported: false },
    });
    let others = reported.iter().filter(|source| find(configured, &source.name).is_none());
    known.chain(others.map(|source| Row { source, is_configured: false, is_reported: true })).collect()
}

impl Row<'_> {
    /// What nobody said is null.
    fn json(&self, report: Option<&SourcesReport>) -> Value {
        let mut json = serde_json::to_value(self.source).unwrap_or_default();
        let report = report.filter(|_| self.is_reported);
        if !self.is_reported {
            json["state"] = Value::Null;
        }
        json["receiver"] = json!(report.map(|report| report.receiver.as_str()));
        json["at"] = json!(report.map(|report| time::rfc3339(report.at)));
        json
    }

    fn state(&self, now: Timestamp) -> String {
        if !self.is_reported {
            return "not known".to_owned();
        }
        let mut told = vec![self.source.told(&Zone::Utc)];
        told.extend(self.source.remarks(now));
        told.extend((!self.is_configured).then(|| "not configured any more".to_owned()));
        told.join("; ")
    }
}

fn table(rows: &[Row<'_>], now: Timestamp) -> Table {
    let mut table = Table::of(&[
        column("SOURCE", 24),
        column("TYPE", 20),
        column("PLACE", 40),
        column("ACCEPTED", 12),
        column("REFUSED", 12),
        column("LAST EVENT", 12),
        column("STATE", 120),
    ]);
    for row in rows {
        let source = row.source;
        table.row([
            source.name.to_string(),
            source.source_type.clone(),
            source.place.clone(),
            source.accepted.to_string(),
            source.refusals().to_string(),
            source.last_accepted.map_or_else(|| NOTHING.to_owned(), |at| time::ago(now, at)),
            row.state(now),
        ]);
    }
    table
}

/// Who said it, and when.
fn said(report: &SourcesReport, holder: Option<&str>, now: Timestamp) -> String {
    let said = format!("as {} said {}", report.receiver, time::ago(now, report.at));
    match holder {
        None => format!("{said}; nobody receives now"),
        Some(_) if is_stale(report, now) => format!("{said}, and nothing since"),
        Some(_) => said,
    }
}

fn is_stale(report: &SourcesReport, now: Timestamp) -> bool {
    now.duration_since(report.at) > STALE_AFTER
}

/// Prints the table of log checks as it is tried, row by row.
///
/// # Errors
/// If the output is closed.
pub(super) fn checks(checks: &LogChecks, out: &mut Output<'_>) -> Result<u8, Failure> {
    // The shipped rows are behind those of the configuration, all of them.
    let configured = checks.rows().len().saturating_sub(LogChecks::default().rows().len());
    let rows = checks.rows().iter().enumerate().map(|(at, row)| (row, at < configured));
    if out.is_json() {
        for (row, is_configured) in rows {
            out.json(&check_json(row, is_configured))?;
        }
        return Ok(DONE);
    }
    let mut table = Table::of(&[
        column("FROM", 10),
        column("EVENT", 56),
        column("RESULTS", 24),
        column("CHECK", 40),
        column("TITLE", 48),
        column("SEVERITY", 8),
        column("SUBJECT", 16),
        column("FINDING", 7),
    ]);
    for (row, is_configured) in rows {
        table.row(check_cells(row, is_configured));
    }
    out.table(&table)?;
    Ok(DONE)
}

fn check_cells(row: &LogCheck, is_configured: bool) -> [String; 8] {
    let results = if row.results.is_empty() { "any".to_owned() } else { row.results.join(" ") };
    [
        if is_configured { "configured" } else { "shipped" }.to_owned(),
        row.event.0.clone(),
        results,
        row.check.clone(),
        row.title.clone(),
        row.severity.word().to_owned(),
        row.subject.word().to_owned(),
        if row.opens == Opens::Findings { "yes" } else { "no" }.to_owned(),
    ]
}

fn check_json(row: &LogCheck, is_configured: bool) -> Value {
    json!({
        "configured": is_configured,
        "event": row.event.0,
        "results": row.results,
        "check": row.check,
        "title": row.title,
        "severity": row.severity.word(),
        "subject": row.subject.word(),
        "finding": row.opens == Opens::Findings,
    })
}

/// What `doctor` says of the configured sources: how whoever receives said that they are. `holder` is who
/// that is.
pub(super) async fn checked(
    config: &Config,
    store: &dyn Store,
    holder: Option<&str>,
    now: Timestamp,
) -> Vec<Checked> {
    if config.sources.is_empty() {
        return Vec::new();
    }
    let report = match store.reported().await {
        Ok(report) => report,
        Err(error) => return vec![Checked::failed("sources", &error.into())],
    };
    match (holder, report) {
        (None, _) => {
            let told = "nobody receives now: how they are is not known";
            let hint = "`idtriage collect` receives; `idtriage collect --print-unit` makes it a service";
            vec![Checked::new("sources", Verdict::Note, told).hinted(hint)]
        }
        (Some(holder), Some(report)) if !is_stale(&report, now) => {
            let names = config.sources.iter().map(|source| &source.name);
            names.map(|name| reported(name, &report, holder, now)).collect()
        }
        (Some(holder), _) => {
            let told = format!("{holder} receives and says nothing of them");
            vec![
                Checked::new("sources", Verdict::Bad, told)
                    .hinted("look at its log; end it and start it again"),
            ]
        }
    }
}

fn reported(name: &SourceName, report: &SourcesReport, holder: &str, now: Timestamp) -> Checked {
    let title = format!("source {name}");
    match report.sources.iter().find(|said| said.name == *name) {
        Some(said) => judged(&title, said, report, now),
        None => Checked::new(&title, Verdict::Note, format!("{holder} knows nothing of it"))
            .hinted("start it again: it reads the configuration once"),
    }
}

fn judged(name: &str, said: &SourceHealth, report: &SourcesReport, now: Timestamp) -> Checked {
    let state = said.told(&Zone::Utc);
    let told = format!("{state}, as {} said {}", report.receiver, time::ago(now, report.at));
    if let SourceState::Failed { .. } = said.state {
        return Checked::new(name, Verdict::Bad, told);
    }
    let remarks = said.remarks(now);
    let is_well = said.state == SourceState::Running && remarks.is_empty();
    let told = [remarks, vec![told]].concat().join("; ");
    if said.overdue(now).is_some() {
        return Checked::new(name, Verdict::Bad, told).hinted("look at what sends to it, or at its `canary`");
    }
    if said.refusing().is_some() {
        return Checked::new(name, Verdict::Bad, told)
            .hinted("compare the secret and the address that the sender has with the configured ones");
    }
    Checked::new(name, if is_well { Verdict::Good } else { Verdict::Note }, told)
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::log_check::{LogSeverity, LogSubject};
    use crate::domain::query::Pattern;
    use crate::domain::source::Unaccepted;
    use crate::domain::{Severity, SourceNote};
    use rstest::rstest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn source(name: &str, state: SourceState) -> SourceHealth {
        SourceHealth { state, ..SourceHealth::new(name.into(), "cii-webhook", format!("/hooks/{name}")) }
    }

    fn store(sources: Vec<SourceHealth>) -> FakeStore {
        let report = SourcesReport { receiver: "collect (pid 7 on jump)".into(), at: at(0), sources };
        FakeStore { reported: Some(report), ..FakeStore::default() }
    }

    fn configured() -> Vec<SourceHealth> {
        ["cii", "new"].map(|name| source(name, SourceState::Starting)).to_vec()
    }

    #[test]
    fn sources_are_listed_as_they_were_said_to_be() {
        let failed = SourceState::failed("port\u{1b} taken\nhint: another");
        let store = store(vec![source("cii", failed), source("old", SourceState::Running)]);
        let list = async |out: &mut Output<'_>| {
            list(&configured(), &store, Some("collect"), at(30), out).await.unwrap()
        };
        let (_, text) = printed(Form::Text, list);
        let lines: Vec<&str> = text.out.lines().collect();
        assert!(lines[1].ends_with("failed: port<U+001B> taken; hint: another"), "{}", text.out);
        assert!(lines[2].starts_with("new") && lines[2].ends_with("not known"), "{}", text.out);
        assert!(lines[3].ends_with("running; not configured any more"), "{}", text.out);
        assert_eq!(text.errors, "note: as collect (pid 7 on jump) said just now\n");
        let (_, json) = printed(Form::Json, list);
        let rows: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            (&rows[0]["state"], &rows[0]["at"]),
            (&json!("failed"), &json!("2023-11-14T22:13:20.000Z"))
        );
        assert_eq!(
            (&rows[1]["name"], &rows[1]["state"], &rows[1]["receiver"]),
            (&json!("new"), &Value::Null, &Value::Null)
        );
        assert_eq!(rows[2]["receiver"], "collect (pid 7 on jump)");
    }

    #[rstest]
    #[case(Some("collect"), ", and nothing since")]
    #[case(None, "; nobody receives now")]
    fn an_old_word_is_called_one(#[case] holder: Option<&str>, #[case] expected: &str) {
        let store = store(vec![source("cii", SourceState::Running)]);
        let (_, text) =
            printed(Form::Text, async |out| list(&configured(), &store, holder, at(91), out).await.unwrap());
        assert_eq!(text.errors, format!("note: as collect (pid 7 on jump) said 1m ago{expected}\n"));
    }

    #[test]
    fn checks_are_listed_configured_ones_first() {
        let own = LogCheck {
            event: Pattern("user.*".into()),
            results: vec!["DENY".into()],
            check: "own".into(),
            title: "Own".into(),
            severity: LogSeverity::Fixed(Severity::High),
            subject: LogSubject::Actor,
            opens: Opens::Nothing,
        };
        let table = LogChecks::with(vec![own]);
        let (_, json) = printed(Form::Json, async |out| checks(&table, out).unwrap());
        let rows: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = json!({"configured": true, "event": "user.*", "results": ["DENY"], "check": "own",
            "title": "Own", "severity": "high", "subject": "actor", "finding": false});
        assert_eq!(rows[0], expected);
        assert_eq!(rows.len(), table.rows().len());
        assert!(rows[1..].iter().all(|row| row["configured"] == false && row["finding"] == true));
        let (_, text) = printed(Form::Text, async |out| checks(&table, out).unwrap());
        assert!(text.out.lines().nth(1).unwrap().starts_with("configured  user.*"), "{}", text.out);
    }

    #[test]
    fn doctor_calls_what_fails_or_is_too_silent_bad() {
        let at = at(0);
        let report = SourcesReport { receiver: "collect".into(), at, sources: Vec::new() };
        let verdict = |source: &SourceHealth| judged("x", source, &report, at).verdict;
        let mut log = source("log", SourceState::Running);
        assert_eq!(verdict(&log), Verdict::Good);
        log.notes = vec![SourceNote::warning("possible gap", at), SourceNote::fact("reading began")];
        assert_eq!(verdict(&log), Verdict::Note);
        (log.since, log.canary_seconds) = (Some(at - jiff::SignedDuration::from_hours(3)), Some(3_600));
        let judged = judged("x", &log, &report, at);
        assert!(
            judged.told.starts_with(
                "silent since 2023-11-14T19:13:20Z, longer than expected; possible gap; running"
            ),
            "{}",
            judged.told
        );
        assert_eq!(judged.verdict, Verdict::Bad);
        let mut hook = source("cii", SourceState::Running);
        hook.unaccepted = Some(Unaccepted { is_known: true, ..Unaccepted::new(at) });
        assert_eq!(verdict(&hook), Verdict::Bad, "nothing of what is sent comes in");
        assert_eq!(verdict(&source("log", SourceState::failed("401"))), Verdict::Bad);
    }
}
