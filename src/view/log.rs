//! The System Log: the question on top, below it a row a record.
//!
//! ```text
//!  / eventType eq "user.session.start" and outcome.result eq "DENY"
//!  past 1d · newest first · late ones may be missing
//!  time          result    event                who                         ip            place
//!  05-01 11:58Z  DENY      user.session.start   ann@example.com             192.0.2.7     Kyiv, Ukraine
//!  05-01 11:57Z  SUCCESS   user.lifecycle.sus…  admin@… → ann@example.com   192.0.2.9     Austin, Texas
//! ```

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::field::end_of;
use super::prose::Prose;
use super::theme::{Role, Theme};
use crate::app::log::LogScreen;
use crate::app::waits;
use crate::domain::log::{LogRecord, Moment, RETENTION_DAYS};
use crate::domain::time::Zone;
use crate::domain::untrusted::width;
use crate::domain::{NOTHING, Remote, Untrusted, time};
use jiff::SignedDuration;
use ratatui::layout::Rect;
use ratatui::text::Line;

const RESULT: usize = 9;
/// A difference of clocks that may leave records of the last moments out.
const NOTABLE: SignedDuration = SignedDuration::from_secs(5);

/// How wide each column is; a column of 0 is not shown. IPv6 is whole on the widest screens alone: the
/// record tells all of it.
struct Columns {
    time: usize,
    event: usize,
    who: usize,
    address: usize,
    place: usize,
}

impl Columns {
    fn of(columns: usize, zone: &Zone) -> Columns {
        let time = zone.minutes_columns();
        let address = match columns {
            ..72 => 0,
            72..110 => 15,
            110..150 => 22,
            _ => 39,
        };
        let taken = 4 + time + RESULT + if address > 0 { address + 1 } else { 0 };
        let rest = columns.saturating_sub(taken);
        let place = if columns >= 110 { (rest / 4).min(30) } else { 0 };
        let rest = rest.saturating_sub(if place > 0 { place + 1 } else { 0 });
        let event = (rest * 11 / 20).min(44);
        Columns { time, event, who: rest - event, address, place }
    }
}

pub(super) fn draw(scene: &Scene, screen: &LogScreen, canvas: &mut Canvas, area: Rect) {
    let columns = usize::from(area.width);
    canvas.line(area, 0, &filter(canvas.theme, screen, columns));
    canvas.line(area, 1, &span(scene, canvas.theme, screen, columns));
    let part = |from: u16| Rect {
        y: area.y + from.min(area.height),
        height: area.height.saturating_sub(from),
        ..area
    };
    if screen.rows.is_empty() {
        return empty(scene, screen, canvas, part(2));
    }
    let widths = Columns::of(columns, &scene.state.settings.zone);
    let heading = match &screen.error {
        Some(error) => canvas.theme.line(Role::Alarm, &format!(" ! {}", error.replace('\n', "; "))),
        None => heading(canvas.theme, &widths),
    };
    canvas.line(area, 2, &heading);
    let rows = part(3);
    let selected = screen.selected_at();
    let visible = screen.rows.iter().enumerate().skip(screen.cursor.offset).take(usize::from(rows.height));
    for (row, (at, record)) in visible.enumerate() {
        canvas.line(rows, row, &line(&scene.state.settings.zone, canvas.theme, &widths, &record.record));
        if at == selected {
            canvas.select(rows, row);
        }
    }
    let behind = screen.rows.len().saturating_sub(screen.cursor.offset);
    canvas.line(rows, behind, &end(scene, canvas.theme, screen));
}

fn filter(theme: &Theme, screen: &LogScreen, columns: usize) -> Line<'static> {
    let cells = Cells::new(theme).gap(1).text(Role::Key, "/").gap(1);
    match screen.ask.filter.as_str() {
        "" => cells.text(Role::Muted, "everything").line(),
        filter => cells.text(Role::Accent, &theme.shown(filter, columns.saturating_sub(4))).line(),
    }
}

/// Which span in which order, and what has to be known to read it right; the weightiest first.
fn span(scene: &Scene, theme: &Theme, screen: &LogScreen, columns: usize) -> Line<'static> {
    let now = scene.state.now;
    let mut remarks = Vec::new();
    if screen.gone > 0 {
        remarks
            .push((Role::Warning, format!("the first {} are not held any more: `R` asks anew", screen.gone)));
    }
    if let Some(ahead) = screen.clock_ahead.filter(|ahead| ahead.abs() >= NOTABLE) {
        let way = if ahead.is_positive() { "ahead" } else { "behind" };
        remarks.push((Role::Warning, format!("Okta's clock is {} s {way}", ahead.abs().as_secs())));
    }
    if screen.ask.is_beyond_retention(now) {
        remarks.push((Role::Warning, format!("Okta keeps {RETENTION_DAYS} days")));
    }
    remarks.push((Role::Muted, "late ones may be missing".to_owned()));
    let words = format!("{} · {}", range(&scene.state.settings.zone, screen), screen.ask.order.title());
    let mut left = columns.saturating_sub(2 + width(&theme.own(&words)));
    let mut cells = Cells::new(theme).gap(1).own(Role::Text, &words);
    for (role, remark) in remarks {
        let remark = theme.own(&format!(" · {remark}"));
        if width(&remark) <= left {
            left -= width(&remark);
            cells = cells.text(role, &remark);
        }
    }
    cells.line()
}

fn range(zone: &Zone, screen: &LogScreen) -> String {
    let said = |moment: Moment| match moment {
        Moment::Now => "now".to_owned(),
        Moment::Ago(span) => format!("{} ago", time::span(span)),
        Moment::At(at) => zone.minutes(at),
        Moment::Today | Moment::Yesterday => moment.to_string(),
    };
    match (screen.ask.since, screen.ask.until) {
        (Moment::Ago(span), Moment::Now) => format!("past {}", time::span(span)),
        (since, until) => format!("{} to {}", said(since), said(until)),
    }
}

fn heading(theme: &Theme, widths: &Columns) -> Line<'static> {
    let cells = Cells::new(theme).gap(1).left(Role::Muted, "time", widths.time).gap(1);
    let cells = cells.left(Role::Muted, "result", RESULT).gap(1).left(Role::Muted, "event", widths.event);
    let cells = cells.gap(1).left(Role::Muted, "who", widths.who);
    let cells = cell(cells, Role::Muted, "ip", widths.address);
    cell(cells, Role::Muted, "place", widths.place).line()
}

/// A gap and a cell; nothing where the column is not shown.
fn cell<'a>(cells: Cells<'a>, role: Role, text: &str, columns: usize) -> Cells<'a> {
    if columns == 0 { cells } else { cells.gap(1).left(role, text, columns) }
}

fn line(zone: &Zone, theme: &Theme, widths: &Columns, record: &LogRecord) -> Line<'static> {
    let at = record.published.map_or_else(|| NOTHING.to_owned(), |at| zone.minutes(at));
    let (result, text) = match (record.result.raw(), record.has_failed()) {
        ("", _) => (Role::Muted, NOTHING),
        (result, true) => (Role::Warning, result),
        (result, false) => (Role::Muted, result),
    };
    let cells = Cells::new(theme).gap(1).left(Role::Muted, &at, widths.time).gap(1);
    let cells = cells.left(result, text, RESULT).gap(1);
    let cells =
        cells.left(Role::Text, &tail(theme, record.event_type.raw(), widths.event), widths.event).gap(1);
    let cells = cells.left(Role::Text, &who(theme, record, widths.who), widths.who);
    let address = record.address.as_ref().map(Untrusted::raw).unwrap_or(NOTHING);
    let cells = cell(cells, Role::Muted, address, widths.address);
    cell(cells, Role::Muted, &record.place_text(), widths.place).line()
}

/// A type's last words say what happened: its first ones go where there is no room.
fn tail(theme: &Theme, event_type: &str, columns: usize) -> String {
    let shown = theme.visible(event_type);
    if width(&shown) <= columns {
        return shown;
    }
    format!("{}{}", theme.glyphs.cut(), end_of(&shown, columns.saturating_sub(1)))
}

/// Who did it, and to whom where that is another user. The one whom it was done to stays whole longest.
fn who(theme: &Theme, record: &LogRecord, columns: usize) -> String {
    let actor = theme.visible(record.actor.shown());
    let target = record.target.as_ref().map(|target| theme.visible(target.shown()));
    match target.filter(|target| *target != actor) {
        Some(target) if actor.is_empty() => target,
        Some(target) => {
            let arrow = theme.own(" → ");
            let room = columns.saturating_sub(width(&arrow) + width(&target)).max(columns / 3);
            format!("{}{arrow}{target}", theme.shown(&actor, room))
        }
        None if actor.is_empty() => NOTHING.to_owned(),
        None => actor,
    }
}

/// What stands below the last record.
fn end(scene: &Scene, theme: &Theme, screen: &LogScreen) -> Line<'static> {
    if screen.is_reading() { reading(scene, theme) } else { Line::default() }
}

fn reading(scene: &Scene, theme: &Theme) -> Line<'static> {
    match waits::on(scene.state, &[Remote::Okta]) {
        Some(wait) => theme.line(Role::Warning, &format!(" {}", wait.words(&scene.state.settings.zone))),
        None => theme.own_line(Role::Muted, " reading…"),
    }
}

/// Why there is nothing, what mends it, and what is often asked.
fn empty(scene: &Scene, screen: &LogScreen, canvas: &mut Canvas, area: Rect) {
    if screen.is_reading() {
        return canvas.line(area, 1, &reading(scene, canvas.theme));
    }
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let mut prose = Prose::new(canvas.theme, usize::from(inner.width));
    match &screen.error {
        Some(error) => {
            let (told, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
            prose.marked("! ", Role::Alarm, told);
            if !hint.is_empty() {
                prose.fact("hint", Role::Text, hint);
            }
        }
        None => prose.say(Role::Muted, "no record fits within this span"),
    }
    prose.heading(Role::Muted, "ready questions");
    for (key, title) in &scene.help.questions {
        prose.say(Role::Text, &format!("{key}  {title}"));
    }
    canvas.lines(inner, &prose.lines());
}
