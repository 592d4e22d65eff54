//! The triage dialogs: close with a disposition and a reason, or write a note.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::field;
use super::footer::keys;
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use crate::app::triage::{Dialog, DialogKind};
use crate::domain::Disposition;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

pub(super) fn draw(scene: &Scene, dialog: &Dialog, canvas: &mut Canvas) -> Option<Position> {
    let theme = canvas.theme;
    let columns = usize::from(scene.size.columns.min(72).saturating_sub(4));
    let above = lines(theme, dialog, columns);
    let rows = u16::try_from(above.len() + 5).unwrap_or(u16::MAX);
    let title = if dialog.kind == DialogKind::Close { "Close" } else { "Note" };
    let inner = Panel::new(title, Focus::Here).draw(canvas, scene.size.overlay(72, rows));
    // The field and the keys stay, whatever else does not fit.
    let bottom = 3.min(inner.height);
    let top = inner.height - bottom;
    canvas.lines(Rect { height: top, ..inner }, &above);
    let area = Rect { y: inner.y + top, height: bottom, ..inner };
    let cursor = draw_field(canvas, area, dialog);
    canvas.line(area, 1, &error(theme, dialog));
    canvas.line(area, 2, &keys(theme, &hints(dialog.kind), columns));
    cursor
}

fn lines(theme: &Theme, dialog: &Dialog, columns: usize) -> Vec<Line<'static>> {
    let finding = &dialog.finding;
    let mut lines = vec![
        Cells::new(theme).left(Role::Heading, &finding.check.name(), columns).line(),
        Cells::new(theme).left(Role::Text, &finding.login.to_string(), columns).line(),
        Line::default(),
    ];
    if dialog.kind == DialogKind::Close {
        lines.extend(Disposition::ALL.into_iter().map(|choice| choice_line(theme, dialog, choice, columns)));
        lines.push(Line::default());
    }
    lines
}

fn choice_line(theme: &Theme, dialog: &Dialog, choice: Disposition, columns: usize) -> Line<'static> {
    let is_chosen = dialog.chosen() == choice;
    let (sign, role) = if is_chosen { ("(•) ", Role::Selected) } else { ("( ) ", Role::Text) };
    Cells::new(theme).own(role, sign).left(role, choice.title(), columns.saturating_sub(4)).line()
}

fn draw_field(canvas: &mut Canvas, area: Rect, dialog: &Dialog) -> Option<Position> {
    let label = if dialog.kind == DialogKind::Close { "reason " } else { "note " };
    canvas.line(area, 0, &canvas.theme.line(Role::Muted, label));
    let taken = (label.len() as u16).min(area.width);
    let room = Rect { x: area.x + taken, width: area.width - taken, height: 1.min(area.height), ..area };
    field::draw(canvas, room, &dialog.input)
}

fn error(theme: &Theme, dialog: &Dialog) -> Line<'static> {
    dialog.error.as_ref().map_or(Line::default(), |error| theme.line(Role::Alarm, &format!("! {error}")))
}

fn hints(kind: DialogKind) -> Vec<(String, String)> {
    let hint = |key: &str, label: &str| (key.to_owned(), label.to_owned());
    match kind {
        DialogKind::Close => vec![hint("enter", "closes it"), hint("esc", "leaves"), hint("↑ ↓", "choose")],
        DialogKind::Note => vec![hint("enter", "writes it"), hint("esc", "leaves")],
    }
}
