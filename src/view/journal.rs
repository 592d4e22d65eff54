//! What was run, latest first, and the selected action whole.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::card_text;
use super::panel::{Focus, Panel};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use crate::app::journal::JournalScreen;
use crate::app::list::Extent;
use crate::domain::action::StepOf;
use crate::domain::time::Zone;
use crate::domain::{Action, ActionId, Event, later, undo};
use ratatui::layout::Rect;
use ratatui::text::Line;

const OUTCOME: usize = 9;
/// Of more records than these, the first ones are told.
const MOST_BESIDE: usize = 4;

pub(super) fn draw(scene: &Scene, screen: &JournalScreen, canvas: &mut Canvas) {
    let (list, detail) = scene.size.journal_parts();
    draw_list(scene, screen, canvas, list);
    if let Some(action) = screen.selected() {
        draw_action(scene, screen, action, canvas, detail);
    }
}

/// The selected action; `tab` gives it the keys, to be read to its end.
fn draw_action(scene: &Scene, screen: &JournalScreen, action: &Action, canvas: &mut Canvas, area: Rect) {
    let height = usize::from(area.height.saturating_sub(2));
    let lines = whole(scene, canvas.theme, screen, action, usize::from(area.width.saturating_sub(4)));
    let offset = screen.scroll.offset.min(lines.len().saturating_sub(height));
    canvas.extent = Extent { lines: lines.len(), height };
    let panel = Panel::new("Action", Focus::here(screen.reads_action));
    let inner = panel.scrolled(offset, height, lines.len()).draw(canvas, area);
    canvas.lines(inner, lines.iter().skip(offset));
}

fn draw_list(scene: &Scene, screen: &JournalScreen, canvas: &mut Canvas, area: Rect) {
    let (theme, zone) = (canvas.theme, &scene.state.settings.zone);
    canvas.line(area, 0, &heading(zone, theme, screen, usize::from(area.width)));
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    let selected = screen.selected().map(|action| action.id);
    let visible = screen.actions.iter().skip(screen.cursor.offset).take(usize::from(below.height));
    for (row, action) in visible.enumerate() {
        canvas.line(below, row, &line(zone, theme, action, usize::from(below.width)));
        if Some(action.id) == selected {
            canvas.select(below, row);
        }
    }
}

fn heading(zone: &Zone, theme: &Theme, screen: &JournalScreen, columns: usize) -> Line<'static> {
    if let Some(error) = &screen.error {
        return theme.line(Role::Alarm, &format!(" ! {error}"));
    }
    match (screen.is_loaded, screen.actions.is_empty()) {
        (false, _) => theme.own_line(Role::Muted, " reading…"),
        (true, true) => theme.line(Role::Muted, " nothing was run from here yet"),
        (true, false) => {
            let (verb, login) = widths(zone, columns);
            let cells = Cells::new(theme).gap(1).left(Role::Muted, "when", zone.minutes_columns()).gap(1);
            let cells = cells.left(Role::Muted, "outcome", OUTCOME).gap(1);
            cells.left(Role::Muted, "what", verb).gap(1).left(Role::Muted, "who", login).line()
        }
    }
}

fn widths(zone: &Zone, columns: usize) -> (usize, usize) {
    let rest = columns.saturating_sub(zone.minutes_columns() + OUTCOME + 5);
    (rest / 2, rest - rest / 2)
}

fn line(zone: &Zone, theme: &Theme, action: &Action, columns: usize) -> Line<'static> {
    let (verb, login) = widths(zone, columns);
    let at = zone.minutes(action.at);
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &at, zone.minutes_columns()).gap(1);
    let cells = cells.left(action.outcome, action.outcome.word(), OUTCOME).gap(1);
    let what = action.step.map_or(action.verb.clone(), |step| format!("{step}: {}", action.verb));
    let cells = cells.left(Role::Text, &what, verb).gap(1);
    cells.left(Role::Text, &action.login.to_string(), login).line()
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

/// Which step of a run it is, and what was to follow that the journal does not know: a step is in it once
/// it is about to be sent. What is newer than an action that is shown is shown too.
fn step_of(screen: &JournalScreen, step: StepOf) -> String {
    let is_missing = |(_, id): &(u8, ActionId)| screen.actions.iter().all(|action| action.id != *id);
    let missing: Vec<String> =
        step.later().filter(is_missing).map(|(number, _)| number.to_string()).collect();
    match missing.is_empty() {
        true => step.to_string(),
        false => format!("{step}; step {} is not in the journal: it was not sent", missing.join(", ")),
    }
}

/// What can be done about it from here, and why what cannot be done cannot.
fn afterwards(prose: &mut Prose, scene: &Scene, screen: &JournalScreen, action: &Action) {
    let flows = &scene.state.settings.flows;
    if later::is_open(action) {
        match later::can_tell(action, flows) {
            Ok(how) => prose.fact("look", Role::Text, &format!("{}: {how}", scene.help.look_key)),
            Err(why) => prose.fact("look", Role::Muted, &format!("nothing to read: {why}")),
        }
    }
    if let Some(undoes) = action.undoes {
        prose.fact("undoes", Role::Text, &format!("action {undoes}"));
    }
    if let Some(by) = screen.actions.iter().find(|other| other.undoes == Some(action.id)) {
        prose.fact("undone", Role::Text, &format!("by action {}: {}", by.id, by.outcome.word()));
    }
    match undo::of(action, flows) {
        Ok(undo) => prose.fact("undo", Role::Text, &format!("{}: flow `{}`", scene.help.undo_key, undo.flow)),
        Err(why) => prose.fact("undo", Role::Muted, &why),
    }
}

fn whole(
    scene: &Scene,
    theme: &Theme,
    screen: &JournalScreen,
    action: &Action,
    columns: usize,
) -> Vec<Line<'static>> {
    let zone = &scene.state.settings.zone;
    let mut prose = Prose::new(theme, columns);
    let what = format!("{}: {}", action.verb, action.login);
    prose.say(Role::Heading, &words::capitalised(&what));
    prose.blank();
    card_text::ending(&mut prose, action);
    afterwards(&mut prose, scene, screen, action);
    prose.blank();
    prose.fact("by", Role::Text, &action.actor.shown());
    prose.fact("at", Role::Text, &zone.seconds(action.at));
    if let Some(reason) = &action.reason {
        prose.fact("reason", Role::Text, reason);
    }
    prose.fact("action", Role::Muted, &action.id.to_string());
    if let Some(step) = action.step {
        prose.fact("step", Role::Text, &step_of(screen, step));
        prose.fact("run", Role::Muted, &step.run.to_string());
    }
    card_text::receipt(&mut prose, action.receipt.as_ref(), zone);
    let beside: Vec<&Event> = screen.beside(action).collect();
    if !beside.is_empty() {
        prose.fact("beside", Role::Muted, &told(zone, &beside));
    }
    for note in screen.notes.get(&action.id).into_iter().flatten() {
        prose.fact("log", Role::Muted, &format!("{} (a note, no evidence)", note.words()));
    }
    card_text::request(&mut prose, &action.request);
    prose.lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_what_was_to_follow_and_was_not_sent() {
        let run = ActionId(uuid::Uuid::from_u128(8));
        let [first, second] = [1, 2].map(|number| StepOf { run, number, of: 2 });
        let none = JournalScreen::default();
        let expected = "1 of 2; step 2 is not in the journal: it was not sent";
        assert_eq!(
            (step_of(&none, first), step_of(&none, second)),
            (expected.to_owned(), "2 of 2".to_owned())
        );
    }
}
