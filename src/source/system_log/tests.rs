//! The reading's rules: one by one in tables, and all together against a model of Okta's log.

use super::place::{Ask, KEPT, OVERLAP, Terms};
use super::reader::{Keep, Moment, Pace, Reader, Step};
use crate::domain::SourceState;
use crate::domain::dossier::Problem;
use crate::tenant::{LogPage, LogStart, LogTrouble, NextPage};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const LIMIT: usize = 4;
const ORG: &str = "https://example.okta.com";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn terms() -> Terms {
    Terms { org: ORG.to_owned(), filter: None, limit: LIMIT, first_fetch: SignedDuration::from_hours(1) }
}

fn pace() -> Pace {
    Pace {
        interval: Duration::from_secs(30),
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(60),
        refused: Duration::from_secs(300),
    }
}

/// On time to the second.
fn moment(second: i64) -> Moment {
    Moment { now: at(second), jitter: 0.0 }
}

fn record(uuid: &str, published: i64) -> Arc<str> {
    let published = at(published);
    format!(r#"{{"uuid":"{uuid}","published":"{published}"}}"#).into()
}

/// A page of records published at these seconds.
fn page(now: i64, next: &str, published: &[i64]) -> LogPage {
    LogPage {
        records: published.iter().map(|second| record("u", *second)).collect(),
        next: NextPage::At(next.to_owned()),
        at: at(now),
        clock_ahead: None,
    }
}

fn began() -> Reader {
    Reader::resumed(None, &terms(), at(0))
}

fn hear(reader: &mut Reader, heard: Result<&LogPage, &LogTrouble>, second: i64) -> Step {
    let step = reader.hear(heard, moment(second), &pace());
    reader.take(step.clone());
    step
}

/// One that has read a full page at second 10 up to second 5, and follows `n1`.
fn following() -> Reader {
    let mut reader = began();
    hear(&mut reader, Ok(&page(10, "n1", &[2, 3, 4, 5])), 10);
    reader
}

fn follow(url: &str) -> Ask {
    Ask::Follow(url.to_owned())
}

fn first(since: i64, limit: usize) -> Ask {
    Ask::First(LogStart { since: at(since), filter: None, limit })
}

fn asks(reader: &Reader, second: i64) -> Ask {
    reader.ask(&terms(), at(second))
}

fn problem() -> Problem {
    Problem { hint: Some("mend it".to_owned()), ..Problem::whole("it broke") }
}

fn waits(step: &Step) -> Option<i64> {
    step.until.map(|until| until.as_second() - 1_700_000_000)
}

#[test]
fn the_start_is_chosen_and_shown() {
    let reader = began();
    assert_eq!(asks(&reader, 0), first(-3600, LIMIT));
    let notes = reader.place().notes().shown();
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].text.contains("2023-11-14T22:13:20Z") && notes[0].text.contains("2023-11-14T21:13:20Z"),
        "{notes:?}"
    );
    let years = Terms { first_fetch: SignedDuration::from_hours(24 * 900), ..terms() };
    let Ask::First(start) = Reader::resumed(None, &years, at(0)).ask(&years, at(0)) else { panic!() };
    assert_eq!(start.since, at(0) - KEPT, "Okta refuses what is older than it keeps");
}

#[rstest]
#[case::full(&[1, 2, 3, 4], None)]
#[case::short(&[1, 2, 3], Some(40))]
#[case::empty(&[], Some(40))]
fn a_full_page_is_gone_on_from_at_once_and_any_other_is_rested_after(
    #[case] published: &[i64],
    #[case] until: Option<i64>,
) {
    let mut reader = began();
    let step = hear(&mut reader, Ok(&page(10, "n1", published)), 10);
    assert_eq!((step.keep, waits(&step), &step.state), (Keep::Page, until, &SourceState::Running));
    assert_eq!(asks(&reader, 10), follow("n1"));
}

#[test]
fn an_empty_page_keeps_the_place_and_is_committed_only_for_news() {
    let mut reader = following();
    let step = hear(&mut reader, Ok(&page(20, "n1", &[])), 20);
    assert_eq!((step.keep, waits(&step)), (Keep::Page, Some(50)), "it has caught up: news");
    let step = hear(&mut reader, Ok(&page(50, "n1", &[])), 50);
    assert_eq!((step.keep, waits(&step)), (Keep::Nothing, Some(80)));
    let step = hear(&mut reader, Ok(&page(80, "n2", &[])), 80);
    assert_eq!(step.keep, Keep::Page, "another address");
    assert_eq!(asks(&reader, 80), follow("n2"));
    let step = hear(&mut reader, Ok(&page(80 + 3600, "n2", &[])), 80 + 3600);
    assert_eq!(step.keep, Keep::Page, "that the end was reached is an hour old");
}

#[rstest]
#[case::asked(LogTrouble::Throttled(Some(Duration::from_secs(17))), 17, "waiting", "rate limit")]
#[case::asked_nothing(LogTrouble::Throttled(None), 1, "waiting", "429")]
#[case::asked_for_no_time(LogTrouble::Throttled(Some(Duration::ZERO)), 1, "waiting", "429")]
#[case::crowded(LogTrouble::Crowded, 1, "waiting", "too many requests at once")]
#[case::no_answer(LogTrouble::NoAnswer(problem()), 1, "waiting", "it broke")]
#[case::refused(LogTrouble::Refused(problem()), 300, "failed", "it broke\nhint: mend it")]
#[case::bad_request(LogTrouble::BadRequest(problem()), 300, "failed", "it broke")]
fn a_trouble_leaves_the_place_as_it_is(
    #[case] trouble: LogTrouble,
    #[case] rest: i64,
    #[case] state: &str,
    #[case] words: &str,
) {
    let mut reader = following();
    let step = hear(&mut reader, Err(&trouble), 20);
    assert_eq!((step.keep, waits(&step)), (Keep::Nothing, Some(20 + rest)));
    assert_eq!(step.state.word(), state);
    assert!(step.state.why().unwrap().contains(words), "{:?}", step.state);
    assert_eq!(asks(&reader, 20), follow("n1"));
    assert_eq!(reader.place().notes().count(), 1);
}

#[test]
fn troubles_in_a_row_are_rested_after_longer_and_longer_until_a_page_comes() {
    let mut reader = following();
    let rest = |reader: &mut Reader| waits(&hear(reader, Err(&LogTrouble::NoAnswer(problem())), 0)).unwrap();
    let rests: Vec<i64> = (0..8).map(|_| rest(&mut reader)).collect();
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
    hear(&mut reader, Ok(&page(1, "n2", &[])), 1);
    assert_eq!(rest(&mut reader), 1);
}

#[test]
fn a_little_longer_than_asked_is_rested_and_never_less() {
    let late = Moment { now: at(0), jitter: 1.0 };
    let step = following().hear(Err(&LogTrouble::Throttled(Some(Duration::from_secs(8)))), late, &pace());
    assert_eq!(waits(&step), Some(9));
}

#[test]
fn a_place_that_is_not_taken_any_more_is_left_with_a_possible_gap() {
    let mut reader = following();
    let step = hear(&mut reader, Err(&LogTrouble::BadCursor(problem())), 3600);
    assert_eq!((step.keep, waits(&step)), (Keep::Nothing, None));
    let since = 5 - OVERLAP.as_secs();
    assert_eq!(asks(&reader, 3600), first(since, LIMIT));
    let gap = reader.place().notes().shown().pop().unwrap();
    assert!(
        gap.text.starts_with("possible gap between 2023-11-14T22:13:25Z and 2023-11-14T23:13:20Z: "),
        "{gap:?}"
    );
    assert!(gap.text.contains("it broke"), "{gap:?}");
    // It stays, whatever comes, and through a restart.
    let step = hear(&mut reader, Ok(&page(3601, "m1", &[3, 4, 5, 6])), 3601);
    let again = Reader::resumed(Some(&step.place.kept()), &terms(), at(9_000));
    assert_eq!(again.place().notes().shown().pop(), Some(gap));
    assert_eq!(asks(&again, 9_000), follow("m1"));
}

#[test]
fn places_that_are_refused_again_and_again_are_not_asked_for_without_a_rest() {
    let mut reader = following();
    let mut rests = Vec::new();
    for n in 0..4 {
        rests.push(waits(&hear(&mut reader, Err(&LogTrouble::BadCursor(problem())), 0)));
        hear(&mut reader, Ok(&page(1, &format!("m{n}"), &[3, 4, 5, 6])), 1);
    }
    assert_eq!(rests, [None, Some(1), Some(2), Some(4)]);
    hear(&mut reader, Ok(&page(2, "m9", &[3, 4, 5, 6])), 2);
    assert_eq!(waits(&hear(&mut reader, Err(&LogTrouble::BadCursor(problem())), 2)), None);
}

#[test]
fn an_address_that_leads_elsewhere_is_not_moved_to() {
    let mut reader = following();
    let foreign =
        LogPage { next: NextPage::Foreign("https://evil.example".into()), ..page(20, "", &[6, 7, 8, 9]) };
    let step = hear(&mut reader, Ok(&foreign), 20);
    assert_eq!((step.keep, waits(&step), step.state.word()), (Keep::Page, Some(21), "failed"));
    let why = step.state.why().unwrap();
    assert!(why.contains("`https://evil.example`") && why.contains("`https://example.okta.com`"), "{why}");
    assert_eq!(asks(&reader, 20), follow("n1"), "the page is asked for again: what comes twice is told");
    assert_eq!(waits(&hear(&mut reader, Ok(&foreign), 21)), Some(23));
    let step = hear(&mut reader, Ok(&page(23, "n2", &[6, 7, 8, 9])), 23);
    assert_eq!((step.state, asks(&reader, 23)), (SourceState::Running, follow("n2")));
}

#[test]
fn a_kept_address_that_leads_elsewhere_is_left_with_a_possible_gap() {
    let mut reader = following();
    hear(&mut reader, Err(&LogTrouble::Foreign("https://evil.example".into())), 20);
    assert!(matches!(asks(&reader, 20), Ask::First(_)));
    assert!(reader.place().notes().shown().pop().unwrap().text.contains("possible gap"));
}

#[test]
fn without_a_next_address_the_last_one_stays_good() {
    let mut reader = following();
    let unnamed = |published: &[i64]| LogPage { next: NextPage::Unnamed, ..page(20, "", published) };
    let step = hear(&mut reader, Ok(&unnamed(&[])), 20);
    assert_eq!((waits(&step), &step.state), (Some(50), &SourceState::Running));
    assert_eq!(asks(&reader, 20), follow("n1"));
    let step = hear(&mut reader, Ok(&unnamed(&[6, 7, 8, 9])), 50);
    assert_eq!((step.keep, waits(&step), step.state.word()), (Keep::Page, Some(51), "waiting"));
    assert_eq!(asks(&reader, 50), follow("n1"));
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let mut reader = began();
    hear(&mut reader, Err(&LogTrouble::TooLarge(100)), 1);
    assert_eq!(asks(&reader, 1), first(-3600, 1));
    assert_eq!(reader.place().notes().count(), 1, "nothing was read yet: nothing can be missing");
    let mut reader = following();
    hear(&mut reader, Err(&LogTrouble::TooLarge(100)), 20);
    assert_eq!(asks(&reader, 20), first(5 - OVERLAP.as_secs(), 1));
    assert!(reader.place().notes().shown().pop().unwrap().text.contains("larger than 100 bytes"));
    let step = hear(&mut reader, Ok(&page(21, "m1", &[5])), 21);
    assert_eq!(waits(&step), None, "a page of one is full now");
    let again = Reader::resumed(Some(&step.place.kept()), &terms(), at(22));
    assert_eq!(asks(&again, 22), follow("m1"), "and stays so through a restart");
    assert_eq!(hear(&mut reader, Err(&LogTrouble::TooLarge(100)), 22).state.word(), "failed");
}

#[rstest]
#[case::filter(Terms { filter: Some("x".into()), ..terms() }, "the filter changed")]
#[case::org(Terms { org: "https://other.okta.com".into(), ..terms() }, "the org changed")]
#[case::limit(Terms { limit: 2, ..terms() }, "the page size changed")]
fn other_terms_are_another_reading(#[case] other: Terms, #[case] words: &str) {
    let kept = following().place().kept();
    let reader = Reader::resumed(Some(&kept), &other, at(60));
    let start = LogStart { since: at(5) - OVERLAP, filter: other.filter.clone(), limit: other.limit };
    assert_eq!(reader.ask(&other, at(60)), Ask::First(start));
    let note = reader.place().notes().shown().pop().unwrap();
    assert!(note.text.starts_with(words), "{note:?}");
    let back = reader.under(&other, at(61));
    assert_eq!(back.place().notes().count(), 2, "once is enough");
}

#[test]
fn a_cursor_that_cannot_be_read_is_a_possible_gap() {
    let reader = Reader::resumed(Some("{\"from\":\"the future\"}"), &terms(), at(0));
    assert_eq!(asks(&reader, 0), first(-3600, LIMIT));
    assert!(reader.place().notes().shown().pop().unwrap().text.starts_with("possible gap before "));
}

#[test]
fn what_is_kept_is_what_the_contract_names() {
    let kept: serde_json::Value = serde_json::from_str(&following().place().kept()).unwrap();
    assert_eq!((&kept["next_url"], &kept["high_water"]), (&"n1".into(), &"2023-11-14T22:13:25.000Z".into()));
    assert_eq!((&kept["org"], &kept["filter"]), (&ORG.into(), &"".into()));
}

const DAY: i64 = 24 * 3600;

#[rstest]
#[case::within_what_is_kept(89 * DAY, 0)]
#[case::beyond(100 * DAY, 1)]
fn an_outage_longer_than_okta_keeps_its_log_is_a_stated_loss(#[case] outage: i64, #[case] losses: usize) {
    let mut reader = following();
    let stated = |reader: &Reader| {
        reader
            .place()
            .notes()
            .shown()
            .into_iter()
            .filter(|note| note.text.contains("are lost"))
            .collect::<Vec<_>>()
    };
    hear(
        &mut reader,
        Ok(&page(10 + outage, "n2", &[outage - 10, outage - 9, outage - 8, outage - 7])),
        10 + outage,
    );
    let said = stated(&reader);
    assert_eq!(said.len(), losses, "{said:?}");
    if let [said] = said.as_slice() {
        assert!(
            said.text.starts_with("records from 2023-11-14T22:13:25Z to 2023-11-24T22:13:30Z are lost"),
            "{said:?}"
        );
    }
    hear(&mut reader, Ok(&page(20 + outage, "n3", &[outage])), 20 + outage);
    assert_eq!(stated(&reader).len(), losses, "once");
}

#[test]
fn silence_is_no_loss_while_pages_come() {
    let mut reader = following();
    for day in 1..200 {
        let page = page(day * DAY, "n1", &[]);
        hear(&mut reader, Ok(&page), day * DAY);
    }
    assert_eq!(reader.place().notes().count(), 1);
    hear(&mut reader, Err(&LogTrouble::BadCursor(problem())), 200 * DAY);
    assert_eq!(asks(&reader, 200 * DAY), first(110 * DAY, LIMIT), "since is within what Okta keeps");
}

#[test]
fn a_first_reading_that_is_to_go_further_back_does_until_something_is_read() {
    let longer = Terms { first_fetch: SignedDuration::from_hours(24 * 7), ..terms() };
    let kept = began().place().kept();
    let resumed = |kept: &str, terms: &Terms| Reader::resumed(Some(kept), terms, at(60));
    assert_eq!(asks(&resumed(&kept, &terms()), 60), asks(&began(), 0), "later is not further back");
    let further = resumed(&kept, &longer);
    assert_eq!(asks(&further, 60), first(60 - 7 * DAY, LIMIT));
    assert!(further.place().notes().shown().last().unwrap().text.contains("`first_fetch` changed"));
    let read = following().place().kept();
    assert_eq!(asks(&resumed(&read, &longer), 60), follow("n1"), "what is read is read");
}

#[test]
fn a_record_from_the_future_moves_no_place_there() {
    let mut reader = began();
    hear(&mut reader, Ok(&page(10, "n1", &[2, 900_000])), 10);
    hear(&mut reader, Err(&LogTrouble::BadCursor(problem())), 20);
    assert_eq!(asks(&reader, 20), first(10 - OVERLAP.as_secs(), LIMIT));
}

#[test]
fn nothing_moves_without_its_commit() {
    let mut reader = following();
    let before = reader.clone();
    let step = reader.hear(Ok(&page(20, "n2", &[6, 7, 8, 9])), moment(20), &pace());
    assert_eq!(step.keep, Keep::Page);
    let until = reader.not_committed(moment(20), &pace());
    assert_eq!((until, asks(&reader, 20), reader.place()), (at(21), follow("n1"), before.place()));
}

/// A log that is persisted in another order than it is published in, and its reader.
struct Model {
    log: Vec<i64>,
    now: i64,
    reader: Reader,
    terms: Terms,
    cursor: Option<String>,
    /// How often each was committed.
    committed: BTreeMap<usize, usize>,
    notes: u64,
}

/// What happens.
#[derive(Debug, Clone)]
enum Event {
    Persisted { count: usize, late: i64 },
    Passed(i64),
    Polled(Fault),
    Crashed,
    Refiltered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Throttled,
    Crowded,
    NoAnswer,
    Refused,
    Expired,
    TooLarge,
    ForeignNext,
    NoNext,
    Empty,
    Repeats,
    NotCommitted,
}

const FAULTS: [Fault; 12] = [
    Fault::None,
    Fault::Throttled,
    Fault::Crowded,
    Fault::NoAnswer,
    Fault::Refused,
    Fault::Expired,
    Fault::TooLarge,
    Fault::ForeignNext,
    Fault::NoNext,
    Fault::Empty,
    Fault::Repeats,
    Fault::NotCommitted,
];

impl Model {
    fn new() -> Model {
        // The first place is committed before anything is asked.
        let cursor = began().place().kept();
        Model {
            log: Vec::new(),
            now: 0,
            reader: Reader::resumed(Some(&cursor), &terms(), at(0)),
            terms: terms(),
            cursor: Some(cursor),
            committed: BTreeMap::new(),
            notes: 1,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Persisted { count, late } => {
                // Every other one is late.
                (0..*count).for_each(|n| self.log.push(self.now - if n % 2 == 0 { *late } else { 0 }));
            }
            Event::Passed(seconds) => self.now += seconds,
            Event::Polled(fault) => self.poll(*fault),
            Event::Crashed => {
                self.reader = Reader::resumed(self.cursor.as_deref(), &self.terms, at(self.now));
                // What was noted and not committed is found out again.
                self.notes = self.notes.min(self.reader.place().notes().count());
            }
            Event::Refiltered => {
                self.terms.filter = self.terms.filter.is_none().then(|| "another that takes all".to_owned());
            }
        }
    }

    fn poll(&mut self, fault: Fault) {
        self.reader = self.reader.clone().under(&self.terms, at(self.now));
        let asked = self.reader.ask(&self.terms, at(self.now));
        let heard = self.answer(&asked, fault);
        let step = self.reader.hear(heard.as_ref(), moment(self.now), &pace());
        assert!(step.until.is_none_or(|until| until > at(self.now)), "a rest ends later");
        if step.keep == Keep::Page && fault == Fault::NotCommitted {
            self.reader.not_committed(moment(self.now), &pace());
            return;
        }
        if step.keep == Keep::Page {
            self.cursor = Some(step.place.kept());
            for record in heard.iter().flat_map(|page| &page.records) {
                let value: serde_json::Value = serde_json::from_str(record).unwrap();
                *self.committed.entry(value["uuid"].as_str().unwrap().parse().unwrap()).or_default() += 1;
            }
        } else {
            assert!(heard.is_err() || heard.is_ok_and(|page| page.records.is_empty()), "none is dropped");
        }
        self.reader.take(step);
        let notes = self.reader.place().notes().count();
        assert!(notes >= self.notes, "no note goes");
        self.notes = notes;
    }

    fn answer(&self, asked: &Ask, fault: Fault) -> Result<LogPage, LogTrouble> {
        match (fault, asked) {
            (Fault::Throttled, _) => return Err(LogTrouble::Throttled(Some(Duration::from_secs(3)))),
            (Fault::Crowded, _) => return Err(LogTrouble::Crowded),
            (Fault::NoAnswer, _) => return Err(LogTrouble::NoAnswer(problem())),
            (Fault::Refused, _) => return Err(LogTrouble::Refused(problem())),
            (Fault::TooLarge, _) => return Err(LogTrouble::TooLarge(9)),
            (Fault::Expired, Ask::Follow(_)) => return Err(LogTrouble::BadCursor(problem())),
            _ => {}
        }
        let (from, since, limit) = match asked {
            Ask::First(start) => (0, start.since, start.limit),
            Ask::Follow(url) => {
                let (place, limit) = url.split_once('/').unwrap();
                (place.parse().unwrap(), at(-DAY * 9_000), limit.parse().unwrap())
            }
        };
        let from = if fault == Fault::Repeats { usize::saturating_sub(from, 2) } else { from };
        let is_there = |place: &usize| at(self.log[*place]) >= since;
        let found: Vec<usize> = (from..self.log.len()).filter(is_there).take(limit).collect();
        let behind = found.last().map_or(from, |last| last + 1);
        let (found, behind) = if fault == Fault::Empty { (Vec::new(), from) } else { (found, behind) };
        let next = match fault {
            Fault::ForeignNext => NextPage::Foreign("https://evil.example".to_owned()),
            Fault::NoNext => NextPage::Unnamed,
            _ => NextPage::At(format!("{behind}/{limit}")),
        };
        let records = found.into_iter().map(|place| record(&place.to_string(), self.log[place])).collect();
        Ok(LogPage { records, next, at: at(self.now), clock_ahead: None })
    }

    /// Reads to the end without a fault.
    fn catch_up(&mut self) {
        for _ in 0..2 * self.log.len() + 4 {
            self.now += 1;
            self.poll(Fault::None);
        }
    }

    fn lost(&self) -> BTreeSet<usize> {
        let all = 0..self.log.len();
        all.filter(|place| self.log[*place] >= -3600 && !self.committed.contains_key(place)).collect()
    }

    fn says(&self, words: &str) -> bool {
        self.reader.place().notes().shown().iter().any(|note| note.text.contains(words))
    }
}

fn events(latest: i64) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0usize..12, 0..=latest).prop_map(|(count, late)| Event::Persisted { count, late }),
        2 => (1i64..2_000).prop_map(Event::Passed),
        6 => (0usize..FAULTS.len()).prop_map(|n| Event::Polled(FAULTS[n])),
        4 => Just(Event::Polled(Fault::None)),
        1 => Just(Event::Crashed),
        1 => Just(Event::Refiltered),
    ];
    proptest::collection::vec(event, 0..60)
}

proptest! {
    /// Records that are late by less than the overlap are never lost, whatever goes wrong.
    #[test]
    fn nothing_is_lost(events in events(OVERLAP.as_secs())) {
        let mut model = Model::new();
        events.iter().for_each(|event| model.happen(event));
        model.catch_up();
        prop_assert!(model.lost().is_empty(), "{:?}", model.lost());
    }

    /// Records that are later than that may be, and then it is said.
    #[test]
    fn no_gap_is_silent(events in events(4 * OVERLAP.as_secs())) {
        let mut model = Model::new();
        events.iter().for_each(|event| model.happen(event));
        model.catch_up();
        prop_assert!(model.lost().is_empty() || model.says("possible gap") || model.says("changed"));
    }
}
