//! Which answer goes to which screen: what nobody waits for any more is dropped.

use super::quiet;
use crate::app::dossiers::ActedOn;
use crate::app::effect::{Effect, RequestId};
use crate::app::msg::{Answer, NotRun};
use crate::app::state::{Awaited, Screen, State};
use crate::app::{
    address, after, bulk, card, dossiers, event, feed, flows, health, journal, log, look_up, many, marks,
    triage, user,
};
use crate::domain::ActionId;
use crate::domain::run_end::{RunEnd, StepEnd};

pub(super) fn answered(state: &mut State, request: RequestId, answer: Answer) -> Vec<Effect> {
    let Some(awaited) = state.flights.land(request) else { return Vec::new() };
    match (awaited, answer) {
        (Awaited::Feed(what), Answer::Events(page)) => feed::loaded(state, what, page),
        (Awaited::Held, Answer::Counted(counted)) => feed::counted(state, counted),
        (Awaited::Event(id), Answer::Event(detail)) => quiet(|| event::loaded(state, id, detail)),
        (Awaited::EventUsers(id, what), Answer::EventUsers(page)) => {
            event::users_loaded(state, id, what, page)
        }
        (Awaited::Said(id), Answer::Said(said)) => event::said_loaded(state, id, said),
        (Awaited::FindingOf(id, then), Answer::EventUsers(page)) => {
            triage::finding_came(state, id, then, page)
        }
        (Awaited::Findings(login), Answer::Findings(page)) => user::findings_loaded(state, &login, page),
        (Awaited::History(login), Answer::History(entries)) => {
            quiet(|| user::history_loaded(state, &login, entries))
        }
        (Awaited::EventOf(login), Answer::Events(page)) => user::event_came(state, &login, page),
        (Awaited::Actions(login), Answer::Actions(page)) => {
            quiet(|| user::actions_loaded(state, &login, page))
        }
        (Awaited::Journal(what), Answer::Journal(slice)) => journal::loaded(state, what, slice),
        (Awaited::Journal(what), Answer::Broke(why)) => journal::loaded(state, what, Err(why)),
        (Awaited::Chain, Answer::Chain(verdict)) => quiet(|| journal::checked(state, verdict)),
        (Awaited::Chain, Answer::Broke(why)) => quiet(|| journal::checked(state, Err(why))),
        (Awaited::Look(_), Answer::Looked(action)) => after::looked(state, action),
        (Awaited::Executions, Answer::Executions(found)) => {
            quiet(|| journal::executions_loaded(state, found))
        }
        (Awaited::Part(..), Answer::Part(login, part)) => {
            dossiers::loaded(state, login.clone(), part);
            user::suggest(state, &login)
        }
        (Awaited::Suggestions(login), Answer::Suggested(logins)) => {
            quiet(|| user::suggested(state, &login, logins))
        }
        (Awaited::Address(ip), Answer::Address(users)) => quiet(|| address::loaded(state, &ip, users)),
        (Awaited::Health, Answer::Health(Ok(health))) => quiet(|| state.header.health = health),
        (Awaited::Health, Answer::Health(Err(error))) => quiet(|| state.notice.fail(state.now, error)),
        (Awaited::Kept, Answer::Kept(kept)) => quiet(|| health::loaded(state, kept)),
        (Awaited::Calls, Answer::Calls(calls)) => quiet(|| health::probed(state, calls)),
        (Awaited::Access, Answer::Access(preview)) => quiet(|| state.access = Some((state.now, *preview))),
        (Awaited::Kept, Answer::Broke(why)) => quiet(|| health::loaded(state, Err(why))),
        (Awaited::Change(what), Answer::Changed(finding)) => quiet(|| triage::changed(state, what, finding)),
        (Awaited::Fits, Answer::Fits(fits)) => quiet(|| flows::loaded(state, fits)),
        (Awaited::Plan, Answer::Prepared(plan)) => quiet(|| card::prepared(state, plan)),
        (Awaited::Run(id), Answer::Ran(end)) => ran(state, id, end),
        (Awaited::Run(id), Answer::Broke(why)) => ran(state, id, Err(NotRun::Unsure(why))),
        (Awaited::Log, Answer::Log(slice)) => log::loaded(state, request, slice),
        (Awaited::Log, Answer::Broke(why)) => log::loaded(state, request, Err(why)),
        (Awaited::LookUp, Answer::LookedUp(answer)) => quiet(|| look_up::loaded(state, request, answer)),
        (Awaited::Configuration, Answer::ConfigurationKept(kept)) => look_up::configuration_kept(state, kept),
        (Awaited::LookUp, Answer::Broke(why)) => quiet(|| look_up::loaded(state, request, Err(why))),
        (Awaited::Gathered(what, next), Answer::Gathered(gathered)) => {
            marks::gathered(state, &what, next, gathered)
        }
        (Awaited::BulkUndo(id), Answer::UndoGathered(undo)) => bulk::undo_gathered(state, id, undo),
        (Awaited::BulkUndo(id), Answer::Broke(why)) => bulk::undo_gathered(state, id, Err(why)),
        (Awaited::ManyPlans, Answer::ManyPlanned(users)) => quiet(|| many::planned(state, users)),
        (Awaited::ManyPlans, Answer::Broke(why)) => quiet(|| many::planned(state, Err(why))),
        (Awaited::BulkBegun, Answer::BulkBegun(begun)) => many::begun(state, begun),
        (Awaited::BulkBegun, Answer::Broke(why)) => many::begun(state, Err(why)),
        (Awaited::BulkResumed(id), Answer::BulkBegun(begun)) => bulk::resumed(state, id, begun),
        (Awaited::BulkTurned(id), Answer::BulkTurned(said)) => bulk::turned(state, id, said),
        (Awaited::Bulks(before), Answer::Bulks(page)) => quiet(|| bulk::list_loaded(state, before, page)),
        (Awaited::Bulk(id), Answer::Bulk(run)) => bulk::loaded(state, id, run),
        (Awaited::BulkUsers(id, which, from, limit), Answer::BulkUsers(users)) => {
            bulk::users_loaded(state, (id, which, from, limit), users)
        }
        (Awaited::Fits, Answer::Broke(why)) => quiet(|| flows::loaded(state, Err(why))),
        (_, Answer::Broke(why)) => quiet(|| state.notice.fail(state.now, why)),
        (_, Answer::Handed(result)) => quiet(|| state.notice.result(state.now, result)),
        _ => Vec::new(),
    }
}

/// A run ended, however: nothing that was read of its people before is shown as how they stand.
fn ran(state: &mut State, id: ActionId, end: Result<Box<RunEnd>, NotRun>) -> Vec<Effect> {
    let running = state.running.iter().find(|running| running.action == id);
    let planned = running.map(|running| running.on.clone()).unwrap_or_default();
    let steps = end.as_ref().map(|end| end.steps.as_slice()).unwrap_or_default();
    let on = planned.and(ActedOn::by(steps.iter().filter_map(StepEnd::action)));
    let mut effects = card::ran(state, id, end);
    effects.extend(dossiers::ended(state, &on));
    if let Some(Screen::LookUp(_)) = state.stack.last() {
        effects.extend(look_up::load(state));
    }
    effects
}
