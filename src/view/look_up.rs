//! A look-up in the org: what was asked and when, what it comes to, facts and a list.
//!
//! ```text
//!  the group `Engineering`                                            read 12:00:05Z
//!  12 members, 1 of them deactivated
//!  group         Engineering
//!  id            00gabcdefghijklmnopq
//!  login                      mail                       status         id
//!  ann@example.com            ann@example.com            ACTIVE         00u1…
//! ```

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::prose::Prose;
use super::theme::{Role, Theme};
use crate::app::look_up::{Content, Item, LookUpScreen, Row, Tone, name_columns};
use crate::app::waits;
use crate::domain::untrusted::width;
use crate::domain::{NOTHING, Remote};
use ratatui::layout::Rect;
use ratatui::text::Line;

const STATE: usize = 14;
const ID: usize = 21;

/// How wide each column of a list is; a column of 0 is not shown.
struct Columns {
    name: usize,
    beside: usize,
    state: usize,
    id: usize,
}

impl Columns {
    fn of(columns: usize) -> Columns {
        let id = if columns < 72 { 0 } else { ID };
        let rest = columns.saturating_sub(STATE + id + 1);
        let beside = if columns < 100 { 0 } else { rest * 9 / 20 };
        Columns { name: rest - beside, beside, state: STATE, id }
    }
}

pub(super) fn draw(scene: &Scene, screen: &LookUpScreen, canvas: &mut Canvas, area: Rect) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let columns = usize::from(inner.width);
    let (role, aside) = aside(scene, screen, columns);
    let aside = canvas.theme.own(&aside);
    let room = columns.saturating_sub(width(&aside) + 2);
    let title = canvas.theme.shown(&screen.what.title(), room);
    canvas.line(inner, 0, &canvas.theme.line(Role::Heading, &title));
    canvas.right(inner, 0, &canvas.theme.line(role, &aside));
    let below = |from: u16| Rect {
        y: inner.y + from.min(inner.height),
        height: inner.height.saturating_sub(from),
        ..inner
    };
    let Some((_, content)) = &screen.came else {
        return nothing(scene, screen, canvas, below(1));
    };
    canvas.line(inner, 1, &words(canvas.theme, screen, content, columns));
    let (area, rows) = (below(2), screen.rows(columns, &scene.state.settings.zone));
    let (widths, selected) = (Columns::of(columns), screen.selected_at(&rows));
    let visible = rows.iter().enumerate().skip(screen.cursor.offset).take(usize::from(area.height));
    for (line, (at, (_, row))) in visible.enumerate() {
        canvas.line(area, line, &row_line(canvas.theme, row, &widths, columns));
        if at == selected {
            canvas.select(area, line);
        }
    }
}

/// When it was read, that it is being read, or who is waited for.
fn aside(scene: &Scene, screen: &LookUpScreen, columns: usize) -> (Role, String) {
    let zone = &scene.state.settings.zone;
    match (screen.is_reading(), &screen.came) {
        (true, _) => match waits::on(scene.state, &[Remote::Okta]) {
            Some(wait) => {
                let long = wait.words(zone);
                (Role::Warning, if width(&long) * 2 <= columns { long } else { wait.brief(zone) })
            }
            None => (Role::Accent, "reading…".to_owned()),
        },
        (false, Some((at, _))) => (Role::Muted, format!("read {}", zone.time_of_day(*at))),
        (false, None) => (Role::Muted, String::new()),
    }
}

/// Why there is nothing, and what mends it, or who is waited for.
fn nothing(scene: &Scene, screen: &LookUpScreen, canvas: &mut Canvas, area: Rect) {
    let mut prose = Prose::new(canvas.theme, usize::from(area.width));
    if let Some(wait) = waits::on(scene.state, &[Remote::Okta]).filter(|_| screen.is_reading()) {
        prose.say(Role::Warning, &wait.words(&scene.state.settings.zone));
        return canvas.lines(area, &prose.lines());
    }
    let Some(error) = screen.error.as_ref().filter(|_| !screen.is_reading()) else { return };
    let (told, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
    prose.marked("! ", Role::Alarm, told);
    if !hint.is_empty() {
        prose.fact("hint", Role::Text, hint);
    }
    canvas.lines(area, &prose.lines());
}

/// What it comes to; what went wrong goes before.
fn words(theme: &Theme, screen: &LookUpScreen, content: &Content, columns: usize) -> Line<'static> {
    let error = screen.error.as_ref().or(content.error.as_ref());
    if let Some(error) = error {
        let told = format!("! {}", error.replace('\n', "; "));
        return theme.line(Role::Alarm, &theme.shown(&told, columns));
    }
    let (tone, words) = &content.words;
    theme.line(role(*tone), &theme.shown(words, columns))
}

fn role(tone: Tone) -> Role {
    match tone {
        Tone::Plain => Role::Text,
        Tone::Muted => Role::Muted,
        Tone::Warning => Role::Warning,
    }
}

fn row_line(theme: &Theme, row: &Row<'_>, widths: &Columns, columns: usize) -> Line<'static> {
    match row {
        Row::Heading(text) => theme.line(Role::Heading, &theme.shown(text, columns)),
        Row::Fact { name, value, tone, leads } => {
            let names = name_columns(columns).min(columns);
            let value_role = if *leads { Role::Accent } else { role(*tone) };
            let cells = Cells::new(theme).left(Role::Muted, name, names.saturating_sub(1)).gap(1);
            cells.left(value_role, value, columns.saturating_sub(names)).line()
        }
        Row::Headings(headings) => cells(theme, widths, &headings.map(str::to_owned), [Role::Muted; 4]),
        Row::Item(item) => item_line(theme, widths, item),
    }
}

fn item_line(theme: &Theme, widths: &Columns, item: &Item) -> Line<'static> {
    let name = match (&item.leads, item.tone) {
        (_, Tone::Muted) if item.leads.is_none() => Role::Text,
        (Some(_), _) => Role::Accent,
        (None, _) => Role::Text,
    };
    cells(theme, widths, &item.cells, [name, Role::Muted, role(item.tone), Role::Muted])
}

fn cells(theme: &Theme, widths: &Columns, texts: &[String; 4], roles: [Role; 4]) -> Line<'static> {
    let [name, beside, state, id] = texts;
    let name = if name.is_empty() { NOTHING } else { name };
    let line = Cells::new(theme).left(roles[0], name, widths.name.saturating_sub(1)).gap(1);
    let line = match widths.beside {
        0 => line,
        columns => line.left(roles[1], beside, columns.saturating_sub(1)).gap(1),
    };
    let line = line.left(roles[2], state, widths.state);
    let line = if widths.id == 0 { line } else { line.gap(1).left(roles[3], id, widths.id) };
    line.line()
}
