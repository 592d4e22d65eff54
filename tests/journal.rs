//! A journal of 10,000 records: whatever is changed, taken out, put elsewhere or cut off is found.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]

use idtriage::domain::journal::{Broken, Head, Record, RecordKind, Verifier};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use std::sync::LazyLock;
use std::thread;

const RECORDS: usize = 10_000;

/// Contents of several lengths and scripts, all kinds, times that stand still at times.
static JOURNAL: LazyLock<Vec<Record>> = LazyLock::new(|| {
    let mut records: Vec<Record> = Vec::with_capacity(RECORDS);
    for n in 0..RECORDS {
        let at = Timestamp::from_millisecond(1_700_000_000_000 + (n as i64 / 3) * 7).unwrap();
        let kind = RecordKind::ALL[n % RecordKind::ALL.len()];
        let content = format!(r#"{{"n":{n},"who":"{}"}}"#, ["ann", "Zoë", "李", ""][n % 4]);
        let head = records.last().map(Record::head);
        records.push(Record::after(head.as_ref(), at, kind, content));
    }
    records
});

fn verify(records: &[Record], kept: Option<Head>) -> Result<Option<Head>, Broken> {
    let mut verifier = Verifier::new(kept);
    records.iter().try_for_each(|record| verifier.next(record))?;
    verifier.finish()
}

/// What is said of a record behind the one before it.
fn said(n: usize, record: &Record) -> Result<(), Broken> {
    let mut verifier = match n.checked_sub(1) {
        Some(before) => Verifier::behind(JOURNAL[before].head()),
        None => Verifier::new(None),
    };
    verifier.next(record)
}

/// The same text with one byte of it another; `None` where that is no text any more.
fn another(text: &str, at: usize, n: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= u8::try_from(n % 127 + 1).unwrap();
    String::from_utf8(bytes).ok()
}

/// Every record that differs from the one of this place by one byte of a text, a millisecond, a kind or a place.
fn tampered(n: usize) -> impl Iterator<Item = Record> {
    let honest = &JOURNAL[n];
    let content = honest.content.as_deref().unwrap();
    let bytes = |text: &'static str| (0..text.len()).filter_map(move |at| another(text, at, n + at));
    let contents = bytes(content).map(|text| Record { content: Some(text), ..honest.clone() });
    let digests = bytes(&honest.digest).map(|digest| Record { digest, ..honest.clone() });
    let previous = bytes(&honest.previous).map(|previous| Record { previous, ..honest.clone() });
    let hashes = bytes(&honest.hash).map(|hash| Record { hash, ..honest.clone() });
    let times =
        [-1, 1].map(|by| Record { at: honest.at + SignedDuration::from_millis(by), ..honest.clone() });
    let kinds = RecordKind::ALL.into_iter().filter(|kind| *kind != honest.kind);
    let kinds = kinds.map(|kind| Record { kind, ..honest.clone() });
    let places = [0, 1, 3].map(|by| Record { seq: honest.seq ^ (1 << by), ..honest.clone() });
    contents.chain(digests).chain(previous).chain(hashes).chain(times).chain(kinds).chain(places)
}

#[test]
fn every_changed_byte_of_every_record_is_found_at_its_own_record() {
    let head = JOURNAL.last().unwrap().head();
    assert_eq!(verify(&JOURNAL, Some(head.clone())), Ok(Some(head)));
    let check = |from: usize| {
        let mut checked = 0;
        for n in (from..RECORDS).step_by(2) {
            assert_eq!(said(n, &JOURNAL[n]), Ok(()));
            for record in tampered(n) {
                assert!(said(n, &record).is_err(), "{n}: {record:?}");
                checked += 1;
            }
        }
        checked
    };
    let checked: usize = thread::scope(|scope| {
        let halves = [0, 1].map(|from| scope.spawn(move || check(from)));
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(checked > RECORDS * 200, "{checked}");
}

#[test]
fn a_content_that_is_gone_is_missed_wherever_and_one_that_is_put_back_must_be_the_same() {
    for n in (0..RECORDS).step_by(3) {
        let gone = Record { content: None, ..JOURNAL[n].clone() };
        assert_eq!(said(n, &gone), Err(Broken::Gone(n as u64 + 1)));
    }
    let mut records = JOURNAL.clone();
    (records[3].content, records[6].content) = (None, None);
    let kept = JOURNAL.last().unwrap().head();
    assert_eq!(verify(&records, Some(kept)), Err(Broken::Gone(4)));
    records[3].content = Some(r#"{"n":4,"who":"ann"}"#.to_owned());
    assert_eq!(verify(&records, None), Err(Broken::Content(4)));
}

#[rstest]
#[case(0, 1)]
#[case(1, 1)]
#[case(4_999, 2)]
#[case(9_990, 9)]
fn what_is_taken_out_is_missed(#[case] from: usize, #[case] count: usize) {
    let mut records = JOURNAL.clone();
    records.drain(from..from + count);
    let (expected, found) = (from as u64 + 1, (from + count) as u64 + 1);
    assert_eq!(verify(&records, None), Err(Broken::Missing { expected, found }));
}

#[rstest]
#[case(0, 1)]
#[case(17, 9_999)]
#[case(5_000, 5_001)]
fn what_stands_elsewhere_is_found(#[case] one: usize, #[case] other: usize) {
    let mut records = JOURNAL.clone();
    records.swap(one, other);
    assert!(matches!(verify(&records, None), Err(Broken::Missing { .. })));
    // Also where the places are made to fit.
    let (first, second) = (records[one].seq, records[other].seq);
    (records[one].seq, records[other].seq) = (second, first);
    let broken = verify(&records, None).unwrap_err();
    assert!(matches!(broken, Broken::Link(at) | Broken::Hash(at) if at == one as u64 + 1), "{broken}");
}

/// The records of another journal, from a place on: as honest in themselves as ours.
#[rstest]
#[case(1)]
#[case(5_000)]
#[case(9_999)]
fn what_is_spliced_in_is_found(#[case] from: usize) {
    let mut records = JOURNAL[..from].to_vec();
    let mut other = JOURNAL[..from - 1].to_vec();
    for n in from - 1..RECORDS {
        let head = other.last().map(Record::head);
        let content = format!(r#"{{"n":{n},"who":"eve"}}"#);
        other.push(Record::after(head.as_ref(), JOURNAL[n].at, JOURNAL[n].kind, content));
    }
    records.extend_from_slice(&other[from..]);
    assert_eq!(verify(&records, None), Err(Broken::Link(from as u64 + 1)));
    // Written anew from there on it holds by itself, and not against a head that was kept.
    assert!(verify(&other, None).is_ok());
    let kept = JOURNAL.last().unwrap().head();
    assert_eq!(verify(&other, Some(kept)), Err(Broken::Head(RECORDS as u64)));
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(9_999)]
fn a_cut_tail_is_found_by_a_head_that_was_kept(#[case] left: usize) {
    let kept = JOURNAL.last().unwrap().head();
    assert!(verify(&JOURNAL[..left], None).is_ok(), "by itself it cannot be told");
    assert_eq!(verify(&JOURNAL[..left], Some(kept)), Err(Broken::Head(RECORDS as u64)));
}
