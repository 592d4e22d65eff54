//! The list of runs on many.

use crate::app::effect::Effect;
use crate::app::journal;
use crate::app::list::Cursor;
use crate::app::msg::Motion;
use crate::app::state::{Awaited, Screen, State};
use crate::domain::bulk::{BulkId, BulkRun};
use crate::domain::page::Page;

/// The list of runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BulksScreen {
    /// The runs, newest first.
    pub runs: Vec<BulkRun>,
    /// The selected run.
    pub cursor: Cursor<BulkId>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// Whether a first page has come.
    pub is_loaded: bool,
    /// What failed.
    pub error: Option<String>,
}

impl BulksScreen {
    fn ids(&self) -> Vec<BulkId> {
        self.runs.iter().map(|run| run.id).collect()
    }

    /// The selected run.
    pub fn selected(&self) -> Option<&BulkRun> {
        self.runs.get(self.cursor.index(&self.ids()))
    }
}

/// Opens the list of runs; where it is on the way here already, that leads back to it.
pub fn open(state: &mut State) -> Vec<Effect> {
    state.overlay = None;
    let mut effects = journal::left(state);
    match state.stack.iter().position(|screen| matches!(screen, Screen::Bulks(_))) {
        Some(at) => state.stack.truncate(at + 1),
        None => state.stack.push(Screen::Bulks(Box::default())),
    }
    effects.push(load(state, None));
    effects
}

fn load(state: &mut State, before: Option<BulkId>) -> Effect {
    let request = state.flights.open(Awaited::Bulks(before));
    Effect::LoadBulks { request, before }
}

fn list(state: &mut State) -> Option<&mut BulksScreen> {
    state.stack.iter_mut().rev().find_map(|screen| match screen {
        Screen::Bulks(screen) => Some(screen.as_mut()),
        _ => None,
    })
}

/// The newest are read again.
pub(super) fn read_again(state: &mut State) -> Vec<Effect> {
    let mut effects = give_up(state);
    effects.push(load(state, None));
    effects
}

fn give_up(state: &mut State) -> Vec<Effect> {
    let is_first = |awaited: &Awaited| *awaited == Awaited::Bulks(None);
    state.flights.give_up(is_first).into_iter().map(Effect::Cancel).collect()
}

/// A page of runs came.
pub fn loaded(state: &mut State, before: Option<BulkId>, answer: Result<Page<BulkRun>, String>) {
    let height = state.size.list_rows();
    let Some(screen) = list(state) else { return };
    screen.is_loaded = true;
    match answer {
        Err(why) => screen.error = Some(why),
        Ok(page) => {
            screen.error = None;
            let known = screen.ids();
            if before.is_none() {
                let is_new = |run: &BulkRun| !page.rows.iter().any(|newer| newer.id == run.id);
                let rest: Vec<BulkRun> = screen.runs.drain(..).filter(is_new).collect();
                screen.has_more = if rest.is_empty() { page.next.is_some() } else { screen.has_more };
                screen.runs = page.rows;
                screen.runs.extend(rest);
            } else {
                screen.has_more = page.next.is_some();
                screen.runs.extend(page.rows);
            }
            let now = screen.ids();
            screen.cursor.stay(&known, &now, height);
        }
    }
}

/// The cursor was moved.
pub(super) fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let height = state.size.list_rows();
    let is_reading = state.flights.has(|awaited| matches!(awaited, Awaited::Bulks(_)));
    let Some(screen) = list(state) else { return Vec::new() };
    let ids = screen.ids();
    screen.cursor.go(motion, &ids, height);
    let is_near_end = screen.has_more && screen.cursor.index(&ids) + height >= ids.len();
    if is_near_end && !is_reading { vec![load(state, ids.last().copied())] } else { Vec::new() }
}
