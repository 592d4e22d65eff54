//! `events list`, `events show`, `events export`.

use super::args;
use super::failure::{DONE, Failure};
use super::output::{Output, with_raw};
use super::table::{Table, column};
use crate::domain::counted::numbered;
use crate::domain::event::{self, Detail, EventDetail};
use crate::domain::untrusted::one_line;
use crate::domain::{Event, EventId, Login, NOTHING, Query, Untrusted, time};
use crate::source::cii;
use crate::store::{From, Store, StoreError, UserQuery};
use serde_json::json;

/// An event may name 50,000 users: they are read in slices.
const USERS_AT_ONCE: usize = 1_000;
/// Events read at once for an export.
const EVENTS_AT_ONCE: usize = 200;
const USERS_SHOWN: usize = 50;

/// Runs the subcommand.
///
/// # Errors
/// What cannot be read or is not there.
pub(super) async fn run(what: &args::Events, store: &dyn Store, out: &mut Output<'_>) -> Result<u8, Failure> {
    match what {
        args::Events::List { query, page, before, raw } => {
            let query = Query::parse(&query.join(" "))?;
            let from = before.map_or(From::Newest, From::Before);
            let page = store.events(&query, from, page.limit).await?;
            match out.is_json() {
                true => list_json(&page.rows, *raw, store, out).await?,
                false => out.table(&table(&page.rows))?,
            }
            note_more(page.next, out)?;
        }
        args::Events::Show { id, raw } => {
            let detail = store.event(*id).await?.ok_or_else(|| none(*id))?;
            match out.is_json() {
                true => show_json(&detail, *raw, store, out).await?,
                false => show(&detail, *raw, store, out).await?,
            }
        }
        args::Events::Export { query } => export(&Query::parse(&query.join(" "))?, store, out).await?,
    }
    Ok(DONE)
}

/// The raw JSON of everything that matches, oldest first, as far as it is still kept.
async fn export(query: &Query, store: &dyn Store, out: &mut Output<'_>) -> Result<(), Failure> {
    let (mut from, mut erased) = (From::Oldest, 0u64);
    loop {
        let page = store.events(query, from, EVENTS_AT_ONCE).await?;
        for event in page.rows.iter().rev() {
            match store.event(event.id).await?.and_then(|detail| detail.raw) {
                Some(raw) => out.json_text(&one_line(&raw))?,
                None => erased += 1,
            }
        }
        match page.next {
            Some(next) => from = From::After(next),
            None => break,
        }
    }
    if erased > 0 {
        let events = numbered(erased, "event");
        out.note(&format!("left out: {events} whose raw JSON is no longer kept"))?;
    }
    Ok(())
}

fn none(id: EventId) -> Failure {
    Failure::failed(format!("there is no event `{id}`\nhint: `idtriage events list` shows the ids"))
}

/// A long search stops for breath: also a list without a row may go on.
fn note_more(next: Option<EventId>, out: &mut Output<'_>) -> Result<(), Failure> {
    if let Some(next) = next {
        out.note(&format!("there is more: `--before {next}`"))?;
    }
    Ok(())
}

async fn list_json(
    events: &[Event],
    raw: bool,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    for event in events {
        let object = event::to_json(event, &users(event, store).await?);
        if raw {
            let raw = store.event(event.id).await?.and_then(|detail| detail.raw);
            out.json_text(&with_raw(&object, "raw", raw.as_deref()))?;
        } else {
            out.json(&object.into())?;
        }
    }
    Ok(())
}

/// All users of an event. A row carries the first few, which mostly are all.
async fn users(event: &Event, store: &dyn Store) -> Result<Vec<Login>, StoreError> {
    if event.first_users.len() as u64 >= event.user_count {
        return Ok(event.first_users.clone());
    }
    let (mut users, mut from) = (Vec::new(), From::Newest);
    loop {
        let page = store.event_users(event.id, &UserQuery::default(), from, USERS_AT_ONCE).await?;
        users.extend(page.rows.into_iter().map(|user| user.login));
        match page.next {
            Some(next) => from = From::Before(next),
            None => return Ok(users),
        }
    }
}

fn table(events: &[Event]) -> Table {
    let mut table = Table::of(&[
        column("ID", 12),
        column("RECEIVED", 20),
        column("SEVERITY", 8),
        column("CHECK", 40),
        column("USERS", 40),
        column("FINDINGS", 32),
        column("TIMES", 6),
        column("SOURCE", 16),
    ]);
    for event in events {
        table.row([
            event.id.to_string(),
            time::rfc3339_seconds(event.received),
            event.severity.to_string(),
            named(event),
            first_users(event),
            event.findings.words(),
            event.times.to_string(),
            event.source.to_string(),
        ]);
    }
    table
}

/// The check, or what kind of thing it is where there is none.
fn named(event: &Event) -> String {
    let name = event.check.name();
    if name.trim().is_empty() { event.kind.word().to_owned() } else { name }
}

fn first_users(event: &Event) -> String {
    let more = event.user_count.saturating_sub(1);
    match event.first_users.first() {
        Some(login) if more > 0 => format!("{login} +{more}"),
        Some(login) => login.to_string(),
        None => NOTHING.to_owned(),
    }
}

async fn show_json(
    detail: &EventDetail,
    raw: bool,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let users = users(&detail.event, store).await?;
    let mut object = event::to_json(&detail.event, &users);
    object.insert("login_details".to_owned(), said_json(said(detail, &users)));
    object.insert("description".to_owned(), texts(&detail.description));
    object.insert("recommended_actions".to_owned(), texts(&detail.recommended_actions));
    object.insert("reference_url".to_owned(), detail.reference_url.as_ref().map(Untrusted::raw).into());
    if raw {
        out.json_text(&with_raw(&object, "raw", detail.raw.as_deref()))?;
    } else {
        out.json(&object.into())?;
    }
    Ok(())
}

fn texts(texts: &[Untrusted]) -> serde_json::Value {
    texts.iter().map(Untrusted::raw).collect()
}

/// What the message says about each of some users; those about whom it says nothing are left out.
fn said(detail: &EventDetail, users: &[Login]) -> Vec<(Login, Vec<Detail>)> {
    let said = cii::details(detail.raw.as_deref().unwrap_or_default(), users);
    said.into_iter().filter(|(_, details)| !details.is_empty()).collect()
}

/// As it came, with JSON inside texts unpacked: `[{login, details: [{key, value}]}]`.
fn said_json(said: Vec<(Login, Vec<Detail>)>) -> serde_json::Value {
    let pair = |detail: Detail| json!({ "key": detail.key.raw(), "value": detail.value });
    let of_login = |(login, details): (Login, Vec<Detail>)| {
        let details: Vec<_> = details.into_iter().map(pair).collect();
        json!({ "login": login.raw(), "details": details })
    };
    said.into_iter().map(of_login).collect()
}

async fn show(
    detail: &EventDetail,
    raw: bool,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    out.facts(&facts(detail))?;
    section("description", &detail.description, out)?;
    section("recommended actions", &detail.recommended_actions, out)?;
    show_users(detail, store, out).await?;
    if raw {
        out.text("")?;
        out.text(detail.raw.as_deref().unwrap_or("the raw JSON is no longer kept"))?;
    }
    Ok(())
}

/// A label and its paragraphs; nothing where there are none.
fn section(label: &str, texts: &[Untrusted], out: &mut Output<'_>) -> Result<(), Failure> {
    if texts.is_empty() {
        return Ok(());
    }
    out.text("")?;
    out.text(&format!("{label}:"))?;
    for text in texts {
        let mut lines = text.raw().lines();
        out.text(&format!("  - {}", lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| out.text(&format!("    {line}")))?;
    }
    Ok(())
}

fn facts(detail: &EventDetail) -> Vec<(&'static str, String)> {
    let event = &detail.event;
    vec![
        ("id", event.id.to_string()),
        ("kind", event.kind.word().to_owned()),
        ("title", event.check.title.raw().to_owned()),
        ("check", event.check.id.raw().to_owned()),
        ("severity", severity(event)),
        ("source", event.source.to_string()),
        ("source id", event.source_event_id.as_ref().map(Untrusted::to_string).unwrap_or_default()),
        ("published", event.published.map(time::rfc3339).unwrap_or_default()),
        ("received", time::rfc3339(event.received)),
        ("times", event.times.to_string()),
        ("tags", event.tags.join(", ")),
        ("reference", detail.reference_url.as_ref().map(Untrusted::to_string).unwrap_or_default()),
    ]
}

/// The severity, and what it came as, if it came at all.
fn severity(event: &Event) -> String {
    match event.severity_raw.raw() {
        "" => event.severity.to_string(),
        _ => format!("{} (as it came: {})", event.severity, event.severity_raw),
    }
}

async fn show_users(detail: &EventDetail, store: &dyn Store, out: &mut Output<'_>) -> Result<(), Failure> {
    let event = &detail.event;
    let page = store.event_users(event.id, &UserQuery::default(), From::Newest, USERS_SHOWN).await?;
    let mut table = Table::of(&[column("USER", 60), column("FINDING", 12), column("STATE", 8)]);
    for user in &page.rows {
        let finding = user.finding.as_ref();
        let id = finding.map_or_else(|| NOTHING.to_owned(), |finding| finding.id.to_string());
        let state = finding.map(|finding| finding.state.word()).unwrap_or_default();
        table.row([user.login.to_string(), id, state.to_owned()]);
    }
    out.text("")?;
    out.table(&table)?;
    if page.has_more() {
        let shown = page.rows.len();
        out.note(&format!(
            "{shown} of {} are shown; `--json` has them all",
            numbered(event.user_count, "user")
        ))?;
    }
    let logins: Vec<Login> = page.rows.into_iter().map(|user| user.login).collect();
    for (login, details) in said(detail, &logins) {
        out.text("")?;
        out.text(&format!("said of {login}"))?;
        for detail in details {
            out.text(&format!("  {}", detail.text()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::failure::FAILED;
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::counts::StateCounts;
    use crate::domain::{Check, EventKind, Severity};
    use crate::store::EventUser;
    use jiff::Timestamp;

    fn detail(id: i64) -> EventDetail {
        let event = Event {
            id: EventId(id),
            kind: EventKind::FailedCheck,
            source: "cii-webhook".into(),
            source_event_id: Some("e-1".into()),
            check: Check { id: "no-mfa".into(), title: "No MFA\u{202e}".into() },
            severity: Severity::High,
            severity_raw: "HIGH".into(),
            user_count: 2,
            first_users: vec![Login::new("ann")],
            times: 1,
            published: None,
            received: Timestamp::UNIX_EPOCH,
            findings: StateCounts { open: 2, ..Default::default() },
            tags: vec!["hygiene".into()],
        };
        EventDetail {
            event,
            description: vec!["two\nlines".into()],
            recommended_actions: vec!["ask ann".into()],
            reference_url: None,
            raw: Some("{\n \"id\": 1.0000000000000000001\n}".to_owned()),
        }
    }

    fn store() -> FakeStore {
        let user = |(position, login)| EventUser { position, login: Login::new(login), finding: None };
        let users = ["ann", "bob"].into_iter().enumerate().map(user).collect();
        FakeStore { events: vec![detail(12), detail(11)], users, ..Default::default() }
    }

    fn list(raw: bool, limit: usize) -> args::Events {
        let page = args::PageArguments { limit };
        args::Events::List { query: Vec::new(), page, before: None, raw }
    }

    #[test]
    fn a_list_is_a_table() {
        let (_, text) = printed(Form::Text, async |out| run(&list(false, 1), &store(), out).await.unwrap());
        let lines: Vec<&str> = text.out.lines().collect();
        assert_eq!(
            lines[0],
            "ID  RECEIVED              SEVERITY  CHECK           USERS   FINDINGS  TIMES  SOURCE"
        );
        assert_eq!(
            lines[1],
            "12  1970-01-01T00:00:00Z  high      No MFA<U+202E>  ann +1  2 open    1      cii-webhook"
        );
        assert_eq!(text.errors, "note: there is more: `--before 12`\n");
    }

    #[test]
    fn json_has_all_users_and_the_raw_json_as_it_came() {
        let (_, text) = printed(Form::Json, async |out| run(&list(true, 9), &store(), out).await.unwrap());
        let line = text.out.lines().next().unwrap();
        assert!(line.contains(r#""users":["ann","bob"]"#), "{line}");
        assert!(line.ends_with(r#""raw":{"id":1.0000000000000000001}}"#), "{line}");
        assert!(line.contains("\\u202e"));
    }

    #[test]
    fn what_the_message_says_about_each_user_is_shown() {
        let value = r#"["p\u001b[2J", "q"]"#;
        let details = json!([{ "login": "ANN", "details": [{ "key": "providers", "value": value }] }]);
        let raw = json!({ "detail": { "usersFailing": ["ann", "bob"], "loginDetails": details } });
        let event = EventDetail { raw: Some(raw.to_string()), ..detail(11) };
        let store = || FakeStore { events: vec![event.clone()], ..store() };
        let show = args::Events::Show { id: EventId(11), raw: false };
        let (_, text) = printed(Form::Text, async |out| run(&show, &store(), out).await.unwrap());
        assert!(text.out.contains("said of ann\n  providers: p<U+001B>[2J, q\n"), "{}", text.out);
        let (_, text) = printed(Form::Json, async |out| run(&show, &store(), out).await.unwrap());
        let said =
            r#""login_details":[{"login":"ann","details":[{"key":"providers","value":["p\u001b[2J","q"]}]}]"#;
        assert!(text.out.contains(said), "{}", text.out);
    }

    #[test]
    fn an_export_is_a_line_an_event_oldest_first_and_counts_what_is_gone() {
        let gone = EventDetail { raw: None, ..detail(10) };
        let last = EventDetail { raw: Some("{\"id\": \"\u{202e}\"}".to_owned()), ..detail(12) };
        let store = FakeStore { events: vec![last, detail(11), gone], ..store() };
        let export = args::Events::Export { query: Vec::new() };
        let (_, text) = printed(Form::Text, async |out| run(&export, &store, out).await.unwrap());
        assert_eq!(text.out, "{\"id\":1.0000000000000000001}\n{\"id\":\"\\u202e\"}\n");
        assert_eq!(text.errors, "note: left out: 1 event whose raw JSON is no longer kept\n");
    }

    #[test]
    fn one_is_shown_whole_or_not_there() {
        let show = |id| args::Events::Show { id: EventId(id), raw: false };
        let (_, text) = printed(Form::Text, async |out| run(&show(11), &store(), out).await.unwrap());
        assert!(text.out.contains("severity   high (as it came: HIGH)\n"), "{}", text.out);
        let texts = "\n\ndescription:\n  - two\n    lines\n\nrecommended actions:\n  - ask ann\n\nUSER";
        assert!(text.out.contains(texts) && text.out.contains("\nbob "), "{}", text.out);
        let (ended, _) = printed(Form::Text, async |out| run(&show(7), &store(), out).await);
        assert_eq!(ended.unwrap_err().status(), FAILED);
    }
}
