//! What `doctor` tries of a source: that the log may be read, what is asked for, and how much that is.

use super::filter;
use crate::config::meant::{LogFilter, SystemLog as Settings};
use crate::domain::counted::numbered;
use crate::domain::event::SourceName;
use crate::domain::time;
use crate::source::loose::Object;
use crate::tenant::{LogPage, LogSpan, LogStart, LogTrouble, Probe, SystemLog};
use jiff::{SignedDuration, Timestamp};

/// What is looked at for an estimate.
const LOOK: SignedDuration = SignedDuration::from_hours(1);
const PAGE: usize = 1_000;
const DAY_SECONDS: f64 = 86_400.0;

/// Tries a source: one request for a record, and one more for an estimate where everything is asked for.
pub async fn probe(
    source: &SourceName,
    settings: &Settings,
    log: &dyn SystemLog,
    iam_configuration: Option<&str>,
    now: Timestamp,
) -> Probe {
    let (result, hint) = match tried(settings, log, iam_configuration, now).await {
        Ok((told, hint)) => (Ok(told), hint),
        Err((told, hint)) => (Err(told), hint),
    };
    Probe { name: format!("trial of {source}"), result, hint }
}

/// In words, and what mends or betters it.
type Told = (String, Option<String>);

async fn tried(
    settings: &Settings,
    log: &dyn SystemLog,
    iam_configuration: Option<&str>,
    now: Timestamp,
) -> Result<Told, Told> {
    let filter =
        filter::of(&settings.filter, iam_configuration).map_err(|error| apart(&error.to_string()))?;
    let since = now.saturating_sub(LOOK).unwrap_or(now);
    let start = LogStart { since, filter: filter.clone(), limit: 1 };
    log.first(&start).await.map_err(|trouble| in_words(&trouble))?;
    match (&settings.filter, filter) {
        (LogFilter::OfApplications(_), Some(filter)) => Ok((format!("answered; asks for {filter}"), None)),
        (_, Some(_)) => Ok(("answered, and takes the filter".to_owned(), None)),
        (_, None) => estimated(log, iam_configuration, LogSpan { since, until: now, limit: PAGE }).await,
    }
}

async fn estimated(
    log: &dyn SystemLog,
    iam_configuration: Option<&str>,
    span: LogSpan,
) -> Result<Told, Told> {
    let page = log.within(&span).await.map_err(|trouble| in_words(&trouble))?;
    let told = format!("answered; {}; without a filter all are stored", estimate(&page));
    let known = iam_configuration.map(filter::applications).unwrap_or_default();
    let ids = if known.is_empty() { vec!["0oa…".to_owned()] } else { known };
    let offered = filter::of_applications(ids.iter().cloned()).unwrap_or_default();
    let ids = serde_json::Value::from(ids);
    Ok((told, Some(format!("`applications = {ids}` asks for less: {offered}"))))
}

/// How many records a day the last hour stands for. A full page ends before the hour does, so that only
/// the span that it covers counts.
fn estimate(page: &LogPage) -> String {
    let count = page.records.len();
    if count < PAGE {
        return format!(
            "{} in the last hour, about {} a day at that rate",
            numbered(count, "record"),
            count * 24
        );
    }
    let published = |record: &str| time::parse(&Object::parse(record).ok()?.text("published")?);
    let ends = || page.records.iter().filter_map(|record| published(record));
    let span = ends().max().zip(ends().min()).map(|(last, first)| last.duration_since(first).as_secs_f64());
    match span.filter(|seconds| *seconds >= 1.0) {
        Some(seconds) => {
            let a_day = count as f64 * DAY_SECONDS / seconds;
            format!("{count} records within {seconds:.0} s, about {a_day:.0} a day at that rate")
        }
        None => format!("more than {count} records within a second"),
    }
}

/// A text with its hint behind it.
fn apart(text: &str) -> Told {
    match text.split_once("\nhint: ") {
        Some((told, hint)) => (told.to_owned(), Some(hint.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn in_words(trouble: &LogTrouble) -> Told {
    let told = match trouble {
        LogTrouble::Refused(problem)
        | LogTrouble::BadCursor(problem)
        | LogTrouble::BadRequest(problem)
        | LogTrouble::NoAnswer(problem) => return (problem.line(), problem.hint.clone()),
        LogTrouble::Throttled(_) => {
            "Okta answered 429: the rate limit of its System Log is used up".to_owned()
        }
        LogTrouble::Crowded => "Okta answered 429: the org has too many requests at once".to_owned(),
        LogTrouble::Foreign(elsewhere) => format!("the next page's address leads to `{elsewhere}`"),
        LogTrouble::TooLarge(bytes) => {
            format!("a page is larger than {bytes} bytes; the source asks for smaller ones then")
        }
    };
    (
        told,
        Some("ask again in a minute".to_owned())
            .filter(|_| matches!(trouble, LogTrouble::Throttled(_) | LogTrouble::Crowded)),
    )
}
