//! `okta logs`: a look into the System Log.

use super::super::args::Logs;
use super::super::failure::{DONE, Failure};
use super::super::output::Output;
use super::super::table::{Table, column};
use crate::domain::counted::numbered;
use crate::domain::dossier::Problem;
use crate::domain::log::{LogAsk, LogPreset, LogRecord, MAY_MISS, Moment, RETENTION_DAYS, both, csv};
use crate::domain::untrusted::one_line;
use crate::domain::{NOTHING, Untrusted, time};
use crate::tenant::{LogCut, LogSearch, SearchEnd, search_all};
use jiff::{SignedDuration, Timestamp};

/// The records of a page, the most that Okta gives.
const PAGE: usize = 1_000;
/// As many days as Okta looks back where nothing is said.
const DEFAULT_HOURS: i64 = 7 * 24;
/// A difference of clocks that may leave records of the last moments out.
const NOTABLE: SignedDuration = SignedDuration::from_secs(5);

/// Reads page by page and prints: JSON Lines as the records came, CSV, or a table.
///
/// # Errors
/// What cannot be asked, what Okta refuses, and what broke off on the way.
pub(in crate::cli) async fn run(
    what: &Logs,
    log: &dyn LogSearch,
    now: Timestamp,
    out: &mut Output<'_>,
) -> Result<u8, Failure> {
    let ask = asked(what)?;
    let query = ask.at(now, PAGE).map_err(Failure::usage)?;
    let mut printer = Printer { csv: what.csv, out, printed: 0, rows: Vec::new(), clock_ahead: None };
    printer.begin()?;
    let ended = search_all(log, &query, what.limit, |cut| printer.take(cut)).await;
    // What came before something went wrong is worth its row.
    printer.end()?;
    let (printed, clock_ahead) = (printer.printed, printer.clock_ahead);
    let end = ended.map_err(|stop| stop.told(printed))?;
    remarks(&ask, now, clock_ahead, out)?;
    match (end, printed) {
        (SearchEnd::Enough, _) => {
            out.note(&format!(
                "{}, as many as `--limit` allows: there may be more",
                numbered(printed, "record")
            ))?;
        }
        (SearchEnd::All, 0) => out.note("no record fits")?,
        (SearchEnd::All, _) => {}
    }
    Ok(DONE)
}

/// What has to be known to read the answer right.
fn remarks(
    ask: &LogAsk,
    now: Timestamp,
    clock_ahead: Option<SignedDuration>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    out.note(MAY_MISS)?;
    if ask.is_beyond_retention(now) {
        out.note(&format!("Okta keeps its log for {RETENTION_DAYS} days: what is older is not there"))?;
    }
    if let Some(ahead) = clock_ahead.filter(|ahead| ahead.abs() >= NOTABLE) {
        let way = if ahead.is_positive() { "ahead of" } else { "behind" };
        let seconds = ahead.abs().as_secs();
        out.note(&format!("Okta's clock is {seconds} s {way} ours: `now` is another time there"))?;
    }
    Ok(())
}

fn asked(what: &Logs) -> Result<LogAsk, Failure> {
    let preset = what.preset.as_deref().map(LogPreset::ask).transpose().map_err(Failure::usage)?;
    let base = preset.unwrap_or(LogAsk { since: Moment::hours_ago(DEFAULT_HOURS), ..LogAsk::default() });
    Ok(LogAsk {
        filter: both(&base.filter, what.filter.as_deref().unwrap_or_default()),
        words: what.q.clone(),
        since: what.since.unwrap_or(base.since),
        until: what.until,
        order: what.sort_order,
    })
}

/// Why a search stopped.
enum Stop {
    Problem(Problem),
    Output(Failure),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

impl Stop {
    fn told(self, printed: usize) -> Failure {
        match self {
            Stop::Output(failure) => failure,
            Stop::Problem(problem) if printed == 0 => {
                Failure::failed(format!("the System Log was not read: {}", problem.words()))
            }
            Stop::Problem(problem) => Failure::failed(format!(
                "the System Log broke off after {}: {}",
                numbered(printed, "record"),
                problem.words()
            )),
        }
    }
}

/// Prints what comes. A table is as wide as its widest cells, so it waits for the last page.
struct Printer<'o, 'a> {
    csv: bool,
    out: &'o mut Output<'a>,
    printed: usize,
    rows: Vec<LogRecord>,
    clock_ahead: Option<SignedDuration>,
}

impl Printer<'_, '_> {
    fn begin(&mut self) -> Result<(), Failure> {
        if self.csv {
            self.out.lines(&csv::heading())?;
        }
        Ok(())
    }

    fn take(&mut self, cut: LogCut) -> Result<(), Stop> {
        self.clock_ahead = cut.clock_ahead.or(self.clock_ahead);
        for raw in cut.records {
            self.printed += 1;
            let printed = match (self.csv, self.out.is_json()) {
                (true, _) => self.out.lines(&csv::row(&LogRecord::of(raw))),
                (false, true) => self.out.json_text(&one_line(&raw)),
                (false, false) => {
                    self.rows.push(LogRecord::of(raw));
                    Ok(())
                }
            };
            printed.map_err(|error| Stop::Output(error.into()))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        Ok(self.out.table(&table(&self.rows))?)
    }
}

fn table(records: &[LogRecord]) -> Table {
    let mut table = Table::of(&[
        column("TIME", 24),
        column("EVENT", 44),
        column("RESULT", 10),
        column("ACTOR", 40),
        column("USER", 40),
        column("IP", 39),
        column("PLACE", 40),
    ]);
    for record in records {
        let target = record.target.as_ref().map(|target| target.shown().to_owned());
        let place = Some(record.place_text()).filter(|place| !place.is_empty());
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
        table.row([
            or_nothing(record.published.map(time::rfc3339)),
            record.event_type.raw().to_owned(),
            record.result.raw().to_owned(),
            or_nothing(Some(record.actor.shown().to_owned()).filter(|actor| !actor.is_empty())),
            or_nothing(target),
            or_nothing(record.address.as_ref().map(Untrusted::raw).map(str::to_owned)),
            or_nothing(place),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::super::failure::{FAILED, USAGE};
    use super::super::super::output::{Form, tests::printed};
    use super::*;
    use crate::domain::log::{LogOrder, LogQuery};
    use async_trait::async_trait;
    use std::sync::Mutex;

    /// Pages by number; the last one names the one after it too, as some orgs do.
    #[derive(Debug, Default)]
    struct Pages {
        pages: Vec<Result<Vec<&'static str>, &'static str>>,
        asked: Mutex<Vec<String>>,
    }

    impl Pages {
        fn page(&self, at: usize) -> Result<LogCut, Problem> {
            let records = self.pages.get(at).cloned().unwrap_or(Ok(Vec::new())).map_err(Problem::whole)?;
            let records: Vec<_> = records.into_iter().map(Into::into).collect();
            let next = (!records.is_empty()).then(|| (at + 1).to_string());
            Ok(LogCut { records, next, problem: None, clock_ahead: Some(SignedDuration::from_secs(90)) })
        }
    }

    #[async_trait]
    impl LogSearch for Pages {
        async fn search(&self, query: &LogQuery) -> Result<LogCut, Problem> {
            let filter = query.filter.clone().unwrap_or_default();
            self.asked.lock().unwrap().push(format!("{} {} {filter}", query.page, query.order.word()));
            self.page(0)
        }

        async fn search_on(&self, next: &str) -> Result<LogCut, Problem> {
            self.asked.lock().unwrap().push(next.to_owned());
            self.page(next.parse().unwrap())
        }
    }

    const ONE: &str = "{\n \"uuid\": \"1\", \"eventType\": \"user.session.start\", \"n\": 1.0000000000000000001,\n \
        \"actor\": {\"alternateId\": \"=ann\u{202e}\"}, \"outcome\": {\"result\": \"DENY\"}}";
    const TWO: &str = r#"{"uuid":"2","published":"2026-05-01T12:00:00Z","eventType":"user.session.end"}"#;

    fn logs() -> Logs {
        Logs {
            filter: None,
            q: String::new(),
            preset: None,
            since: None,
            until: Moment::Now,
            sort_order: LogOrder::Ascending,
            limit: 100,
            csv: false,
        }
    }

    fn now() -> Timestamp {
        "2026-05-01T12:00:00Z".parse().unwrap()
    }

    fn pages(pages: impl IntoIterator<Item = Result<Vec<&'static str>, &'static str>>) -> Pages {
        Pages { pages: pages.into_iter().collect(), ..Pages::default() }
    }

    #[test]
    fn json_has_the_records_as_they_came_and_the_remarks_stand_beside_it() {
        let log = pages([Ok(vec![ONE]), Ok(vec![TWO])]);
        let (ended, text) = printed(Form::Json, async |out| run(&logs(), &log, now(), out).await);
        assert_eq!(ended.unwrap(), DONE);
        let lines: Vec<&str> = text.out.lines().collect();
        assert!(
            lines[0].contains("\"n\":1.0000000000000000001") && lines[0].contains("=ann\\u202e"),
            "{}",
            lines[0]
        );
        assert_eq!((lines.len(), lines[1]), (2, TWO));
        assert!(
            text.errors.contains(MAY_MISS) && text.errors.contains("90 s ahead of ours"),
            "{}",
            text.errors
        );
        assert_eq!(*log.asked.lock().unwrap(), ["100 ascending ", "1", "2"], "until a page is empty");
    }

    #[test]
    fn a_table_says_when_what_and_who() {
        let log = pages([Ok(vec![ONE, TWO])]);
        let (_, text) = printed(Form::Text, async |out| run(&logs(), &log, now(), out).await.unwrap());
        let lines: Vec<&str> = text.out.lines().collect();
        assert!(lines[0].starts_with("TIME") && lines[0].ends_with("PLACE"), "{}", lines[0]);
        assert!(lines[1].contains("user.session.start  DENY    =ann<U+202E>"), "{}", lines[1]);
        assert!(lines[2].starts_with("2026-05-01T12:00:00.000Z  user.session.end"), "{}", lines[2]);
    }

    #[test]
    fn csv_runs_nothing_in_a_spreadsheet() {
        let log = pages([Ok(vec![ONE])]);
        let what = Logs { csv: true, ..logs() };
        let (_, text) = printed(Form::Text, async |out| run(&what, &log, now(), out).await.unwrap());
        let lines: Vec<&str> = text.out.split("\r\n").collect();
        assert!(lines[0].starts_with("published,eventType,"), "{}", lines[0]);
        assert!(lines[1].starts_with(",user.session.start,,DENY,,\"'=ann<U+202E>\","), "{}", lines[1]);
    }

    #[test]
    fn a_limit_holds_over_pages() {
        let log = pages([Ok(vec![ONE, TWO]), Ok(vec![ONE, TWO])]);
        let what = Logs { limit: 3, sort_order: LogOrder::Descending, ..logs() };
        let (_, text) = printed(Form::Json, async |out| run(&what, &log, now(), out).await.unwrap());
        assert_eq!(text.out.lines().count(), 3);
        assert!(text.errors.contains("3 records, as many as `--limit` allows"), "{}", text.errors);
        assert_eq!(*log.asked.lock().unwrap(), ["3 descending ", "1"]);
    }

    /// Names the same next page for ever.
    #[derive(Debug)]
    struct Circle;

    #[async_trait]
    impl LogSearch for Circle {
        async fn search(&self, _: &LogQuery) -> Result<LogCut, Problem> {
            self.search_on("round").await
        }

        async fn search_on(&self, _: &str) -> Result<LogCut, Problem> {
            let (records, next) = (vec![TWO.into()], Some("round".to_owned()));
            Ok(LogCut { records, next, problem: None, clock_ahead: None })
        }
    }

    #[test]
    fn a_page_that_names_itself_is_the_last() {
        let (_, text) = printed(Form::Json, async |out| run(&logs(), &Circle, now(), out).await.unwrap());
        assert_eq!(text.out.lines().count(), 2);
    }

    #[test]
    fn a_preset_and_a_filter_both_hold() {
        let log = pages([]);
        let what = Logs { preset: Some("delegated-flows".into()), filter: Some("uuid pr".into()), ..logs() };
        let (_, text) = printed(Form::Json, async |out| run(&what, &log, now(), out).await.unwrap());
        assert!(text.out.is_empty() && text.errors.contains("no record fits"), "{}", text.errors);
        let asked = log.asked.lock().unwrap()[0].clone();
        assert!(
            asked.ends_with("(eventType eq \"workflows.user.delegatedflow.run\") and (uuid pr)"),
            "{asked}"
        );
    }

    #[test]
    fn what_came_before_an_error_is_printed() {
        let log = pages([Ok(vec![TWO]), Err("Okta answered 500")]);
        let (ended, text) = printed(Form::Text, async |out| run(&logs(), &log, now(), out).await);
        let failure = ended.unwrap_err();
        assert_eq!((failure.status(), text.out.lines().count()), (FAILED, 2));
        assert_eq!(failure.to_string(), "error: the System Log broke off after 1 record: Okta answered 500");
    }

    #[test]
    fn a_span_that_ends_first_is_wrong_usage() {
        let what = Logs { since: Some(Moment::Now), until: Moment::hours_ago(1), ..logs() };
        let (ended, _) = printed(Form::Text, async |out| run(&what, &pages([]), now(), out).await);
        assert_eq!(ended.unwrap_err().status(), USAGE);
    }
}
