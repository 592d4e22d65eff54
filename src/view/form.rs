//! The form of a flow's inputs.
//!
//! ```text
//! ┏ Inputs of Notify the manager ━━━━━━━━━━━━━━━━━ nothing is sent yet ┓
//! ┃ Run Notify the manager: ann@example.com                            ┃
//! ┃                                                                    ┃
//! ┃ manager   bob@example.com▏                                         ┃
//! ┃           text, required                                           ┃
//! ┃ days      seven                                                    ┃
//! ┃           ! wants a number                                         ┃
//! ┃ ────────────────────────────────────────────────────────── ↓ 1 more ┃
//! ┃ Who is told, by mail.                                              ┃
//! ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
//! ```
//!
//! What is said of the field that takes the keys stands below, whole; the fields scroll between.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::field;
use super::panel::{Focus, Panel, hidden};
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words;
use crate::app::form::{Field, Form};
use crate::domain::flow::InputType;
use crate::domain::payload::wanted::Otherwise;
use crate::domain::untrusted::width;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

/// The most columns of a name.
const NAME: usize = 24;
/// The rows of a field: what is typed, and what is said of it.
const FIELD: usize = 2;
/// The most rows of what an input is for.
const ABOUT: usize = 3;
/// Below this many rows of screen nothing stands empty.
const LOW: u16 = 20;

pub(super) fn draw(scene: &Scene, form: &Form, canvas: &mut Canvas) -> Option<Position> {
    let largest = scene.size.card();
    let columns = usize::from(largest.width.saturating_sub(4));
    let above = above(canvas.theme, form, columns, scene.size.rows < LOW);
    let below = about(canvas.theme, form, columns);
    let wanted = above.len() + form.fields.len() * FIELD + 1 + below.len() + 2;
    let wanted = u16::try_from(wanted).unwrap_or(u16::MAX).min(largest.height);
    let inner = Panel::new(format!("Inputs of {}", form.flow.name), Focus::Here)
        .aside(Role::Muted, "nothing is sent yet")
        .draw(canvas, scene.size.overlay(largest.width, wanted));
    let (top, between, bottom) = parts(inner, above.len(), below.len());
    canvas.lines(top, &above);
    canvas.lines(bottom, &below);
    draw_fields(canvas, between, form)
}

/// The field that takes the keys has its rows first, then what it is for, then the sentence.
fn parts(inner: Rect, above: usize, below: usize) -> (Rect, Rect, Rect) {
    let left = usize::from(inner.height).saturating_sub(FIELD + 1);
    let bottom = below.min(left);
    let top = above.min(left - bottom);
    let (top, bottom) = (u16::try_from(top).unwrap_or(0), u16::try_from(bottom).unwrap_or(0));
    let between = inner.height - top - bottom;
    let at = |y: u16, height: u16| Rect { y: inner.y + y, height, ..inner };
    (at(0, top), at(top, between), at(top + between, bottom))
}

fn above(theme: &Theme, form: &Form, columns: usize, is_low: bool) -> Vec<Line<'static>> {
    let mut prose = Prose::new(theme, columns);
    let verb = words::capitalised(&form.flow.verb);
    prose.say(Role::Heading, &format!("{verb}: {}", form.ask.login));
    let mut lines = prose.lines();
    lines.truncate(2);
    lines.extend((!is_low).then(Line::default));
    lines
}

/// What the input is for, whole; and what is wrong with it, where that takes more than its row.
fn about(theme: &Theme, form: &Form, columns: usize) -> Vec<Line<'static>> {
    let Some(field) = form.fields.get(form.at) else { return Vec::new() };
    let mut prose = Prose::new(theme, columns);
    let room = columns.saturating_sub(names(form) + 2);
    if let Some(error) = field.error.as_ref().filter(|error| width(error) + 2 > room) {
        prose.marked("! ", Role::Alarm, error);
    } else if let Some(description) = &field.declared.description {
        prose.say(Role::Muted, description);
    }
    let mut lines = prose.lines();
    lines.truncate(ABOUT);
    lines
}

/// The columns of the names.
fn names(form: &Form) -> usize {
    let widest = form.fields.iter().map(|field| width(&field.declared.name)).max().unwrap_or(0);
    widest.min(NAME)
}

/// The fields around the one that takes the keys, and below them a rule that says how many are not visible.
fn draw_fields(canvas: &mut Canvas, area: Rect, form: &Form) -> Option<Position> {
    let rows = area.height.checked_sub(1)?;
    let shown = (usize::from(rows) / FIELD).max(1);
    let first = (form.at + 1).saturating_sub(shown);
    let mut cursor = None;
    for (at, field) in form.fields.iter().enumerate().skip(first).take(shown) {
        let y = u16::try_from((at - first) * FIELD).unwrap_or(u16::MAX).min(rows);
        let place = Rect { y: area.y + y, height: (rows - y).min(FIELD as u16), ..area };
        let here = draw_field(canvas, place, field, names(form), Focus::here(at == form.at));
        cursor = here.or(cursor);
    }
    let more = hidden(first, shown, form.fields.len());
    let tail = if more.is_empty() { String::new() } else { canvas.theme.own(&format!(" {more}")) };
    let rule = "─".repeat(usize::from(area.width).saturating_sub(width(&tail)));
    let line = Cells::new(canvas.theme).own(Role::Border, &rule).text(Role::Accent, &tail).line();
    canvas.line(area, usize::from(rows), &line);
    cursor
}

fn draw_field(
    canvas: &mut Canvas,
    area: Rect,
    field: &Field,
    names: usize,
    focus: Focus,
) -> Option<Position> {
    let role = if focus == Focus::Here { Role::Accent } else { Role::Muted };
    canvas.line(area, 0, &Cells::new(canvas.theme).left(role, &field.declared.name, names).line());
    let taken = u16::try_from(names + 2).unwrap_or(u16::MAX).min(area.width);
    let room = Rect { x: area.x + taken, width: area.width - taken, ..area };
    let columns = usize::from(room.width);
    let (role, said) = said(field);
    canvas.line(room, 1, &canvas.theme.line(role, &canvas.theme.shown(&said, columns)));
    if let Some(value) = field.declared.value.as_ref().filter(|_| !field.is_open()) {
        canvas.line(room, 0, &canvas.theme.line(Role::Text, &canvas.theme.shown(value, columns)));
        return None;
    }
    let cursor = field::draw(canvas, Rect { height: 1.min(room.height), ..room }, &field.typed);
    cursor.filter(|_| focus == Focus::Here)
}

/// What is said of a field below it: what is wrong, else what it takes and where it gets that otherwise.
fn said(field: &Field) -> (Role, String) {
    if let Some(error) = &field.error {
        return (Role::Alarm, format!("! {error}"));
    }
    let kind = match field.declared.kind {
        InputType::Text => "text",
        InputType::Number => "number",
        InputType::Boolean => "true or false, by space",
        InputType::DateTime => "date and time, as 2026-01-31T09:00:00Z",
    };
    let otherwise = match (field.otherwise, &field.declared.default) {
        (Otherwise::Required, _) => "required".to_owned(),
        (Otherwise::Finding, None) => "empty: the finding fills it in".to_owned(),
        (Otherwise::Finding, Some(default)) => format!("empty: from the finding, else `{default}`"),
        (Otherwise::Default, default) => format!("empty: `{}`", default.as_deref().unwrap_or_default()),
        (Otherwise::Fixed, _) => return (Role::Muted, "fixed by the configuration".to_owned()),
        (Otherwise::Whom, _) => return (Role::Muted, "from whom the card is about".to_owned()),
    };
    let role = if field.otherwise == Otherwise::Required { Role::Text } else { Role::Muted };
    (role, format!("{kind}; {otherwise}"))
}
