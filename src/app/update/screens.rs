//! What moves between and within screens: the cursor, opening, going back, reading anew.

use super::overlay::{help_left, quit_asked};
use super::{load_health, quiet, store_changed};
use crate::app::effect::Effect;
use crate::app::msg::Motion;
use crate::app::pane::Target;
use crate::app::state::{Overlay, Screen, State};
use crate::app::triage::{self, Then};
use crate::app::user::{self, Step};
use crate::app::{
    address, after, bulk, card, dossiers, dry_run, event, feed, flows, form, health, journal, log, look_up,
    many, marks, raw,
};
use crate::domain::EventId;
use crate::domain::query::UserQuery;

pub(super) fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    if let Some(scroll) = &mut state.help {
        let extent = state.extent;
        return quiet(|| scroll.go(motion, extent.lines, extent.height));
    }
    if dry_run::moved(state, motion) {
        return Vec::new();
    }
    match &mut state.overlay {
        Some(Overlay::Help(scroll)) => {
            let extent = state.extent;
            return quiet(|| scroll.go(motion, extent.lines, extent.height));
        }
        Some(Overlay::Flows(list)) => {
            let size = state.size;
            return quiet(|| flows::moved(list, motion, size));
        }
        Some(Overlay::Card(_)) => return quiet(|| card::moved(state, motion)),
        Some(Overlay::Many(_)) => return quiet(|| many::moved(state, motion)),
        Some(_) => return Vec::new(),
        None => {}
    }
    match state.stack.last() {
        None => feed::moved(state, motion),
        Some(Screen::Event(_)) => event::moved(state, motion),
        Some(Screen::User(_)) => quiet(|| user::moved(state, motion)),
        Some(Screen::Address(_)) => quiet(|| address::moved(state, motion)),
        Some(Screen::Raw(_)) => quiet(|| raw::moved(state, motion)),
        Some(Screen::Journal(_)) => journal::moved(state, motion),
        Some(Screen::Health(_)) => quiet(|| health::moved(state, motion)),
        Some(Screen::Log(_)) => log::moved(state, motion),
        Some(Screen::LookUp(_)) => quiet(|| look_up::moved(state, motion)),
        Some(Screen::Bulks(_) | Screen::Bulk(_)) => bulk::moved(state, motion),
    }
}

pub(super) fn opened(state: &mut State) -> Vec<Effect> {
    if matches!(state.overlay, Some(Overlay::Flows(_))) {
        return flows::opened(state);
    }
    match state.stack.last() {
        None => open_event(state, event::open),
        Some(Screen::Event(_)) => triage::asked(state, Then::Person),
        Some(Screen::User(_)) => open_target(state),
        Some(Screen::Address(screen)) => match screen.selected() {
            Some(login) => user::open(state, login, None),
            None => Vec::new(),
        },
        Some(Screen::Journal(_)) => journal::opened(state),
        Some(Screen::Log(_)) => quiet(|| log::record_opened(state)),
        Some(Screen::LookUp(_)) => look_up::opened(state),
        Some(Screen::Bulks(_) | Screen::Bulk(_)) => bulk::opened(state),
        Some(Screen::Raw(_) | Screen::Health(_)) => Vec::new(),
    }
}

pub(super) fn is_log(state: &State) -> bool {
    matches!(state.stack.last(), Some(Screen::Log(_)))
}

pub(super) fn is_journal(state: &State) -> bool {
    matches!(state.stack.last(), Some(Screen::Journal(_)))
}

fn open_event(state: &mut State, open: fn(&mut State, EventId, String) -> Vec<Effect>) -> Vec<Effect> {
    if !feed::pin(state) {
        return Vec::new();
    }
    match state.feed.selected().map(|row| (row.id, row.check.name())) {
        Some((id, title)) => open(state, id, title),
        None => Vec::new(),
    }
}

fn open_target(state: &mut State) -> Vec<Effect> {
    match user::selected_target(state) {
        Some(Target::Address(ip)) => address::open(state, ip),
        Some(Target::Person(login)) => user::open(state, login, None),
        Some(Target::Finding(id)) => user::open_finding(state, id),
        // In a history it may be an action, which leads to its records.
        None => match after::meant(state).first().map(|action| action.id) {
            Some(action) => journal::open_action(state, action),
            None => Vec::new(),
        },
    }
}

pub(super) fn went_back(state: &mut State) -> Vec<Effect> {
    if help_left(state) {
        return Vec::new();
    }
    if card::uncovered(state) || many::uncovered(state) {
        return Vec::new();
    }
    if form::left(state) {
        return Vec::new();
    }
    if matches!(state.overlay, Some(Overlay::Card(_))) {
        return card::left(state);
    }
    if matches!(state.overlay, Some(Overlay::Many(_))) {
        return many::left(state);
    }
    if let Some(Overlay::Flows(list)) = &mut state.overlay
        && (list.choice.take().is_some() || list.is_cleared())
    {
        return Vec::new();
    }
    state.rest_since = state.now;
    if state.overlay.take().is_some() || marks::unmarked(state) {
        return Vec::new();
    }
    if let Some(Screen::Event(screen)) = state.stack.last()
        && !screen.query.is_empty()
    {
        return event::filtered(state, UserQuery::default());
    }
    if let Some(effects) = journal::filter_left(state) {
        return effects;
    }
    let given_up = journal::left(state);
    match state.stack.pop() {
        Some(_) => [given_up, shown_again(state)].concat(),
        None if !state.feed.query.is_empty() => feed::filtered(state, crate::domain::Query::default()),
        None => quit_asked(state),
    }
}

/// The screen below is on top again. What it still waited for may have been given up meanwhile.
fn shown_again(state: &mut State) -> Vec<Effect> {
    let mut effects = store_changed(state);
    if let Some(Screen::User(screen)) = state.stack.last() {
        let login = screen.login.clone();
        effects.extend(dossiers::load_missing(state, &login));
    }
    effects
}

pub(super) fn pane_switched(state: &mut State, step: Step) {
    if let Some(Overlay::Card(_)) = &state.overlay {
        return card::switched(state);
    }
    if let Some(Overlay::Many(_)) = &state.overlay {
        return many::switched(state);
    }
    if state.overlay.is_some() {
        return;
    }
    match state.stack.last_mut() {
        Some(Screen::Event(screen)) => screen.reads_texts = !screen.reads_texts,
        Some(Screen::Journal(screen)) => screen.reads_record = !screen.reads_record,
        Some(Screen::User(_)) => user::switch(state, step),
        _ => {}
    }
}

pub(super) fn refreshed(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Card(card)) = &state.overlay {
        return if card.takes_look(state.now) { card::looked_again(state) } else { after::look(state) };
    }
    match state.stack.last() {
        Some(Screen::User(screen)) => {
            let login = screen.login.clone();
            let mut effects = user::load_local(state, &login);
            effects.extend(dossiers::load_all(state, &login));
            effects.extend(after::look(state));
            effects
        }
        Some(Screen::Journal(_)) => {
            let mut effects = after::look(state);
            effects.extend(store_changed(state));
            effects
        }
        Some(Screen::Address(screen)) => {
            let ip = screen.address.clone();
            address::load(state, ip)
        }
        Some(Screen::Health(_)) => {
            let mut effects = health::load(state);
            effects.push(load_health(state));
            effects.extend(health::probe(state));
            effects
        }
        Some(Screen::Log(_)) => log::refreshed(state),
        Some(Screen::LookUp(_)) => look_up::load(state),
        _ => store_changed(state),
    }
}

pub(super) fn raw_asked(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Event(_)) => quiet(|| event::raw_asked(state)),
        Some(Screen::Log(_)) => quiet(|| log::record_opened(state)),
        Some(Screen::Journal(_)) => quiet(|| journal::raw_opened(state)),
        Some(Screen::LookUp(_)) => quiet(|| look_up::raw_asked(state)),
        None => open_event(state, event::open_raw),
        _ => Vec::new(),
    }
}
