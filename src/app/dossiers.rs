//! What is known of whom: cached part by part, read ahead, read anew on demand.

use super::effect::{Effect, RequestId};
use super::state::{Awaited, Screen, State};
use crate::domain::bulk::BulkUser;
use crate::domain::dossier::LoadedPart;
use crate::domain::{Action, Dossier, Login, PartName, Plan, time};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many people are kept; the one read longest ago goes first.
const KEPT: usize = 200;
/// How long the cursor rests on a row before its person is read ahead.
const REST: SignedDuration = SignedDuration::from_millis(300);
/// One person is read ahead at most this often.
const AHEAD_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Requests read ahead at once.
const AHEAD_AT_ONCE: usize = 2;

/// The cache.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dossiers {
    known: BTreeMap<Login, Dossier>,
    asked: BTreeMap<Login, Timestamp>,
}

impl Dossiers {
    /// What is known of a person.
    pub fn get(&self, login: &Login) -> Option<&Dossier> {
        self.known.get(login)
    }

    /// When the person at rest is to be read ahead, or an age on the screen changes.
    pub fn next_change(&self, state: &State) -> Option<Timestamp> {
        // What is due already is due right away, and never holds up the ages.
        let due = (state.rest_since + REST).max(state.now + SignedDuration::from_millis(1));
        let ahead = resting(state).filter(|login| self.may_read_ahead(login, state)).map(|_| due);
        let ages = match state.stack.last() {
            Some(Screen::User(user)) => self.next_age(&user.login, state.now),
            _ => None,
        };
        [ahead, ages].into_iter().flatten().min()
    }

    fn next_age(&self, login: &Login, now: Timestamp) -> Option<Timestamp> {
        let dossier = self.known.get(login)?;
        PartName::ALL
            .into_iter()
            .filter_map(|p| dossier.read_at(p))
            .map(|at| time::next_age_change(now, at))
            .min()
    }

    fn may_read_ahead(&self, login: &Login, state: &State) -> bool {
        let recently = |at: &Timestamp| state.now.duration_since(*at) < AHEAD_AGAIN;
        state.settings.prefetches && !self.asked.get(login).is_some_and(recently)
    }

    fn forget_oldest(&mut self) {
        while self.asked.len() > KEPT {
            let oldest = self.asked.iter().min_by_key(|(_, at)| **at).map(|(login, _)| login.clone());
            if let Some(login) = oldest {
                self.asked.remove(&login);
                self.known.remove(&login);
            }
        }
    }
}

/// Who is acted on: by login, and by the account, since two logins may lead to the same one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActedOn {
    logins: BTreeSet<Login>,
    accounts: BTreeSet<String>,
}

impl ActedOn {
    /// By a plan that is run.
    pub fn by_plan(plan: &Plan) -> ActedOn {
        let mut on = ActedOn::default();
        on.add([&plan.login].into_iter().chain(&plan.account_login), plan.target_id.as_ref());
        on
    }

    /// By actions.
    pub fn by<'a>(actions: impl IntoIterator<Item = &'a Action>) -> ActedOn {
        let mut on = ActedOn::default();
        for action in actions {
            on.add([&action.login].into_iter().chain(&action.account_login), action.target_id.as_ref());
        }
        on
    }

    /// By a run on many.
    pub fn by_bulk(users: &[BulkUser]) -> ActedOn {
        let mut on = ActedOn::default();
        for user in users {
            on.add([&user.login], user.target_id.as_ref());
        }
        on
    }

    /// These, and those.
    #[must_use]
    pub fn and(mut self, others: ActedOn) -> ActedOn {
        self.logins.extend(others.logins);
        self.accounts.extend(others.accounts);
        self
    }

    fn add<'a>(&mut self, logins: impl IntoIterator<Item = &'a Login>, account: Option<&String>) {
        self.logins.extend(logins.into_iter().cloned());
        self.accounts.extend(account.cloned());
    }

    fn is(&self, login: &Login, dossiers: &Dossiers) -> bool {
        let okta = || dossiers.get(login)?.okta.as_ref()?.data.as_ref();
        self.logins.contains(login) || okta().is_some_and(|user| self.accounts.contains(user.id.raw()))
    }
}

/// Something leaves for somebody: what was read of them before is thrown away, so that who opens them reads anew.
/// The person on the screen is read when it has ended.
pub fn leaves(state: &mut State, on: &ActedOn) -> Vec<Effect> {
    let shown = shown_login(state);
    forget(state, on, |login| Some(login) != shown.as_ref())
}

/// Something that was done to somebody has ended: what was read of them before is thrown away, also what is still
/// under way and may have been answered before; the person on the screen is read anew at once.
pub fn ended(state: &mut State, on: &ActedOn) -> Vec<Effect> {
    let shown = shown_login(state).filter(|login| on.is(login, &state.dossiers));
    let mut effects = leaves(state, on);
    if let Some(login) = shown {
        let stale =
            state.flights.give_up(|awaited| matches!(awaited, Awaited::Part(who, _) if *who == login));
        effects.extend(stale.into_iter().map(Effect::Cancel));
        effects.extend(load_all(state, &login));
    }
    effects
}

fn forget(state: &mut State, on: &ActedOn, is_meant: impl Fn(&Login) -> bool) -> Vec<Effect> {
    let known = state.dossiers.asked.keys().chain(state.dossiers.known.keys());
    let them: BTreeSet<Login> =
        known.filter(|login| is_meant(login) && on.is(login, &state.dossiers)).cloned().collect();
    for login in &them {
        state.dossiers.asked.remove(login);
        state.dossiers.known.remove(login);
    }
    let stale =
        state.flights.give_up(|awaited| matches!(awaited, Awaited::Part(who, _) if them.contains(who)));
    stale.into_iter().map(Effect::Cancel).collect()
}

/// Whether a part is under way.
pub fn is_loading(state: &State, login: &Login, part: PartName) -> bool {
    state.flights.has(|awaited| matches!(awaited, Awaited::Part(who, what) if who == login && *what == part))
}

/// Reads the parts that are not known yet.
pub fn load_missing(state: &mut State, login: &Login) -> Vec<Effect> {
    let known = |part: PartName| state.dossiers.get(login).is_some_and(|d| d.read_at(part).is_some());
    let missing: Vec<PartName> = state.settings.parts.iter().copied().filter(|part| !known(*part)).collect();
    load(state, login, &missing)
}

/// Reads those that are read ahead and not known yet.
fn load_ahead(state: &mut State, login: &Login) -> Vec<Effect> {
    let known = |part: PartName| state.dossiers.get(login).is_some_and(|d| d.read_at(part).is_some());
    let parts = state.settings.parts.iter().copied();
    let missing: Vec<PartName> = parts.filter(|part| part.is_read_ahead() && !known(*part)).collect();
    load(state, login, &missing)
}

/// Reads every part anew.
pub fn load_all(state: &mut State, login: &Login) -> Vec<Effect> {
    let parts = state.settings.parts.clone();
    load(state, login, &parts)
}

fn load(state: &mut State, login: &Login, parts: &[PartName]) -> Vec<Effect> {
    state.dossiers.asked.insert(login.clone(), state.now);
    state.dossiers.forget_oldest();
    let mut effects = Vec::new();
    for part in parts.iter().copied() {
        if !is_loading(state, login, part) {
            let request = state.flights.open(Awaited::Part(login.clone(), part));
            effects.push(Effect::LoadPart { request, login: login.clone(), part });
        }
    }
    effects
}

/// A part came.
pub fn loaded(state: &mut State, login: Login, part: LoadedPart) {
    state.dossiers.known.entry(login.clone()).or_insert_with(|| Dossier::of(login)).put(part);
}

/// The cursor has rested: the person under it is read ahead, two requests at once, the newest wins.
pub fn read_ahead(state: &mut State) -> Vec<Effect> {
    if state.now.duration_since(state.rest_since) < REST {
        return Vec::new();
    }
    let Some(login) = resting(state).filter(|login| state.dossiers.may_read_ahead(login, state)) else {
        return Vec::new();
    };
    let mut effects: Vec<Effect> = outrun(state).into_iter().map(Effect::Cancel).collect();
    effects.extend(load_ahead(state, &login));
    effects
}

/// Requests read ahead for rows that the cursor has left, beyond what may be in flight.
fn outrun(state: &mut State) -> Vec<RequestId> {
    let shown = shown_login(state);
    let is_ahead =
        |awaited: &Awaited| matches!(awaited, Awaited::Part(who, _) if Some(who) != shown.as_ref());
    if state.flights.count(is_ahead) < AHEAD_AT_ONCE { Vec::new() } else { state.flights.give_up(is_ahead) }
}

fn shown_login(state: &State) -> Option<Login> {
    match state.stack.last() {
        Some(Screen::User(user)) => Some(user.login.clone()),
        _ => None,
    }
}

/// The one person that the cursor rests on, if it names one.
fn resting(state: &State) -> Option<Login> {
    if state.overlay.is_some() {
        return None;
    }
    super::triage::selected(state).login
}
