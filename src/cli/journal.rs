//! `journal list`, `journal verify`, `journal export`, `journal say`.

mod export;
pub(super) mod say;

use super::failure::{DONE, FAILED, Failure};
use super::output::Output;
use super::table::{Table, column};
use super::{args, connect};
use crate::domain::action::execution_ids;
use crate::domain::counted::numbered;
use crate::domain::journal::query::JournalQuery;
use crate::domain::journal::told::Told;
use crate::domain::journal::{Head, Record, RecordKind};
use crate::domain::{Event, time};
use crate::store::{From, Store, chain};
use serde_json::{Value, json};

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
        args::Journal::List { query, page, before } => {
            list(&asked(query)?, *before, page.limit, store, out).await
        }
        args::Journal::Verify { head } => verify(head.clone(), store, out).await,
        args::Journal::Export(what) => export::run(what, store, out).await,
        // Whoever has the tenants looks.
        args::Journal::Check(_) => Ok(DONE),
        // So does whoever knows who sits here.
        args::Journal::Say(_) => Ok(DONE),
    }
}

/// What is asked for, in the words of one line.
fn asked(words: &[String]) -> Result<JournalQuery, Failure> {
    JournalQuery::parse(&words.join(" ")).map_err(Failure::usage)
}

/// A search stops for breath: it goes on until there are so many, or no more.
async fn list(
    query: &JournalQuery,
    before: Option<u64>,
    limit: usize,
    store: &dyn Store,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let now = connect::now();
    let mut from = before.map_or(From::Newest, |seq| From::Before(i64::try_from(seq).unwrap_or(i64::MAX)));
    let mut records: Vec<Record> = Vec::new();
    let next = loop {
        let page = store.journal_page(query, now, from, limit - records.len()).await?;
        records.extend(page.rows);
        match page.next {
            Some(next) if records.len() < limit => from = From::Before(next),
            next => break next,
        }
    };
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
    if let Some(next) = next {
        out.note(&format!("there is more: `--before {next}`"))?;
    }
    Ok(DONE)
}

/// The records that arrived of the executions that a receipt names, oldest first.
type Beside = Vec<(String, Event)>;

async fn executions(record: &Record, store: &dyn Store) -> Result<Beside, Failure> {
    let receipt = Told::of(record).receipt();
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

fn table(records: &[Record], beside: &[Beside]) -> Table {
    let mut table = Table::of(&[
        column("SEQ", 12),
        column("AT", 20),
        column("KIND", 10),
        column("WHO", 36),
        column("WHAT", 120),
    ]);
    for (record, beside) in records.iter().zip(beside) {
        let told = Told::of(record);
        table.row([
            record.seq.to_string(),
            time::rfc3339_seconds(record.at),
            record.kind.word().to_owned(),
            told.who(),
            with_arrived(told.what(), beside),
        ]);
    }
    table
}

/// What arrived of the execution is a note beside the evidence.
fn with_arrived(what: String, beside: &Beside) -> String {
    let types: Vec<&str> = beside.iter().map(|(_, event)| event.record_type()).collect();
    if types.is_empty() { what } else { format!("{what} · arrived: {}", types.join(", ")) }
}

async fn verify(kept: Option<Head>, store: &dyn Store, out: &mut Output<'_>) -> Result<u8, Failure> {
    let has_kept = kept.is_some();
    let verdict = chain::verify(store, kept).await?;
    match verdict.broken {
        None => {
            told(verdict.head.as_ref(), out)?;
            if !has_kept {
                out.note("without a kept `--head` nobody can tell whether the tail was cut or all was written anew")?;
            }
            Ok(DONE)
        }
        Some(broken) => {
            // The status says it also where nobody reads the words any more.
            if out.is_json() {
                let _ = out.json(&json!({ "holds": false, "error": broken.to_string() }));
            }
            let _ = out.error(&Failure::failed(format!("the journal does not hold: {broken}")));
            Ok(FAILED)
        }
    }
}

fn told(head: Option<&Head>, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        let head = head.map(Head::to_string);
        out.json(&json!({ "holds": true, "head": head }))?;
    } else {
        match head {
            Some(head) => {
                out.text(&format!("the journal holds: {}, head {head}", numbered(head.seq, "record")))?
            }
            None => out.text("the journal is empty")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::journal::Damage;
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
        args::Journal::List { query: Vec::new(), page: args::PageArguments { limit }, before }
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
    fn what_is_asked_for_is_listed_and_a_damaged_record_hides_no_other() {
        let mut store = store(3);
        let damage = Damage { column: "kind", why: "is `x`, which is none".into() };
        (store.journal[1].kind, store.journal[1].damage) = (RecordKind::Unreadable, Some(damage));
        let (_, text) = printed(Form::Text, async |out| run(&list(None, 9), &store, out).await.unwrap());
        let row = "2    1970-01-01T00:00:00Z  unreadable  root (analyst Bo, asserted)  damaged: its kind is `x`, which is none";
        assert!(
            text.out.contains("f1")
                && text.out.contains("f3")
                && text.out.replace("  ", " ").contains(&row.replace("  ", " ")),
            "{}",
            text.out
        );
        let asked = |word: &str| args::Journal::List {
            query: vec![word.to_owned()],
            page: args::PageArguments { limit: 9 },
            before: None,
        };
        let (_, text) = printed(Form::Text, async |out| run(&asked("flow:f3"), &store, out).await.unwrap());
        assert!(text.out.contains("f3") && !text.out.contains("f1"), "{}", text.out);
        let (refused, _) = printed(Form::Text, async |out| run(&asked("colour:red"), &store, out).await);
        assert!(refused.unwrap_err().to_string().contains("there is no field `colour`"));
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
        let mut gone = store(3);
        (gone.journal[0].content, gone.journal[2].content) = (None, None);
        let kept = gone.journal.last().map(Record::head);
        for head in [None, kept] {
            let journal = gone.journal.clone();
            let (status, text) = verify(FakeStore { journal, ..Default::default() }, head);
            let is_named = text.errors.contains("record 1 was changed: its content is gone");
            assert!(status == FAILED && is_named && text.out.is_empty(), "{}{}", text.out, text.errors);
        }
    }
}
