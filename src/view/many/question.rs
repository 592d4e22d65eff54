//! What the card for many asks, pinned at its bottom: what has to be said beside the keys, the fields, the keys.

use crate::app::card::Field;
use crate::app::many::{ManyCard, Phase};
use crate::app::waits;
use crate::domain::Remote;
use crate::domain::many::{ConfirmMany, Exception, Sum};
use crate::view::Scene;
use crate::view::canvas::Cells;
use crate::view::card::{self, Question, is_low};
use crate::view::panel::Focus;
use crate::view::prose::Prose;
use crate::view::theme::{Role, Theme};
use ratatui::text::Line;

pub(super) fn question<'a>(
    scene: &Scene,
    theme: &Theme,
    card: &'a ManyCard,
    sum: &Sum,
    columns: usize,
) -> Question<'a> {
    let (role, text) = said(scene, theme, card, sum);
    let mut said = Prose::new(theme, columns);
    if !text.is_empty() {
        said.say(role, &text);
    }
    let mut said = said.lines();
    said.truncate(card::SAID);
    Question { said, fields: fields(scene, card, sum), keys: keys(scene, theme, card, sum, columns) }
}

/// What has to be said beside the keys.
fn said(scene: &Scene, theme: &Theme, card: &ManyCard, sum: &Sum) -> (Role, String) {
    match &card.phase {
        Phase::Planning(read) => {
            let words = format!("{read} of {} read", card.meant());
            match waits::on(scene.state, &[Remote::Cii, Remote::Okta]) {
                Some(wait) => (Role::Warning, format!("{words}: {}", wait.words(&scene.state.settings.zone))),
                None => (Role::Accent, theme.own(&format!("{words}…"))),
            }
        }
        Phase::Starting => (Role::Accent, theme.own("keeping the run, before anybody is acted on…")),
        Phase::Failed(why) => (Role::Alarm, format!("! {why}")),
        Phase::Asking => match &card.error {
            Some(error) => (Role::Alarm, format!("! {error}")),
            None if card.wants_insistence() => (Role::Warning, insistence(scene, sum)),
            None => (Role::Text, String::new()),
        },
    }
}

fn insistence(scene: &Scene, sum: &Sum) -> String {
    let doubted = sum.left_out.iter().find(|(kind, _)| *kind == Exception::Doubted);
    let count = doubted.map_or(0, |(_, count)| *count);
    format!("! {count} left out for a doubt: {} acts on them too", scene.help.insist_key)
}

/// The fields stand there before the card arms, so that nothing moves when it does.
fn fields<'a>(
    scene: &Scene,
    card: &'a ManyCard,
    sum: &Sum,
) -> Vec<(&'static str, &'a tui_input::Input, Focus)> {
    if card.phase != Phase::Asking || sum.confirm.is_none() {
        return Vec::new();
    }
    let takes = card.takes_text(scene.state.now);
    let focus = |field: Field| Focus::here(takes && card.field == field);
    let is_used = card.field == Field::Reason || !card.reason.value().is_empty();
    let mut fields = Vec::new();
    if sum.reason_required || is_used || !is_low(scene) {
        fields.push(("reason", &card.reason, focus(Field::Reason)));
    }
    fields.push(("confirm", &card.typed, focus(Field::Confirm)));
    fields
}

/// The key that leaves is never cut: where the columns are few, that of the dry run is left to the help.
fn keys(scene: &Scene, theme: &Theme, card: &ManyCard, sum: &Sum, columns: usize) -> Line<'static> {
    let keys = &scene.help.dry_run_keys;
    let key = if card.is_typed() { &keys.beside_field } else { &keys.plain };
    let dry_run = Some(key.as_str()).filter(|key| card.takes_dry_run(scene.state.now) && !key.is_empty());
    let line = keys_with(scene, theme, card, sum, dry_run);
    if line.width() <= columns { line } else { keys_with(scene, theme, card, sum, None) }
}

fn keys_with(
    scene: &Scene,
    theme: &Theme,
    card: &ManyCard,
    sum: &Sum,
    dry_run: Option<&str>,
) -> Line<'static> {
    let cells = Cells::new(theme);
    let cells = match (&card.phase, &sum.confirm) {
        (Phase::Failed(_), _) => {
            return cells.text(Role::Key, "esc").text(Role::Muted, " closes").line();
        }
        (Phase::Starting, _) => {
            return cells.text(Role::Key, "esc").text(Role::Muted, " leaves: the run begins").line();
        }
        (Phase::Asking, Some(confirm)) if card.is_armed(scene.state.now) => answer(cells, card, confirm),
        (Phase::Asking, Some(_)) => cells.own(Role::Muted, "arming… · "),
        (Phase::Asking, None) | (Phase::Planning(_), _) => cells,
    };
    let cells = match dry_run {
        Some(key) => cells.text(Role::Key, key).text(Role::Muted, " dry run").own(Role::Muted, " · "),
        None => cells,
    };
    let leaves = if card.acts_on_nobody() { " back" } else { " leaves (default)" };
    cells.text(Role::Key, "esc").text(Role::Muted, leaves).line()
}

fn answer<'a>(cells: Cells<'a>, card: &ManyCard, confirm: &ConfirmMany) -> Cells<'a> {
    let cells = match (card.field, confirm) {
        (Field::Reason, _) => cells.text(Role::Text, "say why, then ").text(Role::Key, "enter"),
        (Field::Confirm, ConfirmMany::Word(word)) => cells
            .text(Role::Text, "type ")
            .text(Role::Key, word)
            .text(Role::Text, " and ")
            .text(Role::Key, "enter"),
        (Field::Confirm, ConfirmMany::Count(_)) => {
            cells.text(Role::Text, "type how many are acted on, ").text(Role::Key, "enter")
        }
    };
    cells.own(Role::Muted, " · ")
}
