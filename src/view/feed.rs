//! The feed: one row an event, newest arrival first.
//!
//! ```text
//!  sev     event                         who               state               age
//!  ◆ crit  Impossible Travel ×3          ann@example.com   open                 2m
//!  ▲ high  No MFA Configured             12 users          8 open · 1 claimed   1h
//! ```
//!
//! The event's title gets what is left; check and source come in as the screen grows, the source
//! earlier where there are several.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::event::mark_sign;
use super::prose::Prose;
use super::theme::{Role, Theme};
use super::words::{self, brief, full, glyph, leading, short};
use crate::app::header::Receiver;
use crate::domain::SourceState;
use crate::domain::untrusted::width;
use crate::domain::{Event, EventKind, FindingState, NOTHING, Severity, time};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// How wide each column is; a column of 0 is not shown.
struct Columns {
    severity: usize,
    title: usize,
    check: usize,
    who: usize,
    state: usize,
    source: usize,
    gap: usize,
}

const AGE: usize = 5;
const SEARCHING: &str = "searching older events…";

impl Columns {
    fn of(width: usize, sources: usize) -> Columns {
        let (severity, check, who, state, source, gap) = match width {
            ..52 => (6, 0, 10, 0, 0, 1),
            52..72 => (6, 0, 13, 11, 0, 1),
            72..100 => (6, 0, 16, 18, 0, 2),
            // What happened goes before the id of its check.
            100..116 if sources > 1 => (6, 0, 18, 20, 15, 2),
            100..116 => (10, 0, 26, 20, 0, 2),
            116..130 if sources > 1 => (6, 14, 18, 20, 15, 2),
            116..130 => (10, 16, 26, 20, 0, 2),
            130..150 => (10, 16, 26, 20, 14, 2),
            _ => (10, 26, 34, 32, 18, 2),
        };
        let shown = [severity, check, who, state, source].into_iter().filter(|columns| *columns > 0);
        let taken: usize = shown.map(|columns| columns + gap).sum();
        // The title has a gap of its own, the row a blank at each edge.
        let title = width.saturating_sub(taken + gap + AGE + 2);
        Columns { severity, title, check, who, state, source, gap }
    }

    fn is_narrow(&self) -> bool {
        self.severity < 10
    }

    /// A cell and its gap; nothing where the column is not shown.
    fn cell<'a>(&self, cells: Cells<'a>, role: Role, text: &str, columns: usize) -> Cells<'a> {
        if columns == 0 { cells } else { cells.left(role, text, columns).gap(self.gap) }
    }
}

pub(super) fn draw(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    let feed = &scene.state.feed;
    let columns = Columns::of(usize::from(area.width), scene.state.header.sources.len());
    let below = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
    if feed.window.rows.is_empty() {
        return empty(scene, canvas, below);
    }
    let heading = match &feed.error {
        Some(error) => canvas.theme.line(Role::Alarm, &format!(" ! {error}")),
        None => heading(canvas.theme, &columns),
    };
    canvas.line(area, 0, &heading);
    let selected = feed.cursor.index(&feed.ids());
    if feed.is_searching(usize::from(below.height)) {
        let words = format!("   {SEARCHING}");
        canvas.line(below, feed.window.rows.len(), &canvas.theme.own_line(Role::Muted, &words));
    }
    let visible =
        feed.window.rows.iter().enumerate().skip(feed.cursor.offset).take(usize::from(below.height));
    for (row, (at, event)) in visible.enumerate() {
        canvas.line(below, row, &line(scene, canvas.theme, &columns, event));
        if event.first_users.iter().any(|login| feed.marks.has(login)) {
            canvas.line(below, row, &mark_sign(canvas.theme, true));
        }
        if at == selected {
            canvas.select(below, row);
        }
    }
}

fn heading(theme: &Theme, columns: &Columns) -> Line<'static> {
    let severity = if columns.is_narrow() { "sev" } else { "severity" };
    let mut cells = Cells::new(theme).gap(1);
    for (name, width) in [
        (severity, columns.severity),
        ("event", columns.title),
        ("check", columns.check),
        ("who", columns.who),
        ("state", columns.state),
        ("source", columns.source),
    ] {
        cells = columns.cell(cells, Role::Muted, name, width);
    }
    cells.right(Role::Muted, "age", AGE).line()
}

fn line(scene: &Scene, theme: &Theme, columns: &Columns, event: &Event) -> Line<'static> {
    let quiet = is_quiet(event);
    let role = |role: Role| if quiet { Role::Muted } else { role };
    let (sign, word, severity) = severity(event, columns);
    let severity = role(severity);
    let stands = leading(&event.findings).map_or(Role::Muted, Role::from);
    let cells = Cells::new(theme).gap(1).left(severity, &theme.own(sign), 2);
    let cells = columns.cell(cells, severity, word, columns.severity - 2);
    let title = title(theme, event, columns.title, role(Role::Text));
    let cells = cells.cell(title, columns.title).gap(columns.gap);
    let cells = columns.cell(cells, Role::Muted, &event.check.id.to_string(), columns.check);
    let cells = columns.cell(cells, role(Role::Text), &who(event), columns.who);
    let cells = columns.cell(cells, stands, &state(theme, event, columns.state), columns.state);
    let cells = columns.cell(cells, Role::Muted, &event.source.to_string(), columns.source);
    cells.right(Role::Muted, &time::age(scene.state.now, event.at()), AGE).line()
}

/// How bad it is. A record that no row of the table judges is not of an unknown severity: it has none.
fn severity(event: &Event, columns: &Columns) -> (&'static str, &'static str, Role) {
    let severity = event.severity;
    match event.kind {
        EventKind::Log if severity == Severity::Unknown => (NOTHING, "log", Role::Muted),
        EventKind::Execution if severity == Severity::Unknown => (NOTHING, "run", Role::Muted),
        _ if columns.is_narrow() => (glyph(severity), short(severity), severity.into()),
        _ => (glyph(severity), severity.word(), severity.into()),
    }
}

fn is_record(event: &Event) -> bool {
    matches!(event.kind, EventKind::Log | EventKind::Execution)
}

/// The findings' states in full where they fit, else the one that most needs somebody.
fn state(theme: &Theme, event: &Event, columns: usize) -> String {
    let words = theme.own(&full(&event.findings));
    if width(&words) <= columns { words } else { brief(&event.findings) }
}

/// Tests, and events whose findings are all done: there is nothing to do about them.
fn is_quiet(event: &Event) -> bool {
    event.kind == EventKind::Test || leading(&event.findings) == Some(FindingState::Closed)
}

/// The title, cut so that the marks behind it are whole.
fn title(theme: &Theme, event: &Event, columns: usize, role: Role) -> Vec<Span<'static>> {
    let name = if event.check.name().is_empty() { event.kind.word().to_owned() } else { event.check.name() };
    let mut marks = marks(theme, event);
    let left = columns.saturating_sub(taken(&marks));
    // Tags take what the title leaves, or a third.
    let room = left.saturating_sub(width(&theme.visible(&name))).max(left / 3);
    marks.extend(tags(theme, event, room));
    let taken = taken(&marks);
    let mut spans = vec![theme.span(role, &theme.shown(&name, columns.saturating_sub(taken)))];
    for (role, mark) in marks.into_iter().filter(|_| taken <= columns) {
        spans.push(Span::raw(" "));
        spans.push(theme.span(role, &mark));
    }
    spans
}

fn taken(marks: &[(Role, String)]) -> usize {
    marks.iter().map(|(_, mark)| width(mark) + 1).sum()
}

/// What the rules call it, as far as there is room; the event tells all of it.
fn tags(theme: &Theme, event: &Event, room: usize) -> Vec<(Role, String)> {
    let mut tags: Vec<(Role, String)> = Vec::new();
    for tag in event.labels().map(|tag| theme.visible(&format!("#{tag}"))) {
        if taken(&tags) + width(&tag) < room {
            tags.push((Role::Muted, tag));
        }
    }
    tags
}

fn marks(theme: &Theme, event: &Event) -> Vec<(Role, String)> {
    let mut marks = Vec::new();
    if event.kind == EventKind::Test {
        marks.push((Role::Badge, "test".to_owned()));
    }
    // A record of a log comes by hook and by poll: that it came twice says nothing.
    if event.times > 1 && !is_record(event) {
        marks.push((Role::Accent, theme.own(&format!("×{}", event.times))));
    }
    if event.is_late() {
        marks.push((Role::Warning, "late".to_owned()));
    }
    marks
}

fn who(event: &Event) -> String {
    match (event.user_count, event.first_users.first()) {
        (0, _) => NOTHING.to_owned(),
        (1, Some(login)) if !login.is_empty() => login.to_string(),
        (1, _) => "1 user".to_owned(),
        (n, _) => format!("{n} users"),
    }
}

/// Why nothing is here, and what to do.
fn empty(scene: &Scene, canvas: &mut Canvas, area: Rect) {
    let inner = Rect { x: area.x + 3.min(area.width), width: area.width.saturating_sub(6), ..area };
    let mut prose = Prose::new(canvas.theme, usize::from(inner.width));
    let feed = &scene.state.feed;
    match &feed.error {
        Some(error) => prose.marked("! ", Role::Alarm, error),
        None if !feed.window.is_loaded => prose.say_own(Role::Muted, "reading the store…"),
        None if feed.is_searching(1) => prose.say_own(Role::Muted, SEARCHING),
        None if !feed.query.is_empty() => nothing_matches(&mut prose, &feed.query.to_string()),
        None => nothing_yet(scene, &mut prose),
    }
    let left_out = feed.left_out(scene.state.header.health.quiet);
    if left_out > 0 && feed.window.is_loaded {
        prose.blank();
        let words = format!(
            "{left_out} log and execution records that opened no finding are not in the feed: `quiet:yes` shows them"
        );
        prose.say(Role::Muted, &words);
    }
    canvas.lines(
        Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner },
        &prose.lines(),
    );
}

fn nothing_matches(prose: &mut Prose, query: &str) {
    prose.say(Role::Heading, "No event matches the filter");
    prose.blank();
    prose.say(Role::Accent, query);
    prose.blank();
    prose.say(Role::Muted, "esc clears it, / changes it");
}

fn nothing_yet(scene: &Scene, prose: &mut Prose) {
    let header = &scene.state.header;
    match &header.receiver {
        Receiver::Nobody(why) => {
            prose.say(Role::Alarm, "Nobody receives: nothing will arrive");
            prose.blank();
            prose.say(Role::Text, why);
        }
        receiver => {
            prose.say(Role::Heading, "Waiting for the first event");
            prose.blank();
            prose.say(Role::Text, &who_receives(receiver));
        }
    }
    prose.blank();
    for source in header.sources.iter() {
        let words = match &source.state {
            SourceState::Running => "ready".to_owned(),
            _ => source.told(&scene.state.settings.zone),
        };
        prose.marked(&format!("{:<18} ", source.name), words::role_of(&source.state), &words);
    }
    prose.blank();
    prose.say(Role::Muted, "`idtriage doctor` says what is missing");
}

fn who_receives(receiver: &Receiver) -> String {
    match receiver {
        Receiver::Unknown | Receiver::Nobody(_) => "Who receives is not known yet.".to_owned(),
        Receiver::ThisConsole => "This console receives, as long as it is open.".to_owned(),
        Receiver::Other(who) => format!("{who} receives; what arrives shows up here."),
    }
}
