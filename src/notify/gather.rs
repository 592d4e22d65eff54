//! What waits to be told, read from the feed.

use super::mark::Mark;
use super::message::{Sum, Whole};
use crate::domain::event::IMPORT;
use crate::domain::query::{Pattern, Term, Test};
use crate::domain::rule::NOTIFY;
use crate::domain::{Event, EventId, EventKind, Query, link};
use crate::store::{From, Store, StoreError, UserQuery};
use jiff::SignedDuration;

/// Events read at once.
const AT_ONCE: usize = 200;
/// The most users of an event that a message names.
const MOST_USERS: usize = 1_000;
/// What is older when it arrives is history.
const OLD: SignedDuration = SignedDuration::from_hours(1);

/// What lies above a mark.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waiting {
    /// The first few, oldest first: one more than were asked for if there are more.
    pub(super) few: Vec<Event>,
    /// All of them, summed up.
    pub(super) sum: Sum,
    /// Those that are not told, only counted.
    pub(super) late: u64,
    /// Everything up to this event was looked at.
    pub(super) up_to: EventId,
}

/// What waits for one or several notifiers, by name, and at most `few` of it one by one.
pub(super) async fn waiting(
    store: &dyn Store,
    names: &[String],
    mark: &Mark,
    few: usize,
) -> Result<Waiting, StoreError> {
    let tags: Vec<String> = names.iter().map(|name| format!("{NOTIFY}{name}")).collect();
    let query = tagged(&tags);
    // What arrives while this is read is read the next time: there is an end.
    let up_to = newest(store).await?;
    let mut waiting = Waiting { few: Vec::new(), sum: Sum::default(), late: 0, up_to };
    let mut from = EventId(mark.event);
    while from < up_to {
        let page = store.events(&query, From::After(from), AT_ONCE).await?;
        let is_meant = |event: &&Event| {
            event.id <= up_to
                && event.kind != EventKind::Test
                && tags.iter().any(|tag| event.tags.contains(tag))
        };
        page.rows.iter().rev().filter(is_meant).for_each(|event| waiting.add(event, mark, few));
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    Ok(waiting)
}

impl Waiting {
    fn add(&mut self, event: &Event, mark: &Mark, few: usize) {
        if is_history(event, mark) {
            self.late += 1;
            return;
        }
        self.sum.add(event);
        if self.few.len() <= few {
            self.few.push(event.clone());
        }
    }
}

/// Whether an event is none of today's: it was imported, or was put in with a time at which everything had
/// been told long since. What comes late is today's: nobody was told of it during the outage.
fn is_history(event: &Event, mark: &Mark) -> bool {
    event.source.0 == IMPORT || mark.caught_up.duration_since(event.received) > OLD
}

/// The events with one of these tags, and maybe some more.
fn tagged(tags: &[String]) -> Query {
    let pattern = match tags {
        [only] => Pattern::exactly(only),
        _ => Pattern(format!("{NOTIFY}*")),
    };
    Query { terms: vec![Term { negated: false, test: Test::Tag(pattern) }] }
}

/// The newest event; 0 where there is none.
pub(super) async fn newest(store: &dyn Store) -> Result<EventId, StoreError> {
    let page = store.events(&Query::default(), From::Newest, 1).await?;
    Ok(page.rows.first().map_or(EventId(0), |event| event.id))
}

/// An event as a message tells it.
pub(super) async fn whole(store: &dyn Store, event: Event) -> Result<Whole, StoreError> {
    let users = store.event_users(event.id, &UserQuery::default(), From::Newest, MOST_USERS).await?;
    let detail = store.event(event.id).await?;
    let page = detail.and_then(|detail| link::check(detail.reference_url?.raw()).ok());
    Ok(Whole { users: users.rows.into_iter().map(|user| user.login).collect(), event, page })
}
