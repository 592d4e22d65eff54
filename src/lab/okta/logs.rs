//! `GET /api/v1/logs`: polling, which is complete and endless, and bounded queries, which are ordered and end
//! (contracts/okta.md, section 6).
use super::error::OktaError;
use super::filter::{Case, Filter};
use super::log::Record;
use super::paging::{self, Query};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::extract::{OriginalUri, Query as Asked, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

const LARGEST: usize = 1000;
const OLDEST: SignedDuration = SignedDuration::from_hours(180 * 24);
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Words of `q`, and how long each may be.
const WORDS: usize = 10;
const LETTERS: usize = 40;

/// How many records a page repeats of the one before it, when pages overlap.
const REPEATED: usize = 7;

struct Wanted {
    filter: Option<Filter>,
    words: Vec<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

pub(super) async fn list(
    State(world): State<Arc<World>>,
    OriginalUri(uri): OriginalUri,
    Asked(query): Asked<Query>,
) -> Result<Response, OktaError> {
    let now = world.clock.now();
    if !paging::is_verbatim(&uri, &query) {
        return Err(bad("The address of a page was changed."));
    }
    let wanted = Wanted::parse(&query, now)?;
    let is_limit = |text: &String| text.parse::<usize>().is_ok_and(|limit| limit <= LARGEST);
    if query.get("limit").is_some_and(|text| !is_limit(text)) {
        return Err(bad("limit is not a number up to 1000."));
    }
    let limit = paging::limit(&query, 100, LARGEST);
    let place = place(&world, &query)?;
    let descending = match query.get("sortOrder").map(|order| order.to_ascii_uppercase()).as_deref() {
        None | Some("ASCENDING") => false,
        Some("DESCENDING") => true,
        Some(_) => return Err(bad("sortOrder is neither ASCENDING nor DESCENDING.")),
    };
    if wanted.until.is_none() && !descending {
        return Ok(polled(&world, &uri, &query, &wanted, (place, limit)));
    }
    let mut events = world.log.by_time(now, |record| wanted.takes(record) && wanted.is_in_time(record));
    if descending {
        events.reverse();
    }
    Ok(bounded(&world, &uri, &query, events, limit))
}

/// A page of a polling: what was persisted from a place on, and always a next one.
fn polled(
    world: &World,
    uri: &Uri,
    query: &Query,
    wanted: &Wanted,
    (place, limit): (usize, usize),
) -> Response {
    let strikes = |kind| world.faults.take(kind, Part::Okta);
    if strikes(FaultKind::EmptyPages) {
        return paging::linked::<Value>(world, uri, Vec::new(), Some(place));
    }
    let is_repeated = query.contains_key("after") && strikes(FaultKind::RepeatedRecords);
    let from = if is_repeated { place.saturating_sub(REPEATED.min(limit / 2)) } else { place };
    let (records, next) = world.log.from(from, limit, world.clock.now(), |record| wanted.takes(record));
    let next = (!strikes(FaultKind::MissingNext)).then_some(next.max(place));
    paging::linked(world, uri, raw(&records), next)
}

/// A page of a query with an end. Some have been seen to name a next page behind the last one.
fn bounded(world: &World, uri: &Uri, query: &Query, events: Vec<Record>, limit: usize) -> Response {
    let from = paging::start(query).unwrap_or(0);
    if from + limit >= events.len() && world.faults.active(FaultKind::BoundedNext, Part::Okta) {
        let rest = events.get(from..).unwrap_or_default();
        return paging::linked(world, uri, raw(rest), Some(from + rest.len()));
    }
    paging::page(world, uri, query, raw(&events), limit)
}

fn raw(records: &[Record]) -> Vec<Arc<RawValue>> {
    records.iter().map(|record| Arc::clone(&record.raw)).collect()
}

/// Where the page begins. How long a cursor is good for is undocumented, so any may be refused.
fn place(world: &World, query: &Query) -> Result<usize, OktaError> {
    if query.contains_key("after") && world.faults.take(FaultKind::ExpiredCursor, Part::Okta) {
        return Err(bad("The cursor has expired."));
    }
    paging::start(query).ok_or_else(|| bad("The cursor is not valid."))
}

impl Wanted {
    fn parse(query: &Query, now: Timestamp) -> Result<Self, OktaError> {
        let moment = |name: &str, text: Option<String>| {
            let parsed = text.map(|text| text.parse::<Timestamp>()).transpose();
            parsed.map_err(|_| bad(&format!("{name} is not a timestamp.")))
        };
        let until = moment("until", query.get("until").cloned())?;
        // The cursor of a polling is a place in the log: nothing behind it is too old.
        let is_placed = until.is_none() && query.contains_key("after");
        let since = match is_placed {
            true => None,
            false => moment("since", paging::since(query))?.or(Some(until.unwrap_or(now) - WINDOW)),
        };
        if since.is_some_and(|since| since < now - OLDEST) {
            return Err(bad("since is more than 180 days in the past."));
        }
        let filter = query.get("filter").map(|text| filter(text)).transpose()?;
        let words: Vec<String> =
            query.get("q").map(|q| q.split_whitespace().map(str::to_lowercase).collect()).unwrap_or_default();
        if words.len() > WORDS || words.iter().any(|word| word.chars().count() > LETTERS) {
            return Err(bad("q takes ten words of forty characters each."));
        }
        Ok(Self { filter, words, since, until })
    }

    fn takes(&self, record: &Record) -> bool {
        let after = self.since.is_none_or(|since| record.published >= since);
        let before = self.until.is_none_or(|until| record.published < until);
        // Most are asked for without either: those need not be read.
        let is_read = self.filter.is_some() || !self.words.is_empty();
        after && before && (!is_read || self.says(&record.value()))
    }

    /// A query with an end misses what came into the log after that.
    fn is_in_time(&self, record: &Record) -> bool {
        self.until.is_none_or(|until| record.persisted <= until)
    }

    fn says(&self, event: &Value) -> bool {
        let is_of = self.filter.as_ref().is_none_or(|filter| filter.matches(event, Case::Ignored));
        is_of
            && (self.words.is_empty() || {
                let text = event.to_string().to_lowercase();
                self.words.iter().all(|word| text.contains(word))
            })
    }
}

fn filter(text: &str) -> Result<Filter, OktaError> {
    if text.contains("published") {
        return Err(bad("published is not allowed in a filter."));
    }
    let parsed = Filter::parse(text).map_err(|at| bad(&format!("Invalid filter at {}.", at.0)))?;
    // The two attributes that are not searched for a part of them.
    let urls = ["debugContext.debugData.url", "debugContext.debugData.requestUri"];
    match urls.iter().any(|attribute| parsed.looks_into(attribute)) {
        true => {
            let summary = "Invalid search criteria: the attribute does not support the operator co.";
            Err(OktaError::new(StatusCode::BAD_REQUEST, "E0000031", summary))
        }
        false => Ok(parsed),
    }
}

fn bad(summary: &str) -> OktaError {
    OktaError::new(StatusCode::BAD_REQUEST, "E0000053", summary)
}
