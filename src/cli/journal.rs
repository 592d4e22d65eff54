//! `journal list`, `journal verify`.

use super::args;
use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::action::execution_ids;
use crate::domain::journal::{Broken, Head, Record, RecordKind, Verifier};
use crate::domain::{Actor, Event, NOTHING, Receipt, time};
use crate::store::Store;
use serde_json::{Value, json};

const AT_ONCE: usize = 1_000;

/// Runs the subcommand.
///
/// # Errors
/// What cannot be read.
pub(super) async fn run(
    what: &args::Journal,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        args::Journal::List { page, before } => list(*before, page.limit, store, out).await,
        args::Journal::Verify { head } => verify(head.clone(), store, out).await,
        // Whoever has the tenants looks.
        args::Journal::Check(_) => Ok(DONE),
    }
}

/// The store gives records oldest first; places have no gaps, so the page below one is known.
async fn list(
    before: Option<u64>,
    limit: usize,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let newest = store.journal_head().await?.map_or(0, |head| head.seq);
    let end = before.unwrap_or(u64::MAX).min(newest.saturating_add(1));
    let after = end.saturating_sub(1).saturating_sub(limit as u64);
    let mut records = store.journal(after, limit).await?;
    records.retain(|record| record.seq < end);
    records.reverse();
    let mut beside = Vec::new();
    for record in &records {
        beside.push(executions(record, store).await?);
    }
    if out.is_json() {
        let rows = records.iter().zip(&beside);
        rows.into_iter().try_for_each(|(record, beside)| out.json(&json(record, beside)))?;
    } else {
        out.table(&table(&records, &beside))?;
    }
    if let Some(last) = records.last().filter(|record| record.seq > 1) {
        out.note(&format!("there is more: `--before {}`", last.seq))?;
    }
    Ok(DONE)
}

/// The records that arrived of the executions that a receipt names, oldest first.
type Beside = Vec<(String, Event)>;

async fn executions(record: &Record, store: &dyn Store) -> Result<Beside, Failure> {
    let receipt: Option<Receipt> = serde_json::from_value(content(record)["receipt"].clone()).ok();
    let ids: Vec<String> = receipt.iter().flat_map(execution_ids).collect();
    Ok(if ids.is_empty() { Vec::new() } else { store.executions(&ids).await? })
}

fn json(record: &Record, beside: &Beside) -> Value {
    let mut value = record.to_json();
    let one = |(id, event): &(String, Event)| {
        json!({
            "execution_id": id,
            "event_type": event.record_type(),
            "at": time::rfc3339(event.at()),
            "event": event.id,
        })
    };
    if record.kind == RecordKind::Settled {
        value["executions"] = beside.iter().map(one).collect();
    }
    value
}

fn content(record: &Record) -> Value {
    record.content.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn table(records: &[Record], beside: &[Beside]) -> Table {
    let mut table = Table::of(&[
        column("SEQ", 12),
        column("AT", 20),
        column("KIND", 8),
        column("WHO", 36),
        column("WHAT", 80),
    ]);
    for (record, beside) in records.iter().zip(beside) {
        let content = content(record);
        table.row([
            record.seq.to_string(),
            time::rfc3339_seconds(record.at),
            record.kind.word().to_owned(),
            who(&content),
            with_arrived(what(record, &content), beside),
        ]);
    }
    table
}

/// Who acted, or the source whose event changed a finding.
fn who(content: &Value) -> String {
    match serde_json::from_value::<Actor>(content["actor"].clone()) {
        Ok(actor) => actor.signed(),
        Err(_) => content["source"].as_str().unwrap_or(NOTHING).to_owned(),
    }
}

/// What arrived of the execution is a note beside the evidence.
fn with_arrived(what: String, beside: &Beside) -> String {
    let types: Vec<&str> = beside.iter().map(|(_, event)| event.record_type()).collect();
    if types.is_empty() { what } else { format!("{what} · arrived: {}", types.join(", ")) }
}

fn what(record: &Record, content: &Value) -> String {
    if record.content.is_none() {
        return "erased by retention".to_owned();
    }
    if record.kind == RecordKind::Setting {
        return set(content);
    }
    let keys: &[&str] = match record.kind {
        RecordKind::Triage => &["change", "login", "check_id"],
        RecordKind::Bulk => &["flow", "users", "state", "counts", "why"],
        _ => &["flow", "login", "evidence", "outcome"],
    };
    let step = content["step"].as_str().map(|step| format!("step {step}"));
    let test = (content["test"] == true).then(|| "a test, with the documented sample".to_owned());
    let more = step.into_iter().chain(test);
    let words: Vec<String> = keys.iter().filter_map(|key| word(&content[*key])).chain(more).collect();
    if words.is_empty() { content.to_string() } else { words.join(" · ") }
}

/// A setting and its value, of which only the end is told where it is that of a request.
fn set(content: &Value) -> String {
    let (setting, value) = (word(&content["setting"]), word(&content["value"]).unwrap_or_default());
    let words = match serde_json::from_str::<Value>(&value) {
        Ok(Value::Object(object)) => {
            let told = ["outcome", "id"].iter().filter_map(|key| word(object.get(*key)?));
            told.collect::<Vec<_>>().join(" · ")
        }
        _ => value,
    };
    setting.into_iter().chain([words]).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // A triage record may hold the change as an object of its own.
        Value::Object(map) => map.get("change").and_then(word),
        _ => None,
    }
}

async fn verify(kept: Option<Head>, store: &dyn Store, out: &mut Output<'_>) -> Result<u8, Failure> {
    let has_kept = kept.is_some();
    match walk(kept, store).await? {
        Ok(head) => {
            told(head.as_ref(), out)?;
            if !has_kept {
                out.note("without a kept `--head` nobody can tell whether the tail was cut or all was written anew")?;
            }
            Ok(DONE)
        }
        Err(broken) => {
            // The status says it also where nobody reads the words any more.
            if out.is_json() {
                let _ = out.json(&serde_json::json!({ "holds": false, "error": broken.to_string() }));
            }
            let _ = out.error(&Failure::failed(format!("the journal does not hold: {broken}")));
            Ok(FAILED)
        }
    }
}

/// In slices: a long journal need not be in memory.
async fn walk(kept: Option<Head>, store: &dyn Store) -> Result<Result<Option<Head>, Broken>, Failure> {
    let mut verifier = Verifier::new(kept);
    let mut after = 0;
    loop {
        let records = store.journal(after, AT_ONCE).await?;
        if let Err(broken) = records.iter().try_for_each(|record| verifier.next(record)) {
            return Ok(Err(broken));
        }
        match records.last() {
            Some(last) => after = last.seq,
            None => return Ok(verifier.finish()),
        }
    }
}

fn told(head: Option<&Head>, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        let head = head.map(Head::to_string);
        out.json(&serde_json::json!({ "holds": true, "head": head }))?;
        return Ok(());
    }
    match head {
        Some(head) => out.text(&format!("the journal holds: {} records, head {head}", head.seq))?,
        None => out.text("the journal is empty")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use jiff::Timestamp;

    fn store(n: u64) -> FakeStore {
        let mut journal: Vec<Record> = Vec::new();
        for i in 1..=n {
            let content = format!(
                r#"{{"flow":"f{i}","login":"ann","actor":{{"user":"root","analyst":"Bo","host":"h"}}}}"#
            );
            let head = journal.last().map(Record::head);
            journal.push(Record::after(head.as_ref(), Timestamp::UNIX_EPOCH, RecordKind::Intended, content));
        }
        FakeStore { journal, ..Default::default() }
    }

    fn list(before: Option<u64>, limit: usize) -> args::Journal {
        args::Journal::List { page: args::PageArguments { limit }, before }
    }

    #[test]
    fn pages_are_newest_first() {
        let seqs = |before, limit| {
            let (_, text) =
                printed(Form::Text, async |out| run(&list(before, limit), &store(5), out).await.unwrap());
            let firsts = text.out.lines().skip(1).filter_map(|line| line.split(' ').next());
            (firsts.map(str::to_owned).collect::<Vec<_>>().join(" "), text.errors)
        };
        assert_eq!(seqs(None, 2), ("5 4".to_owned(), "note: there is more: `--before 4`\n".to_owned()));
        assert_eq!(seqs(Some(4), 2).0, "3 2");
        assert_eq!(seqs(Some(2), 2), ("1".to_owned(), String::new()));
        assert_eq!(seqs(Some(1), 2).0, "");
        assert_eq!(seqs(Some(99), 9).0, "5 4 3 2 1");
    }

    #[test]
    fn a_row_says_who_and_what() {
        let (_, text) = printed(Form::Text, async |out| run(&list(None, 1), &store(1), out).await.unwrap());
        assert!(
            text.out
                .ends_with("1    1970-01-01T00:00:00Z  intended  root (analyst Bo, asserted)  f1 · ann\n"),
            "{}",
            text.out
        );
    }

    #[test]
    fn an_intent_of_a_run_of_several_says_which_it_is() {
        let content = r#"{"flow":"okta-suspend","login":"ann","run":"r","step":"1 of 2"}"#.to_owned();
        let record = Record::after(None, Timestamp::UNIX_EPOCH, RecordKind::Intended, content);
        let store = FakeStore { journal: vec![record], ..Default::default() };
        let (_, text) = printed(Form::Text, async |out| run(&list(None, 1), &store, out).await.unwrap());
        assert!(text.out.ends_with("okta-suspend · ann · step 1 of 2\n"), "{}", text.out);
    }

    /// A receipt that names an execution, and a record of it that arrived.
    fn with_an_execution() -> FakeStore {
        let content = json!({ "flow": "f", "login": "ann",
            "receipt": { "status": 200, "headers": [["x-execution-id", "run-1"]], "body": "{}" } });
        let record = Record::after(None, Timestamp::UNIX_EPOCH, RecordKind::Settled, content.to_string());
        let event = Event {
            id: crate::domain::EventId(7),
            kind: crate::domain::EventKind::Execution,
            source: "okta-execution-log".into(),
            source_event_id: None,
            check: crate::domain::Check {
                id: "execution:FLOW_END".into(),
                title: "Suspend: FLOW_END".into(),
            },
            severity: crate::domain::Severity::Unknown,
            severity_raw: "".into(),
            user_count: 0,
            first_users: Vec::new(),
            times: 1,
            published: Some(Timestamp::UNIX_EPOCH),
            received: Timestamp::UNIX_EPOCH,
            findings: Default::default(),
            tags: Vec::new(),
        };
        let executions = vec![("run-1".to_owned(), event.clone()), ("another".to_owned(), event)];
        FakeStore { journal: vec![record], executions, ..Default::default() }
    }

    #[test]
    fn what_arrived_of_an_execution_stands_beside_the_receipt() {
        let (_, text) =
            printed(Form::Json, async |out| run(&list(None, 1), &with_an_execution(), out).await.unwrap());
        let told: Value = serde_json::from_str(&text.out).unwrap();
        let expected = json!([{ "execution_id": "run-1", "event_type": "FLOW_END", "event": "7",
            "at": "1970-01-01T00:00:00.000Z" }]);
        assert_eq!(told["executions"], expected);
        assert!(told["content"].get("executions").is_none(), "the record itself is as it was sealed");
        let (_, text) =
            printed(Form::Text, async |out| run(&list(None, 1), &with_an_execution(), out).await.unwrap());
        assert!(text.out.ends_with("f · ann · arrived: FLOW_END\n"), "{}", text.out);
    }

    #[test]
    fn verification_says_what_it_cannot_know() {
        let verify = |store: FakeStore, head: Option<Head>| {
            let what = args::Journal::Verify { head };
            printed(Form::Text, async |out| run(&what, &store, out).await.unwrap())
        };
        let (status, text) = verify(store(3), None);
        assert!(status == DONE && text.out.starts_with("the journal holds: 3 records, head 3:"));
        assert!(text.errors.contains("nobody can tell"));
        let kept = store(5).journal.last().map(Record::head);
        let (status, text) = verify(store(3), kept);
        assert!(status == FAILED && text.errors.contains("does not hold the kept head 5"), "{}", text.errors);
        let mut tampered = store(3);
        tampered.journal[1].content = Some("{}".into());
        assert!(verify(tampered, None).1.errors.contains("record 2 was changed"));
    }
}
