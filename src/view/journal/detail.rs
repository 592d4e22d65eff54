//! A record whole: what it says, the action that it is about as that stands now, its place in the chain, and the
//! content as it is kept.

use crate::app::journal::{Chain, JournalScreen};
use crate::domain::action::StepOf;
use crate::domain::bulk::BulkRun;
use crate::domain::journal::Record;
use crate::domain::journal::query::Rows;
use crate::domain::journal::told::Told;
use crate::domain::time::Zone;
use crate::domain::untrusted::visible_lines;
use crate::domain::{Action, ActionId, Event, Outcome, counted, later, undo};
use crate::view::Scene;
use crate::view::prose::Prose;
use crate::view::theme::{Role, Theme};
use crate::view::{card_end, card_text, words};
use jiff::SignedDuration;
use ratatui::text::Line;

/// Of more records than these, the first ones are told.
const MOST_BESIDE: usize = 4;
/// A step that has not begun so long after the one before it does not begin any more: longer than a call and the
/// re-reads behind it may take.
const GIVEN_UP: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn whole(
    scene: &Scene,
    theme: &Theme,
    screen: &JournalScreen,
    record: &Record,
    columns: usize,
) -> Vec<Line<'static>> {
    let zone = &scene.state.settings.zone;
    let told = Told::of(record);
    let mut prose = Prose::new(theme, columns);
    let (action, run) = (screen.action_of(record), screen.run_of_row(record));
    let verb = action.map(|action| &action.verb).or(run.map(|run| &run.verb)).cloned();
    let what = verb.unwrap_or_else(|| super::said(theme, &told));
    let users = || run.map(|run| counted::users(run.counts.total()));
    let what = told.whom().or_else(users).map_or(what.clone(), |whom| format!("{what}: {whom}"));
    prose.say(Role::Heading, &words::capitalised(&what));
    let is_record = screen.query.rows() == Rows::Records && action.is_some();
    if !is_record {
        prose.blank();
    }
    if let Some(damage) = &record.damage {
        prose.marked("! ", Role::Alarm, &format!("this record is damaged: {damage}"));
    }
    // A row of an action says first how that stands; where every record is a row, each what it says itself.
    if is_record {
        the_record((scene, theme), (screen, record, &told), &mut prose);
        card_text::receipt(&mut prose, told.receipt().as_ref(), zone);
        prose.heading(Role::Heading, "The action, as it stands now");
    }
    match action {
        Some(action) => {
            about_action(scene, screen, action, &mut prose);
            if !is_record && record.at != action.at {
                prose.fact("last record", Role::Text, &zone.seconds(record.at));
            }
        }
        None if run.is_some() => about_run(scene, run, &mut prose),
        None => {
            prose.fact("by", Role::Text, &told.actor().map_or_else(|| told.who(), |actor| actor.shown()));
        }
    }
    if !is_record {
        the_record((scene, theme), (screen, record, &told), &mut prose);
    }
    if let Some(action) = action {
        if !is_record {
            card_text::receipt(&mut prose, action.receipt.as_ref(), zone);
        }
        beside(screen, action, zone, &mut prose);
        card_text::request(&mut prose, &action.request);
    }
    prose.heading(Role::Heading, "As it is kept");
    match &record.content {
        Some(content) => prose.code(&pretty(content)),
        None => prose.say(Role::Alarm, "the content is gone, and nothing in this program erases one"),
    }
    prose.lines()
}

/// A run on many, as it stands now.
fn about_run(scene: &Scene, run: Option<&BulkRun>, prose: &mut Prose) {
    let Some(run) = run else { return };
    let zone = &scene.state.settings.zone;
    let (role, word) = crate::view::bulk::state(scene, run);
    prose.fact("state", role, word);
    let (done, acting) = run.progress();
    let left_out = run.left_out_words().map(|words| format!("; {words}")).unwrap_or_default();
    prose.fact("users", Role::Text, &format!("{done} of {acting} done: {}{left_out}", run.acted_on_words()));
    if let Some(why) = &run.why {
        prose.fact("why", Role::Warning, why);
    }
    prose.fact("by", Role::Text, &run.actor.shown());
    prose.fact("at", Role::Text, &zone.seconds(run.at));
    if let Some(reason) = &run.reason {
        prose.fact("reason", Role::Text, reason);
    }
    prose.fact("run", Role::Muted, &run.id.to_string());
}

fn the_record(
    (scene, theme): (&Scene, &Theme),
    (screen, record, told): (&JournalScreen, &Record, &Told),
    prose: &mut Prose,
) {
    prose.heading(Role::Heading, "The record");
    prose.fact("kind", Role::Text, record.kind.word());
    prose.fact("at", Role::Text, &scene.state.settings.zone.seconds(record.at));
    if screen.action_of(record).is_some() || screen.run_of_row(record).is_some() {
        prose.fact("says", Role::Text, &super::said(theme, told));
    }
    chain(screen, record, prose);
}

fn pretty(content: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(content).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    let text = pretty.unwrap_or_else(|| content.to_owned());
    visible_lines(&text).collect::<Vec<_>>().join("\n")
}

/// Where the record stands, and what was found there when the chain was checked.
fn chain(screen: &JournalScreen, record: &Record, prose: &mut Prose) {
    let newest =
        screen.records.rows.first().filter(|_| screen.query.is_empty() && screen.records.above.is_none());
    let place = match newest {
        Some(newest) => format!("{} of {}", record.seq, newest.seq),
        None => record.seq.to_string(),
    };
    prose.fact("place", Role::Text, &place);
    if let Chain::Checked(verdict, _) = &screen.chain {
        let held = verdict.head.as_ref().is_some_and(|head| head.seq >= record.seq);
        match &verdict.broken {
            _ if held => prose.fact("chain", Role::Good, "holds up to here"),
            Some(broken) => prose.fact("chain", Role::Alarm, &broken.to_string()),
            None => prose.fact("chain", Role::Muted, "came after the chain was checked"),
        }
    }
    prose.fact("hash", Role::Muted, &record.hash);
    let previous = if record.previous.is_empty() { "none: it is the first" } else { &record.previous };
    prose.fact("previous", Role::Muted, previous);
}

fn about_action(scene: &Scene, screen: &JournalScreen, action: &Action, prose: &mut Prose) {
    let zone = &scene.state.settings.zone;
    card_text::ending(prose, zone, action);
    afterwards(prose, scene, screen, action);
    prose.blank();
    prose.fact("by", Role::Text, &action.actor.shown());
    prose.fact("at", Role::Text, &zone.seconds(action.at));
    if let Some(reason) = &action.reason {
        prose.fact("reason", Role::Text, reason);
    }
    prose.fact("action", Role::Muted, &action.id.to_string());
    if let Some(step) = action.step {
        prose.fact("step", Role::Text, &step_of(scene, screen, action, step));
        prose.fact("run", Role::Muted, &step.run.to_string());
    }
}

fn beside(screen: &JournalScreen, action: &Action, zone: &Zone, prose: &mut Prose) {
    let beside: Vec<&Event> = screen.beside(action).collect();
    if !beside.is_empty() {
        prose.fact("beside", Role::Muted, &told(zone, &beside));
    }
    for note in screen.notes.get(&action.id).into_iter().flatten() {
        prose.fact("log", Role::Muted, &format!("{} (a note, no evidence)", note.words()));
    }
}

/// What arrived of the execution: a note beside the evidence, which it does not raise.
fn told(zone: &Zone, beside: &[&Event]) -> String {
    let one = |event: &&Event| format!("{} {}", event.record_type(), zone.seconds(event.at()));
    let mut words: Vec<String> = beside.iter().take(MOST_BESIDE).map(one).collect();
    if beside.len() > MOST_BESIDE {
        words.push(format!("and {} more", beside.len() - MOST_BESIDE));
    }
    format!("{} (records that arrived, no evidence of the effect)", words.join(", "))
}

/// Which step of a run it is, and what of it is to follow or did not: a step is in the journal once it is about to be
/// sent. Of one that nobody looked for yet nothing is said.
fn step_of(scene: &Scene, screen: &JournalScreen, action: &Action, step: StepOf) -> String {
    let is_missing = |(_, id): &(u8, ActionId)| screen.is_absent(*id);
    let missing: Vec<String> =
        step.later().filter(is_missing).map(|(number, _)| number.to_string()).collect();
    if missing.is_empty() {
        return step.to_string();
    }
    let is_running = scene.state.running.iter().any(|running| running.action == step.run);
    let last = step_before(screen, step).unwrap_or(action);
    let is_open = is_running || last.outcome == Outcome::Pending;
    let ended = last.receipt.as_ref().and_then(|receipt| receipt.at).unwrap_or(last.at);
    let is_old = scene.state.now.duration_since(ended) > GIVEN_UP;
    let how = match (is_open, is_old) {
        (true, _) => "it is still to come",
        (false, false) => "it is not sent yet",
        (false, true) => "it was not sent",
    };
    format!("{step}; step {} is not in the journal: {how}", missing.join(", "))
}

/// The last step of the run that is there.
fn step_before(screen: &JournalScreen, step: StepOf) -> Option<&Action> {
    (1..=step.of).rev().find_map(|number| screen.actions.get(&step.run.step(number)))
}

/// What can be done about it from here, and why what cannot be done cannot.
fn afterwards(prose: &mut Prose, scene: &Scene, screen: &JournalScreen, action: &Action) {
    let flows = &scene.state.settings.flows;
    if later::is_open(action) {
        match later::can_tell(action, flows) {
            Ok(how) => prose.fact("look", Role::Text, &format!("{}: {how}", scene.help.look_key)),
            Err(why) => {
                prose.fact("look", Role::Muted, &format!("nothing to read: {why}"));
                if action.is_unknown() {
                    card_end::say(prose, action);
                }
            }
        }
    }
    if let Some(undoes) = action.undoes {
        prose.fact("undoes", Role::Text, &format!("action {undoes}"));
    }
    let is_open =
        |by: &&Action| by.undoes == Some(action.id) && (by.is_unknown() || by.outcome == Outcome::Pending);
    if let Some(by) = screen.actions.values().find(is_open) {
        let words = format!("action {} was to undo it, and is {}", by.id, by.standing());
        prose.fact("undoing", Role::Warning, &words);
    }
    match undo::of(action, flows) {
        Ok(undo) if action.undone.is_some() => {
            let words = format!("{}: flow `{}` once more", scene.help.undo_key, undo.flow);
            prose.fact("undo", Role::Muted, &words);
        }
        Ok(undo) => prose.fact("undo", Role::Text, &format!("{}: flow `{}`", scene.help.undo_key, undo.flow)),
        Err(why) => prose.fact("undo", Role::Muted, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_shown_line_by_line_and_harmless() {
        assert_eq!(pretty("{\"a\":1}"), "{\n  \"a\": 1\n}");
        assert_eq!(pretty("no json\u{202e}"), "no json<U+202E>");
    }
}
