//! An event: its texts, and its users with each one's finding. Side by side where there is room.

use super::Scene;
use super::canvas::{Canvas, Cells};
use super::panel::{Focus, Panel};
use super::theme::{Role, Theme};
use super::words::glyph;
use crate::app::event::EventScreen;
use crate::app::text::{FACT_NAME, TextLine};
use crate::domain::page::EventUser;
use crate::domain::time::Zone;
use crate::domain::{Finding, FindingState, Severity};
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The columns that a login has before anything else gets more.
const LOGIN: usize = 24;
/// How often, before when it was last seen.
const TIMES: usize = 5;

pub(super) fn draw(scene: &Scene, screen: &EventScreen, canvas: &mut Canvas) {
    let (texts, users) = scene.size.event_parts();
    draw_texts(scene, screen, canvas, texts);
    draw_users(scene, screen, canvas, users);
}

fn draw_texts(scene: &Scene, screen: &EventScreen, canvas: &mut Canvas, area: Rect) {
    let (height, columns) = scene.size.event_text_size();
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
    let total = screen.detail.as_ref().map(|detail| detail.event.user_count);
    let known = screen.users.len();
    let height = usize::from(area.height.saturating_sub(2));
    let title = match total {
        Some(1) => "1 user".to_owned(),
        Some(total) => format!("{total} users"),
        None => "Users".to_owned(),
    };
    let panel = Panel::new(title, Focus::here(!screen.reads_texts)).scrolled(
        screen.cursor.offset,
        height,
        known.max(total.and_then(|n| n.try_into().ok()).unwrap_or(0)),
    );
    let inner = panel.draw(canvas, area);
    let theme = canvas.theme;
    if screen.users.is_empty() {
        let words = if total == Some(0) { "this event names no user" } else { "reading…" };
        return canvas.line(inner, 0, &theme.own_line(Role::Muted, words));
    }
    let selected = screen.cursor.index(&screen.logins());
    let visible = screen.users.iter().enumerate().skip(screen.cursor.offset).take(height);
    for (row, (at, user)) in visible.enumerate() {
        canvas.line(inner, row, &user_line(scene, theme, user, usize::from(inner.width)));
        if at == selected {
            canvas.select(wider(inner), row);
        }
    }
}

/// The bar of the selection reaches to the border.
fn wider(inner: Rect) -> Rect {
    Rect { x: inner.x.saturating_sub(1), width: inner.width + 2, ..inner }
}

fn user_line(scene: &Scene, theme: &Theme, user: &EventUser, columns: usize) -> Line<'static> {
    let zone = &scene.state.settings.zone;
    let (role, state) = user.finding.as_ref().map_or((Role::Muted, "no finding".to_owned()), stands);
    let seen = user.finding.as_ref().map_or(String::new(), |finding| seen(zone, theme, finding));
    let wanted = zone.minutes_columns() + TIMES;
    let seen_columns = if columns >= 49 + wanted { wanted } else { 0 };
    let state_columns = columns.saturating_sub(seen_columns + LOGIN + 2).clamp(8, 26).min(columns);
    let login = columns.saturating_sub(state_columns + seen_columns + 2);
    let cells = Cells::new(theme).left(Role::Text, &user.login.to_string(), login).gap(2);
    cells.left(role, &state, state_columns).right(Role::Muted, &seen, seen_columns).line()
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
