//! What somebody has to know who trusts the silence: who receives, how each source is, what was left out,
//! what the store holds.
//!
//! How the sources are is the header's business and always there; what the store holds takes a while to
//! find out, and is read anew while things arrive, but not with each of them.

use super::effect::Effect;
use super::list::Scroll;
use super::msg::Motion;
use super::state::{Awaited, Screen, State};
use crate::domain::call_probe::CallProbe;
use crate::domain::page::{Dropped, NotifierHealth, StoreStatus};
use crate::domain::{SourceHealth, SourceState, time};
use jiff::{SignedDuration, Timestamp};

/// What the store holds is read at most this often by itself.
const PACE: SignedDuration = SignedDuration::from_secs(5);

/// What the store holds, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// What it holds.
    pub status: StoreStatus,
    /// What rules and filters left out, the latest first.
    pub dropped: Vec<Dropped>,
    /// How those are who are told of events by messages.
    pub notifiers: Vec<NotifierHealth>,
}

/// The screen of sources and store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HealthScreen {
    /// What the store holds, once it is known.
    pub kept: Option<Box<Kept>>,
    /// Why it cannot be found out.
    pub error: Option<String>,
    /// How far the screen is scrolled.
    pub scroll: Scroll,
    /// When that was asked for last.
    asked_at: Timestamp,
    /// Whether the store has changed since.
    is_behind: bool,
}

/// Opens the screen.
pub fn open(state: &mut State) -> Vec<Effect> {
    if matches!(state.stack.last(), Some(Screen::Health(_))) {
        return Vec::new();
    }
    state.stack.push(Screen::Health(Box::default()));
    load(state)
}

/// Reads what the store holds.
pub fn load(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let is_under_way = state.flights.has(|awaited| *awaited == Awaited::Kept);
    let Some(screen) = shown(state) else { return Vec::new() };
    screen.asked_at = now;
    // What is under way may have been read before the change.
    screen.is_behind = is_under_way;
    if is_under_way {
        return Vec::new();
    }
    vec![Effect::LoadKept { request: state.flights.open(Awaited::Kept) }]
}

/// The store holds something new: what is shown of it is read again, now or after a while.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    let Some(screen) = shown(state) else { return Vec::new() };
    screen.is_behind = true;
    ticked(state)
}

/// The time went on.
pub fn ticked(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    match shown(state) {
        Some(screen) if screen.is_behind && now >= screen.asked_at + PACE => load(state),
        _ => Vec::new(),
    }
}

/// It came.
pub fn loaded(state: &mut State, answer: Result<Box<Kept>, String>) {
    for screen in &mut state.stack {
        if let Screen::Health(screen) = screen {
            match &answer {
                Ok(kept) => (screen.kept, screen.error) = (Some(kept.clone()), None),
                Err(why) => screen.error = Some(why.clone()),
            }
        }
    }
}

/// Tries which calls work, where there are any: at the start, and where somebody looks again.
pub fn probe(state: &mut State) -> Vec<Effect> {
    let is_under_way = state.flights.has(|awaited| *awaited == Awaited::Calls);
    if !state.settings.probes_calls || is_under_way {
        return Vec::new();
    }
    vec![Effect::ProbeCalls { request: state.flights.open(Awaited::Calls) }]
}

/// It is known which calls work. What the configuration cannot do without is said at once.
pub fn probed(state: &mut State, calls: Vec<CallProbe>) {
    if let Some(complaint) = calls.iter().filter(|call| call.is_bad()).find_map(CallProbe::complaint) {
        state.notice.fail(state.now, format!("Okta: {complaint}"));
    }
    state.calls = Some(calls);
}

/// The screen was scrolled.
pub fn moved(state: &mut State, motion: Motion) {
    let extent = state.extent;
    if let Some(screen) = shown(state) {
        screen.scroll.go(motion, extent.lines, extent.height);
    }
}

fn shown(state: &mut State) -> Option<&mut HealthScreen> {
    match state.stack.last_mut() {
        Some(Screen::Health(screen)) => Some(screen),
        _ => None,
    }
}

/// The sources, those first that need somebody; otherwise in the order of the configuration.
pub fn by_need(sources: &[SourceHealth], now: Timestamp) -> Vec<&SourceHealth> {
    let mut sorted: Vec<&SourceHealth> = sources.iter().collect();
    sorted.sort_by_key(|source| match &source.state {
        SourceState::Failed { .. } => 0,
        SourceState::Waiting { .. } => 1,
        _ if source.overdue(now).is_some() => 2,
        SourceState::Running if source.refusing().is_some() => 3,
        SourceState::Starting | SourceState::Stopped => 4,
        SourceState::Running if source.warned(now).is_some() => 5,
        SourceState::Running => 6,
    });
    sorted
}

/// When an age on the screen changes, or what is on it has to be read anew.
pub fn next_change(state: &State) -> Option<Timestamp> {
    let Some(Screen::Health(screen)) = state.stack.last() else { return None };
    let (now, header) = (state.now, &state.header);
    let sources = header.sources.iter().flat_map(|source| {
        source.silent_since().into_iter().chain(source.refusing().map(|unaccepted| unaccepted.last))
    });
    let kept = screen.kept.iter();
    let kept = kept.flat_map(|kept| {
        let told = kept.notifiers.iter().filter_map(NotifierHealth::since);
        told.chain(kept.dropped.iter().map(|drop| drop.last)).chain(kept.status.oldest_raw)
    });
    let ages = sources.chain(kept).chain(header.last_word(now));
    let ages = ages.map(|then| time::next_age_change(now, then));
    let due = screen.is_behind.then(|| screen.asked_at + PACE);
    ages.chain(due).filter(|at| *at > now).min()
}
