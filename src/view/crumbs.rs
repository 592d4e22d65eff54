//! The second line: where the analyst is, and at the right what waits or how far the list goes.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::hidden;
use super::theme::{Role, Theme};
use crate::app::list::Extent;
use crate::app::marks::{self, Marks};
use crate::app::{Screen, State};
use crate::domain::counted::numbered;
use crate::domain::untrusted::width;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

const BETWEEN: &str = " › ";
/// The name of the feed, and the blanks around what stands beside it.
const BESIDE: usize = 14;

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    canvas.fill(area, Role::Text);
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let (role, aside) = aside(scene, canvas.theme, canvas.extent);
    let taken = if aside.is_empty() { 0 } else { width(&aside) + 2 };
    let room = usize::from(inner.width).saturating_sub(taken);
    canvas.line(inner, 0, &path(canvas.theme, scene.state, room));
    canvas.right(inner, 0, &canvas.theme.line(role, &canvas.theme.shown(&aside, usize::from(inner.width))));
}

/// The way here. What does not fit is left out at its start: where one is matters most.
fn path(theme: &Theme, state: &State, room: usize) -> Line<'static> {
    let crumbs = state.crumbs();
    let Some((last, before)) = crumbs.split_last() else { return Line::default() };
    let mut cells = Cells::new(theme);
    if before.is_empty() && !state.feed.query.is_empty() {
        let filter = theme.shown(&format!("/{}", state.feed.query), room.saturating_sub(width(last) + 2));
        return cells.text(Role::Heading, last).gap(2).text(Role::Accent, &filter).line();
    }
    let last = theme.shown(last, room);
    let left = room.saturating_sub(width(&last));
    for span in ancestors(theme, before, left) {
        cells = cells.cell(vec![span], 0);
    }
    cells.text(Role::Heading, &last).line()
}

fn ancestors(theme: &Theme, crumbs: &[String], room: usize) -> Vec<Span<'static>> {
    let mut kept: Vec<String> = Vec::new();
    let mut taken = 0;
    for crumb in crumbs.iter().rev() {
        let words = format!("{}{}", theme.shown(crumb, 40), theme.own(BETWEEN));
        taken += width(&words);
        if taken > room {
            let left_out = theme.own("… › ");
            kept.push(if room >= width(&left_out) { left_out } else { String::new() });
            break;
        }
        kept.push(words);
    }
    while kept.iter().map(|words| width(words)).sum::<usize>() > room && kept.len() > 1 {
        kept.remove(kept.len() - 2);
    }
    kept.iter().rev().map(|words| theme.span(Role::Muted, words)).collect()
}

fn aside(scene: &Scene, theme: &Theme, extent: Extent) -> (Role, String) {
    let (height, columns) = scene.size.raw_size();
    if let Some(words) = marks::here(scene.state).and_then(Marks::words) {
        return (Role::Badge, format!(" {} ", with_held(scene, theme, words)));
    }
    match scene.state.stack.last() {
        None => of_feed(scene.state),
        Some(Screen::Raw(raw)) => {
            let lines = raw.wrapped(columns).count();
            let place = theme.own(&hidden(raw.scroll.offset, height, lines));
            (Role::Muted, format!("{}  {place}", numbered(lines, "line")).trim_end().to_owned())
        }
        Some(Screen::Health(health)) => {
            let offset = health.scroll.offset.min(extent.lines.saturating_sub(extent.height));
            (Role::Muted, theme.own(&hidden(offset, extent.height, extent.lines)))
        }
        Some(Screen::Log(log)) if !log.rows.is_empty() => {
            let more = if log.next.is_some() { "+" } else { "" };
            let noun = if log.rows.len() == 1 && log.next.is_none() { "record" } else { "records" };
            (Role::Muted, format!("{}{more} {noun}", log.rows.len()))
        }
        Some(Screen::LookUp(screen)) => {
            let (height, columns) = scene.size.look_up_size();
            let rows = screen.rows(columns, &scene.state.settings.zone).len();
            (Role::Muted, theme.own(&hidden(screen.cursor.offset, height, rows)))
        }
        Some(Screen::Journal(journal)) if journal.records.is_loaded => (Role::Muted, journal.counted()),
        _ => (Role::Muted, String::new()),
    }
}

/// Who is marked, and in the feed what waits beside, as far as there is room for it.
fn with_held(scene: &Scene, theme: &Theme, marked: String) -> String {
    let held = scene.state.feed.held_words().filter(|_| scene.state.stack.is_empty());
    let Some(held) = held else { return marked };
    let held = held.split(',').next().unwrap_or_default();
    let brief = held.split(" (").next().unwrap_or_default();
    let room = usize::from(scene.size.columns).saturating_sub(BESIDE);
    let both = [held, brief].map(|held| theme.own(&format!("{marked} · {held}")));
    both.into_iter().find(|words| width(words) <= room).unwrap_or(marked)
}

/// What waits is loud; otherwise whether new rows come in, or which row this is.
fn of_feed(state: &State) -> (Role, String) {
    let feed = &state.feed;
    if let Some(words) = feed.held_words() {
        return (Role::Badge, format!(" {words} "));
    }
    if feed.window.rows.is_empty() {
        return (Role::Muted, String::new());
    }
    let left_out = match feed.left_out(state.header.health.quiet) {
        0 => String::new(),
        n => format!("{} quiet, ", coarse(n)),
    };
    if feed.follows() {
        return (Role::Muted, format!("{left_out}following"));
    }
    let more = if feed.window.below.is_some() { "+" } else { "" };
    let row = feed.cursor.index(&feed.ids()) + 1;
    (Role::Muted, format!("{left_out}row {row} of {}{more}", feed.window.rows.len()))
}

/// A number that changes rarely: it stands on a line that nobody watches.
fn coarse(n: u64) -> String {
    match n {
        ..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}k", n / 1_000),
        _ => format!("{}M", n / 1_000_000),
    }
}
