//! What was run, latest first.

use super::effect::Effect;
use super::list::{Cursor, Scroll};
use super::msg::{Looked, Motion};
use super::state::{Awaited, Screen, State};
use crate::domain::action::execution_ids;
use crate::domain::log::beside::LogNote;
use crate::domain::page::Page;
use crate::domain::{Action, ActionId, Event};
use std::collections::BTreeMap;

/// The screen of all actions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JournalScreen {
    /// The actions, latest first.
    pub actions: Vec<Action>,
    /// The records that arrived of the executions that their receipts name, by execution, oldest first.
    pub executions: BTreeMap<String, Vec<Event>>,
    /// What the System Log has beside an action, where that was looked for.
    pub notes: BTreeMap<ActionId, Vec<LogNote>>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// Whether the first page has come.
    pub is_loaded: bool,
    /// The selected action.
    pub cursor: Cursor<ActionId>,
    /// Whether the keys scroll the selected action instead of choosing one.
    pub reads_action: bool,
    /// How far the selected action is scrolled.
    pub scroll: Scroll,
    /// What failed.
    pub error: Option<String>,
}

impl JournalScreen {
    fn ids(&self) -> Vec<ActionId> {
        self.actions.iter().map(|action| action.id).collect()
    }

    /// The records that arrived of the executions that an action's receipt names.
    pub fn beside(&self, action: &Action) -> impl Iterator<Item = &Event> {
        let ids = action.receipt.iter().flat_map(execution_ids);
        ids.filter_map(|id| self.executions.get(&id)).flatten()
    }

    /// The selected action.
    pub fn selected(&self) -> Option<&Action> {
        self.actions.get(self.cursor.index(&self.ids()))
    }
}

/// Opens the journal.
pub fn open(state: &mut State) -> Vec<Effect> {
    if matches!(state.stack.last(), Some(Screen::Journal(_))) {
        return Vec::new();
    }
    state.stack.push(Screen::Journal(Box::default()));
    load(state, None)
}

fn load(state: &mut State, before: Option<ActionId>) -> Vec<Effect> {
    let request = state.flights.open(Awaited::Actions(None));
    vec![Effect::LoadActions { request, login: None, before }]
}

/// The store holds something new: the first page is read again, unless the cursor is beyond it.
pub fn store_changed(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Journal(screen)) if screen.cursor.offset == 0 => load(state, None),
        _ => Vec::new(),
    }
}

fn screen(state: &mut State) -> Option<&mut JournalScreen> {
    state.stack.iter_mut().find_map(|screen| match screen {
        Screen::Journal(journal) => Some(journal.as_mut()),
        _ => None,
    })
}

/// A page came: what arrived of the executions that it names is read behind it.
pub fn loaded(state: &mut State, answer: Result<Page<Action>, String>) -> Vec<Effect> {
    let Some(screen) = screen(state) else { return Vec::new() };
    screen.is_loaded = true;
    match answer {
        Err(error) => {
            screen.error = Some(error);
            Vec::new()
        }
        Ok(page) => {
            screen.has_more = page.has_more();
            let receipts = page.rows.iter().filter_map(|action| action.receipt.as_ref());
            let ids: Vec<String> = receipts.flat_map(execution_ids).collect();
            merge(&mut screen.actions, page.rows);
            load_executions(state, ids)
        }
    }
}

fn load_executions(state: &mut State, ids: Vec<String>) -> Vec<Effect> {
    if ids.is_empty() {
        return Vec::new();
    }
    let request = state.flights.open(Awaited::Executions);
    vec![Effect::LoadExecutions { request, ids }]
}

/// What arrived of some executions came.
pub fn executions_loaded(state: &mut State, answer: Result<Vec<(String, Event)>, String>) {
    let Some(screen) = screen(state) else { return };
    match answer {
        Err(error) => screen.error = Some(error),
        Ok(found) => {
            let mut by_id: BTreeMap<String, Vec<Event>> = BTreeMap::new();
            for (id, event) in found {
                by_id.entry(id).or_default().push(event);
            }
            screen.executions.extend(by_id);
        }
    }
}

/// Something was found out about an action.
pub fn looked(state: &mut State, looked: Looked) {
    let Some(screen) = screen(state) else { return };
    screen.notes.insert(looked.action.id, looked.beside);
    if let Some(known) = screen.actions.iter_mut().find(|known| known.id == looked.action.id) {
        *known = looked.action;
    }
}

/// Known actions are replaced where they stand, new ones go to the top or the end by their time.
fn merge(actions: &mut Vec<Action>, page: Vec<Action>) {
    for action in page {
        match actions.iter_mut().find(|known| known.id == action.id) {
            Some(known) => *known = action,
            None => actions.push(action),
        }
    }
    actions.sort_by(|a, b| b.at.cmp(&a.at).then(b.id.cmp(&a.id)));
}

/// The cursor was moved.
pub fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    let height = state.size.journal_rows();
    let extent = state.extent;
    let Some(Screen::Journal(screen)) = state.stack.last_mut() else { return Vec::new() };
    if screen.reads_action {
        screen.scroll.go(motion, extent.lines, extent.height);
        return Vec::new();
    }
    screen.scroll = Scroll::default();
    let ids = screen.ids();
    screen.cursor.go(motion, &ids, height);
    let is_near_end = screen.has_more && screen.cursor.index(&ids) + height >= ids.len();
    let is_under_way = state.flights.has(|awaited| matches!(awaited, Awaited::Actions(None)));
    if is_near_end && !is_under_way { load(state, ids.last().copied()) } else { Vec::new() }
}
