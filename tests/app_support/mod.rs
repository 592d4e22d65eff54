//! The state machine alone: messages in, effects out, answered from a list that a test makes up.

use idtriage::app::layout::Size;
use idtriage::app::msg::Motion;
use idtriage::app::state::Settings;
use idtriage::app::{Answer, Effect, Msg, RequestId, State, update};
use idtriage::domain::page::{Counted, From, Page, StoreHealth};
use idtriage::domain::{Check, Event, EventId, EventKind, Flow, Login, PartName, Route, Severity, preset};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) const SIZE: Size = Size { columns: 120, rows: 40 };

pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// An event of one user; a higher id arrived later.
pub(crate) fn event(id: i64) -> Event {
    let severities = Severity::ALL;
    Event {
        id: EventId(id),
        kind: EventKind::FailedCheck,
        source: "cii".into(),
        source_event_id: None,
        check: Check {
            id: format!("check-{}", id % 7).into(),
            title: format!("Event number {id:05}").into(),
        },
        severity: severities[usize::try_from(id).unwrap() % severities.len()],
        severity_raw: "high".into(),
        user_count: 1,
        first_users: vec![Login::new(&format!("user{id}@example.com"))],
        times: 1,
        published: Some(start() - SignedDuration::from_mins(600)),
        received: start() - SignedDuration::from_mins(600),
        findings: Default::default(),
        tags: Vec::new(),
    }
}

/// Two flows that can be run.
pub(crate) fn flows() -> Arc<[Flow]> {
    let url = Some("https://acme.workflows.okta.com/api/flo/1/invoke".to_owned());
    let ids = ["suspend-okta-account", "okta-add-user-to-a-group"];
    let flows = ids.iter().filter_map(|id| preset::flow(id));
    flows.map(|flow| Flow { route: Route::ApiEndpoint, url: url.clone(), ..flow }).collect()
}

/// The state, what it asked for, and the list that it is answered from.
pub(crate) struct Desk {
    pub(crate) state: State,
    /// Effects not answered yet.
    pub(crate) asked: VecDeque<Effect>,
    /// Newest first.
    pub(crate) events: Vec<Event>,
    /// How many rows the list looks at before it says "more".
    pub(crate) breath: usize,
    /// Which rows match the filter.
    pub(crate) matches: fn(&Event) -> bool,
}

impl Desk {
    /// A started console over events `1..=newest`, its first page not there yet.
    pub(crate) fn new(newest: i64) -> Desk {
        let settings = Settings {
            badge: None,
            analyst: "ops".into(),
            actor: idtriage::domain::Actor::default(),
            parts: PartName::ALL.to_vec(),
            flows: flows(),
            profile_map: idtriage::domain::profile::ProfileMap::shipped(),
            prefetches: true,
            probes_calls: false,
            is_read_only: false,
            link_hosts: Vec::new(),
            is_desktop: false,
            zone: idtriage::domain::time::Zone::Utc,
            bulk_limit: 50,
            arms_after: idtriage::app::state::ARMS_AFTER,
        };
        let mut state = State::new(start(), SIZE, settings);
        let asked = update::start(&mut state).into();
        let events = (1..=newest).rev().map(event).collect();
        Desk { state, asked, events, breath: usize::MAX, matches: |_| true }
    }

    /// The same, with everything answered.
    pub(crate) fn settled(newest: i64) -> Desk {
        let mut desk = Desk::new(newest);
        desk.answer_all();
        desk
    }

    /// Something happens; what it asks for is remembered and returned.
    pub(crate) fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.state, msg);
        self.asked.extend(effects.iter().cloned());
        for effect in &effects {
            if let Effect::Cancel(request) = effect {
                self.asked.retain(|asked| request_of(asked) != Some(*request));
            }
        }
        effects
    }

    pub(crate) fn moved(&mut self, motion: Motion) {
        self.send(Msg::CursorMoved(motion));
        self.answer_all();
    }

    /// The time goes on.
    pub(crate) fn advance(&mut self, millis: i64) -> Vec<Effect> {
        let now = self.state.now + SignedDuration::from_millis(millis);
        self.send(Msg::Ticked(now))
    }

    /// What is there is drawn, and stands there long enough for a key to act on it.
    pub(crate) fn stand(&mut self) {
        self.draw();
        self.advance(400);
    }

    /// A frame is drawn.
    pub(crate) fn draw(&mut self) {
        self.send(Msg::Drawn(Default::default()));
    }

    /// One more event; the console is told.
    pub(crate) fn arrive(&mut self) -> Vec<Effect> {
        let id = self.events.first().map_or(1, |event| event.id.0 + 1);
        self.events.insert(0, event(id));
        self.send(Msg::StoreChanged(Default::default()))
    }

    /// Answers what the store can answer, until nothing more of that kind is asked.
    pub(crate) fn answer_all(&mut self) -> usize {
        let mut pages = 0;
        while let Some(at) = self.asked.iter().position(|effect| self.answer(effect).is_some()) {
            let effect = self.asked.remove(at).unwrap();
            pages += usize::from(matches!(effect, Effect::LoadEvents { .. }));
            let (request, answer) = self.answer(&effect).unwrap();
            self.send(Msg::Answered(request, answer));
            assert!(pages < 10_000, "it asks for ever");
        }
        pages
    }

    fn answer(&self, effect: &Effect) -> Option<(RequestId, Answer)> {
        Some(match effect {
            Effect::LoadEvents { request, from, limit, .. } => {
                (*request, Answer::Events(Ok(self.page(*from, *limit))))
            }
            Effect::CountEvents { request, above, .. } => (*request, Answer::Counted(Ok(self.count(*above)))),
            Effect::LoadHealth { request } => (*request, Answer::Health(Ok(StoreHealth::default()))),
            _ => return None,
        })
    }

    fn count(&self, above: Option<EventId>) -> Counted {
        let waits = |event: &&Event| above.is_none_or(|above| event.id > above);
        let total = self.events.iter().filter(waits).filter(|event| (self.matches)(event)).count();
        Counted { total: total as u64, ..Counted::default() }
    }

    fn page(&self, from: From<EventId>, limit: usize) -> Page<Event> {
        let below = |bound: Option<EventId>| {
            self.events.iter().filter(move |event| bound.is_none_or(|bound| event.id < bound))
        };
        match from {
            From::Newest | From::Oldest => self.walk(below(None), limit),
            From::Before(bound) => self.walk(below(Some(bound)), limit),
            From::After(bound) => {
                let above = self.events.iter().rev().filter(|event| event.id > bound);
                let mut page = self.walk(above, limit);
                page.rows.reverse();
                page
            }
        }
    }

    /// As the store does it: it stops after a page, or for breath.
    fn walk<'a>(&self, walk: impl Iterator<Item = &'a Event>, limit: usize) -> Page<Event> {
        let (mut rows, mut last) = (Vec::new(), None);
        for (looked, event) in walk.enumerate() {
            if rows.len() == limit || looked == self.breath {
                return Page { rows, next: last };
            }
            rows.extend(Some(event).filter(|event| (self.matches)(event)).cloned());
            last = Some(event.id);
        }
        Page { rows, next: None }
    }

    /// The id under the cursor, and the line of the screen that it stands on.
    pub(crate) fn under_cursor(&self) -> (EventId, usize) {
        let feed = &self.state.feed;
        let at = feed.cursor.index(&feed.ids());
        (feed.window.rows[at].id, at - feed.cursor.offset)
    }
}

pub(crate) fn request_of(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::LoadEvents { request, .. }
        | Effect::CountEvents { request, .. }
        | Effect::LoadEvent { request, .. }
        | Effect::LoadEventUsers { request, .. }
        | Effect::LoadSaid { request, .. }
        | Effect::LoadActions { request, .. }
        | Effect::LoadJournal { request, .. }
        | Effect::LoadStanding { request, .. }
        | Effect::CheckChain { request }
        | Effect::LoadExecutions { request, .. }
        | Effect::LoadPart { request, .. }
        | Effect::FitFlows { request, .. }
        | Effect::PreparePlan { request, .. }
        | Effect::LoadHealth { request } => Some(*request),
        _ => None,
    }
}
