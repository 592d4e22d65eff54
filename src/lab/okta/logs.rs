//! `GET /api/v1/logs`: polling, which is complete and endless, and bounded queries, which are ordered and end
//! (contracts/okta.md, section 6).
use super::error::OktaError;
use super::filter::{Case, Filter};
use super::paging::{self, Query};
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::World;
use axum::extract::{OriginalUri, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

const LARGEST: usize = 1000;
const OLDEST: SignedDuration = SignedDuration::from_hours(180 * 24);
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

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
    let wanted = Wanted::parse(&query, world.clock.now())?;
    let limit = paging::limit(&query, 100, LARGEST);
    let place = place(&world, &query)?;
    let descending = query.get("sortOrder").is_some_and(|order| order.eq_ignore_ascii_case("DESCENDING"));
    if wanted.until.is_none() && !descending {
        let (events, next) = world.log.from(place, limit, |event| wanted.takes(event));
        return Ok(paging::linked(&world, &uri, events, Some(next)));
    }
    let mut events = world.log.by_time(|event| wanted.takes(event));
    if descending {
        events.reverse();
    }
    Ok(paging::page(&world, &uri, &query, events, limit))
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
        let moment = |name: &str| {
            let text = query.get(name);
            text.map(|text| {
                text.parse::<Timestamp>().map_err(|_| bad(&format!("{name} is not a timestamp.")))
            })
            .transpose()
        };
        let until = moment("until")?;
        // A cursor already says where to begin.
        let default = (!query.contains_key("after")).then(|| until.unwrap_or(now) - WINDOW);
        let since = moment("since")?.or(default);
        if since.is_some_and(|since| since < now - OLDEST) {
            return Err(bad("since is more than 180 days in the past."));
        }
        let parse =
            |text: &String| Filter::parse(text).map_err(|at| bad(&format!("Invalid filter at {}.", at.0)));
        let filter = query.get("filter").map(parse).transpose()?;
        if query.get("filter").is_some_and(|text| text.contains("published")) {
            return Err(bad("published is not allowed in a filter."));
        }
        let words =
            query.get("q").map(|q| q.split_whitespace().map(str::to_lowercase).collect()).unwrap_or_default();
        Ok(Self { filter, words, since, until })
    }

    fn takes(&self, event: &Value) -> bool {
        let published = event["published"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let after = self.since.is_none_or(|since| published.is_some_and(|at| at >= since));
        let before = self.until.is_none_or(|until| published.is_some_and(|at| at < until));
        after
            && before
            && self.filter.as_ref().is_none_or(|f| f.matches(event, Case::Ignored))
            && self.says(event)
    }

    fn says(&self, event: &Value) -> bool {
        self.words.is_empty() || {
            let text = event.to_string().to_lowercase();
            self.words.iter().all(|word| text.contains(word))
        }
    }
}

fn bad(summary: &str) -> OktaError {
    OktaError::new(StatusCode::BAD_REQUEST, "E0000053", summary)
}
