//! The table of contents of the console: which message goes to which screen.

use super::card::{self, Field};
use super::effect::{Effect, RequestId};
use super::list::Scroll;
use super::msg::{Answer, Motion, Msg, NotRun};
use super::pane::Target;
use super::prompt::{self, PromptKind};
use super::state::{Awaited, Overlay, QuitQuestion, Screen, State};
use super::triage::{self, Then};
use super::user::{self, Step};
use super::{
    address, after, bulk, dossiers, dry_run, event, feed, flows, form, health, journal, link, log, look_up,
    many, marks, raw,
};
use crate::domain::EventId;
use crate::domain::query::UserQuery;

/// Changes the state by what happened, and says what is to be done.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Ticked(now) => {
            state.now = now;
            let mut effects = dossiers::read_ahead(state);
            effects.extend(health::ticked(state));
            effects
        }
        Msg::Resized(size) => resized(state, size),
        Msg::Drawn(extent) => {
            state.extent = extent;
            quiet(|| drawn(state))
        }
        Msg::StoreChanged(_) => store_changed(state),
        Msg::SourcesChanged(sources) => quiet(|| state.header.know(sources)),
        Msg::SourcesReported(report) => quiet(|| state.header.hear(&report)),
        Msg::ReceiverChanged(receiver) => quiet(|| state.header.receiver = receiver),
        Msg::WaitsChanged(waits) => quiet(|| state.waits = waits),
        Msg::Answered(request, answer) => answered(state, request, answer),
        Msg::ManyRead(request, how_many) => {
            let waits = state.flights.has_request(request);
            quiet(|| {
                if waits {
                    many::read(state, how_many)
                }
            })
        }
        Msg::BulkWent(id, ended) => bulk::went(state, id, &ended),
        Msg::BulkEnded(id, run) => bulk::ended(state, id, run),
        Msg::RunProgressed(action, stage) => quiet(|| card::progressed(state, action, stage)),
        Msg::Noticed(result) => quiet(|| state.notice.result(state.now, result)),
        msg => {
            state.notice.seen();
            acted(state, msg)
        }
    }
}

/// For messages that ask for nothing.
fn quiet(change: impl FnOnce()) -> Vec<Effect> {
    change();
    Vec::new()
}

/// Reads what the first screen shows.
pub fn start(state: &mut State) -> Vec<Effect> {
    let mut effects = feed::load_newest(state);
    effects.push(load_health(state));
    effects.extend(health::probe(state));
    effects
}

fn load_health(state: &mut State) -> Effect {
    Effect::LoadHealth { request: state.flights.open(Awaited::Health) }
}

/// What is asked, or the row under the cursor, is on the screen now: the time until a key acts on it runs
/// from here.
fn drawn(state: &mut State) {
    let now = state.now;
    match &mut state.overlay {
        Some(Overlay::Quit(question)) => {
            question.shown_at.get_or_insert(now);
        }
        Some(Overlay::Many(_)) => many::drawn(state),
        Some(Overlay::Ask(_)) => bulk::drawn(state),
        Some(_) => card::drawn(state),
        None => feed::drawn(state),
    }
}

fn resized(state: &mut State, size: super::layout::Size) -> Vec<Effect> {
    state.size = size;
    let (ids, rows) = (state.feed.ids(), size.feed_rows());
    state.feed.cursor.keep_visible(&ids, rows);
    vec![Effect::Redraw]
}

fn store_changed(state: &mut State) -> Vec<Effect> {
    let mut effects = feed::store_changed(state);
    effects.extend(event::store_changed(state));
    effects.extend(user::store_changed(state));
    effects.extend(journal::store_changed(state));
    effects.extend(health::store_changed(state));
    effects.extend(bulk::store_changed(state));
    if !state.flights.has(|awaited| *awaited == Awaited::Health) {
        effects.push(load_health(state));
    }
    effects
}

fn answered(state: &mut State, request: RequestId, answer: Answer) -> Vec<Effect> {
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
        (Awaited::Run(id), Answer::Ran(action)) => {
            let mut effects = card::ran(state, id, action);
            effects.extend(after_run(state));
            effects
        }
        (Awaited::Run(id), Answer::Broke(why)) => card::ran(state, id, Err(NotRun::Unsure(why))),
        (Awaited::Log, Answer::Log(slice)) => log::loaded(state, request, slice),
        (Awaited::Log, Answer::Broke(why)) => log::loaded(state, request, Err(why)),
        (Awaited::LookUp, Answer::LookedUp(answer)) => quiet(|| look_up::loaded(state, request, answer)),
        (Awaited::Configuration, Answer::ConfigurationKept(kept)) => look_up::configuration_kept(state, kept),
        (Awaited::LookUp, Answer::Broke(why)) => quiet(|| look_up::loaded(state, request, Err(why))),
        (Awaited::Gathered(what, next), Answer::Gathered(gathered)) => {
            marks::gathered(state, &what, next, gathered)
        }
        (Awaited::ManyPlans, Answer::ManyPlanned(users)) => quiet(|| many::planned(state, users)),
        (Awaited::ManyPlans, Answer::Broke(why)) => quiet(|| many::planned(state, Err(why))),
        (Awaited::BulkBegun, Answer::BulkBegun(begun)) => many::begun(state, begun),
        (Awaited::BulkBegun, Answer::Broke(why)) => many::begun(state, Err(why)),
        (Awaited::BulkResumed(id), Answer::BulkBegun(begun)) => bulk::resumed(state, id, begun),
        (Awaited::BulkTurned(_), Answer::BulkTurned(said)) => bulk::turned(state, said),
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

/// The person that was acted on is read anew, if their screen is open.
fn after_run(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::User(screen)) => {
            let login = screen.login.clone();
            dossiers::load_all(state, &login)
        }
        Some(Screen::LookUp(_)) => look_up::load(state),
        _ => Vec::new(),
    }
}

/// What the analyst did.
fn acted(state: &mut State, msg: Msg) -> Vec<Effect> {
    if leaves_prompt(&msg) && matches!(state.overlay, Some(Overlay::Prompt(_))) {
        state.overlay = None;
    }
    match msg {
        Msg::CursorMoved(motion) => moved(state, motion),
        Msg::Opened => opened(state),
        Msg::WentBack => went_back(state),
        Msg::PaneSwitched => quiet(|| pane_switched(state, Step::Next)),
        Msg::PaneSwitchedBack => quiet(|| pane_switched(state, Step::Previous)),
        Msg::PaneChosen(pane) => quiet(|| user::choose(state, pane)),
        Msg::PersonOpened if is_log(state) => log::person_opened(state),
        Msg::PersonOpened if is_journal(state) => journal::person_opened(state),
        Msg::PersonOpened => triage::asked(state, Then::Person),
        Msg::RemediateAsked => marks::remediate(state),
        Msg::MarkToggled => marks::toggled(state),
        Msg::AllMarksToggled => marks::all_toggled(state),
        Msg::FilterRemediateAsked => named(state, marks::filter_asked),
        Msg::BulksAsked => bulk::open_list(state),
        Msg::BulkPauseAsked => bulk::pause_asked(state),
        Msg::BulkResumeAsked => bulk::asked(state, bulk::Asking::Resume),
        Msg::BulkStopAsked => bulk::asked(state, bulk::Asking::Stop),
        Msg::BulkFiltered => bulk::filtered(state),
        Msg::BulkExported(form) => bulk::exported(state, form),
        Msg::ClaimToggled => triage::asked(state, Then::Claim),
        Msg::CloseAsked => triage::asked(state, Then::Close),
        Msg::NoteAsked => triage::asked(state, Then::Note),
        Msg::LinkAsked => link::asked(state),
        Msg::LinkSent => link::sent(state),
        Msg::CopyAsked => dry_run::copied(state).unwrap_or_else(|| link::copy_asked(state)),
        Msg::FlowChosen(at) => flows::chosen(state, at),
        Msg::RefreshAsked => refreshed(state),
        Msg::RawAsked => raw_asked(state),
        Msg::UndoAsked => after::undo_asked(state),
        Msg::HealthAsked => health::open(state),
        Msg::OperationAsked(ask) => named(state, |state| triage::operation_asked(state, ask)),
        Msg::UserNamed(login) => named(state, |state| user::open(state, login, None)),
        Msg::ConfigurationKeepAsked => named(state, look_up::configuration_keep_asked),
        Msg::LookUpAsked(what) => named(state, |state| look_up::asked(state, what)),
        Msg::AddressNamed(address) => named(state, |state| address::open(state, address)),
        Msg::Filtered(query) => named(state, |state| feed::filtered(state, query)),
        Msg::UsersFiltered(query) => named(state, |state| event::filtered(state, query)),
        msg => journal::acted(state, msg)
            .or_else(|msg| log::acted(state, msg))
            .unwrap_or_else(|msg| overlaid(state, msg)),
    }
}

/// A command may have been typed: the prompt goes, unless it is what the message is about, or what it looks at.
fn leaves_prompt(msg: &Msg) -> bool {
    !matches!(
        msg,
        Msg::Edited(_)
            | Msg::Pasted(_)
            | Msg::Submitted
            | Msg::Completed(_)
            | Msg::LogCompleted
            | Msg::ChoiceMoved(_)
            | Msg::Misunderstood(_)
            | Msg::WentBack
            | Msg::OperationAsked(_)
    )
}

/// What happens to the overlay, or opens one.
fn overlaid(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::HelpAsked => quiet(|| state.overlay = Some(Overlay::Help(Scroll::default()))),
        Msg::FilterAsked => prompt::open(state, prompt::filter_of(state)),
        Msg::LogCompleted => quiet(|| prompt_completed(state)),
        Msg::PromptAsked => prompt::open(state, PromptKind::Command),
        Msg::Misunderstood(why) => quiet(|| misunderstood(state, why)),
        Msg::Completed(text) => quiet(|| completed(state, text)),
        Msg::ChoiceMoved(motion) => quiet(|| choice_moved(state, motion)),
        Msg::Edited(request) => quiet(|| edited(state, request)),
        Msg::Pasted(text) => quiet(|| pasted(state, &text)),
        Msg::Submitted => submitted(state),
        Msg::Confirmed => confirmed(state),
        Msg::Declined => declined(state),
        Msg::Insisted if matches!(state.overlay, Some(Overlay::Many(_))) => quiet(|| many::insisted(state)),
        Msg::Insisted => card::insisted(state),
        Msg::DryRunAsked => quiet(|| dry_run::asked(state)),
        Msg::FormAsked => form::asked(state),
        Msg::DryRunExported => dry_run::exported(state),
        Msg::QuitAsked => quit_asked(state),
        Msg::SuspendAsked => vec![Effect::Suspend],
        Msg::RedrawAsked => vec![Effect::Redraw],
        _ => Vec::new(),
    }
}

fn named(state: &mut State, go: impl FnOnce(&mut State) -> Vec<Effect>) -> Vec<Effect> {
    state.overlay = None;
    go(state)
}

fn moved(state: &mut State, motion: Motion) -> Vec<Effect> {
    if dry_run::moved(state, motion) {
        return Vec::new();
    }
    match &mut state.overlay {
        Some(Overlay::Help(scroll)) => {
            let extent = state.extent;
            return quiet(|| scroll.go(motion, extent.lines, extent.height));
        }
        Some(Overlay::Flows(list)) => {
            let height = state.size.overlay_list_rows();
            return quiet(|| flows::moved(list, motion, height));
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

fn opened(state: &mut State) -> Vec<Effect> {
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

fn is_log(state: &State) -> bool {
    matches!(state.stack.last(), Some(Screen::Log(_)))
}

fn is_journal(state: &State) -> bool {
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
        None => Vec::new(),
    }
}

fn went_back(state: &mut State) -> Vec<Effect> {
    if card::uncovered(state) {
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
        && list.choice.take().is_some()
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

fn pane_switched(state: &mut State, step: Step) {
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

fn refreshed(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Card(_)) = state.overlay {
        return after::look(state);
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

fn raw_asked(state: &mut State) -> Vec<Effect> {
    match state.stack.last() {
        Some(Screen::Event(_)) => quiet(|| event::raw_asked(state)),
        Some(Screen::Log(_)) => quiet(|| log::record_opened(state)),
        Some(Screen::Journal(_)) => quiet(|| journal::raw_opened(state)),
        Some(Screen::LookUp(_)) => quiet(|| look_up::raw_asked(state)),
        None => open_event(state, event::open_raw),
        _ => Vec::new(),
    }
}

fn misunderstood(state: &mut State, why: String) {
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt.error = Some(why),
        _ => state.notice.fail(state.now, why),
    }
}

fn completed(state: &mut State, text: String) {
    if let Some(Overlay::Prompt(prompt)) = &mut state.overlay {
        prompt.input = tui_input::Input::new(text);
        prompt.choice = 0;
    }
}

fn prompt_completed(state: &mut State) {
    if let Some(Overlay::Prompt(prompt)) = &mut state.overlay {
        prompt::complete(prompt);
    }
}

fn choice_moved(state: &mut State, motion: Motion) {
    match &mut state.overlay {
        Some(Overlay::Dialog(dialog)) => triage::choice_moved(dialog, motion),
        Some(Overlay::Prompt(prompt)) => {
            prompt.choice = match motion {
                Motion::Up => prompt.choice.saturating_sub(1),
                _ => prompt.choice.saturating_add(1),
            }
        }
        Some(Overlay::Form(_)) => form::moved(state, motion),
        Some(Overlay::Link(card)) => card.shows_qr = !card.shows_qr,
        _ => {}
    }
}

fn edited(state: &mut State, request: tui_input::InputRequest) {
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt::edited(prompt, request),
        Some(Overlay::Dialog(dialog)) => triage::edited(dialog, request),
        Some(Overlay::Card(_)) => card::edited(state, request),
        Some(Overlay::Many(_)) => many::edited(state, request),
        Some(Overlay::Form(_)) => form::edited(state, request),
        _ => {}
    }
}

/// Pasted text goes into prompts, dialogs and a card's reason; it never answers a card.
fn pasted(state: &mut State, text: &str) {
    match &mut state.overlay {
        Some(Overlay::Prompt(prompt)) => prompt::pasted(&mut prompt.input, text),
        Some(Overlay::Dialog(dialog)) => prompt::pasted(&mut dialog.input, text),
        Some(Overlay::Form(_)) => form::pasted(state, text),
        Some(Overlay::Card(card)) if card.dry_run.is_some() => {}
        Some(Overlay::Card(card)) if card.field == Field::Reason => prompt::pasted(&mut card.reason, text),
        Some(Overlay::Many(card)) if card.field == Field::Reason => prompt::pasted(&mut card.reason, text),
        _ => {}
    }
}

fn submitted(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Dialog(_)) => triage::submitted(state),
        Some(Overlay::Card(_)) => card::submitted(state),
        Some(Overlay::Many(_)) => many::submitted(state),
        Some(Overlay::Form(_)) => form::submitted(state),
        _ => Vec::new(),
    }
}

fn confirmed(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Card(_)) => card::confirmed(state),
        Some(Overlay::Ask(_)) => bulk::confirmed(state),
        Some(Overlay::Quit(question)) => {
            let arms_after = state.settings.arms_after;
            let has_stood = question.shown_at.is_some_and(|at| state.now.duration_since(at) >= arms_after);
            if has_stood { vec![Effect::Quit] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn declined(state: &mut State) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Card(card)) if !card.takes_no() => Vec::new(),
        // A word or a number is asked for: `n` is no answer.
        Some(Overlay::Many(_)) => Vec::new(),
        Some(Overlay::Card(_)) => card::left(state),
        _ => quiet(|| state.overlay = None),
    }
}

/// Leaving asks while this console receives or a run is under way.
fn quit_asked(state: &mut State) -> Vec<Effect> {
    let receives = state.header.receiver == super::header::Receiver::ThisConsole;
    let why = match (state.running.len(), receives) {
        _ if bulk::is_driving(state) => bulk::why_not_quit(state),
        (0, false) => return vec![Effect::Quit],
        (0, true) => "this console receives: events are not taken in while it is closed".to_owned(),
        (n, _) => format!(
            "{n} run(s) under way: quitting waits for their receipts, at most 60 s; a step that is not sent yet is not sent any more"
        ),
    };
    state.overlay = Some(Overlay::Quit(QuitQuestion { why, shown_at: None }));
    Vec::new()
}
