//! An org's System Log, as whoever polls it sees it: pages and troubles.
//!
//! Polling is a request without an end, ascending, whose `next` is followed for ever: it brings every
//! record, in the order in which they were persisted. A bounded request is ordered by `published` and
//! may miss records that are persisted late, so it is good for looking and for nothing else.

use super::problem::with_hint;
use crate::domain::dossier::Problem;
use crate::domain::log::LogQuery;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Reads one org's System Log.
#[async_trait]
pub trait SystemLog: Send + Sync + fmt::Debug {
    /// The org that is asked: `https://example.okta.com`.
    fn org(&self) -> String;

    /// The first page of a polling.
    async fn first(&self, from: &LogStart) -> Result<LogPage, LogTrouble>;

    /// The page behind an address that a page named, which is used as it stands. One that leads out of
    /// the org is not asked.
    async fn follow(&self, next: &str) -> Result<LogPage, LogTrouble>;

    /// Records published within a span, oldest first, one page. Late ones may be missing.
    async fn within(&self, span: &LogSpan) -> Result<LogPage, LogTrouble>;
}

/// Looks into one org's System Log: bounded queries, page by page. A short wait for a used up rate limit is
/// waited out; nothing that was refused is asked again.
#[async_trait]
pub trait LogSearch: Send + Sync + fmt::Debug {
    /// The first page of a query.
    async fn search(&self, query: &LogQuery) -> Result<LogCut, Problem>;

    /// The page behind an address that a page named, which is used as it stands.
    async fn search_on(&self, next: &str) -> Result<LogCut, Problem>;
}

/// A page of a bounded query.
#[derive(Debug, Clone, PartialEq)]
pub struct LogCut {
    /// The records' raw JSON, each as it came.
    pub records: Vec<Arc<str>>,
    /// Where it goes on.
    pub next: Option<String>,
    /// Why it does not go on although there may be more.
    pub problem: Option<Problem>,
    /// By how much the org's clock is ahead of ours, where it says its time.
    pub clock_ahead: Option<SignedDuration>,
}

impl LogCut {
    /// A page with its end: some orgs name a next page for ever, so that an empty page ends it too. An
    /// address out of the org is never asked.
    pub fn of(page: LogPage) -> LogCut {
        let (next, problem) = match page.next {
            _ if page.records.is_empty() => (None, None),
            NextPage::At(next) => (Some(next), None),
            NextPage::Foreign(elsewhere) => (None, Some(foreign(&elsewhere))),
            NextPage::Unnamed => (None, None),
        };
        LogCut { records: page.records, next, problem, clock_ahead: page.clock_ahead }
    }
}

fn foreign(elsewhere: &str) -> Problem {
    let message = format!("the next page's address leads to `{elsewhere}`, out of the org: it is not asked");
    with_hint(message, "a proxy may have written the page; what came before it is shown")
}

/// How a search ended that was not stopped by an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchEnd {
    /// There is no more.
    All,
    /// As many as were wanted have come; there may be more.
    Enough,
}

/// Follows a query page by page until there is no more, or as many records as are wanted have come.
/// Each page is handed on as it comes; `take` may stop the search. A page that leads back to one
/// that was read is the last.
///
/// # Errors
/// What went wrong on the way, beside whatever was handed on already, and what `take` says.
pub async fn search_all<E: From<Problem>>(
    log: &dyn LogSearch,
    query: &LogQuery,
    most: usize,
    mut take: impl FnMut(LogCut) -> Result<(), E>,
) -> Result<SearchEnd, E> {
    let first = LogQuery { page: query.page.min(most.max(1)), ..query.clone() };
    let mut cut = log.search(&first).await?;
    let (mut left, mut followed) = (most, HashSet::new());
    loop {
        let is_cut = cut.records.len() > left;
        cut.records.truncate(left);
        left -= cut.records.len();
        let (next, problem) = (cut.next.take(), cut.problem.take());
        take(cut)?;
        match (next, problem) {
            (_, Some(problem)) => return Err(problem.into()),
            (None, None) => return Ok(if is_cut { SearchEnd::Enough } else { SearchEnd::All }),
            (Some(_), None) if left == 0 => return Ok(SearchEnd::Enough),
            (Some(next), None) if followed.contains(&next) => return Ok(SearchEnd::All),
            (Some(next), None) => {
                cut = log.search_on(&next).await?;
                followed.insert(next);
            }
        }
    }
}

/// Where a polling begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStart {
    /// Nothing older is asked for.
    pub since: Timestamp,
    /// Which records, in Okta's grammar; `None` asks for all.
    pub filter: Option<String>,
    /// Records a page, at most 1,000.
    pub limit: usize,
}

/// A span of time to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSpan {
    /// From when on.
    pub since: Timestamp,
    /// Before when.
    pub until: Timestamp,
    /// Records at most, up to 1,000.
    pub limit: usize,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The records' raw JSON, each as it came.
    pub records: Vec<Arc<str>>,
    /// Where it goes on.
    pub next: NextPage,
    /// When it came, by our clock.
    pub at: Timestamp,
    /// By how much the org's clock is ahead of ours, where it says its time.
    pub clock_ahead: Option<SignedDuration>,
}

impl LogPage {
    /// When it was sent, by the org's clock where that is known.
    pub fn sent(&self) -> Timestamp {
        self.at.saturating_add(self.clock_ahead.unwrap_or_default()).unwrap_or(self.at)
    }
}

/// Where a log goes on behind a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextPage {
    /// At this address of the org.
    At(String),
    /// At an address of this scheme, host and port, which are not the org's: never asked.
    Foreign(String),
    /// It is not said.
    Unnamed,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq)]
pub enum LogTrouble {
    /// 429: the bucket of these calls is empty. It is full again after this long, where that is said.
    Throttled(Option<Duration>),
    /// 429 of the other kind: the org has too many requests at once.
    Crowded,
    /// 401 or 403, or no token was issued.
    Refused(Problem),
    /// The address that was followed is not taken any more.
    BadCursor(Problem),
    /// The request itself is not taken, mostly for its filter.
    BadRequest(Problem),
    /// The address to be followed leads here, out of the org: it was not asked.
    Foreign(String),
    /// The page is larger than these bytes.
    TooLarge(usize),
    /// No answer, none that can be read, or the other side's own failure.
    NoAnswer(Problem),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::log::LogOrder;

    /// Three pages, of which the last leads back to the second.
    #[derive(Debug)]
    struct Circle;

    fn page(record: &str, next: &str) -> Result<LogCut, Problem> {
        let records = vec![Arc::from(record)];
        Ok(LogCut { records, next: Some(next.to_owned()), problem: None, clock_ahead: None })
    }

    #[async_trait]
    impl LogSearch for Circle {
        async fn search(&self, _: &LogQuery) -> Result<LogCut, Problem> {
            page("1", "b")
        }

        async fn search_on(&self, next: &str) -> Result<LogCut, Problem> {
            if next == "b" { page("2", "c") } else { page("3", "b") }
        }
    }

    #[tokio::test]
    async fn a_search_that_is_led_in_a_circle_ends() {
        let at = Timestamp::UNIX_EPOCH;
        let (order, filter, words) = (LogOrder::Ascending, None, None);
        let query = LogQuery { filter, words, since: at, until: at, order, page: 1 };
        let mut found = Vec::new();
        let end = search_all(&Circle, &query, 1_000, |cut| {
            found.extend(cut.records);
            Ok::<(), Problem>(())
        });
        assert_eq!(end.await, Ok(SearchEnd::All));
        assert_eq!(found.len(), 3);
    }
}
