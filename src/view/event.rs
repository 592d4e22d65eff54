//! An event: its texts, and its users with each one's finding. Side by side where there is room.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use super::words::glyph;
use crate::app::event::EventScreen;
use crate::app::text::{FACT_NAME, TextLine};
use crate::app::window::Window;
use crate::domain::page::EventUser;
use crate::domain::time::Zone;
use crate::domain::untrusted::width;
use crate::domain::{Finding, FindingState, Severity};
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Before a user who is marked: seen without a colour too.
const MARK: &str = "*";
/// The columns that a login has before anything else gets more.
const LOGIN: usize = 24;
/// A login that is longer than this leaves room for when its finding was last seen.
const LONG: usize = 40;
/// The most columns of where a finding stands.
const STANDS: usize = 26;
/// How often, before when it was last seen.
const TIMES: usize = 5;

pub(super) fn draw(scene: &Scene, screen: &EventScreen, canvas: &mut Canvas) {
    let (texts, users) = scene.size.event_parts(screen.user_count());
    draw_texts(scene, screen, canvas, texts);
    draw_users(scene, screen, canvas, users);
}

fn draw_texts(scene: &Scene, screen: &EventScreen, canvas: &mut Canvas, area: Rect) {
    let (height, columns) = scene.size.event_text_size(screen.user_count());
    let lines = screen.lines(columns, &scene.state.settings.zone);
    let offset = screen.scroll.offset.min(lines.len().saturating_sub(1));
    let severity = screen.detail.as_ref().map(|detail| detail.event.severity);
    let title =
        severity.map_or("Event".to_owned(), |s| format!("{} {}", canvas.theme.own(glyph(s)), s.word()));
    let mut panel = Panel::new(title, Focus::here(screen.reads_texts)).scrolled(offset, height, lines.len());
    if screen.detail.is_some() {
        panel = panel.aside(Role::Muted, format!("event {}", screen.id));
    }
    let inner = panel.draw(canvas, area);
    let theme = canvas.theme;
    if let Some(error) = &screen.error {
        return canvas.line(inner, 0, &theme.line(Role::Alarm, &format!("! {error}")));
    }
    if lines.is_empty() {
        return canvas.line(inner, 0, &theme.own_line(Role::Muted, "reading…"));
    }
    for (row, line) in lines.iter().skip(offset).take(height).enumerate() {
        canvas.line(inner, row, &text_line(theme, severity, line, columns));
    }
}

fn text_line(theme: &Theme, severity: Option<Severity>, line: &TextLine, columns: usize) -> Line<'static> {
    match line {
        TextLine::Blank => Line::default(),
        TextLine::Heading(text) => theme.line(Role::Heading, text),
        TextLine::Fact(name, value) => {
            let role = if name == "check" { severity.map_or(Role::Text, Role::from) } else { Role::Text };
            let left = columns.saturating_sub(FACT_NAME);
            Cells::new(theme).left(Role::Muted, name, FACT_NAME).left(role, value, left).line()
        }
        TextLine::Body(text) => theme.line(Role::Text, text),
        TextLine::Item(text) => Cells::new(theme).own(Role::Muted, "· ").text(Role::Text, text).line(),
    }
}

fn draw_users(scene: &Scene, screen: &EventScreen, canvas: &mut Canvas, area: Rect) {
    let (inner, below) = scene.size.event_users(screen.user_count());
    let height = usize::from(inner.height);
    let (offset, rows) = place(screen);
    Panel::new(users_title(screen), Focus::here(!screen.reads_texts))
        .aside(Role::Accent, canvas.theme.own(&matching(screen, height)))
        .scrolled(offset, height, rows)
        .draw(canvas, area);
    let theme = canvas.theme;
    let users = &screen.users.rows;
    if users.is_empty() {
        return canvas.line(inner, 0, &theme.own_line(Role::Muted, no_users(screen, height)));
    }
    let selected = screen.at();
    let widths = Widths::of(scene, users, usize::from(inner.width));
    let visible = users.iter().enumerate().skip(screen.cursor.offset).take(height);
    for (row, (at, user)) in visible.enumerate() {
        let is_marked = screen.marks.has(&user.login);
        // The sign stands in the blank before the row, so that nothing moves when it comes.
        canvas.line(wider(inner), row, &mark_sign(theme, is_marked));
        canvas.line(inner, row, &user_line(scene, theme, user, &widths));
        if at == selected {
            canvas.select(wider(inner), row);
        }
    }
    if let Some(user) = screen.selected() {
        let said: Vec<String> = screen.said.texts(&user.login).iter().map(ToString::to_string).collect();
        canvas.line(
            below,
            0,
            &theme.line(Role::Muted, &theme.shown(&said.join("; "), usize::from(below.width))),
        );
    }
}

fn users_title(screen: &EventScreen) -> String {
    let total = screen.detail.as_ref().map(|detail| detail.event.user_count);
    let words = match total {
        Some(1) => "1 user".to_owned(),
        Some(total) => format!("{total} users"),
        None => "Users".to_owned(),
    };
    if screen.query.is_empty() { words } else { format!("{words} where {}", screen.query) }
}

/// How many rows stand above the first visible one, and how many there are. With a filter, how many
/// match is only known as far as it was looked.
fn place(screen: &EventScreen) -> (usize, usize) {
    let known = screen.users.rows.len();
    if !screen.query.is_empty() {
        return (screen.cursor.offset, known);
    }
    let first = screen.users.first().unwrap_or(0);
    let total = screen.detail.as_ref().map_or(0, |detail| detail.event.user_count);
    (first + screen.cursor.offset, (first + known).max(usize::try_from(total).unwrap_or(usize::MAX)))
}

/// How many match a filter, as far as it was looked, and whether it is still looked.
fn matching(screen: &EventScreen, height: usize) -> String {
    let Window { rows, below, above, is_loaded } = &screen.users;
    match (screen.query.is_empty(), is_loaded) {
        (true, _) => String::new(),
        (_, false) => "searching…".to_owned(),
        _ if screen.is_searching(height) => format!("{} match, searching…", rows.len()),
        _ if below.is_some() || above.is_some() => format!("{}+ match", rows.len()),
        _ => format!("{} match", rows.len()),
    }
}

fn no_users(screen: &EventScreen, height: usize) -> &'static str {
    let total = screen.detail.as_ref().map(|detail| detail.event.user_count);
    let is_read = screen.users.is_loaded && !screen.is_searching(height);
    match (is_read, screen.query.is_empty()) {
        _ if total == Some(0) => "this event names no user",
        (true, false) => "no user of this event matches: esc clears the filter, / changes it",
        _ => "reading…",
    }
}

/// The bar of the selection reaches to the border.
fn wider(inner: Rect) -> Rect {
    Rect { x: inner.x.saturating_sub(1), width: inner.width + 2, ..inner }
}

/// The sign of a user who is marked.
pub(super) fn mark_sign(theme: &Theme, is_marked: bool) -> Line<'static> {
    if is_marked { theme.own_line(Role::Key, MARK) } else { Line::default() }
}

/// The columns of a user's row.
struct Widths {
    login: usize,
    stands: usize,
    seen: usize,
}

impl Widths {
    /// Of all who are held, so that no column moves while they scroll: what a finding's state and time leave is the
    /// login's, and the time is left out before a login is cut for it.
    fn of(scene: &Scene, users: &[EventUser], columns: usize) -> Widths {
        let word = |user: &EventUser| width(&standing(user).1);
        let stands = users.iter().map(word).max().unwrap_or(0).min(STANDS);
        let stands = stands.min(columns.saturating_sub(LOGIN + 2).max(8)).min(columns);
        let login =
            users.iter().map(|user| width(&user.login.to_string())).max().unwrap_or(0).clamp(LOGIN, LONG);
        let seen = scene.state.settings.zone.minutes_columns() + TIMES;
        let seen = if columns >= login + stands + seen + 4 { seen } else { 0 };
        let gaps = if seen > 0 { 4 } else { 2 };
        Widths { login: columns.saturating_sub(stands + seen + gaps), stands, seen }
    }
}

fn user_line(scene: &Scene, theme: &Theme, user: &EventUser, widths: &Widths) -> Line<'static> {
    let (role, state) = standing(user);
    let seen = |finding| seen(&scene.state.settings.zone, theme, finding);
    let seen = user.finding.as_ref().map(seen).unwrap_or_default();
    let cells = Cells::new(theme).left(Role::Text, &user.login.to_string(), widths.login).gap(2);
    let cells = cells.left(role, &state, widths.stands);
    if widths.seen == 0 { cells.line() } else { cells.gap(2).right(Role::Muted, &seen, widths.seen).line() }
}

fn standing(user: &EventUser) -> (Role, String) {
    user.finding.as_ref().map_or((Role::Muted, "no finding".to_owned()), stands)
}

/// Where a finding stands: who has it, or why it was closed.
pub(super) fn stands(finding: &Finding) -> (Role, String) {
    let word = finding.state.word();
    let words = match (finding.state, &finding.assignee, finding.disposition) {
        (FindingState::Closed, _, Some(why)) => format!("{word}: {}", why.title()),
        (FindingState::Claimed, Some(who), _) => format!("{word} by {who}"),
        _ => word.to_owned(),
    };
    (finding.state.into(), words)
}

fn seen(zone: &Zone, theme: &Theme, finding: &Finding) -> String {
    let times = if finding.times > 1 { theme.own(&format!("×{} ", finding.times)) } else { String::new() };
    format!("{times}{}", zone.minutes(finding.last_seen))
}
