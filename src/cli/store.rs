//! `store status`, `store prune`.

use super::args;
use super::failure::{DONE, Failure};
use super::output::Output;
use super::table::{Table, column};
use crate::domain::counted::numbered;
use crate::domain::{Actor, time};
use crate::runtime::keeping;
use crate::store::{Dropped, Pruned, Store, StoreStatus};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// After so many events the next word on how far it is.
const TOLD_EVERY: u64 = 10_000;
/// Less free space than one part in so many is not worth a word.
const MUCH: u64 = 8;
/// Under this name the journal says that somebody pruned.
const PRUNED: &str = "store.pruned";

/// What a command goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct By<'a> {
    /// How long raw texts are kept, as configured.
    pub(super) keep: Option<Duration>,
    /// Who asks.
    pub(super) actor: &'a Actor,
    /// When.
    pub(super) at: Timestamp,
}

/// Whether a command takes something out of the store.
pub(super) fn takes(what: &args::Store) -> bool {
    matches!(what, args::Store::Prune { dry_run: false, .. })
}

/// Runs the subcommand.
///
/// # Errors
/// What cannot be read or written, and a pruning that nobody said the age for.
pub(super) async fn run(
    what: &args::Store,
    store: &dyn Store,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    match what {
        args::Store::Status => status(store, by.keep, out).await,
        args::Store::Prune { keep, dry_run } => {
            let before = before(keep.or(by.keep), by.at)?;
            match dry_run {
                true => told(&store.prunable(before).await?, before, Went::Would, out)?,
                false => prune(store, before, by, out).await?,
            }
            Ok(DONE)
        }
    }
}

fn before(keep: Option<Duration>, now: Timestamp) -> Result<Timestamp, Failure> {
    let Some(keep) = keep else {
        let why = "nothing says how long raw texts are kept\nhint: `--keep 90d`, or `[store] keep` in the configuration";
        return Err(Failure::usage(why));
    };
    keeping::before(now, keep).ok_or_else(|| Failure::usage("that long ago there was no time"))
}

async fn prune(
    store: &dyn Store,
    before: Timestamp,
    by: By<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let would = store.prunable(before).await?;
    if would.raws + would.records == 0 {
        return told(&would, before, Went::Did, out);
    }
    // Before the first bite: whoever breaks this off has taken something all the same.
    let begins = format!("begins with what arrived before {}", time::rfc3339(before));
    store.set_setting(PRUNED, &begins, by.actor, by.at).await?;
    let mut next = TOLD_EVERY;
    let ended = keeping::prune(store, before, |so_far| {
        let events = so_far.raws + so_far.records;
        if events >= next {
            next = events + TOLD_EVERY;
            // Whoever does not hear how far it is still gets the result.
            let _ = out.note(&format!("{events} events so far"));
        }
    });
    let pruned = ended.await?;
    let value = format!("{} of before {}", words(&pruned), time::rfc3339(before));
    store.set_setting(PRUNED, &value, by.actor, by.at).await?;
    told(&pruned, before, Went::Did, out)
}

/// Whether it is about what went or about what would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Did,
    Would,
}

fn told(pruned: &Pruned, before: Timestamp, went: Went, out: &mut Output<'_>) -> Result<(), Failure> {
    if out.is_json() {
        out.json(&json!({
            "before": time::rfc3339(before),
            "dry_run": went == Went::Would,
            "records": pruned.records,
            "raw_texts": pruned.raws,
            "bytes": pruned.bytes,
            "given_back": pruned.given_back,
        }))?;
        return Ok(());
    }
    let verb = if went == Went::Would { "would go" } else { "went" };
    let since = time::rfc3339_seconds(before);
    out.text(&format!("{} of before {since} {verb}, {} in all", words(pruned), size(pruned.bytes)))?;
    if pruned.given_back > 0 {
        out.text(&format!("the file is {} shorter", size(pruned.given_back)))?;
    }
    Ok(())
}

fn words(pruned: &Pruned) -> String {
    let plural = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    format!("{} without a finding and {}", plural(pruned.records, "record"), plural(pruned.raws, "raw text"))
}

async fn status(store: &dyn Store, keep: Option<Duration>, out: &mut Output<'_>) -> Result<u8, Failure> {
    let (status, dropped) = (store.status().await?, store.dropped().await?);
    if out.is_json() {
        out.json(&status_json(&status, keep, &dropped))?;
        return Ok(DONE);
    }
    out.facts(&facts(&status, keep))?;
    if !dropped.is_empty() {
        out.text("\nleft out by rules and filters:")?;
        out.table(&table(&dropped))?;
    }
    note_free(&status, out)?;
    Ok(DONE)
}

fn facts(status: &StoreStatus, keep: Option<Duration>) -> Vec<(&'static str, String)> {
    let files: Vec<String> =
        status.files.iter().map(|(name, bytes)| format!("{name} {}", size(*bytes))).collect();
    let oldest = status.oldest_raw.map(|at| format!(", the oldest of {}", time::rfc3339_seconds(at)));
    vec![
        ("files", files.join(", ")),
        ("free in it", if status.free > 0 { size(status.free) } else { String::new() }),
        ("kept for", keep.map_or_else(|| "ever: there is no `[store] keep`".to_owned(), span)),
        ("raw texts", format!("{}, {}{}", status.raws, size(status.raw_bytes), oldest.unwrap_or_default())),
        ("events", format!("{}, {} of them records without a finding", status.events, status.quiet)),
        ("digests", format!("{} of records that are gone", status.digests)),
        ("findings", status.findings.to_string()),
        ("actions", status.actions.to_string()),
        ("journal", numbered(status.records, "record")),
        ("waiting", format!("{} not expanded yet", status.pending)),
        ("set aside", format!("{} could not be expanded; they are kept whole", status.set_aside)),
    ]
}

fn table(dropped: &[Dropped]) -> Table {
    let mut table =
        Table::of(&[column("BY", 60), column("TIMES", 12), column("FIRST", 20), column("LAST", 20)]);
    for one in dropped {
        table.row([
            one.reason.clone(),
            one.times.to_string(),
            time::rfc3339_seconds(one.first),
            time::rfc3339_seconds(one.last),
        ]);
    }
    table
}

fn status_json(status: &StoreStatus, keep: Option<Duration>, dropped: &[Dropped]) -> Value {
    let file = |(name, bytes): &(String, u64)| json!({ "name": name, "bytes": bytes });
    let drops = |one: &Dropped| {
        json!({
            "reason": one.reason,
            "times": one.times,
            "first": time::rfc3339(one.first),
            "last": time::rfc3339(one.last),
        })
    };
    json!({
        "files": status.files.iter().map(file).collect::<Vec<_>>(),
        "free_bytes": status.free,
        "can_shrink": status.can_shrink,
        "keep_seconds": keep.map(|keep| keep.as_secs()),
        "raw_texts": status.raws,
        "raw_bytes": status.raw_bytes,
        "oldest_raw": status.oldest_raw.map(time::rfc3339),
        "events": status.events,
        "quiet": status.quiet,
        "digests": status.digests,
        "findings": status.findings,
        "actions": status.actions,
        "journal_records": status.records,
        "pending": status.pending,
        "set_aside": status.set_aside,
        "dropped": dropped.iter().map(drops).collect::<Vec<_>>(),
    })
}

/// What becomes of much free space.
fn note_free(status: &StoreStatus, out: &mut Output<'_>) -> Result<(), Failure> {
    let Some((name, bytes)) = status.files.first() else { return Ok(()) };
    if status.free <= bytes / MUCH {
        return Ok(());
    }
    let free = size(status.free);
    let words = if status.can_shrink {
        format!("{free} in `{name}` are used again before it grows; the next pruning gives most of them back")
    } else {
        format!(
            "{free} in `{name}` are used again before it grows; an older version made the file, so that it \
             never shrinks. Once, while no `idtriage` runs and there is room for a copy, \
             `sqlite3 {name} 'PRAGMA auto_vacuum = 2; VACUUM'` gives them back, and lets it shrink from then on"
        )
    };
    out.note(&words)?;
    Ok(())
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1_024;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// A span for people, in days where it is some.
pub(super) fn span(span: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match (span.as_secs() / DAY, span.as_secs() % DAY) {
        (days, 0) => numbered(days, "day"),
        (0, rest) => numbered(rest.div_ceil(60 * 60), "hour"),
        (days, rest) => format!("{} and {}", numbered(days, "day"), numbered(rest.div_ceil(60 * 60), "hour")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeStore;
    use super::super::output::{Form, tests::printed};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 B")]
    #[case(1_023, "1023 B")]
    #[case(1_024, "1.0 KiB")]
    #[case(1_572_864, "1.5 MiB")]
    #[case(u64::MAX, "16777215.9 TiB")]
    fn bytes_are_told_for_people(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(size(bytes), expected);
    }

    #[rstest]
    #[case(24, "1 day")]
    #[case(24 * 90, "90 days")]
    #[case(36, "1 day and 12 hours")]
    fn spans_are_told_in_days(#[case] hours: u64, #[case] expected: &str) {
        assert_eq!(span(Duration::from_secs(hours * 3_600)), expected);
    }

    fn by(actor: &Actor, keep: Option<Duration>) -> By<'_> {
        By { keep, actor, at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn nothing_is_pruned_that_nobody_said_the_age_for() {
        let actor = Actor::default();
        let prune = args::Store::Prune { keep: None, dry_run: true };
        let (ended, _) =
            printed(Form::Text, async |out| run(&prune, &FakeStore::default(), by(&actor, None), out).await);
        let told = ended.unwrap_err().to_string();
        assert!(told.contains("hint: `--keep 90d`, or `[store] keep`"), "{told}");
        let (ended, text) = printed(Form::Json, async |out| {
            run(&prune, &FakeStore::default(), by(&actor, Some(Duration::from_secs(86_400))), out).await
        });
        assert_eq!(ended.unwrap(), DONE);
        let told: Value = serde_json::from_str(&text.out).unwrap();
        assert_eq!((&told["before"], &told["dry_run"]), (&json!("1969-12-31T00:00:00.000Z"), &json!(true)));
    }

    #[test]
    fn what_a_file_does_with_free_space_is_said_where_it_is_much() {
        let said = |free, can_shrink| {
            let files = vec![("idtriage.db".to_owned(), 80 << 20)];
            let status = StoreStatus { files, free, can_shrink, ..StoreStatus::default() };
            printed(Form::Text, async |out| note_free(&status, out).unwrap()).1.errors
        };
        assert_eq!(said(10 << 20, false), "");
        assert!(said(11 << 20, true).contains("the next pruning gives most of them back"));
        assert!(said(11 << 20, false).contains("VACUUM"));
    }
}
